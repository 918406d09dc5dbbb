"""Tables of runs made into what people read: means with their errors, differences between designs, cost-effectiveness, rankings.

Functions of the table ``runs``: one row per run, columns ``design, parameter_set, replicate`` and the outcomes of
``model.observe.OUTCOMES``. All designs share the random numbers of a replicate, so differences are taken within it (common random
numbers; Law 2015, Simulation Modeling and Analysis, 5th ed., section 11.2).

What the errors stand for. With one parameter set the units are its replicates, and a standard error is Monte Carlo error alone. As
replicates that live in the same population are alike, it is clustered by population (Liang & Zeger 1986, Biometrika 73, 13-22): replicate
r lives in population r modulo ``worlds``; with a single population it holds for that population only. With several parameter sets the
units are the sets, each the mean over its replicates, and spread and error are those over sets, for the populations used.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from school_mentoring.analysis.economics.frontier import frontier, net_benefit

from .outcomes import COMPARATOR, OUTCOMES, names_in, outcome

DIGITS = 10
REACHED = {"school": "schools_reached", "teacher": "teachers_in_team", "pupil": "pupils_reached"}
"""Who is reached: what one is called in ``cost_of_reach``, and the outcome that counts them."""
PAIRS_AT_A_TIME = 2000
QUANTILES = (0.05, 0.5, 0.95)
Z90 = 1.6448536269514722  # of the normal distribution: 90 % lie within this many standard deviations


def summarise(runs: pd.DataFrame, *, worlds: int) -> pd.DataFrame:
    """Return mean and spread of every outcome of every design over the replicates of one parameter set.

    Columns: ``design``, ``outcome``, ``mean``, ``sd``, ``se``, ``q05``, ``q50``, ``q95``, ``n``: runs in which the outcome exists. Values
    carry 10 significant digits. Raises ValueError where the table holds several parameter sets, whose spread is of another kind.
    """
    sets = runs["parameter_set"].nunique()
    if sets > 1:
        raise ValueError(f"{sets} parameter sets in the table; summarise those of one, such as runs[runs['parameter_set'] == 0]")
    tables = {name: wide(runs, name) for name in _outcomes_of(runs)}
    rows = [
        {"design": d, "outcome": name, **row}
        for name, table in tables.items()
        for d, row in zip(table, _statistics(table, worlds), strict=True)
    ]
    return _tidy(rows, runs, ["design", "outcome", "mean", "sd", "se", "q05", "q50", "q95", "n"])


def differences(runs: pd.DataFrame, comparator: str = COMPARATOR, *, worlds: int) -> pd.DataFrame:
    """Return every design's difference from the comparator in every outcome, paired by (parameter set, replicate).

    Columns: ``design``, ``comparator``, ``outcome``, ``mean``, ``sd``, ``se``, ``q05``, ``q50``, ``q95``, ``n``; ``variance_paired``:
    variance of the difference between runs that share random numbers; ``variance_independent``: the sum of the two variances, which
    independent runs would have; ``replicates_saved``: how many times fewer replicates the pairs need for the same error, independent /
    paired (infinite where pairs never differ). Variances are those between replicates of the same parameter set, populations among them.
    """
    _require(runs, comparator)
    others = [design for design in names_in(runs["design"]) if design != comparator]
    return _differences(runs, [(design, comparator) for design in others], _outcomes_of(runs), worlds)


def between_designs(runs: pd.DataFrame, outcome: str, *, worlds: int, involving: str | None = None) -> pd.DataFrame:
    """Return the difference ``design`` - ``comparator`` of one outcome for all pairs of designs; columns as in ``differences``.

    ``involving``: only the pairs of which this design is one.
    """
    designs = names_in(runs["design"])
    pairs = [(later, earlier) for k, earlier in enumerate(designs) for later in designs[k + 1 :]]
    if involving is not None:
        pairs = [pair for pair in pairs if involving in pair]
    return _differences(runs, pairs, [outcome], worlds)


def cost_effectiveness(runs: pd.DataFrame, *, worlds: int) -> pd.DataFrame:
    """Return what each design costs and brings over the comparator, and where it stands among the others.

    Columns: ``design``, ``comparator``; ``cost`` (to society), ``cost_programme``, ``effect``: means; ``incremental_cost``,
    ``incremental_cost_se``, ``incremental_cost_programme``, ``incremental_effect``, ``incremental_effect_se``: over the comparator;
    ``cost_per_effect``, ``cost_per_effect_programme``: EUR per added adopter-year as ratios of means, nan where the effect is not above 0;
    ``cost_per_effect_se``: by the delta method, se(dC - R dE) / mean dE; ``note``: why a ratio is blank or weak; ``status``, ``icer``,
    ``icer_against``, ``dominated_by``: see ``economics.frontier``.
    """
    _require(runs, COMPARATOR)
    costs, effects, programme = (complete(wide(runs, name), name) for name in ("cost_society", "effect_adopter_years", "cost_programme"))
    means = pd.DataFrame({"cost": _means(costs), "cost_programme": _means(programme), "effect": _means(effects)})
    designs = [str(design) for design in means.index]
    standing = frontier(designs, means["cost"].tolist(), means["effect"].tolist())
    rows = []
    for d, (c, p, e), place in zip(designs, means.to_numpy().tolist(), standing.to_dict("records"), strict=True):
        row: dict[str, Any] = {"design": d, "comparator": COMPARATOR, "cost": c, "cost_programme": p, "effect": e}
        extra = costs[d] - costs[COMPARATOR], programme[d] - programme[COMPARATOR], effects[d] - effects[COMPARATOR]
        row |= _ratios(*extra, worlds) | {name: place[name] for name in ("status", "icer", "icer_against", "dominated_by")}
        rows.append(row if d != COMPARATOR else row | {"note": ""})
    return _tidy(rows, runs)


def cost_of_reach(runs: pd.DataFrame) -> pd.DataFrame:
    """Return what each design costs for each mentored school, teacher in a team and pupil of such teachers.

    Columns: ``design``; the mean outcomes of ``REACHED``; ``programme_per_school`` and so on, ``society_per_school`` and so on: EUR of the
    programme's outlay and of the cost to society beyond the comparator, as ratios of means; nan where nobody is reached.
    """
    _require(runs, COMPARATOR)
    reached = pd.DataFrame({name: _means(wide(runs, name)) for name in REACHED.values()})
    for payer in ("programme", "society"):
        cost = _means(wide(runs, f"cost_{payer}"))
        for one, name in REACHED.items():
            reached[f"{payer}_per_{one}"] = (cost - cost[COMPARATOR]) / reached[name].where(reached[name] > 0)
    return _tidy(reached.rename_axis("design").reset_index().to_dict("records"), runs)


def by_discount_rate(monthly: pd.DataFrame, costs: pd.DataFrame, rates: Sequence[float], *, public_funds: float) -> pd.DataFrame:
    """Return the added cost to society, the added adopter-years and their ratio at several discount rates, from the months of all runs.

    ``monthly``: columns ``design, parameter_set, replicate, month, group, adopters``; ``costs``: ``design, month, payer, cost`` in EUR, not
    discounted; ``public_funds``: what raising a euro of the programme's outlay costs. Columns: ``design``, ``discount_rate`` per year,
    ``incremental_cost``, ``incremental_effect``, ``cost_per_effect`` (nan where the effect is not above 0).
    """
    everyone, keys = monthly[monthly["group"] == "all"], ["month", "design"]
    count = len(everyone[["parameter_set", "replicate"]].drop_duplicates())
    weight = np.where(costs["payer"] == "programme", 1.0 + public_funds, 1.0)
    years = everyone.groupby(keys, observed=False)["adopters"].sum().unstack() / (12.0 * count)
    borne = costs.assign(cost=weight * costs["cost"]).groupby(keys, observed=False)["cost"].sum().unstack() / count
    borne = borne.reindex(index=years.index, columns=years.columns, fill_value=0.0)
    rows = []
    for rate in rates:
        factor = (1.0 + rate) ** (-years.index.to_numpy() / 12.0)
        effect, cost = (table.mul(factor, axis=0).sum() for table in (years, borne))
        for d in names_in(everyone["design"]):
            more, gained = cost[d] - cost[COMPARATOR], effect[d] - effect[COMPARATOR]
            row = {"design": d, "discount_rate": rate, "incremental_cost": more, "incremental_effect": gained}
            rows.append(row | {"cost_per_effect": more / gained if gained > 0 else math.nan})
    return _tidy(rows, everyone)


def ranking(runs: pd.DataFrame, outcome_name: str = "effect_adopter_years", *, willingness_to_pay: Sequence[float] = ()) -> pd.DataFrame:
    """Return the probability that each design is best over many parameter sets: by an outcome, and by net benefit at a willingness to pay.

    Replicates are averaged within each parameter set first, as the luck of single runs would look like uncertainty about parameters. Ties
    are split evenly. Net benefit is k E - C (cost-effectiveness acceptability; van Hout et al. 1994, Health Economics 3, 309-319).

    Columns: ``criterion`` (the outcome, or net_benefit), ``willingness_to_pay`` (nan for the outcome), ``design``, ``mean``, ``behind``:
    how much worse the mean is than that of the design with the best mean; ``noise_share``: share of the variance of that difference which
    is left over from replicates (nan with one replicate); ``probability_best``; ``se``: its Monte Carlo standard error; ``low``, ``high``:
    its 90 % interval (Wilson 1927, which does not shrink to nothing at 0 and 1); ``sets``. Raises ValueError where there are fewer than two
    parameter sets, a value is missing, or more of the outcome is neither better nor worse.
    """
    if runs["parameter_set"].nunique() < 2:
        raise ValueError("a ranking under uncertainty needs runs of at least two parameter sets")
    direction = outcome(outcome_name).direction
    if direction == "neither":
        raise ValueError(f"more of {outcome_name!r} is neither better nor worse, so it ranks nothing")
    parts = [_rank(complete(wide(runs, outcome_name), outcome_name), outcome_name, math.nan, 1.0 if direction == "higher" else -1.0)]
    if len(willingness_to_pay):
        costs, effects = (complete(wide(runs, name), name) for name in ("cost_society", "effect_adopter_years"))
        for k in willingness_to_pay:
            benefit = pd.DataFrame(net_benefit(effects, costs, k), effects.index, effects.columns)
            parts.append(_rank(benefit, "net_benefit", float(k), 1.0))
    return _tidy([row for part in parts for row in part], runs)


def wide(runs: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return one outcome with a row per (parameter set, replicate) and a column per design, in the designs' order.

    ``outcome:group`` is the outcome in one group of schools, where the runs carry it.
    """
    outcome(name.partition(":")[0])
    if runs.duplicated(["design", "parameter_set", "replicate"]).any():
        raise ValueError("the table holds a run twice: the same design, parameter set and replicate")
    column = runs["design"] if isinstance(runs["design"].dtype, pd.CategoricalDtype) else runs["design"].astype("category")
    named = runs[["parameter_set", "replicate", name]].assign(design=column.cat.codes)  # codes pivot much faster than names
    table = named.pivot(index=["parameter_set", "replicate"], columns="design", values=name)
    table.columns = pd.Index([str(column.cat.categories[code]) for code in table.columns], name="design")
    return table[names_in(runs["design"])].sort_index()


