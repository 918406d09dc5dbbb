"""Cost-effectiveness: which designs are worth considering at all, and what each further one costs per added unit of effect.

Rules: sort by cost; strong dominance: another costs no more and does no less, and is better in one; extended dominance: while a ratio
exceeds the next, drop its design and compute anew; ratios against the next cheaper design that is left (Johannesson & Weinstein 1993,
Journal of Health Economics 12, 459-467; Drummond et al. 2015, Methods for the Economic Evaluation of Health Care Programmes, 4th ed.).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

FRONTIER, DOMINATED, EXTENDED = "frontier", "dominated", "extended dominated"
"""What a design may be."""

CostEffect = tuple[float, float]  # cost, effect


def net_benefit(effect: ArrayLike, cost: ArrayLike, willingness_to_pay: float) -> NDArray[np.float64]:
    """Return the net monetary benefit k E - C at a willingness to pay of k EUR per unit of effect (Stinnett & Mullahy 1998)."""
    return np.asarray(willingness_to_pay * np.asarray(effect, np.float64) - np.asarray(cost, np.float64), np.float64)


def frontier(designs: Sequence[str], costs: Sequence[float], effects: Sequence[float]) -> pd.DataFrame:
    """Return one row per design, in the order given, with its standing among the others.

    Columns: ``design``, ``cost``, ``effect``, ``status`` (frontier, dominated or extended dominated), ``icer``: incremental
    cost-effectiveness ratio (C - C') / (E - E') against the next cheaper design on the frontier, named in ``icer_against`` (nan and blank
    for the cheapest and off the frontier), ``dominated_by``: a design that dominates it, or the two whose mixes do, joined by ``+``.

    Neither order nor duplicates matter: designs that agree in cost and effect share their standing. Ratios are compared by cross products,
    so three designs on one line are all on the frontier. Raises ValueError where a value is not finite.
    """
    cost, effect = np.asarray(costs, np.float64), np.asarray(effects, np.float64)
    bad = [name for name, c, e in zip(designs, cost, effect, strict=True) if not (np.isfinite(c) and np.isfinite(e))]
    if bad:
        raise ValueError(f"cost or effect of {', '.join(bad)} is not a finite number")
    points: list[CostEffect] = list(zip(cost.tolist(), effect.tolist(), strict=True))
    first_name: dict[CostEffect, str] = {}
    for point, name in sorted(zip(points, designs, strict=True)):
        first_name.setdefault(point, name)
    undominated = _undominated(list(first_name))
    hull = _drop_extended(undominated)
    rows = [(name, *point, *_standing(point, hull, undominated, first_name)) for name, point in zip(designs, points, strict=True)]
    return pd.DataFrame(rows, columns=["design", "cost", "effect", "status", "icer", "icer_against", "dominated_by"])


def _standing(
    point: CostEffect, hull: list[CostEffect], undominated: list[CostEffect], names: Mapping[CostEffect, str]
) -> tuple[str, float, str, str]:
    """Return the status, ratio, against whom, and by whom dominated of one point."""
    if point in hull:
        position = hull.index(point)
        if position == 0:
            return FRONTIER, np.nan, "", ""
        before = hull[position - 1]
        return FRONTIER, (point[0] - before[0]) / (point[1] - before[1]), names[before], ""
    if point in undominated:
        above = next(k for k, p in enumerate(hull) if p[0] > point[0])
        return EXTENDED, np.nan, "", f"{names[hull[above - 1]]}+{names[hull[above]]}"
    return DOMINATED, np.nan, "", names[next(q for q in (*hull, *undominated) if q[0] <= point[0] and q[1] >= point[1])]


def _undominated(points: list[CostEffect]) -> list[CostEffect]:
    """Return the points that no other strongly dominates, by ascending cost and so by ascending effect."""
    kept: list[CostEffect] = []
    for point in sorted(points, key=lambda p: (p[0], -p[1])):
        if not kept or point[1] > kept[-1][1]:
            kept.append(point)
    return kept


def _drop_extended(points: list[CostEffect]) -> list[CostEffect]:
    """Return the points, of which none dominates another and costs ascend, without those whose ratio exceeds the next one's."""
    kept = list(points)
    position = 1
    while position < len(kept) - 1:
        (c0, e0), (c1, e1), (c2, e2) = kept[position - 1 : position + 2]
        if (c1 - c0) * (e2 - e1) > (c2 - c1) * (e1 - e0):
            del kept[position]
            position = max(1, position - 1)
        else:
            position += 1
    return kept
