"""Economies of scale: what designs cost and do as the number of their clusters grows, and at which size one becomes cheaper than another.

The fixed cost is that of a programme's frame without any cluster: coordinators and platform. The rest is what clusters cost; between two
sizes the marginal cost of a mentored school is what the larger one costs more over the schools that it mentors more.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise

import pandas as pd

from school_mentoring.analysis.outcomes import COMPARATOR, names_in
from school_mentoring.analysis.summary import cost_effectiveness, round_figures

SIZES = ("schools_reached", "effect")
"""What the size of a programme may be: the schools that it mentors, or the adopter-years that it adds."""

COSTS: Mapping[str, str] = {"programme": "incremental_cost_programme", "society": "incremental_cost"}


def growth(runs: pd.DataFrame, *, worlds: int, perspective: str) -> pd.DataFrame:
    """Return what each design costs and does at each size, beyond no programme.

    ``runs``: columns ``design, clusters, parameter_set, replicate`` and the outcomes. Columns: ``design``, ``clusters`` (0: the frame
    alone), ``mentor_schools``, ``schools_reached``: means; ``effect`` (adopter-years), ``effect_se``, ``cost`` (EUR); ``fixed_cost``: that
    of no cluster; per mentored school ``fixed_per_school``, ``cost_per_school`` and ``marginal_per_school``: against the size before, nan
    where no more schools are mentored; ``cost_per_effect``.
    """
    labels = runs["design"].astype(str) + "@" + runs["clusters"].astype(str)
    labelled = runs.assign(design=labels.where(runs["design"].astype(str) != COMPARATOR, COMPARATOR))
    means = labelled.groupby("design", sort=False)[["mentor_schools", "schools_reached"]].mean()
    found = cost_effectiveness(labelled, worlds=worlds).astype({"design": str}).set_index("design")
    rows = []
    for name in names_in(runs["design"]):
        if name == COMPARATOR:
            continue
        fixed, before = math.nan, (0.0, 0.0)
        for clusters in sorted(runs.loc[runs["design"] == name, "clusters"].unique().tolist()):
            one, reach = found.loc[f"{name}@{clusters}"], means.loc[f"{name}@{clusters}"]
            cost, schools = float(one[COSTS[perspective]]), float(reach["schools_reached"])
            fixed = cost if clusters == 0 else fixed
            more = schools - before[1]
            rows.append(
                {
                    "design": name,
                    "clusters": clusters,
                    "mentor_schools": float(reach["mentor_schools"]),
                    "schools_reached": schools,
                    "effect": one["incremental_effect"],
                    "effect_se": one["incremental_effect_se"],
                    "cost": cost,
                    "fixed_cost": fixed,
                    "fixed_per_school": fixed / schools if schools else math.nan,
                    "cost_per_school": cost / schools if schools else math.nan,
                    "marginal_per_school": (cost - before[0]) / more if clusters and more > 0 else math.nan,
                    "cost_per_effect": cost / one["incremental_effect"] if one["incremental_effect"] > 0 else math.nan,
                }
            )
            before = cost, schools
    table = pd.DataFrame(rows)
    return table.assign(**{name: table[name].map(round_figures) for name in table.select_dtypes("float")})


def break_even(table: pd.DataFrame) -> pd.DataFrame:
    """Return the sizes at which one design becomes cheaper than another, by straight lines between the sizes that were run.

    ``table``: of ``growth``. Columns: ``by``: what size is, of ``SIZES``; ``cheaper_below``, ``cheaper_above``: the designs that cost less
    for fewer and for more; ``size``; ``cost``: EUR, of both there. A design's line ends where its size no longer grows with its clusters.
    """
    rows = []
    for by in SIZES:
        lines = {name: _line(part[[by, "cost"]].to_numpy().tolist()) for name, part in table.groupby("design", sort=False)}
        for one, other in combinations(lines, 2):
            rows += [
                {"by": by, "cheaper_below": one if first else other, "cheaper_above": other if first else one, "size": size, "cost": cost}
                for size, cost, first in _crossings(lines[one], lines[other])
            ]
    found = pd.DataFrame(rows, columns=["by", "cheaper_below", "cheaper_above", "size", "cost"])
    return found.assign(size=found["size"].map(round_figures), cost=found["cost"].map(round_figures))


Line = Sequence[Sequence[float]]


def _line(points: Line) -> Line:
    """Return the points up to where the first coordinate no longer grows."""
    kept = [points[0]]
    for point in points[1:]:
        if point[0] <= kept[-1][0]:
            break
        kept.append(point)
    return kept


def _crossings(one: Line, other: Line) -> list[tuple[float, float, bool]]:
    """Return where two lines cross: both coordinates, and whether the first line lies lower before."""
    low, high = max(one[0][0], other[0][0]), min(one[-1][0], other[-1][0])
    places = sorted({low, high, *(point[0] for line in (one, other) for point in line if low < point[0] < high)})
    found, last, before = [], 0.0, low
    for at in places:
        gap = _height(one, at) - _height(other, at)
        if gap and last and (gap > 0) != (last > 0):
            share = last / (last - gap)
            place = before + share * (at - before)
            found.append((place, _height(one, place), last < 0))
        if gap:
            before, last = at, gap
    return found


def _height(line: Line, at: float) -> float:
    """Return the second coordinate of a line at a first one within it."""
    for (x, y), (right, above) in pairwise(line):
        if x <= at <= right:
            return y + (above - y) * (at - x) / (right - x)
    return line[-1][1]