def wilson(p: float, n: int) -> tuple[float, float]:
    """Return the 90 % interval of a probability seen as a share ``p`` of ``n`` draws (Wilson 1927): it has a width at 0 and 1 too."""
    middle, half = p + Z90**2 / (2 * n), Z90 * math.sqrt(p * (1 - p) / n + Z90**2 / (4 * n * n))
    low, high = (max(0.0, min(1.0, (middle + side * half) / (1 + Z90**2 / n))) for side in (-1, 1))
    return low, high


def ranged(name: str, values: Any) -> dict[str, float]:
    """Return the mean of values under a name, and their 5 and 95 % quantiles under ``name_low`` and ``name_high``."""
    low, high = np.quantile(values, [0.05, 0.95])
    return {name: float(np.mean(values)), f"{name}_low": float(low), f"{name}_high": float(high)}


def round_figures(value: float, digits: int = DIGITS) -> float:
    """Return a number with so many significant digits, so that what is written does not depend on how a machine sums."""
    return float(f"{value:.{digits}g}")


# --- units, errors ----------------------------------------------------------------------------------------------------


def _units(table: pd.DataFrame) -> pd.DataFrame:
    """Return the values over which spread and error are taken: replicates of one parameter set, or the means of several sets."""
    if table.index.get_level_values("parameter_set").nunique() > 1:
        return table.groupby(level="parameter_set").mean()
    return table


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return math.fsum(listed) / len(listed) if listed else math.nan


