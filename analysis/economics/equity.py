"""Equity: who gains and who pays by school type and country, and what a design is worth to someone who minds inequality.

Distributional cost-effectiveness analysis (Asaria, Griffin & Cookson 2016, Medical Decision Making 36, 8-19). Groups g of schools with a
share w_g of the teachers have h_g adopter-years per teacher. The equally distributed equivalent (EDE) is the h that, were it the same for
all, would be as good:

Atkinson (relative):  EDE = (sum w_g h_g^(1 - a))^(1 / (1 - a)), for a = 1 exp(sum w_g ln h_g)
Kolm (absolute):      EDE = -1/a ln sum w_g exp(-a h_g)

Aversion a = 0 is indifference: the EDE is the mean. With N teachers, C EUR of costs and k EUR per adopter-year the equity-weighted net
benefit is k N EDE(e) - C where costs are ``apart``, as if a budget bore them that has no part in what is distributed; or k N EDE(e - c / k)
where they are ``borne`` by the groups, who forgo as many adopter-years for them (c: EUR per teacher of a group). Formulas with their
sources: docs/economics.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from school_mentoring.analysis.outcomes import COMPARATOR, names_in
from school_mentoring.analysis.summary import complete, ranged, wide
from school_mentoring.model.observe import SCHOOL_TYPES
from school_mentoring.model.world.arrays import Floats

from .psa import EFFECT, cost_column, with_designs

AVERSION: Mapping[str, float] = {"atkinson": 10.95, "kolm": 0.15}
"""Aversion of a sample of the public in England, to inequality in health (Robson et al. 2017, Health Economics 26, 1328-1334)."""

NEAR = 1e-9


@dataclass(frozen=True)
class EquityDistribution:
    """Adopter-years and costs by group of schools, means over the replicates of each parameter set.

    ``teachers``: shape (parameter sets, groups). ``effect``: adopter-years per teacher, whole levels and not increments, and ``cost``: EUR
    per teacher, both of shape (parameter sets, designs, groups). Groups without teachers are left out.
    """

    designs: tuple[str, ...]
    groups: tuple[str, ...]
    teachers: Floats
    effect: Floats
    cost: Floats

    @property
    def shares(self) -> Floats:
        """The groups' shares of all teachers, shape (parameter sets, groups)."""
        return np.asarray(self.teachers / self.teachers.sum(axis=1, keepdims=True))

    def net(self, willingness_to_pay: float) -> Floats:
        """Return adopter-years per teacher net of costs, shape (parameter sets, designs, groups). Raises ValueError for k not above 0."""
        if not willingness_to_pay > 0:
            raise ValueError(f"costs are no adopter-years at {willingness_to_pay:g} EUR each; give a willingness to pay above 0")
        return self.effect - self.cost / willingness_to_pay

    def position(self, design: str) -> int:
        """Return the number of a design; raises ValueError where there is none of that name."""
        if design not in self.designs:
            raise ValueError(f"no design {design!r}; there are {', '.join(self.designs)}")
        return self.designs.index(design)


def distribution(
    runs: pd.DataFrame,
    parameters: pd.DataFrame | None = None,
    *,
    over: str | Sequence[str] = "school_types",
    perspective: str = "society",
    burden: str = "",
) -> EquityDistribution:
    """Return how effects and costs fall on groups of schools.

    ``runs`` broken down (columns ``effect_adopter_years:GROUP``, ``teachers:GROUP``); ``parameters``: as in ``psa_sample``. ``over``:
    ``school_types``, ``countries``, or names of groups that share out all schools. ``burden``: ``spent``, a group bears what is spent in
    it, or ``even``, all bear the same per teacher, as of a tax; default spent where the costs of groups are known (countries), else even
    (school types, as the ledger is kept by country). Raises ValueError where columns are missing.
    """
    if parameters is not None and len(parameters):
        runs = runs[runs["parameter_set"].isin(parameters["parameter_set"])]
    groups = _groups(runs, over)
    cost = cost_column(perspective)
    if burden not in ("", "spent", "even"):
        raise ValueError(f"no burden named {burden!r}; there are spent, even")
    known = all(f"{cost}:{group}" in runs for group in groups)
    if burden == "spent" and not known:
        raise ValueError("costs of these groups are not recorded; allowed: burden='even'")
    designs = tuple(names_in(runs["design"]))
    teachers = _levels(runs, [f"teachers:{group}" for group in groups])[:, 0]
    kept = teachers.sum(axis=0) > 0
    if known and burden != "even":
        costs = _levels(runs, [f"{cost}:{group}" for group in groups])[..., kept]
    else:
        costs = _levels(runs, [cost]) * (teachers / teachers.sum(axis=1, keepdims=True))[:, None, kept]
    effects = _levels(runs, [f"{EFFECT}:{group}" for group in groups])[..., kept]
    teachers = teachers[:, kept]
    with np.errstate(invalid="ignore", divide="ignore"):  # a group may be empty in some parameter sets
        per_teacher = [np.nan_to_num(part / teachers[:, None]) for part in (effects, costs)]
    return EquityDistribution(designs, tuple(np.array(groups)[kept].tolist()), teachers, *per_teacher)


