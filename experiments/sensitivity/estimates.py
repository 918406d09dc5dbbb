"""From the means of parameter sets to tidy indices: each method's estimators, intervals, and what is not distinguishable from 0."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from school_mentoring.model.world.arrays import Flags, Floats

from . import indices
from .design import DUMMY, LEVELS, Factor, Layout
from .indices import Estimated
from .outputs import DECISION, Target, Targets, noise_share

RANKED = {"sobol": "ST", "morris": "mu_star", "pawn": "pawn", "given": "first", "regional": "ks"}
"""The index that ranks parameters, by method."""

SIGNED = ("mu", "shift")
AGREED = 0.95  # share of resamples in which a place in the ranking must hold
TINY = 1e-9  # what rounding leaves of 0
SEED = 20101
NOISY_RESAMPLES = 100  # of PAWN and regional analysis, which sort for each

Indices = dict[str, tuple[tuple[Factor, ...], tuple[str, ...], Estimated]]
"""For each name of an index its factors, the factors beside them in a pair, and the values."""


@dataclass(frozen=True)
class Estimates:
    """The indices of a study. ``floor``: share of variance that is chance, by target.

    An index of fewer outputs than there are targets has the first ones.
    """

    method: str
    targets: tuple[Target, ...]
    found: Indices
    floor: Floats
    level: float

    def widths(self) -> pd.DataFrame:
        """Return the width of the widest interval of each target, and where it is; of Morris's mu* relative to the largest mu*."""
        width, where = np.zeros(len(self.targets)), [""] * len(self.targets)
        for name in ("S1", "ST", "mu_star", "pawn", "first", "ks"):
            if name in self.found:
                factors, _, values = self.found[name]
                low, high = values.interval(self.level)
                widths = high - low
                if name == "mu_star":
                    widths = widths / np.maximum(values.estimate.max(axis=0), 1e-300)
                for column, row in enumerate(widths.argmax(axis=0).tolist()):
                    if widths[row, column] > width[column] or not where[column]:
                        width[column] = widths[row, column]
                        where[column] = f"{name} of {factors[row].name} for {_called(self.targets[column])}"
        return pd.DataFrame({"width": width, "where": where})

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
            floor = np.nan_to_num(self.floor[:outputs])
        elif name in ("mu_star", "pawn", "ks", "sigma") and dummy is not None:
            floor = high[dummy]
        clear = (low > TINY) | (high < -TINY) if name in SIGNED else low > floor + TINY
        frame = pd.DataFrame(np.repeat(np.array(self.targets[:outputs], dtype=object), count, axis=0), columns=Target._fields)
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

    def _places(self, factors: tuple[Factor, ...], values: Estimated) -> tuple[Floats, Flags]:
        """Return each parameter's place (groups and the dummy apart), and whether it and all better ones hold theirs in the resamples."""
        kinds = np.array([factor.kind for factor in factors])
        place, settled = np.full(values.estimate.shape, np.nan), np.zeros(values.estimate.shape, bool)
        for kind in ("parameter", "group"):
            rows = np.flatnonzero(kinds == kind)
            for column in range(values.estimate.shape[1]):
                order = rows[np.argsort(-values.estimate[rows, column], kind="stable")]
                place[order, column] = np.arange(1, len(order) + 1)
                if len(resampled := values.resampled[:, order, column]):
                    rest = np.maximum.accumulate(resampled[:, ::-1], axis=1)[:, ::-1]
                    ahead = np.append((resampled[:, :-1] > rest[:, 1:]).mean(axis=0) >= AGREED, True)
                    settled[order, column] = np.logical_and.accumulate(ahead)
        return place, settled


def _called(target: Target) -> str:
    if not target.design:
        return target.output
    return f"{target.output} of {target.design}" + (f" less {target.comparator}" if target.comparator else "")


def estimate(layout: Layout, sets: pd.DataFrame, points: int, found: Targets, method: str, resamples: int, level: float) -> Estimates:
    """Return the indices of all targets that can be analysed; of a Sobol study also those of the decision as one, which stands last."""
    targets, means, noise = found.analysed
    floor = noise_share(means.var(axis=0, ddof=1), noise)
    if layout.method == "sample":
        return given_estimates(numbers_of(sets), means, targets, floor, layout.factors, method, resamples, level)
    y = means.reshape(points, layout.step, len(targets))
    if method == "morris":
        return Estimates(method, targets, _morris(layout, points, y, resamples, level), floor, level)
    choice = [k for k, target in enumerate(targets) if target.output == DECISION]
    if choice:
        targets = (*targets, Target(DECISION, "", ""))
        whole = means.var(axis=0, ddof=1)[choice].sum(keepdims=True), noise[choice].sum(keepdims=True)
        floor = np.append(floor, noise_share(*whole))
    return Estimates(method, targets, _sobol(layout, points, y, choice, resamples, level), floor, level)


def _sobol(layout: Layout, points: int, y: Floats, choice: list[int], resamples: int, level: float) -> Indices:
    factors, counts = layout.factors, _counts(layout, points, resamples)
    both = indices.sobol_indices(y, len(factors), counts)
    if choice:
        pooled = indices.pooled_indices(y[:, :, choice], len(factors), counts)
        both = both[0].beside(pooled[0]), both[1].beside(pooled[1])
    alone = ("",) * len(factors)
    named = {name: (factors, alone, values) for name, values in _settled(both, layout, level).items()}
    if layout.second:
        singles = [factors[k] for k in layout.singles]
        j, k = np.triu_indices(len(singles), 1)
        second = indices.second_order_indices(y, len(factors), layout.singles, counts)
        pairs = indices.calibrated(second, layout.scramblings, level, positive=False)
        named["S2"] = (tuple(singles[a] for a in j), tuple(singles[b].name for b in k), pairs)
    return named


