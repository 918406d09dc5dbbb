"""The likelihoods of a calibration, each a function of parameters and a region in which it is known.

``Synthetic``: Gaussian, of discriminants of the summaries, emulated from the reference table. ``Filtered``: exact, where nothing ties
schools together, emulated from its values at some hundred points. Both are deterministic, so chains may be judged by R-hat and ESS.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.world.arrays import Floats

from .emulator import Emulator, ParameterBox, excess_score, fit_emulator, learn_directions, least_squares
from .features import FeatureSet
from .prior import Prior
from .summaries import MOST_CELLS, Summaries, learn_scores

Answers = Callable[[NDArray[np.int64]], Iterator[Floats]]

CUT = 0.9995
"""Parameters are implausible where data so far from what they lead to have less than 1 - CUT chance (3.5 sd for one summary)."""

FILTER_DEGREES = (2, 3, 4, 5, 6, 7, 8)
CANDIDATES, MOST_BLOCKS = 2**15, 64
NEAREST = 64
JUDGES, MOST_JUDGES = 4, 2048  # one in so many rows of the last third judges, and at most so many


class Likelihood(Protocol):
    """A log-likelihood of parameters (K, d), and the region in which it is known."""

    def log_likelihood(self, values: Floats) -> Floats:
        """Return the log-likelihood up to a constant, (K,); -inf outside of the region."""

    def inside(self, values: Floats) -> NDArray[np.bool_]:
        """Tell which parameters lie in the region, (K,)."""


@dataclass(frozen=True)
class Synthetic:
    """The synthetic likelihood of observed ``summaries``; ``before``: the region of the wave before. ``limit``: of the squared distance.

    ``excess``: by what factor its score varies more on new simulations than its curvature says; the log-likelihood is divided by it.
    """

    emulator: Emulator
    reduce: Summaries
    summaries: Floats
    limit: float
    excess: float = 1.0
    before: "Synthetic | None" = None

    @property
    def observed(self) -> Floats:
        """The observed discriminants, (q,)."""
        return self.emulator.discriminants(self.summaries[None])[0]

    def distance(self, values: Floats) -> Floats:
        """Return the squared distance of the observed discriminants from what is expected at parameters (K, d), (K,)."""
        return self.emulator.distance(values, self.observed)

    def opened(self, values: Floats) -> "Synthetic":
        """Return the likelihood with a region that holds some of the parameters (K, d), however far all of them are from the data.

        What is as near as the NEAREST-th of them, but for the chance of the parameters, stays plausible: a first wave that is off where
        data are extreme must not decide alone, and whether the model fits is judged by the last wave.
        """
        from scipy.stats import chi2

        distance = self.distance(values)
        near = float(np.partition(distance, min(NEAREST, len(distance) - 1))[min(NEAREST, len(distance) - 1)])
        return replace(self, limit=max(limit_of(self.emulator), near + float(chi2.ppf(CUT, values.shape[1]))))

    def inside(self, values: Floats) -> NDArray[np.bool_]:
        """Tell which parameters are plausible, by this wave and those before."""
        box = self.emulator.box
        found = box.holds(values)
        if found.any():
            found[found] = self.distance(values[found]) <= self.limit
        if self.before is not None and found.any():
            found[found] = self.before.inside(values[found])
        return found

    def log_likelihood(self, values: Floats) -> Floats:
        """Return the synthetic log-likelihood, (K,); -inf where the wave before found parameters implausible."""
        found = np.full(len(values), -np.inf)
        box = self.emulator.box
        known = box.holds(values)
        if self.before is not None and known.any():
            known[known] = self.before.inside(values[known])
        if known.any():
            found[known] = self.emulator.log_likelihood(values[known], self.observed) / self.excess
        return found


def synthetic(values: Floats, answers: Answers, features: FeatureSet, observed: Floats, before: Synthetic | None = None) -> Synthetic:
    """Return the synthetic likelihood of observed shares (W, n), learned from simulations at parameters (N, d).

    ``answers`` gives the shares of chosen rows block by block. How answers are summarised, which directions of the summaries tell of
    parameters, and how these are distributed is learned from a third of the rows each, so that chance does not look like information; some
    of the last third judge what was learned. Parts are drawn at random, as regular parts of a Sobol sequence leave out parts of the space.
    """
    rows = np.random.default_rng(len(values)).permutation(len(values))
    scoring, turning, rest = (np.sort(rows[part::3]) for part in range(3))
    judging = np.sort(rows[2::3][: min(MOST_JUDGES, len(rest) // JUDGES)])
    rest = np.setdiff1d(rest, judging)
    seen = features.weight > 0
    scoring = scoring[: max(200, MOST_CELLS // seen.size)]
    scores = learn_scores(values[scoring], np.concatenate(list(answers(scoring))), seen)
    reduce = Summaries(scores, features)
    directions = learn_directions(values[turning], np.concatenate([reduce.of(block) for block in answers(turning)]))
    emulator = fit_emulator(values[rest], np.concatenate([reduce.of(block) for block in answers(rest)]), reduce.names, directions)
    excess = excess_score(emulator, values[judging], np.concatenate([reduce.of(block) for block in answers(judging)]))
    return Synthetic(emulator, reduce, reduce.of(observed[None])[0], limit_of(emulator), excess, before)


def limit_of(emulator: Emulator) -> float:
    """Return the squared distance beyond which parameters are implausible."""
    from scipy.stats import chi2

    return float(chi2.ppf(CUT, emulator.mean.shape[1]))


def plausible_scores(prior: Prior, likelihoods: Sequence[Synthetic], count: int, seed: int) -> tuple[Floats, float]:
    """Return ``count`` points (normal scores) of the prior that some likelihood finds plausible, and the share of the prior that is.

    Where that share is small, points found are moved a little within the region instead of drawing on for ever.
    """
    kept: list[Floats] = []
    drawn = found = 0
    for block in range(MOST_BLOCKS):
        scores = prior.sample(CANDIDATES, seed + 1 + block)
        values = prior.values(scores)
        inside = np.zeros(len(values), bool)
        for likelihood in likelihoods:
            inside |= likelihood.inside(values)
        kept.append(scores[inside])
        drawn, found = drawn + len(scores), found + int(inside.sum())
        if found >= count or (block >= 7 and found * MOST_BLOCKS < count * (block + 1)):
            break
    scores = np.concatenate(kept)
    if 2 <= len(scores) < count:
        scores = _moved(prior, likelihoods, scores, count, seed)
    return scores[:count], found / drawn


def _moved(prior: Prior, likelihoods: Sequence[Synthetic], scores: Floats, count: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(np.cov(scores.T).reshape(scores.shape[1], -1) + 1e-9 * np.eye(scores.shape[1]))
    parts, total = [scores], len(scores)
    for _ in range(200):
        step = 0.7 * rng.standard_normal((CANDIDATES // 4, scores.shape[1])) @ root.T
        tried = np.clip(scores[rng.integers(len(scores), size=len(step))] + step, -4.9, 4.9)
        values = prior.values(tried)
        inside = np.zeros(len(values), bool)
        for likelihood in likelihoods:
            inside |= likelihood.inside(values)
        parts.append(tried[inside])
        total += int(inside.sum())
        if total >= count:
            break
    return np.concatenate(parts)


@dataclass(frozen=True)
class Filtered:
    """An exact log-likelihood, emulated by a polynomial within a ``box``.

    ``error``: rms at points left out. ``points``: learned from, of those ``evaluated``. ``best``: parameters where it is highest, (B, d).
    """

    box: ParameterBox
    degree: int
    coefficients: Floats
    error: float
    points: int
    evaluated: int
    best: Floats

    def best_scores(self, prior: Prior) -> Floats:
        """Return normal scores of the points at which the likelihood is highest."""
        return prior.scores(self.best)

    def inside(self, values: Floats) -> NDArray[np.bool_]:
        """Tell which parameters lie in the box."""
        return self.box.holds(values)

    def log_likelihood(self, values: Floats) -> Floats:
        """Return the log-likelihood, (K,); -inf outside of the box."""
        found = np.full(len(values), -np.inf)
        known = self.inside(values)
        if known.any():
            found[known] = self.box.basis(values[known], self.degree) @ self.coefficients
        return found


def filtered(
    prior: Prior, exact: Callable[[Floats], Floats], seed: int, points: int = 256, stage: Callable[..., Any] = lambda *_: None
) -> Filtered:
    """Return the emulated likelihood of an ``exact`` one: found over the prior, then ever closer around where it is high."""
    from scipy.stats import chi2

    scores = prior.sample(points, seed)
    drop = 0.5 * float(chi2.ppf(1.0 - 1e-5, scores.shape[1]))
    values = prior.values(scores)
    found = exact(values)
    for turn in range(6):
        stage("exact likelihood", turn + 1, 7)
        order = np.argsort(-(found + prior.log_density(scores)))
        top = order[: max(8 * scores.shape[1], int((found > found.max() - drop).sum()))]
        if len(top) > points:
            break
        centre, spread = scores[top].mean(axis=0), 1.6 * scores[top].std(axis=0)
        more = np.clip(centre + spread * prior.sample(points, seed + 1 + turn), -4.9, 4.9)
        scores, values = np.concatenate([scores, more]), np.concatenate([values, prior.values(more)])
        found = np.concatenate([found, exact(prior.values(more))])
    near = found > found.max() - 1.5 * drop
    box = ParameterBox(values[near].min(axis=0), values[near].max(axis=0))
    degree, coefficients, error = least_squares(box, values[near], found[near] - found.max(), FILTER_DEGREES)
    best = values[np.argsort(-(found + prior.log_density(scores)))[:128]]
    return Filtered(box, degree, coefficients, error, int(near.sum()), len(found), best)