def _means(table: pd.DataFrame) -> "pd.Series[Any]":
    """Return each design's mean over the units."""
    units = _units(table)
    return pd.Series({str(design): _mean(units[design]) for design in units})


def _variance(values: Iterable[float]) -> float:
    listed = list(values)
    if len(listed) < 2:
        return math.nan
    middle = _mean(listed)
    return math.fsum((v - middle) ** 2 for v in listed) / (len(listed) - 1)


def _standard_errors(units: pd.DataFrame, worlds: int) -> list[float]:
    """Return the standard error of each column's mean: sqrt(G / (G - 1) x sum over clusters of (sum of deviations)^2) / n, with G clusters.

    Clusters are the units themselves where there are several parameter sets or one population; that gives sd / sqrt(n).
    """
    populations = (
        units.index.get_level_values("replicate").to_numpy() % worlds if "replicate" in units.index.names else np.zeros(len(units))
    )
    errors = []
    for column in units.to_numpy().T:
        there = ~np.isnan(column)
        values, labels = column[there].tolist(), populations[there].tolist()
        if len(values) < 2:
            errors.append(math.nan)
            continue
        middle = _mean(values)
        clusters: dict[float, list[float]] = {}
        for label, value in zip(labels if len(set(labels)) > 1 else range(len(values)), values, strict=True):
            clusters.setdefault(label, []).append(value - middle)
        count = len(clusters)
        errors.append(math.sqrt(count / (count - 1) * math.fsum(math.fsum(c) ** 2 for c in clusters.values())) / len(values))
    return errors