def _counts(layout: Layout, points: int, resamples: int) -> Floats:
    """Return the weights with which each scrambling is left out, and below them those of a bootstrap."""
    return np.vstack([indices.left_out_counts(points, layout.scramblings), indices.resample_counts(points, resamples, SEED)])


def _settled(both: tuple[Estimated, Estimated], layout: Layout, level: float) -> dict[str, Estimated]:
    """Return first and total order by name, with resamples that spread as independent scramblings do."""
    names = zip(("S1", "ST"), both, (False, True), strict=True)
    return {name: indices.calibrated(values, layout.scramblings, level, positive=positive) for name, values, positive in names}


def _morris(layout: Layout, points: int, y: Floats, resamples: int, level: float) -> Indices:
    """Return mu, mu* and sigma; of groups mu* alone, as their members move in several directions, so that signs mean nothing."""
    u = layout.unit_points(points).reshape(points, layout.step, -1)
    effects = np.empty((points, len(layout.factors), y.shape[2]))
    at = 0
    for moved in layout.trajectories:
        rows, columns = slice(at, at + len(moved) + 1), [layout.factors[k].columns[0] for k in moved]
        effects[:, moved] = indices.elementary_effects(u[:, rows], y[:, rows], columns, LEVELS / (2.0 * (LEVELS - 1)))
        at = rows.stop
    found = indices.morris_indices(effects, indices.resample_counts(points, resamples, SEED))
    named = {}
    for name, values, positive in zip(("mu", "mu_star", "sigma"), found, (False, True, True), strict=True):
        kept = list(range(len(layout.factors))) if name == "mu_star" else layout.singles
        if len(kept) > 1:  # the dummy is not alone
            part = indices.widened(Estimated(values.estimate[kept], values.resampled[:, kept]), points, level, positive=positive)
            named[name] = (tuple(layout.factors[k] for k in kept), ("",) * len(kept), part)
    return named


def numbers_of(sets: pd.DataFrame) -> Floats:
    """Return a table of sets as numbers; words by the order in which they stand."""
    columns = [sets[name] if pd.api.types.is_numeric_dtype(sets[name]) else pd.factorize(sets[name])[0] for name in sets]
    return np.column_stack([np.asarray(column, np.float64) for column in columns])


def given_estimates(
    x: Floats, means: Floats, targets: tuple[Target, ...], floor: Floats, factors: tuple[Factor, ...], method: str, resamples: int,
    level: float,
) -> Estimates:  # fmt: skip
    """Return the indices that need no design of their own. In a contest the higher value wins; of costs and gaps the lower."""
    counts = indices.resample_counts(len(x), min(resamples, NOISY_RESAMPLES) if method != "given" else resamples, SEED)
    if method == "given":
        found = {"first": indices.binned_first_order(x, means, counts)}
    elif method == "pawn":
        found = {"pawn": indices.pawn(x, means, counts)}
    else:
        found = dict(zip(("ks", "shift"), indices.regional(x, contests(means, targets), counts), strict=True))
    return Estimates(method, targets, {name: (factors, ("",) * len(factors), values) for name, values in found.items()}, floor, level)


def contests(means: Floats, targets: tuple[Target, ...]) -> Flags:
    """Return in which sets the design beats its comparator: by the higher value; of costs and gaps by the lower."""
    return np.asarray(means * np.array([-1.0 if target.output.startswith(("cost", "gap")) else 1.0 for target in targets]) > 0)


def over_time(layout: Layout, points: int, shares: Targets, resamples: int, level: float) -> pd.DataFrame:
    """Return first and total order indices, with intervals, of the adopting share month by month, with its variance.

    The rows of month -1 are the indices of the whole course: those of the months weighted by their variances (``pooled_indices``).
    """
    names, means, _ = shares.analysed
    y, variance, factors = means.reshape(points, layout.step, len(names)), means.var(axis=0), layout.factors
    counts, months = _counts(layout, points, resamples), [int(name.output.removeprefix("share_")) for name in names]
    parts = [(names, months, variance, indices.sobol_indices(y, len(factors), counts))]
    for which in dict.fromkeys(name[1:] for name in names):
        columns = [k for k, name in enumerate(names) if name[1:] == which]
        whole = indices.pooled_indices(y[:, :, columns], len(factors), counts)
        parts.append(((names[columns[0]],), [-1], variance[columns].sum(keepdims=True), whole))
    frames = []
    for targets, month, spread, both in parts:
        frame = pd.DataFrame([target[1:] for target in targets], columns=["design", "comparator"]).assign(month=month, variance=spread)
        frame = frame.loc[frame.index.repeat(len(factors))].reset_index(drop=True)
        for column in ("name", "group", "kind"):
            frame["parameter" if column == "name" else column] = [getattr(factor, column) for factor in factors] * len(targets)
        for index, values in _settled(both, layout, level).items():
            for suffix, numbers in zip(("", "_low", "_high"), (values.estimate, *values.interval(level)), strict=True):
                frame[f"{index}{suffix}"] = numbers.T.reshape(-1)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)
