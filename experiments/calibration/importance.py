"""Weighted draws of a posterior whose likelihood is evaluated itself: annealed population Monte Carlo over normal scores.

Rounds of proposals, spread by Sobol points, come ever closer to the posterior: each is a mixture of t kernels around the points of the
round before (West 1993; Cappé et al. 2004), whose weights are tempered until enough points count (Del Moral, Doucet & Jasra 2006). The last
round is weighted by the likelihood itself, so nothing is lost at a boundary or where the likelihood is no polynomial; a likelihood that is
estimated without bias, with other random numbers at each point, gives the posterior too (Tran et al. 2013).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from school_mentoring.experiments.distributions import sobol_points
from school_mentoring.experiments.progress import Stage
from school_mentoring.model.errors import InputError
from school_mentoring.model.world.arrays import Counts, Floats

from .prior import Prior

LogLikelihood = Callable[[Floats, int], Floats]
"""The log-likelihood at parameters (K, d), (K,); the number tells apart the random numbers of calls, where it is estimated."""

ROUND = 256  # points of a round
COUNTING = 64.0  # effective points of a round below which its weights are tempered
ROUNDS = 24
TAILS = 6.0  # degrees of freedom of the kernels, whose tails are longer than the posterior's
WIDE = 0.1  # of the proposals are from kernels twice as wide


class Kernels(NamedTuple):
    """A mixture of t kernels around ``centres`` (N, d) with ``weights`` (N,), whose scale matrix is ``root`` @ ``root``.T."""

    centres: Floats
    weights: Floats
    root: Floats

    def sample(self, count: int, seed: tuple[int, ...]) -> Floats:
        """Return so many points, (count, d), by scrambled Sobol points."""
        from scipy.special import ndtri
        from scipy.stats import chi2

        d = self.centres.shape[1]
        u = sobol_points(d + 3, count, seed)
        share = np.cumsum(self.weights)
        chosen = np.minimum(np.searchsorted(share, u[:, 0] * share[-1]), len(share) - 1)
        wide = np.where(u[:, 2] < WIDE, 2.0, 1.0) * np.sqrt(TAILS / chi2.ppf(u[:, 1], TAILS))
        return self.centres[chosen] + wide[:, None] * (ndtri(u[:, 3:]) @ self.root.T)

    def log_density(self, points: Floats) -> Floats:
        """Return the log density at points (K, d), up to a constant, (K,)."""
        from scipy.spatial.distance import cdist

        d = points.shape[1]
        inverse = np.linalg.inv(self.root).T
        square = cdist(points @ inverse, self.centres @ inverse, "sqeuclidean")
        near = (1.0 - WIDE) * (1.0 + square / TAILS) ** (-0.5 * (TAILS + d))
        far = WIDE * 0.5**d * (1.0 + 0.25 * square / TAILS) ** (-0.5 * (TAILS + d))
        return np.log((near + far) @ (self.weights / self.weights.sum()))


class Weighted(NamedTuple):
    """Equally likely ``draws`` of normal scores (chains, draws, d), the number of independent ones they are worth, and evaluations."""

    draws: Floats
    effective: float
    evaluated: int


def effective(weights: Floats) -> float:
    """Return how many equal weights are worth as much (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def tempered(logarithm: Floats, counting: float = COUNTING) -> tuple[Floats, float]:
    """Return weights (N,) of log weights, and the power up to 1 to which they are taken so that enough points count."""
    height = logarithm - logarithm.max()
    low, high = 0.0, 1.0
    if effective(np.exp(height)) >= counting:
        return np.exp(height), 1.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if effective(np.exp(middle * height)) >= counting else (low, middle)
    return np.exp(low * height), low


def _kernels(points: Floats, weights: Floats) -> Kernels:
    """Return kernels around weighted points (N, d), as wide as a density estimate asks for (Silverman 1986)."""
    d = points.shape[1]
    kept = weights > 1e-9 * weights.max()
    points, weights = points[kept], weights[kept]
    order = ordered(points, weights, len(points))
    width = (4.0 / (effective(weights) * (d + 2.0))) ** (1.0 / (d + 4.0))
    spread = np.atleast_2d(np.cov(points.T, aweights=weights, bias=True)) + 1e-12 * np.eye(d)
    return Kernels(points[order], weights[order], width * np.linalg.cholesky(spread))


def ordered(points: Floats, weights: Floats, count: int) -> Counts:
    """Return an order of points (N, d) in which neighbours lie close: groups of equal weight by the first coordinate, in these by the next.

    ``count``: of the draws to be taken from it, which decides how fine the groups are.
    """
    n, d = points.shape
    parts = round(count ** (1.0 / d))

    def cut(rows: Counts, j: int) -> list[Counts]:
        rows = rows[np.argsort(points[rows, j], kind="stable")]
        if j == d - 1 or len(rows) < 2:
            return [rows]
        at = np.cumsum(weights[rows])
        group = np.minimum((parts * (at - 0.5 * weights[rows]) / at[-1]).astype(int), parts - 1)
        return [one for part in range(parts) for one in cut(rows[group == part], j + 1)]

    return np.concatenate(cut(np.arange(n), 0))


def _drawn(points: Floats, weights: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Return equally likely draws (count, d) of weighted points, systematically along an order, so that they are as even as can be."""
    order = ordered(points, weights, count)
    share = np.cumsum(weights[order])
    chosen = np.searchsorted(share, (np.arange(count) + rng.random()) / count * share[-1])
    return np.asarray(points[order[rng.permutation(np.minimum(chosen, len(order) - 1))]])


def weighted_posterior(
    prior: Prior, likelihood: LogLikelihood, seed: int, *, chains: int, points: int, kept: int, stage: Stage = lambda *_: None
) -> Weighted:
    """Return ``kept`` draws in each chain, each from ``points`` weighted points of their own.

    Raises InputError where no parameters have a likelihood.
    """
    size = min(ROUND, points)
    scores = prior.sample(size, seed)
    ratio = likelihood(prior.values(scores), 0)  # to the prior, by which they were drawn
    evaluated = len(scores)
    if not np.isfinite(ratio).any():
        raise InputError("--observations", "no parameters within the priors come near the data", "widen the priors: --fit name=low:high")
    power = 0.0
    for turn in range(1, ROUNDS):
        stage("exact likelihood", turn, ROUNDS)
        before, (weights, power) = power, tempered(ratio)
        kernels = _kernels(scores, weights)
        if before == power == 1.0:
            break
        scores = kernels.sample(size, (seed, turn))
        ratio = _ratio(prior, likelihood, kernels, scores, turn)
        evaluated += len(scores)
    draws, worth, rng = [], 0.0, np.random.default_rng(seed)
    for chain in range(chains):
        stage("posterior", chain, chains)
        scores = kernels.sample(points, (seed, ROUNDS + chain))
        ratio = _ratio(prior, likelihood, kernels, scores, ROUNDS + chain)
        weights = np.exp(ratio - ratio.max())
        worth += effective(weights)
        draws.append(_drawn(scores, weights, kept, rng))
    return Weighted(np.stack(draws), worth, evaluated + chains * points)


def _ratio(prior: Prior, likelihood: LogLikelihood, kernels: Kernels, scores: Floats, call: int) -> Floats:
    """Return log posterior less log proposal at scores (K, d), (K,)."""
    found = prior.log_density(scores)
    good = np.isfinite(found)
    found[good] += likelihood(prior.values(scores[good]), call) - kernels.log_density(scores[good])
    return found
