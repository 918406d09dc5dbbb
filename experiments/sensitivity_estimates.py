"""From the means of parameter sets to tidy indices: each method's estimators, intervals, and what is not distinguishable from 0."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .sensitivity_design import DUMMY, LEVELS, Factor, Layout
from .sensitivity_given import binned_first_order, pawn, regional
from .sensitivity_indices import (
    Estimated,
    elementary_effects,
    morris_indices,
    resample_counts,
    second_order_indices,
    sobol_indices,
)
from .sensitivity_outputs import Target, Targets, noise_share

__all__ = ["RANKED", "Estimates", "contests", "estimate", "given_estimates", "over_time"]

Array = NDArray[np.float64]

RANKED = {"sobol": "ST", "morris": "mu_star", "pawn": "pawn", "given": "first", "regional": "ks"}
"""The index that ranks parameters, by method."""

SIGNED = ("mu", "shift")
AGREED = 0.95  # share of resamples in which a place in the ranking must hold
TINY = 1e-9  # what rounding leaves of 0
SEED = 20101
NOISY_RESAMPLES = 100  # of PAWN and regional analysis, which sort for each


@dataclass(frozen=True)
class Estimates:
    """The indices of a study: for each name of an index its factors and values. ``floor``: share of variance that is chance, by target."""

    method: str
    targets: tuple[Target, ...]
    found: dict[str, tuple[tuple[Factor, ...], tuple[str, ...], Estimated]]
    floor: Array
    level: float

    def widest(self) -> tuple[float, str]:
        """Return the width of the widest interval, and where it is; of Morris's mu* relative to the largest mu* of the output."""
        width, where = 0.0, ""
        for name in ("S1", "ST", "mu_star", "pawn", "first", "ks"):
            if name in self.found:
                factors, _, values = self.found[name]
                low, high = values.interval(self.level)
                widths = high - low
                if name == "mu_star":
                    widths = widths / np.maximum(values.estimate.max(axis=0), 1e-300)
                row, column = np.unravel_index(int(np.argmax(widths)), widths.shape)
                if widths[row, column] > width or not where:
                    width, where = float(widths[row, column]), f"{name} of {factors[row].name} for {_called(self.targets[column])}"
        return width, where

    def table(self) -> pd.DataFrame:
        """Return one row per index, factor and target."""
        return pd.concat([self._rows(name) for name in self.found], ignore_index=True)

    def _rows(self, name: str) -> pd.DataFrame:
        factors, partners, values = self.found[name]
        low, high = values.interval(self.level)
        count, outputs = values.estimate.shape
        dummy = next((k for k, factor in enumerate(factors) if factor.name == DUMMY), None)
        floor = np.zeros(outputs)
        if name == "ST":
            floor = np.nan_to_num(self.floor)
        elif name in ("mu_star", "pawn", "ks", "sigma") and dummy is not None:
            floor = high[dummy]
        clear = (low > TINY) | (high < -TINY) if name in SIGNED else low > floor + TINY
        frame = pd.DataFrame(np.repeat(np.array(self.targets, dtype=object), count, axis=0), columns=Target._fields)
        frame.insert(0, "method", self.method)
        frame["index"] = name
        for column, listed in (
            ("parameter", [f.name for f in factors]), ("with_parameter", list(partners)),
            ("group", [f.group for f in factors]), ("kind", [f.kind for f in factors]),
        ):  # fmt: skip
            frame[column] = np.tile(np.array(listed, dtype=object), outputs)
        for column, numbers in (("estimate", values.estimate), ("low", low), ("high", high), ("distinguishable", clear)):
            frame[column] = numbers.T.reshape(-1)
        frame["floor"] = np.repeat(floor, count)
        place, settled = self._places(factors, values) if name == RANKED[self.method] else (np.full_like(low, np.nan), np.zeros_like(clear))
        frame["place"], frame["place_settled"] = place.T.reshape(-1), settled.T.reshape(-1)
        return frame

    def _places(self, factors: tuple[Factor, ...], values: Estimated) -> tuple[Array, NDArray[np.bool_]]:
        """Return each parameter's place (groups and the dummy apart), and whether it and all better ones hold theirs in the resamples."""
        kinds = np.array([factor.kind for factor in factors])
        place, settled = np.full(values.estimate.shape, np.nan), np.zeros(values.estimate.shape, bool)
        for kind in ("parameter", "group"):
            rows = np.flatnonzero(kinds == kind)
            for column in range(values.estimate.shape[1]):
                order = rows[np.argsort(-values.estimate[rows, column], kind="stable")]
                place[order, column] = np.arange(1, len(order) + 1)
                resampled = values.resampled[:, order, column]
                rest = np.maximum.accumulate(resampled[:, ::-1], axis=1)[:, ::-1]
                ahead = (
                    np.append((resampled[:, :-1] > rest[:, 1:]).mean(axis=0) >= AGREED, True) if len(resampled) else np.zeros(len(order))
                )
                settled[order, column] = np.logical_and.accumulate(ahead.astype(bool))
        return place, settled