def _groups(runs: pd.DataFrame, over: str | Sequence[str]) -> list[str]:
    if over == "school_types":
        groups = list(SCHOOL_TYPES)
    elif over == "countries":
        groups = [str(name).removeprefix("teachers:") for name in runs if str(name).startswith("teachers:country:")]
    else:
        groups = [over] if isinstance(over, str) else list(over)
    missing = [group for group in groups if f"{EFFECT}:{group}" not in runs]
    if missing or not groups:
        raise ValueError(f"the runs are not broken down by {', '.join(missing) or 'country'}")
    return groups


def _levels(runs: pd.DataFrame, columns: Sequence[str]) -> Floats:
    """Return columns by parameter set, design and column, means over replicates."""
    parts = []
    for name in columns:
        table = runs[["design", "parameter_set", "replicate", name]].rename(columns={name: EFFECT})
        parts.append(complete(wide(table, EFFECT), name).groupby(level="parameter_set").mean().to_numpy(np.float64))
    return np.stack(parts, axis=2)


def ede(levels: Floats, shares: Floats, aversion: float, kind: str = "atkinson") -> Floats:
    """Return the equally distributed equivalent of levels (..., groups) with shares of the same shape that sum to 1, shape (...).

    Atkinson's is 0 where a group has nothing and aversion is 1 or more. Raises ValueError for aversion below 0, a kind that is not known,
    and levels below 0, which Atkinson's index does not bear.
    """
    if aversion < 0:
        raise ValueError(f"aversion to inequality is {aversion:g}; allowed: 0 and above")
    if kind not in AVERSION:
        raise ValueError(f"no index named {kind!r}; there are {', '.join(AVERSION)}")
    shares = np.broadcast_to(shares, levels.shape)
    if aversion < NEAR:
        return np.asarray((shares * levels).sum(axis=-1))
    # From the least level on, or the largest, so that nothing overflows; expm1 and log1p, so that nothing is lost near aversion 0 and 1.
    least = np.where(shares > 0, levels, np.inf).min(axis=-1, keepdims=True)
    if kind == "kolm":
        above = np.where(shares > 0, levels - least, 0.0)
        return np.asarray(least[..., 0] - np.log1p((shares * np.expm1(-aversion * above)).sum(axis=-1)) / aversion)
    if (least < 0).any():
        raise ValueError("a group has less than no adopter-years net of costs, which Atkinson's index does not bear; allowed: kind='kolm'")
    power = 1.0 - aversion
    anchor = least if power < 0 else np.where(shares > 0, levels, 0.0).max(axis=-1, keepdims=True)
    anchor = np.where(anchor > 0, anchor, 1.0)
    with np.errstate(divide="ignore"):  # ln 0: a group that has nothing
        logs = np.log(np.where(shares > 0, levels / anchor, 1.0))
        if abs(power) < NEAR:
            return np.asarray(anchor[..., 0] * np.exp((shares * logs).sum(axis=-1)))
        return np.asarray(anchor[..., 0] * np.exp(np.log1p((shares * np.expm1(power * logs)).sum(axis=-1)) / power))


def gains(spread: EquityDistribution) -> pd.DataFrame:
    """Return who gains: each group's adopter-years and costs per 100 teachers beyond the comparator, by design.

    Columns: ``design``, ``group``, ``share_of_teachers``; ``gain``: added adopter-years per 100 teachers, mean over parameter sets, and its
    5 and 95 % quantiles ``low``, ``high``; ``share_of_gain``: of all that the design adds, by means (nan where it adds nothing or
    less); ``cost``: added EUR per 100 teachers.
    """
    base, rows = spread.position(COMPARATOR), []
    for d, design in enumerate(spread.designs):
        gain = 100 * (spread.effect[:, d] - spread.effect[:, base])
        cost = 100 * (spread.cost[:, d] - spread.cost[:, base])
        added = (gain * spread.teachers).mean(axis=0)
        whole = added.sum()
        for g, group in enumerate(spread.groups):
            mean, low, high = ranged("gain", gain[:, g]).values()
            row = {"design": design, "group": group, "share_of_teachers": float(spread.shares[:, g].mean())}
            row |= {"gain": mean, "low": low, "high": high}
            row |= {"share_of_gain": float(added[g] / whole) if whole > 0 else np.nan, "cost": float(cost[:, g].mean())}
            rows.append(row)
    return with_designs(pd.DataFrame(rows), spread.designs)


