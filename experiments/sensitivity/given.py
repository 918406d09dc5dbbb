"""Indices from any sample: first order from bins, PAWN, and which parameters decide whether one design beats another.

None of them asks for independent parameters or a design of its own, so they take sweeps that exist already. Every output at once, with a
bootstrap over sets; each index is positive by chance alone, so intervals are centred on the estimate and compared with the dummy's.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.world.arrays import Floats

from .indices import Estimated

MOST_BINS = 48
SLICES = 10  # of a parameter's range in PAWN


def _bins(points: int) -> int:
    """Return how many bins a sample of this size bears, as SALib has it (Plischke, Borgonovo & Smith 2013, EJOR 226, 536-550)."""
    return min(int(np.ceil(points ** (2.0 / (7.0 + np.tanh((1500.0 - points) / 500.0))))), 48)


def _centred(estimate: Floats, resampled: Floats) -> Estimated:
    """Return an index whose resamples lie around it: resampling adds the bias of the index once more, which is taken off."""
    if not len(resampled):
        return Estimated(estimate, resampled)
    return Estimated(estimate, resampled - resampled.mean(axis=0) + estimate)


def binned_first_order(x: Floats, y: Floats, counts: Floats, *, adjusted: bool = True) -> Estimated:
    """Return first-order indices: variance of the means of y in bins of equally many sets, over that of y (Pearson's correlation ratio).

    ``x``: sets x parameters; ``y``: sets x outputs. ``adjusted`` takes off what bins explain by chance, (bins - 1) / (sets - 1) of what is
    not explained (Kelley 1935, PNAS 21, 554-559); it bears sqrt(sets) bins, where the few of SALib hide half of a wave.
    """
    points = len(x)
    weights = np.vstack([np.ones(points), counts])
    edges = np.linspace(0, points, (min(int(np.sqrt(points)), MOST_BINS) if adjusted else _bins(points)) + 1)
    y = y - y.mean(axis=0)
    mean, square = weights @ y / points, weights @ y**2 / points
    variance = square - mean**2
    found = np.empty((len(weights), x.shape[1], y.shape[1]))
    for j in range(x.shape[1]):
        order = np.argsort(x[:, j], kind="stable")
        between = np.zeros((len(weights), y.shape[1]))
        rank = np.arange(1, points + 1)
        for low, high in pairwise(edges):
            inside = order[(rank > low) & (rank <= high)]
            size = weights[:, inside].sum(axis=1, keepdims=True)
            total = weights[:, inside] @ y[inside]
            between += size / points * (np.divide(total, size, out=np.zeros_like(total), where=size > 0) - mean * (size > 0)) ** 2
        ratio = np.divide(between, variance, out=np.zeros_like(between), where=variance > 0)
        found[:, j] = 1.0 - (1.0 - ratio) * (points - 1) / (points - len(edges) + 1) if adjusted else ratio
    if not adjusted:
        return _centred(found[0], found[1:])
    # No index is negative. Points of a Sobol sequence vary less over bins than chance would, so that too much is taken off.
    centred = _centred(found[0], found[1:])
    return Estimated(np.maximum(centred.estimate, 0.0), np.maximum(centred.resampled, 0.0))


def pawn(x: Floats, y: Floats, counts: Floats) -> Estimated:
    """Return PAWN indices: median over slices of a parameter of the Kolmogorov-Smirnov distance between y in the slice and y overall.

    Pianosi & Wagener (2018), Environmental Modelling & Software 108, 197-207.
    """
    points = len(x)
    weights = np.vstack([np.ones(points), counts])
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


def _distance(drawn: Floats, overall: Floats, last: NDArray[np.bool_]) -> Floats:
    """Return the largest distance between a weighted distribution and another; nan where nothing was drawn."""
    running = np.cumsum(drawn, axis=1)
    total = running[:, -1:]
    with np.errstate(all="ignore"):
        return np.where(total[:, 0] > 0, np.abs(running[:, last] / total - overall).max(axis=1), np.nan)


def regional(x: Floats, wins: NDArray[np.bool_], counts: Floats) -> tuple[Estimated, Estimated]:
    """Return for each parameter how differently it is distributed where a design wins and where it loses, and in which direction.

    ``wins``: sets x contests. The first is the Kolmogorov-Smirnov distance between the two (Hornberger & Spear 1981; Saltelli et al. 2008,
    Global Sensitivity Analysis: The Primer, section 5.2), the second the mean rank among the wins less that among the losses, over the
    number of sets: above 0 where high values favour the winner.
    """
    points = len(x)
    weights = np.vstack([np.ones(points), counts])
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
