"""Sobol indices and Morris's measures of many outputs at once, with a bootstrap that is a matrix product.

The estimators are those of SALib, to the last digits: first and total order of Saltelli et al. (2010), Computer Physics Communications 181,
259-270, second order of Saltelli (2002), Computer Physics Communications 145, 280-297; mu* of Campolongo, Cariboni & Saltelli (2007),
Environmental Modelling & Software 22, 1509-1518. A resample is a row of counts, how often each point is drawn (Efron & Tibshirani 1993);
intervals are percentiles, as symmetric ones reach below 0. A bootstrap takes points to be drawn independently, which those of a Sobol
sequence are not; so the spread of its resamples is set to that between independent scramblings (randomised quasi-Monte Carlo; Owen 2013,
Monte Carlo Theory, Methods and Examples, section 17.3), and only their shape and what indices have in common is taken from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.world.arrays import Floats

AT_ONCE = 48  # outputs whose resamples are held in memory together


@dataclass(frozen=True)
class Estimated:
    """An index of every factor for every output, shape (factors, outputs), and of every resample, shape (resamples, factors, outputs)."""

    estimate: Floats
    resampled: Floats

    def interval(self, level: float) -> tuple[Floats, Floats]:
        """Return the ends of the percentile interval; without resamples, of no number."""
        if not len(self.resampled):
            return np.full(self.estimate.shape, np.nan), np.full(self.estimate.shape, np.nan)
        low, high = np.quantile(self.resampled, [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=0)
        return low, high


def resample_counts(points: int, resamples: int, seed: int) -> Floats:
    """Return how often each point stands in each bootstrap resample, shape (resamples, points)."""
    drawn = np.random.default_rng([seed, points]).integers(points, size=(resamples, points))
    return counts_of(drawn)


def counts_of(drawn: NDArray[np.int64]) -> Floats:
    """Return the counts of drawn positions, shape (resamples, points)."""
    resamples, points = drawn.shape
    flat = (drawn + points * np.arange(resamples)[:, None]).reshape(-1)
    return np.bincount(flat, minlength=resamples * points).reshape(resamples, points).astype(np.float64)


def left_out_counts(points: int, scramblings: int) -> Floats:
    """Return the weights of points with each of M scramblings left out in turn, shape (M, points); point p is of scrambling p mod M."""
    mine = np.arange(points) % scramblings == np.arange(scramblings)[:, None]
    return np.where(mine, 0.0, scramblings / (scramblings - 1.0))


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
    ratio = np.full(values.estimate.shape, np.sqrt(points / (points - 1.0)) * _student(points - 1, level))
    return _stretched(values, ratio, positive)


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


def _blocks(outputs: int) -> Iterator[slice]:
    yield from (slice(first, first + AT_ONCE) for first in range(0, outputs, AT_ONCE))


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


def sobol_indices(y: Floats, factors: int, counts: Floats) -> tuple[Estimated, Estimated]:
    """Return first and total order indices of outputs ``y``, shape (points, sets of a point, outputs), ordered A, AB..., (BA...,) B.

    S_i = mean(B (AB_i - A)) / V, ST_i = mean((A - AB_i)^2) / 2 V, with V the variance over A and B together (Saltelli et al. 2010, table 2,
    rows b and f; Jansen 1999).
    """
    weights = _weights(len(y), counts)
    first, total = (np.empty((len(weights), factors, y.shape[2])) for _ in range(2))
    for block in _blocks(y.shape[2]):
        alone, whole, variance = _parts(_normalised(y[:, :, block]), factors, weights)
        first[:, :, block] = _ratio(alone, variance)
        total[:, :, block] = _ratio(whole, variance)
    return Estimated(first[0], first[1:]), Estimated(total[0], total[1:])


def pooled_indices(y: Floats, factors: int, counts: Floats) -> tuple[Estimated, Estimated]:
    """Return first and total order indices of all outputs as one: the parts of their variances, summed, over the sum of their variances.

    ``y``: as in ``sobol_indices``, all outputs in one unit; the result has one output (Gamboa, Janon, Klein & Lagnoux 2014, Electronic
    Journal of Statistics 8, 575-603).
    """
    weights = _weights(len(y), counts)
    y = y - y.reshape(-1, y.shape[-1]).mean(axis=0)
    y = y / (np.sqrt((y**2).mean(axis=(0, 1)).sum()) or 1.0)
    sums = [np.zeros((len(weights), size)) for size in (factors, factors, 1)]
    for block in _blocks(y.shape[2]):
        parts = _parts(y[:, :, block], factors, weights)
        sums = [so_far + part.sum(axis=2) for so_far, part in zip(sums, parts, strict=True)]
    first, total = (_ratio(part, sums[2])[..., None] for part in sums[:2])
    return Estimated(first[0], first[1:]), Estimated(total[0], total[1:])


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
    return Estimated(found[0], found[1:])


def elementary_effects(u: Floats, y: Floats, columns: list[int], delta: float) -> Floats:
    """Return the elementary effects, shape (trajectories, factors, outputs): change of the output over that of the factor.

    ``u``: trajectories as cumulative probabilities, shape (trajectories, factors + 1, columns); ``columns``: one column of each factor,
    which tells when it moves and where to; ``delta``: the step.
    """
    moves = np.diff(u[:, :, columns], axis=1)
    return np.asarray(np.einsum("rsf,rso->rfo", np.sign(moves) * (np.abs(moves) > 1e-9), np.diff(y, axis=1), optimize=True) / delta)


def morris_indices(effects: Floats, counts: Floats) -> tuple[Estimated, Estimated, Estimated]:
    """Return mu (mean), mu* (mean of the absolute values) and sigma (standard deviation) of elementary effects."""
    weights = _weights(len(effects), counts)
    points = len(effects)
    absolute, mean = _mean(weights, np.abs(effects)), _mean(weights, effects)
    middle = effects.mean(axis=0)
    square = _mean(weights, (effects - middle) ** 2) - (mean - middle) ** 2
    deviation = np.sqrt(np.maximum(square, 0.0) * points / max(points - 1, 1))
    return tuple(Estimated(values[0], values[1:]) for values in (mean, absolute, deviation))  # type: ignore[return-value]
