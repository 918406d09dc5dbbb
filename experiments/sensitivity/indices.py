"""Sobol indices, Morris's measures and indices of any sample, of many outputs at once, with a bootstrap that is a matrix product.

The estimators are those of SALib, to the last digits: first and total order of Saltelli et al. (2010), Computer Physics Communications 181,
259-270, second order of Saltelli (2002), Computer Physics Communications 145, 280-297; mu* of Campolongo, Cariboni & Saltelli (2007),
Environmental Modelling & Software 22, 1509-1518. A resample is a row of counts, how often each point is drawn (Efron & Tibshirani 1993);
intervals are percentiles, as symmetric ones reach below 0. A bootstrap takes points to be drawn independently, which those of a Sobol
sequence are not; so the spread of its resamples is set to that between independent scramblings (randomised quasi-Monte Carlo; Owen 2013,
Monte Carlo Theory, Methods and Examples, section 17.3), and only their shape and what indices have in common is taken from it.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.world.arrays import Flags, Floats

AT_ONCE = 48  # outputs whose resamples are held in memory together
MOST_BINS = 48
SLICES = 10  # of a parameter's range in PAWN


@dataclass(frozen=True)
class Estimated:
    """An index of every factor for every output, shape (factors, outputs), and of every resample, shape (resamples, factors, outputs)."""

    estimate: Floats
    resampled: Floats

    def interval(self, level: float) -> tuple[Floats, Floats]:
        """Return the ends of the percentile interval; without resamples, of no number."""
        ends = (1.0 - level) / 2.0, (1.0 + level) / 2.0
        low, high = np.quantile(self.resampled, ends, axis=0) if len(self.resampled) else np.full((2, *self.estimate.shape), np.nan)
        return low, high

    def beside(self, other: "Estimated") -> "Estimated":
        """Return this index with the outputs of another after its own."""
        return Estimated(*(np.concatenate(pair, axis=-1) for pair in zip(vars(self).values(), vars(other).values(), strict=True)))


def resample_counts(points: int, resamples: int, seed: int) -> Floats:
    """Return how often each point stands in each bootstrap resample, shape (resamples, points)."""
    return counts_of(np.random.default_rng([seed, points]).integers(points, size=(resamples, points)))


def counts_of(drawn: NDArray[np.int64]) -> Floats:
    """Return the counts of drawn positions, shape (resamples, points)."""
    resamples, points = drawn.shape
    flat = (drawn + points * np.arange(resamples)[:, None]).reshape(-1)
    return np.bincount(flat, minlength=resamples * points).reshape(resamples, points).astype(np.float64)


def left_out_counts(points: int, scramblings: int) -> Floats:
    """Return the weights of points with each of M scramblings left out in turn, shape (M, points); point p is of scrambling p mod M."""
    return np.where(np.arange(points) % scramblings == np.arange(scramblings)[:, None], 0.0, scramblings / (scramblings - 1.0))


def calibrated(values: Estimated, scramblings: int, level: float, *, positive: bool) -> Estimated:
    """Return an index whose resamples spread as it does between independent scramblings.

    The first ``scramblings`` resamples of ``values`` leave one scrambling out each (``left_out_counts``); the others are a bootstrap's.
    The standard error is that of the jackknife over scramblings; with M of them, the ends of an interval of ``level`` are those of
    Student's t with M - 1 degrees of freedom. ``positive``: the index is above 0, so its logarithm is stretched.
    """
    left_out, resampled = values.resampled[:scramblings], values.resampled[scramblings:]
    error = np.sqrt(((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0) * (scramblings - 1) / scramblings)
    spread = resampled.std(axis=0, ddof=1)
    ratio = np.divide(error, spread, out=np.zeros_like(error), where=spread > 0.0)
    return _stretched(Estimated(values.estimate, resampled), ratio * _student(scramblings - 1, level), positive)


def widened(values: Estimated, points: int, level: float, *, positive: bool) -> Estimated:
    """Return an index of few points with resamples as wide as Student's t asks; those of a bootstrap of n lack sqrt((n - 1) / n)."""
    return _stretched(values, np.full(values.estimate.shape, np.sqrt(points / (points - 1.0)) * _student(points - 1, level)), positive)


def _student(freedom: int, level: float) -> float:
    """Return how much wider an interval of Student's t is than one of the normal distribution."""
    from scipy import stats

    return float(stats.t.ppf((1.0 + level) / 2.0, freedom) / stats.norm.ppf((1.0 + level) / 2.0))