def equity_weighted(
    spread: EquityDistribution, willingness_to_pay: float, aversion: float, kind: str = "atkinson", *, costs: str = "apart"
) -> pd.DataFrame:
    """Return each design's equity-weighted net benefit at an aversion to inequality; ``costs``: ``apart`` or ``borne`` by the groups.

    Columns: ``design``; ``net_benefit``: k E - C in EUR of the whole level, mean over parameter sets; ``equity_weighted``: see above, the
    same at aversion 0; ``cost_of_inequality``: the difference, what perfect equality would be worth; ``incremental``: equity-weighted
    beyond the comparator; ``probability_best``: share of parameter sets in which it is highest, ties split evenly.
    """
    values = _weighted(spread, willingness_to_pay, aversion, kind, costs)
    plain = _weighted(spread, willingness_to_pay, 0.0, kind, costs)
    winners = values == values.max(axis=1, keepdims=True)
    columns = {"net_benefit": plain.mean(axis=0), "equity_weighted": values.mean(axis=0)}
    columns |= {"cost_of_inequality": (plain - values).mean(axis=0)}
    columns |= {"incremental": (values - values[:, [spread.position(COMPARATOR)]]).mean(axis=0)}
    columns |= {"probability_best": (winners / winners.sum(axis=1, keepdims=True)).mean(axis=0)}
    return with_designs(pd.DataFrame({"design": list(spread.designs), **columns}), spread.designs)


def equity_plane(
    spread: EquityDistribution, willingness_to_pay: float, aversion: float, kind: str = "atkinson", *, costs: str = "apart"
) -> pd.DataFrame:
    """Return where designs lie on the plane of efficiency and equity beyond the comparator, in EUR.

    Columns: ``design``; ``efficiency``: added net benefit k dE - dC; ``equity``: by how much the cost of inequality falls (both means over
    parameter sets, with quantiles ``..._low``, ``..._high``); ``quadrant``: in words; ``probability_both``: share of parameter sets with
    more of both.
    """
    base = spread.position(COMPARATOR)
    plain = _weighted(spread, willingness_to_pay, 0.0, kind, costs)
    burden = plain - _weighted(spread, willingness_to_pay, aversion, kind, costs)
    rows = []
    for d, design in enumerate(spread.designs):
        if d == base:
            continue
        found = {"efficiency": plain[:, d] - plain[:, base], "equity": burden[:, base] - burden[:, d]}
        row: dict[str, Any] = {"design": design}
        for name, values in found.items():
            row |= ranged(name, values)
        signs = [(np.sign(row[name]), word) for name, word in (("efficiency", "efficient"), ("equity", "equal"))]
        words = [f"{more} {word}" for more, side in (("more", 1), ("less", -1)) for sign, word in signs if sign == side]
        row["quadrant"] = " and ".join(words) or "the same"
        row["probability_both"] = float(((found["efficiency"] > 0) & (found["equity"] > 0)).mean())
        rows.append(row)
    return with_designs(pd.DataFrame(rows), spread.designs)


def best_by_aversion(
    spread: EquityDistribution,
    willingness_to_pay: float,
    kind: str = "atkinson",
    *,
    costs: str = "apart",
    most: float = 30.0,
    steps: int = 120,
) -> pd.DataFrame:
    """Return which design has the highest equity-weighted net benefit in which range of aversion, so where the choice flips.

    Looks at ``steps`` aversions evenly spaced up to ``most`` and bisects where the best design changes. Columns: ``design``, ``from``,
    ``to`` (to 0.001; the last is ``most``). Ranges shorter than a step may be missed.
    """

    def best(aversion: float) -> int:
        return int(np.argmax(_weighted(spread, willingness_to_pay, aversion, kind, costs).mean(axis=0)))

    grid = np.linspace(0.0, most, steps + 1).tolist()
    leaders = [best(a) for a in grid]
    rows, start = [], 0.0
    for (low, high), (before, after) in zip(pairwise(grid), pairwise(leaders), strict=True):
        if before == after:
            continue
        left, right = low, high
        while right - left > 0.001:
            middle = (left + right) / 2
            left, right = (middle, right) if best(middle) == before else (left, middle)
        rows.append({"design": spread.designs[before], "from": start, "to": right})
        start = right
    rows.append({"design": spread.designs[leaders[-1]], "from": start, "to": most})
    return with_designs(pd.DataFrame(rows), spread.designs)


def _weighted(spread: EquityDistribution, k: float, aversion: float, kind: str, costs: str) -> Floats:
    """Return equity-weighted net benefits in EUR by parameter set and design."""
    if costs not in ("apart", "borne"):
        raise ValueError(f"costs are {costs!r}; allowed: apart, borne")
    levels = spread.effect if costs == "apart" else spread.net(k)
    worth = k * spread.teachers.sum(axis=1, keepdims=True) * ede(levels, spread.shares[:, None, :], aversion, kind)
    return np.asarray(worth - (spread.cost * spread.teachers[:, None]).sum(axis=2) if costs == "apart" else worth)
