"""Scenario discovery: under which conditions a design is better, as boxes that people can read.

Given states of the world (parameter sets) and which of them are of interest, find ranges of a few parameters that hold most such states
(coverage: share of all states of interest that lie inside) and little else (density: share of the states inside that are of interest):
by PRIM, the patient rule induction method (Friedman & Fisher 1999, Statistics and Computing 9, 123-143; Bryant & Lempert 2010,
Technological Forecasting & Social Change 77, 34-49), or by CART, a classification tree (Breiman et al. 1984), whose leaves are boxes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from school_mentoring.model.world.arrays import Flags, Floats

from .psa import Sample, matched, sound

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Box:
    """Ranges of parameters and what lies inside.

    ``limits``: by parameter the lowest and highest value inside, infinite where that side is not limited; parameters that are not limited
    at all do not appear. ``coverage``, ``density``: see above; ``mass``: share of all states that lie inside; ``states``: their number.
    ``p_values``: by limited parameter, how likely the box would be as dense by luck if that parameter made no difference, going by the
    density of the box without its limits (binomial; too small, as the data that chose the limits are used again).
    """

    limits: Mapping[str, tuple[float, float]]
    coverage: float
    density: float
    mass: float
    states: int
    p_values: Mapping[str, float]

    def contains(self, inputs: pd.DataFrame) -> Flags:
        """Tell which rows lie inside."""
        return _inside(inputs[list(self.limits)].to_numpy(np.float64), dict(enumerate(self.limits.values())))

    @property
    def f1(self) -> float:
        """The harmonic mean of coverage and density."""
        both = self.coverage + self.density
        return 2 * self.coverage * self.density / both if both else 0.0


def where_better(sample: Sample, design: str, rival: str, willingness_to_pay: float) -> "pd.Series[bool]":
    """Tell in which parameter sets a design has a higher net benefit than another: what PRIM and CART may explain."""
    benefit = sample.net_benefit(willingness_to_pay)
    for name in (design, rival):
        if name not in benefit:
            raise ValueError(f"no design {name!r}; there are {', '.join(sample.designs)}")
    return benefit[design] > benefit[rival]


def prim(inputs: pd.DataFrame, of_interest: "pd.Series[bool]", *, peel: float = 0.05, least_mass: float = 0.05) -> list[Box]:
    """Return the boxes along PRIM's path, from all states to the smallest box.

    ``inputs``: parameters by state; ``of_interest``: True or False by state. Each step takes a ``peel`` of the states inside off one end of
    one parameter: the one that adds most density for each state taken. Then limits are pasted on again where density does not fall, and
    those are dropped that do not make the box denser at the 5 % level. Ends where less than ``least_mass`` of all states would be left.
    Equal values go together, so parameters of a few values are cut between them. Raises ValueError where there are fewer than 20 states, or
    all or none are of interest.
    """
    table, flags = _checked(inputs, of_interest)
    names = [str(name) for name in inputs]
    limits: dict[int, list[float]] = {j: [-np.inf, np.inf] for j in range(len(names))}
    path = [_box(table, flags, names, limits)]
    inside = np.ones(len(flags), bool)
    while True:
        found: list[tuple[float, int, int, float, Flags]] = []
        for j, side in product(range(len(names)), (0, 1)):
            limit = _peeled(table[inside, j], side, peel)
            if limit is None:
                continue
            kept = inside & (table[:, j] >= limit if side == 0 else table[:, j] <= limit)
            if kept.sum() >= max(least_mass * len(flags), 2):
                gain = (flags[kept].mean() - flags[inside].mean()) / (1 - kept.sum() / inside.sum())
                found.append((gain, j, side, limit, kept))
        best, j, side, limit, kept = max(found, key=lambda step: step[0], default=(0.0, 0, 0, 0.0, inside))
        if not found or (best <= 0 and flags[inside].all()):
            return path
        limits[j][side], inside = limit, kept
        path.append(_tidied(table, flags, names, limits, peel))


def best_box(path: Sequence[Box]) -> Box:
    """Return the box with the highest harmonic mean of coverage and density, the one with fewer limits where that is the same."""
    return max(path, key=lambda box: (round(box.f1, 12), -len(box.limits)))


def cart(inputs: pd.DataFrame, of_interest: "pd.Series[bool]", *, leaves: int = 6, least_mass: float = 0.05) -> list[Box]:
    """Return the leaves of a classification tree in which most states are of interest, the one that covers most first.

    ``leaves``: how many the tree has at most; ``least_mass``: share of all states that a leaf must hold. The classes are weighed evenly
    when the tree is grown. Raises ValueError as ``prim`` does.
    """
    from sklearn.tree import DecisionTreeClassifier

    table, flags = _checked(inputs, of_interest)
    names = [str(name) for name in inputs]
    least = max(1, int(np.ceil(least_mass * len(flags))))
    tree = DecisionTreeClassifier(max_leaf_nodes=leaves, min_samples_leaf=least, class_weight="balanced", random_state=0)
    nodes = tree.fit(table, flags).tree_
    found: list[Box] = []

    def walk(node: int, limits: dict[int, list[float]]) -> None:
        j = int(nodes.feature[node])
        if j < 0:
            box = _box(table, flags, names, limits)
            if box.density > 0.5:
                found.append(box)
            return
        cut = float(nodes.threshold[node])
        low, high = limits.get(j, [-np.inf, np.inf])
        walk(int(nodes.children_left[node]), {**limits, j: [low, min(high, cut)]})
        walk(int(nodes.children_right[node]), {**limits, j: [max(low, float(np.nextafter(cut, np.inf))), high]})

    walk(0, {})
    return sorted(found, key=lambda box: -box.coverage)


def in_words(box: Box, name: Callable[[str], str] = str) -> str:
    """Return the conditions of a box in words: 'region_km exceeds 70 and regional_hub.stipend stays below 2,000'.

    ``name`` gives the words for a parameter; limits have three significant digits.
    """
    parts = []
    for parameter, limits in box.limits.items():
        low, high = (f"{float(f'{value:.3g}'):,.10g}" if np.isfinite(value) else "" for value in limits)
        said = f"lies between {low} and {high}" if low and high else f"exceeds {low}" if low else f"stays below {high}"
        parts.append(f"{name(parameter)} {said}")
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts) or "always"


def _checked(inputs: pd.DataFrame, of_interest: "pd.Series[bool]") -> tuple[Floats, Flags]:
    table = sound("inputs", inputs).to_numpy()
    told = of_interest[of_interest.index.isin(inputs.index)].to_frame()
    flags = matched("states of interest", told, inputs.index, like="inputs").to_numpy(bool)[:, 0]
    if len(flags) < 20:
        raise ValueError(f"{len(flags)} states are too few to find conditions in; draw at least 20, better several hundred")
    if flags.all() or not flags.any():
        how_many = "all" if flags.all() else "none"
        raise ValueError(f"{how_many} of the {len(flags)} states are of interest, so there is nothing to tell apart")
    return table, flags


def _peeled(values: Floats, side: int, peel: float) -> float | None:
    """Return the limit that takes a share of values off an end, halfway to the next value; None where all are equal."""
    different = np.unique(values)
    if len(different) < 2:
        return None
    first = np.searchsorted(different, np.quantile(values, peel), side="right")
    k = int(np.clip(first if side == 0 else np.searchsorted(different, np.quantile(values, 1 - peel)), 1, len(different) - 1))
    return float((different[k - 1] + different[k]) / 2)


def _inside(table: Floats, limits: Mapping[int, Sequence[float]]) -> Flags:
    inside = np.ones(len(table), bool)
    for j, (low, high) in limits.items():
        inside &= (table[:, j] >= low) & (table[:, j] <= high)
    return inside


def _box(table: Floats, flags: Flags, names: Sequence[str], limits: Mapping[int, Sequence[float]]) -> Box:
    inside = _inside(table, limits)
    hits, states = int(flags[inside].sum()), int(inside.sum())
    limited = {j: pair for j, pair in limits.items() if np.isfinite(pair).any()}
    p_values = {}
    for j in limited:
        without = flags[_inside(table, {i: pair for i, pair in limited.items() if i != j})]
        p_values[names[j]] = float(binomtest(hits, states, float(without.mean()), alternative="greater").pvalue) if states else 1.0
    stated = {names[j]: (float(low), float(high)) for j, (low, high) in limited.items()}
    return Box(stated, hits / int(flags.sum()), hits / states if states else 0.0, states / len(flags), states, p_values)


def _tidied(table: Floats, flags: Flags, names: Sequence[str], limits: Mapping[int, Sequence[float]], peel: float) -> Box:
    """Return the box with limits pasted on again that cost no density, and without those that luck explains."""
    kept = {j: list(pair) for j, pair in limits.items() if np.isfinite(pair).any()}
    for j in sorted(kept):
        for side in (0, 1):
            _paste(table, flags, kept, j, side, peel)
    box = _box(table, flags, names, kept)
    while box.p_values and max(box.p_values.values()) > SIGNIFICANT:
        weakest = max(box.p_values, key=lambda name: box.p_values[name])
        del kept[names.index(weakest)]
        box = _box(table, flags, names, kept)
    return box


def _paste(table: Floats, flags: Flags, limits: dict[int, list[float]], j: int, side: int, peel: float) -> None:
    """Move a limit outwards, a peel at a time, as long as density does not fall."""
    while np.isfinite(limits[j][side]):
        inside = _inside(table, limits)
        density, step = flags[inside].mean(), max(1, int(peel * inside.sum()))
        free = {**limits, j: [-np.inf if side == 0 else limits[j][0], np.inf if side == 1 else limits[j][1]]}
        beyond = np.sort(table[_inside(table, free) & ~inside, j])
        if side == 0:
            beyond = beyond[::-1]
        wider = [*limits[j]]
        wider[side] = float(beyond[step - 1]) if len(beyond) > step else (-np.inf if side == 0 else np.inf)
        if flags[_inside(table, {**limits, j: wider})].mean() < density:
            return
        limits[j] = wider
