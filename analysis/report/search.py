"""What a search of designs found: the best for each budget, and where the scenario's own designs stand to it, with intervals.

All figures come from runs that neither the search nor the choice among its results saw, paired by the random numbers of a run. Intervals
are 95 % intervals of a mean over those runs (Student's t).

Words by rule. A design beats another where the interval of its added effect lies above 0 and that of its added cost does not; where the
added effect's interval holds 0 the two are not told apart; where it lies below 0 the other stands unbeaten.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from school_mentoring.analysis.describe import describe
from school_mentoring.analysis.outcomes import COMPARATOR, design_name
from school_mentoring.analysis.summary import wide
from school_mentoring.model.designs import FIELDS, Design
from school_mentoring.model.programmes import Programme

from .sentences import in_words, percent, with_error
from .terminal import Report, records

BEATEN, UNBEATEN, ALIKE, UNSURE, NONE = "beaten", "unbeaten", "not told apart", "unsure", "no rival"
"""What a design of the scenario may be against the rival chosen for it."""

NAMES = {"effect": "effect_adopter_years", "gap": "gap_disadvantaged", "gap_rural": "gap_rural"}


def _tables(runs: pd.DataFrame, cost: str) -> dict[str, pd.DataFrame]:
    """Return the outcomes that designs are compared by, each with a row per run and a column per design."""
    return {name: wide(runs, outcome) for name, outcome in {**NAMES, "cost": cost, "cost_programme": "cost_programme"}.items()}


def _interval(table: pd.DataFrame, design: str, other: str | None) -> tuple[float, float, float]:
    """Return mean, low and high of an outcome of a design, or of its difference from another's."""
    return mean_interval((table[design] if other is None else table[design] - table[other]).to_numpy(np.float64))


def mean_interval(values: "np.typing.NDArray[np.float64]") -> tuple[float, float, float]:
    """Return a mean and its 95 % interval; the interval is the whole line for a single value, nothing wide where values agree."""
    from scipy.stats import t

    mean, n = math.fsum(values.tolist()) / len(values), len(values)
    if n == 1:
        return mean, -math.inf, math.inf
    half = float(t.ppf(0.975, n - 1)) * math.sqrt(math.fsum(((values - mean) ** 2).tolist()) / (n - 1) / n)
    return mean, mean - half, mean + half


def _columns(name: str, interval: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), (float(f"{value:.10g}") for value in interval), strict=True))


def best_designs(
    runs: pd.DataFrame, chosen: pd.DataFrame, fields: pd.DataFrame, own: Sequence[str], *, cost: str, budget_risk: float | None = None
) -> pd.DataFrame:
    """Return the best design for each budget: what it costs and adds beyond no programme, and how it compares with the scenario's own.

    Columns: ``budget`` (EUR), ``design``; ``cost``, ``cost_programme``, ``effect`` beyond no programme and ``gap`` as it is, each with
    ``_low`` and ``_high``; ``probability_over_budget``: share of runs that cost more than the budget; ``own``: the scenario's design with
    the largest mean effect among those within the budget (blank where none is), by the mean of its cost or, where a ``budget_risk`` is
    stated, by the share of its runs that exceed it, ``more_effect``: the effect beyond it;
    ``undominated``: whether every design of the scenario costs more or does less (by the intervals of the differences); then its fields.
    """
    tables = _tables(runs, cost)
    rows = []
    for row in chosen[chosen["kind"] == "budget"].to_dict("records"):
        design, budget = str(row["design"]), float(row["budget"])
        if not design:
            continue
        found: dict[str, Any] = {"budget": budget, "design": design}
        for name in ("cost", "cost_programme", "effect"):
            found |= _columns(name, _interval(tables[name], design, COMPARATOR))
        found |= _columns("gap", _interval(tables["gap"], design, None))
        over = tables["cost"].sub(tables["cost"][COMPARATOR], axis=0).gt(budget).mean()
        found["probability_over_budget"] = float(over[design])
        others = [name for name in own if name != design]
        if budget_risk is None:
            within = [name for name in others if _interval(tables["cost"], name, COMPARATOR)[0] <= budget]
        else:
            within = [name for name in others if over[name] <= budget_risk]
        beside = max(within, key=lambda name: _interval(tables["effect"], name, COMPARATOR)[0], default="")
        found["own"] = beside
        found |= _columns("more_effect", _interval(tables["effect"], design, beside) if beside else (math.nan,) * 3)
        found["undominated"] = all(
            _interval(tables["cost"], design, name)[2] < 0 or _interval(tables["effect"], design, name)[1] > 0 for name in others
        )
        rows.append(found)
    first = ["budget", "design", *(f"{n}{s}" for n in ("cost", "cost_programme", "effect", "gap") for s in ("", "_low", "_high"))]
    first += ["probability_over_budget", "own", "more_effect", "more_effect_low", "more_effect_high", "undominated"]
    return pd.DataFrame(rows, columns=first).merge(fields, on="design", how="left", validate="many_to_one")