def _stretched(values: Estimated, ratio: Floats, positive: bool) -> Estimated:
    estimate, resampled = values.estimate, values.resampled
    if not positive:
        return Estimated(estimate, estimate + (resampled - estimate) * ratio)
    there = estimate > 0.0
    relative = np.divide(resampled, estimate, out=np.ones_like(resampled), where=there)
    return Estimated(estimate, np.where(there, estimate * relative**ratio, resampled))


def _weights(points: int, counts: Floats) -> Floats:
    """Return the weights of the sample itself and, below, of its resamples."""
    return np.vstack([np.ones(points), counts]) / points


def _mean(weights: Floats, values: Floats) -> Floats:
    return np.asarray(np.einsum("bn,nk->bk", weights, values.reshape(len(values), -1), optimize=True)).reshape(-1, *values.shape[1:])


def _ratio(numerator: Floats, variance: Floats) -> Floats:
    """Return numerator / variance, 0 where an output does not vary (as SALib does; such outputs are named before)."""
    good = np.broadcast_to(variance > np.finfo(float).eps, numerator.shape)
    return np.divide(numerator, variance, out=np.zeros_like(numerator), where=good)


def _normalised(y: Floats) -> Floats:
    """Return the outputs less their mean over their standard deviation; the estimators are not free of the mean in small samples."""
    flat = y.reshape(-1, y.shape[-1])
    spread = flat.std(axis=0)
    return np.asarray((y - flat.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0))


def _split(found: Floats) -> Estimated:
    """Return an index from its values for the sample itself and, below, for its resamples."""
    return Estimated(found[0], found[1:])


def sobol_indices(y: Floats, factors: int, counts: Floats) -> tuple[Estimated, Estimated]:
    """Return first and total order indices of outputs ``y``, shape (points, sets of a point, outputs), ordered A, AB..., (BA...,) B.

    S_i = mean(B (AB_i - A)) / V, ST_i = mean((A - AB_i)^2) / 2 V, with V the variance over A and B together (Saltelli et al. 2010, table 2,
    rows b and f; Jansen 1999).
    """
    weights = _weights(len(y), counts)
    first, total = np.empty((2, len(weights), factors, y.shape[2]))
    for at in range(0, y.shape[2], AT_ONCE):
        here = slice(at, at + AT_ONCE)
        alone, whole, variance = _parts(_normalised(y[:, :, here]), factors, weights)
        first[:, :, here], total[:, :, here] = _ratio(alone, variance), _ratio(whole, variance)
    return _split(first), _split(total)


def pooled_indices(y: Floats, factors: int, counts: Floats) -> tuple[Estimated, Estimated]:
    """Return first and total order indices of all outputs as one: the parts of their variances, summed, over the sum of their variances.

    ``y``: as in ``sobol_indices``, all outputs in one unit; the result has one output (Gamboa, Janon, Klein & Lagnoux 2014, Electronic
    Journal of Statistics 8, 575-603).
    """
    weights = _weights(len(y), counts)
    y = y - y.reshape(-1, y.shape[-1]).mean(axis=0)
    y = y / (np.sqrt((y**2).mean(axis=(0, 1)).sum()) or 1.0)
    sums = [np.zeros((len(weights), size)) for size in (factors, factors, 1)]
    for at in range(0, y.shape[2], AT_ONCE):
        parts = _parts(y[:, :, at : at + AT_ONCE], factors, weights)
        sums = [so_far + part.sum(axis=2) for so_far, part in zip(sums, parts, strict=True)]
    return _split(_ratio(sums[0], sums[2])[..., None]), _split(_ratio(sums[1], sums[2])[..., None])