def _called(target: Target) -> str:
    return f"{target.output} of {target.design}" + (f" less {target.comparator}" if target.comparator else "")


def estimate(layout: Layout, sets: pd.DataFrame, points: int, found: Targets, method: str, resamples: int, level: float) -> Estimates:
    """Return the indices of all targets that can be analysed."""
    sound = found.sound
    targets, means = tuple(found.names[k] for k in sound), found.means[:, sound]
    floor = noise_share(means.var(axis=0, ddof=1), found.noise[sound])
    factors = layout.factors
    alone = ("",) * len(factors)
    if layout.method == "sample":
        return given_estimates(numbers_of(sets), means, targets, floor, factors, method, resamples, level)
    y = means.reshape(points, layout.step, len(sound))
    counts = resample_counts(points, resamples, SEED)
    if method == "morris":
        u = layout.unit_points(points).reshape(points, layout.step, -1)
        delta = LEVELS / (2.0 * (LEVELS - 1))
        effects = elementary_effects(u, y, [factor.columns[0] for factor in factors], delta)
        values = dict(zip(("mu", "mu_star", "sigma"), morris_indices(effects, counts), strict=True))
        if layout.singles != list(range(len(factors))):
            values = {"mu_star": values["mu_star"]}  # the members of a group move in several directions, so signs mean nothing
        return Estimates(method, targets, {name: (factors, alone, value) for name, value in values.items()}, floor, level)
    first, total = sobol_indices(y, len(factors), counts)
    indices = {"S1": (factors, alone, first), "ST": (factors, alone, total)}
    if layout.second:
        singles = [factors[k] for k in layout.singles]
        j, k = np.triu_indices(len(singles), 1)
        pairs = second_order_indices(y, len(factors), layout.singles, counts)
        indices["S2"] = (tuple(singles[a] for a in j), tuple(singles[b].name for b in k), pairs)
    return Estimates(method, targets, indices, floor, level)


def numbers_of(sets: pd.DataFrame) -> Array:
    """Return a table of sets as numbers; words by the order in which they stand."""
    columns = [sets[name] if pd.api.types.is_numeric_dtype(sets[name]) else pd.factorize(sets[name])[0] for name in sets]
    return np.column_stack([np.asarray(column, np.float64) for column in columns])


def given_estimates(
    x: Array,
    means: Array,
    targets: tuple[Target, ...],
    floor: Array,
    factors: tuple[Factor, ...],
    method: str,
    resamples: int,
    level: float,
) -> Estimates:
    """Return the indices that need no design of their own. In a contest the higher value wins; of costs and gaps the lower."""
    alone = ("",) * len(factors)
    counts = resample_counts(len(x), min(resamples, NOISY_RESAMPLES) if method != "given" else resamples, SEED)
    if method == "given":
        return Estimates(method, targets, {"first": (factors, alone, binned_first_order(x, means, counts))}, floor, level)
    if method == "pawn":
        return Estimates(method, targets, {"pawn": (factors, alone, pawn(x, means, counts))}, floor, level)
    distance, shift = regional(x, contests(means, targets), counts)
    return Estimates(method, targets, {"ks": (factors, alone, distance), "shift": (factors, alone, shift)}, floor, level)


def contests(means: Array, targets: tuple[Target, ...]) -> NDArray[np.bool_]:
    """Return in which sets the design beats its comparator: by the higher value; of costs and gaps by the lower."""
    better = np.array([-1.0 if target.output.startswith(("cost", "gap")) else 1.0 for target in targets])
    return np.asarray(means * better > 0)


def over_time(layout: Layout, points: int, shares: Targets) -> pd.DataFrame:
    """Return first and total order indices of the adopting share month by month, with its variance; no intervals.

    The rows of month -1 are the indices of the whole course: those of the months weighted by their variances (Gamboa, Janon, Klein &
    Lagnoux 2014, Electronic Journal of Statistics 8, 575-603).
    """
    sound = shares.sound
    y = shares.means[:, sound].reshape(points, layout.step, len(sound))
    first, total = sobol_indices(y, len(layout.factors), np.empty((0, points)))
    variance = shares.means[:, sound].var(axis=0)
    parts = []
    for k, position in enumerate(sound):
        target = shares.names[position]
        columns = {"design": target.design, "month": int(target.output.removeprefix("share_")), "variance": variance[k]}
        named = {
            "parameter": [f.name for f in layout.factors],
            "group": [f.group for f in layout.factors],
            "kind": [f.kind for f in layout.factors],
        }
        parts.append(pd.DataFrame({**columns, **named, "S1": first.estimate[:, k], "ST": total.estimate[:, k]}))
    frame = pd.concat(parts, ignore_index=True)
    weighted = frame.assign(S1=frame["S1"] * frame["variance"], ST=frame["ST"] * frame["variance"])
    whole = weighted.groupby(["design", "parameter", "group", "kind"], sort=False)[["variance", "S1", "ST"]].sum().reset_index()
    whole[["S1", "ST"]] = whole[["S1", "ST"]].div(whole["variance"], axis=0)
    return pd.concat([frame, whole.assign(month=-1)], ignore_index=True)