def own_designs(runs: pd.DataFrame, chosen: pd.DataFrame, own: Sequence[str], *, cost: str, objectives: Sequence[str]) -> pd.DataFrame:
    """Return where each design of the scenario stands: its rivals, by how much they differ from it, and the verdict.

    Columns: ``design``; ``kind``: what its ``rival`` was chosen for (``equal_cost``: most effect at no more cost; ``equal_effect``: least
    cost at no less effect; ``all_objectives``: most effect, no worse in anything sought); ``cost``, ``effect``: of the design beyond
    no programme; ``more_effect``, ``more_cost``, ``wider_gap``: of the rival beyond the design; each figure with ``_low`` and ``_high``;
    ``verdict``.
    """
    tables = _tables(runs, cost)
    rows = []
    for row in chosen[chosen["kind"] != "budget"].to_dict("records"):
        design, rival = str(row["against"]), str(row["design"])
        if design not in own:
            continue
        found: dict[str, Any] = {"design": design, "kind": row["kind"], "rival": rival}
        for name in ("cost", "effect"):
            found |= _columns(name, _interval(tables[name], design, COMPARATOR))
        for name, what in (("more_effect", "effect"), ("more_cost", "cost"), ("wider_gap", "gap")):
            found |= _columns(name, _interval(tables[what], rival, design) if rival else (math.nan,) * 3)
        rows.append({**found, "verdict": _verdict(tables, objectives, str(row["kind"]), design, rival)})
    columns = ["design", "kind", "rival"]
    columns += [f"{n}{s}" for n in ("cost", "effect", "more_effect", "more_cost", "wider_gap") for s in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=[*columns, "verdict"])


def _verdict(tables: Mapping[str, pd.DataFrame], objectives: Sequence[str], kind: str, design: str, rival: str) -> str:
    if not rival:
        return NONE
    effect, cost = _interval(tables["effect"], rival, design), _interval(tables["cost"], rival, design)
    # What must be better for the rival to beat the design, as an interval in which above 0 is better; and whether the rest is no worse.
    gain = effect if kind != "equal_effect" else (-cost[0], -cost[2], -cost[1])
    keeps = cost[2] <= 0.0 if kind != "equal_effect" else effect[1] >= 0.0
    if kind == "all_objectives":
        for name in objectives:
            if name.startswith("gap"):
                wider, gap = _interval(tables[name], rival, design), _interval(tables[name], rival, None)
                keeps = keeps and (wider[2] <= 0.0 or gap[2] <= 0.0)
    if gain[2] < 0.0:
        return UNBEATEN
    if gain[1] <= 0.0:
        return ALIKE
    return BEATEN if keeps else UNSURE


# --- the report --------------------------------------------------------------------------------------------------------


def search_report(
    *,
    runs: pd.DataFrame,
    chosen: pd.DataFrame,
    candidates: pd.DataFrame,
    evaluations: pd.DataFrame,
    convergence: pd.DataFrame,
    fields: pd.DataFrame,
    designs: Mapping[str, Design | Programme],
    own: Sequence[str],
    outside: Sequence[str],
    objectives: Sequence[str],
    cost: str,
    highest_cost: float,
    budget_risk: float | None = None,
) -> Report:
    """Return the report of a search; the arguments are described at ``experiments.search.optimise.Found``.

    Where ``fields`` has no columns of fields, as there are programmes among the designs, sentences say what each is.
    """
    from school_mentoring.analysis.figures import search as draw

    among = {name: designs[name] for name in own}
    plain = set(FIELDS) <= set(fields)
    if not plain:
        fields = fields.assign(in_words=[describe(designs[name], among) for name in fields["design"]])
    best = best_designs(runs, chosen, fields, own, cost=cost, budget_risk=budget_risk)
    stand = own_designs(runs, chosen, own, cost=cost, objectives=objectives)
    said = [
        *(f"{design_name(name).capitalize()}: {describe(designs[name], among)}" for name in best["design"].unique()),
        *_own_said(stand),
        _settled(convergence),
    ]
    if outside:
        left_out = in_words([design_name(name) for name in outside])
        said.append(f"The space searched does not hold {left_out}; compared as it stands all the same.")
    said.append(_how(runs, cost, highest_cost, budget_risk))
    best_by_cost = _front(candidates, cost)
    files = {"best.csv": best, "own.csv": stand, "designs.csv": fields, "front.csv": best_by_cost, "convergence.csv": convergence}
    figures = {
        "front": lambda: draw.front(runs, evaluations, stand, best, cost=cost, own=own),
        **({"designs_by_cost": lambda: draw.designs_by_cost(best_by_cost, best, cost=cost)} if plain else {}),
        "convergence": lambda: draw.convergence(convergence),
    }
    document = {"best": records(best), "own": records(stand), "said": said, "front": len(best_by_cost)}
    columns = ["budget\nkEUR", "best design", "costs\nkEUR", "runs over\nbudget", "adds\nadopter-\nyears", "gap of\ndisadv.\npoints"]
    columns += ["own design\nwithin budget", "adds beyond\nthat one"]
    return Report(columns, _best_rows(best), said, files, document, figures)