def _parts(y: Floats, factors: int, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the first and the total order part of the variance, and the variance, shape (weights, factors or 1, outputs)."""
    a, ab, b = y[:, 0], y[:, 1 : factors + 1], y[:, -1]
    alone, whole = _mean(weights, b[:, None] * (ab - a[:, None])), 0.5 * _mean(weights, (a[:, None] - ab) ** 2)
    return alone, whole, _variance(weights, a, b)[:, None]


def _variance(weights: Floats, a: Floats, b: Floats) -> Floats:
    middle = 0.5 * (a + b).mean(axis=0)
    a, b = a - middle, b - middle  # a shift does not change a variance, and keeps digits
    return np.asarray(0.5 * _mean(weights, a**2 + b**2) - (0.5 * _mean(weights, a + b)) ** 2)


def second_order_indices(y: Floats, factors: int, singles: list[int], counts: Floats) -> Estimated:
    """Return second order indices of all pairs j < k of ``singles``, the factors that have a BA: V_jk / V - S_j - S_k (Saltelli 2002).

    ``factors`` in the result counts pairs in the order of ``numpy.triu_indices``.
    """
    weights = _weights(len(y), counts)
    j, k = np.triu_indices(len(singles), 1)
    found = np.empty((len(weights), len(j), y.shape[2]))
    whole = _normalised(y)
    for at in range(y.shape[2]):
        part = whole[:, :, at]
        a, b = part[:, 0], part[:, -1]
        ab = part[:, [1 + single for single in singles]]
        ba = part[:, 1 + factors : 1 + factors + len(singles)]
        variance = _variance(weights, a[:, None], b[:, None])
        single = _ratio(_mean(weights, b[:, None] * (ab - a[:, None])), variance)
        pair = _ratio(_mean(weights, ba[:, j] * ab[:, k] - (a * b)[:, None]), variance)
        found[:, :, at] = pair - single[:, j] - single[:, k]
    return _split(found)


def elementary_effects(u: Floats, y: Floats, columns: list[int], delta: float) -> Floats:
    """Return the elementary effects, shape (trajectories, factors, outputs): change of the output over that of the factor.

    ``u``: trajectories as cumulative probabilities, shape (trajectories, factors + 1, columns); ``columns``: one column of each factor,
    which tells when it moves and where to; ``delta``: the step.
    """
    moves = np.diff(u[:, :, columns], axis=1)
    return np.asarray(np.einsum("rsf,rso->rfo", np.sign(moves) * (np.abs(moves) > 1e-9), np.diff(y, axis=1), optimize=True) / delta)


def morris_indices(effects: Floats, counts: Floats) -> tuple[Estimated, Estimated, Estimated]:
    """Return mu (mean), mu* (mean of the absolute values) and sigma (standard deviation) of elementary effects."""
    points, weights = len(effects), _weights(len(effects), counts)
    absolute, mean = _mean(weights, np.abs(effects)), _mean(weights, effects)
    middle = effects.mean(axis=0)
    square = _mean(weights, (effects - middle) ** 2) - (mean - middle) ** 2
    deviation = np.sqrt(np.maximum(square, 0.0) * points / max(points - 1, 1))
    return _split(mean), _split(absolute), _split(deviation)


# --- from any sample: first order from bins, PAWN, and which parameters decide whether one design beats another -----------
# None asks for independent parameters or a design of its own, so they take sweeps that exist already. Each index is positive by chance
# alone, so intervals are centred on the estimate and compared with the dummy's.


def _bins(points: int) -> int:
    """Return how many bins a sample of this size bears, as SALib has it (Plischke, Borgonovo & Smith 2013, EJOR 226, 536-550)."""
    return min(int(np.ceil(points ** (2.0 / (7.0 + np.tanh((1500.0 - points) / 500.0))))), MOST_BINS)


def _centred(estimate: Floats, resampled: Floats) -> Estimated:
    """Return an index whose resamples lie around it: resampling adds the bias of the index once more, which is taken off."""
    return Estimated(estimate, resampled - resampled.mean(axis=0) + estimate if len(resampled) else resampled)


def binned_first_order(x: Floats, y: Floats, counts: Floats, *, adjusted: bool = True) -> Estimated:
    """Return first-order indices: variance of the means of y in bins of equally many sets, over that of y (Pearson's correlation ratio).

    ``x``: sets x parameters; ``y``: sets x outputs. ``adjusted`` takes off what bins explain by chance, (bins - 1) / (sets - 1) of what is
    not explained (Kelley 1935, PNAS 21, 554-559); it bears sqrt(sets) bins, where the few of SALib hide half of a wave.
    """
    points, weights, rank = len(x), np.vstack([np.ones(len(x)), counts]), np.arange(1, len(x) + 1)
    edges = np.linspace(0, points, (min(int(np.sqrt(points)), MOST_BINS) if adjusted else _bins(points)) + 1)
    y = y - y.mean(axis=0)
    mean, square = weights @ y / points, weights @ y**2 / points
    variance = square - mean**2
    found = np.empty((len(weights), x.shape[1], y.shape[1]))
    for j in range(x.shape[1]):
        order = np.argsort(x[:, j], kind="stable")
        between = np.zeros((len(weights), y.shape[1]))
        for low, high in pairwise(edges):
            inside = order[(rank > low) & (rank <= high)]
            size = weights[:, inside].sum(axis=1, keepdims=True)
            total = weights[:, inside] @ y[inside]
            between += size / points * (np.divide(total, size, out=np.zeros_like(total), where=size > 0) - mean * (size > 0)) ** 2
        ratio = np.divide(between, variance, out=np.zeros_like(between), where=variance > 0)
        found[:, j] = 1.0 - (1.0 - ratio) * (points - 1) / (points - len(edges) + 1) if adjusted else ratio
    centred = _centred(found[0], found[1:])
    # No index is negative. Points of a Sobol sequence vary less over bins than chance would, so that too much is taken off.
    return Estimated(np.maximum(centred.estimate, 0.0), np.maximum(centred.resampled, 0.0)) if adjusted else centred


def pawn(x: Floats, y: Floats, counts: Floats) -> Estimated:
    """Return PAWN indices: median over slices of a parameter of the Kolmogorov-Smirnov distance between y in the slice and y overall.

    Pianosi & Wagener (2018), Environmental Modelling & Software 108, 197-207.
    """
    points, weights = len(x), np.vstack([np.ones(len(x)), counts])
    member = np.zeros((x.shape[1], points), np.int64)
    for j in range(x.shape[1]):
        edges = np.quantile(x[:, j], np.arange(0.0, 1.0 + 1.0 / SLICES, 1.0 / SLICES)[: SLICES + 1])
        member[j] = np.where(x[:, j] >= edges[-1], -1, np.searchsorted(edges, x[:, j], side="right") - 1)
    found = np.empty((len(weights), x.shape[1], y.shape[1]))
    for k in range(y.shape[1]):
        order = np.argsort(y[:, k], kind="stable")
        last = np.append(np.diff(y[order, k]) > 0, True)
        drawn = weights[:, order]
        overall = (np.cumsum(drawn, axis=1) / points)[:, last]
        for j in range(x.shape[1]):
            distances = [_distance(drawn * (member[j, order] == s), overall, last) for s in range(SLICES)]
            found[:, j, k] = np.nanmedian(distances, axis=0)
    return _centred(found[0], found[1:])


def _distance(drawn: Floats, overall: Floats, last: Flags) -> Floats:
    """Return the largest distance between a weighted distribution and another; nan where nothing was drawn."""
    running = np.cumsum(drawn, axis=1)
    total = running[:, -1:]
    with np.errstate(all="ignore"):
        return np.where(total[:, 0] > 0, np.abs(running[:, last] / total - overall).max(axis=1), np.nan)


def regional(x: Floats, wins: Flags, counts: Floats) -> tuple[Estimated, Estimated]:
    """Return for each parameter how differently it is distributed where a design wins and where it loses, and in which direction.

    ``wins``: sets x contests. The first is the Kolmogorov-Smirnov distance between the two (Hornberger & Spear 1981; Saltelli et al. 2008,
    Global Sensitivity Analysis: The Primer, section 5.2), the second the mean rank among the wins less that among the losses, over the
    number of sets: above 0 where high values favour the winner.
    """
    points, weights = len(x), np.vstack([np.ones(len(x)), counts])
    distance, shift = (np.empty((len(weights), x.shape[1], wins.shape[1])) for _ in range(2))
    for k in range(wins.shape[1]):
        won, lost = weights * wins[:, k], weights * ~wins[:, k]
        all_won, all_lost = (np.maximum(part.sum(axis=1, keepdims=True), 1e-12) for part in (won, lost))
        for j in range(x.shape[1]):
            order = np.argsort(x[:, j], kind="stable")
            last = np.append(np.diff(x[order, j]) > 0, True)
            gap = np.cumsum(won[:, order], axis=1) / all_won - np.cumsum(lost[:, order], axis=1) / all_lost
            distance[:, j, k] = np.abs(gap[:, last]).max(axis=1)
            rank = np.empty(points)
            rank[order] = (np.arange(points) + 0.5) / points
            shift[:, j, k] = (won @ rank) / all_won[:, 0] - (lost @ rank) / all_lost[:, 0]
    return _centred(distance[0], distance[1:]), Estimated(shift[0], shift[1:])
