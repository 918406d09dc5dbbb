"""Sobol indices and Morris's measures of many outputs at once, with a bootstrap that is a matrix product.

The estimators are those of SALib, to the last digits: first and total order of Saltelli et al. (2010), Computer Physics Communications 181,
259-270, second order of Saltelli (2002), Computer Physics Communications 145, 280-297; mu* of Campolongo, Cariboni & Saltelli (2007),
Environmental Modelling & Software 22, 1509-1518. A resample is a row of counts, how often each point is drawn (Efron & Tibshirani 1993);
intervals are percentiles, as symmetric ones reach below 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Estimated", "counts_of", "elementary_effects", "morris_indices", "resample_counts", "second_order_indices", "sobol_indices"]

Array = NDArray[np.float64]
AT_ONCE = 48  # outputs whose resamples are held in memory together


@dataclass(frozen=True)
class Estimated:
    """An index of every factor for every output, shape (factors, outputs), and of every resample, shape (resamples, factors, outputs)."""

    estimate: Array
    resampled: Array

    def interval(self, level: float) -> tuple[Array, Array]:
        """Return the ends of the percentile interval; without resamples, of no number."""
        if not len(self.resampled):
            return np.full(self.estimate.shape, np.nan), np.full(self.estimate.shape, np.nan)
        low, high = np.quantile(self.resampled, [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=0)
        return low, high


def resample_counts(points: int, resamples: int, seed: int) -> Array:
    """Return how often each point stands in each bootstrap resample, shape (resamples, points)."""
    drawn = np.random.default_rng([seed, points]).integers(points, size=(resamples, points))
    return counts_of(drawn)


def counts_of(drawn: NDArray[np.int64]) -> Array:
    """Return the counts of drawn positions, shape (resamples, points)."""
    resamples, points = drawn.shape
    flat = (drawn + points * np.arange(resamples)[:, None]).reshape(-1)
    return np.bincount(flat, minlength=resamples * points).reshape(resamples, points).astype(np.float64)


def _weights(points: int, counts: Array) -> Array:
    """Return the weights of the sample itself and, below, of its resamples."""
    return np.vstack([np.ones(points), counts]) / points


def _blocks(outputs: int) -> Iterator[slice]:
    yield from (slice(first, first + AT_ONCE) for first in range(0, outputs, AT_ONCE))


def _mean(weights: Array, values: Array) -> Array:
    return np.asarray(np.einsum("bn,nk->bk", weights, values.reshape(len(values), -1), optimize=True)).reshape(-1, *values.shape[1:])


def _ratio(numerator: Array, variance: Array) -> Array:
    """Return numerator / variance, 0 where an output does not vary (as SALib does; such outputs are named before)."""
    good = np.broadcast_to(variance > np.finfo(float).eps, numerator.shape)
    return np.divide(numerator, variance, out=np.zeros_like(numerator), where=good)


def _normalised(y: Array) -> Array:
    """Return the outputs less their mean over their standard deviation; the estimators are not free of the mean in small samples."""
    flat = y.reshape(-1, y.shape[-1])
    spread = flat.std(axis=0)
    return np.asarray((y - flat.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0))


def sobol_indices(y: Array, factors: int, counts: Array) -> tuple[Estimated, Estimated]:
    """Return first and total order indices of outputs ``y``, shape (points, sets of a point, outputs), ordered A, AB..., (BA...,) B.

    S_i = mean(B (AB_i - A)) / V, ST_i = mean((A - AB_i)^2) / 2 V, with V the variance over A and B together (Saltelli et al. 2010, table 2,
    rows b and f; Jansen 1999).
    """
    weights = _weights(len(y), counts)
    first, total = (np.empty((len(weights), factors, y.shape[2])) for _ in range(2))
    for block in _blocks(y.shape[2]):
        part = _normalised(y[:, :, block])
        a, ab, b = part[:, 0], part[:, 1 : factors + 1], part[:, -1]
        variance = _variance(weights, a, b)[:, None]
        first[:, :, block] = _ratio(_mean(weights, b[:, None] * (ab - a[:, None])), variance)
        total[:, :, block] = _ratio(0.5 * _mean(weights, (a[:, None] - ab) ** 2), variance)
    return Estimated(first[0], first[1:]), Estimated(total[0], total[1:])


def _variance(weights: Array, a: Array, b: Array) -> Array:
    middle = 0.5 * (a + b).mean(axis=0)
    a, b = a - middle, b - middle  # a shift does not change a variance, and keeps digits
    return np.asarray(0.5 * _mean(weights, a**2 + b**2) - (0.5 * _mean(weights, a + b)) ** 2)


def second_order_indices(y: Array, factors: int, singles: list[int], counts: Array) -> Estimated:
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


def elementary_effects(u: Array, y: Array, columns: list[int], delta: float) -> Array:
    """Return the elementary effects, shape (trajectories, factors, outputs): change of the output over that of the factor.

    ``u``: trajectories as cumulative probabilities, shape (trajectories, factors + 1, columns); ``columns``: one column of each factor,
    which tells when it moves and where to; ``delta``: the step.
    """
    moves = np.diff(u[:, :, columns], axis=1)
    return np.asarray(np.einsum("rsf,rso->rfo", np.sign(moves) * (np.abs(moves) > 1e-9), np.diff(y, axis=1), optimize=True) / delta)


def morris_indices(effects: Array, counts: Array) -> tuple[Estimated, Estimated, Estimated]:
    """Return mu (mean), mu* (mean of the absolute values) and sigma (standard deviation) of elementary effects."""
    weights = _weights(len(effects), counts)
    points = len(effects)
    absolute, mean = _mean(weights, np.abs(effects)), _mean(weights, effects)
    middle = effects.mean(axis=0)
    square = _mean(weights, (effects - middle) ** 2) - (mean - middle) ** 2
    deviation = np.sqrt(np.maximum(square, 0.0) * points / max(points - 1, 1))
    return tuple(Estimated(values[0], values[1:]) for values in (mean, absolute, deviation))  # type: ignore[return-value]