def search_title(title: str, evaluations: pd.DataFrame, cells: int) -> str:
    """Return the two lines above the table."""
    generations = evaluations["generation"].nunique()
    return f"{title}\n{len(evaluations):,} designs tried in {generations:,} generations, {cells:,} runs each."


def _best_rows(best: pd.DataFrame) -> list[list[str]]:
    rows = []
    for row in best.to_dict("records"):
        cells = [f"{row['budget'] / 1000:,.0f}", design_name(row["design"]), _shown(row, "cost", 1000.0)]
        cells += [percent(row["probability_over_budget"]), _shown(row, "effect")]
        cells.append("-" if math.isnan(row["gap"]) else f"{100 * row['gap']:+.1f}")
        rows.append([*cells, design_name(row["own"]) or "none", _shown(row, "more_effect") if row["own"] else "-"])
    return rows


def _shown(row: Mapping[str, Any], name: str, unit: float = 1.0) -> str:
    """Return a mean with half the width of its interval: 4,150 ± 110."""
    mean, half = row[name] / unit, (row[f"{name}_high"] - row[f"{name}_low"]) / 2 / unit
    if math.isnan(mean):
        return "-"
    return with_error(mean, half / 2) if 0 < half < math.inf else f"{mean:,.0f}"


def _own_said(stand: pd.DataFrame) -> list[str]:
    """Return a sentence for each verdict on the scenario's designs at equal cost, and one on all objectives."""
    said = []
    for kind, words in (("equal_cost", "at no more cost"), ("equal_effect", "at no less effect")):
        rows = stand[stand["kind"] == kind]
        beaten = rows[rows["verdict"] == BEATEN]
        if len(beaten):
            listed = in_words([_by_how_much(row, kind) for row in beaten.to_dict("records")])
            said.append(f"{'More effect' if kind == 'equal_cost' else 'Less cost'} {words}: {listed}.")
        if kind == "equal_cost":
            said += _not_beaten(rows)
    worst = stand[(stand["kind"] == "all_objectives") & (stand["verdict"] == BEATEN)]
    names = in_words([design_name(str(name)) for name in worst["design"]])
    count = stand["design"].nunique()
    of_these = f" ({names})" if names else ""
    return [*said, f"Better in all that was sought: a design was found for {len(worst)} of {count} designs of the scenario{of_these}."]


def _by_how_much(row: Mapping[str, Any], kind: str) -> str:
    rival, design = design_name(row["rival"]), design_name(row["design"])
    if kind == "equal_cost":
        return f"{rival} adds {_shown(row, 'more_effect')} adopter-years to those of {design}"
    saved = {"less": -row["more_cost"], "less_low": -row["more_cost_high"], "less_high": -row["more_cost_low"]}
    return f"{rival} saves {_shown(saved, 'less', 1000.0)} kEUR of what {design} costs"


def _not_beaten(rows: pd.DataFrame) -> list[str]:
    words = {
        UNBEATEN: "No design found does more at no more cost than",
        NONE: "No design found costs as little as",
        ALIKE: "The best design found at no more cost is not told apart from",
        UNSURE: "A design that does more was found, but whether it costs no more is not sure, for",
    }
    names = {verdict: [design_name(str(name)) for name in rows.loc[rows["verdict"] == verdict, "design"]] for verdict in words}
    return [f"{start} {in_words(names[verdict])}." for verdict, start in words.items() if names[verdict]]


def _settled(convergence: pd.DataFrame) -> str:
    """Say whether the search was still finding better designs at its end."""
    late = convergence[convergence["generation"] >= 0.75 * convergence["generation"].max()]["volume"]
    growth = 1.0 - float(late.iloc[0])
    if len(convergence) < 4:
        return "Too few generations to say whether the search has settled: more --evaluations may find better designs."
    if growth < 0.02:
        return f"The search has nearly settled: the last quarter of it added {percent(growth)} to the volume that the front dominates."
    return f"The search was still finding better designs: its last quarter added {percent(growth)} to the volume; more --evaluations help."


def _how(runs: pd.DataFrame, cost: str, highest: float, budget_risk: float | None) -> str:
    whose = "costs to the programme" if cost == "cost_programme" else "costs to society"
    count, sets = runs.groupby("design", observed=True).size().iloc[0], runs["parameter_set"].nunique()
    risk = "" if budget_risk is None else f", where at most {percent(budget_risk)} of the runs of a design might exceed a budget"
    under = f"each under a parameter set of its own, {sets:,} in all" if sets > 1 else "all at the base parameters"
    return (
        f"Means and 95 % intervals over {count:,} fresh runs of each design, {under}: neither the search nor the choice saw them. "
        f"Costs are {whose}, discounted; designs up to {highest / 1000:,.0f} kEUR were looked at{risk}. Given this model and these ranges."
    )


def _front(candidates: pd.DataFrame, cost: str) -> pd.DataFrame:
    """Return the candidates that no other exceeds in effect at no more cost, by cost, as the second panel shows them."""
    ordered = candidates.sort_values([cost, "effect"], ascending=[True, False], kind="stable")
    best = ordered["effect"].cummax().shift(fill_value=-math.inf)
    return ordered[ordered["effect"] > best].reset_index(drop=True)