def _statistics(table: pd.DataFrame, worlds: int) -> list[dict[str, float]]:
    """Return mean and spread of each column over the units in which it exists."""
    units = _units(table)
    quantiles = np.full((3, units.shape[1]), math.nan)
    whole = units.notna().all().to_numpy() & (len(units) > 0)
    quantiles[:, whole] = np.quantile(units.to_numpy()[:, whole], QUANTILES, axis=0) if whole.any() else math.nan
    rows = []
    for k, (column, error) in enumerate(zip(units.to_numpy().T, _standard_errors(units, worlds), strict=True)):
        present = column[~np.isnan(column)]
        if len(present) and not whole[k]:
            quantiles[:, k] = np.quantile(present, QUANTILES)
        q05, q50, q95 = quantiles[:, k].tolist()
        figures = {"mean": _mean(present.tolist()), "sd": math.sqrt(_variance(present.tolist())), "se": error}
        rows.append({**figures, "q05": q05, "q50": q50, "q95": q95, "n": len(present)})
    return rows


def _within(table: pd.DataFrame) -> list[float]:
    """Return the variance of each column between replicates of the same parameter set, pooled over sets; nan where no set has two."""
    sets = table.groupby(level="parameter_set")
    squares = ((table - sets.transform("mean")) ** 2).to_numpy()
    freedom = (table.notna().sum() - (sets.count() > 0).sum()).tolist()
    sums = [math.fsum(column[~np.isnan(column)].tolist()) for column in squares.T]
    return [total / free if free > 0 else math.nan for total, free in zip(sums, freedom, strict=True)]


def _differences(runs: pd.DataFrame, pairs: Sequence[tuple[str, str]], outcomes: Sequence[str], worlds: int) -> pd.DataFrame:
    rows = []
    for name in outcomes:
        table = wide(runs, name)
        position = {design: k for k, design in enumerate(table)}
        for low in range(0, len(pairs), PAIRS_AT_A_TIME):
            here = pairs[low : low + PAIRS_AT_A_TIME]
            one, other = (table.iloc[:, [position[pair[side]] for pair in here]].to_numpy() for side in (0, 1))
            gone = np.isnan(one) | np.isnan(other)
            one, other = (pd.DataFrame(np.where(gone, math.nan, values), index=table.index) for values in (one, other))
            difference = one - other
            found = _within(difference), _within(one), _within(other), _statistics(difference, worlds)
            for (design, comparator), paired, mine, its, statistics in zip(here, *found, strict=True):
                row = {"design": design, "comparator": comparator, "outcome": name, **statistics}
                row |= {"variance_paired": paired, "variance_independent": mine + its, "replicates_saved": math.nan}
                if mine + its > 0:
                    row["replicates_saved"] = (mine + its) / paired if paired > 0 else math.inf
                rows.append(row)
    columns = ["design", "comparator", "outcome", "mean", "sd", "se", "q05", "q50", "q95", "n"]
    return _tidy(rows, runs, [*columns, "variance_paired", "variance_independent", "replicates_saved"])


def _rank(table: pd.DataFrame, criterion: str, k: float, sign: float) -> list[dict[str, Any]]:
    """Return the rows of ``ranking`` for one criterion; ``sign`` is -1 where less is better."""
    means = sign * table.groupby(level="parameter_set").mean()
    best = means.eq(means.max(axis=1), axis=0)
    split = best.div(best.sum(axis=1), axis=0)
    overall = {design: _mean(means[design]) for design in means}
    leader = max(overall, key=lambda design: overall[design])
    left_over = _mean((1.0 / table.groupby(level="parameter_set").size()).tolist())  # of the variance of a replicate, in the mean of a set
    rows = []
    for design, chance in zip(means, _within(table.rsub(table[leader], axis=0)), strict=True):
        shares, n = split[design].tolist(), len(split)
        p, spread = _mean(shares), _variance(means[leader] - means[design])
        noise = chance * left_over / spread if spread > 0 else math.nan
        low, high = wilson(p, n)
        row = {"criterion": criterion, "willingness_to_pay": k, "design": design, "mean": sign * overall[design]}
        row |= {"behind": overall[leader] - overall[design], "noise_share": noise if math.isnan(noise) else min(1.0, noise)}
        row |= {"probability_best": p, "se": math.sqrt(_variance(shares) / n), "low": low, "high": high, "sets": n}
        rows.append(row)
    return rows


def _ratios(cost: "pd.Series[Any]", programme: "pd.Series[Any]", effect: "pd.Series[Any]", worlds: int) -> dict[str, Any]:
    """Return the increments over the comparator and their ratios, from the differences of each run."""
    units = _units(pd.DataFrame({"cost": cost, "programme": programme, "effect": effect}))
    more, more_programme, gained = (_mean(units[name].dropna()) for name in units)
    more_se, _, gained_se = _standard_errors(units, worlds)
    row: dict[str, Any] = {"incremental_cost": more, "incremental_cost_se": more_se}
    row |= {"incremental_cost_programme": more_programme, "incremental_effect": gained, "incremental_effect_se": gained_se}
    if not gained > 0:
        blank = dict.fromkeys(("cost_per_effect", "cost_per_effect_se", "cost_per_effect_programme"), math.nan)
        return {**row, **blank, "note": "no added effect to divide by"}
    ratio = more / gained
    (rest,) = _standard_errors(_units((cost - ratio * effect).to_frame()), worlds)
    row |= {"cost_per_effect": ratio, "cost_per_effect_se": rest / gained}
    note = "effect within two standard errors of 0" if gained < 2 * gained_se else ""
    return {**row, "cost_per_effect_programme": more_programme / gained, "note": note}


# --- tables -----------------------------------------------------------------------------------------------------------


def _outcomes_of(runs: pd.DataFrame) -> list[str]:
    return [name for name in OUTCOMES if name in runs.columns]


def _require(runs: pd.DataFrame, comparator: str) -> None:
    if comparator not in names_in(runs["design"]):
        raise ValueError(f"no runs of {comparator!r} to compare with; the table holds {', '.join(names_in(runs['design']))}")


def complete(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows that hold all designs. Raises ValueError, naming them, where runs gave something that is no finite number."""
    infinite = np.isinf(table.to_numpy()).any()
    bad = [(design, *run) for design in table for run in table.index[np.isinf(table[design])]] if infinite else []
    table = table.dropna()
    if bad or table.empty:
        listed = "; ".join(f"{d}, parameter set {s}, replicate {r}" for d, s, r in bad[:5])
        raise ValueError(f"{name} is not a finite number in the runs {listed}" if bad else f"no run holds {name} for all designs")
    return table


def _tidy(rows: list[dict[str, Any]], runs: pd.DataFrame, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return rows as a table with rounded figures and designs in the order, and with the categories, of the runs."""
    table = pd.DataFrame(rows) if columns is None else pd.DataFrame(rows, columns=list(columns))
    for name in table.select_dtypes("float"):
        table[name] = [round_figures(value) for value in table[name]]
    names = names_in(runs["design"], present=False)
    table["design"] = pd.Categorical(table["design"], categories=names)
    return table
