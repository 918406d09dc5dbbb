"""The synthetic likelihood of a calibration: Gaussian, of discriminants of the summaries, emulated from the reference table.

It is a function of parameters and a region in which it is known, and deterministic, so chains may be judged by R-hat and ESS.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from school_mentoring.model.world.arrays import Counts, Flags, Floats

from .emulator import Emulator, excess_score, fit_emulator, learn_directions
from .importance import tempered
from .prior import Prior
from .summaries import MOST_CELLS, FeatureSet, Summaries, learn_summaries

Answers = Callable[[Counts], Iterator[Floats]]

CUT = 0.9995  # parameters are implausible where data so far from what they lead to have less than 1 - CUT chance (3.5 sd for one summary)
CANDIDATES, MOST_BLOCKS = 2**15, 64
NEAREST = 64
JUDGES, MOST_JUDGES = 4, 4096  # one in so many rows of the last third judges, and at most so many
COUNTING = 200.0  # of these count, as many as are near the data


def _chi2(chance: float, freedom: int) -> float:
    from scipy.stats import chi2

    return float(chi2.ppf(chance, freedom))


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
        return self.emulator.directions.of(self.summaries[None])[0]

    def distance(self, values: Floats) -> Floats:
        """Return the squared Mahalanobis distance of the observed discriminants from what is expected at parameters (K, d), (K,)."""
        return np.asarray((self.emulator.standardised(values, self.observed)[0] ** 2).sum(axis=1))

    def opened(self, values: Floats) -> "Synthetic":
        """Return the likelihood with a region that holds some of the parameters (K, d), however far all of them are from the data.

        What is as near as the NEAREST-th of them, but for the chance of the parameters, stays plausible: a first wave that is off where
        data are extreme must not decide alone, and whether the model fits is judged by the last wave.
        """
        place = min(NEAREST, len(values) - 1)
        near = float(np.partition(self.distance(values), place)[place])
        return replace(self, limit=max(_chi2(CUT, self.emulator.mean.shape[1]), near + _chi2(CUT, values.shape[1])))

    def _known(self, values: Floats) -> Flags:
        """Tell which parameters lie in the box, and are plausible by the waves before."""
        found = self.emulator.box.holds(values)
        if self.before is not None and found.any():
            found[found] = self.before.inside(values[found])
        return found

    def inside(self, values: Floats) -> Flags:
        """Tell which parameters (K, d) are plausible, by this wave and those before, (K,)."""
        found = self._known(values)
        if found.any():
            found[found] = self.distance(values[found]) <= self.limit
        return found

    def log_likelihood(self, values: Floats) -> Floats:
        """Return the synthetic log-likelihood up to a constant, (K,); -inf where the wave before found parameters implausible."""
        found, known = np.full(len(values), -np.inf), self._known(values)
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
    scoring = scoring[: max(200, MOST_CELLS // features.weight.size)]
    reduce = learn_summaries(values[scoring], np.concatenate(list(answers(scoring))), features)

    def summaries(rows: Counts) -> Floats:
        return np.concatenate([reduce.of(block) for block in answers(rows)])

    emulator = fit_emulator(values[rest], summaries(rest), learn_directions(values[turning], summaries(turning)))
    seen = reduce.of(observed[None])[0]
    near, _ = tempered(emulator.log_likelihood(values[judging], emulator.directions.of(seen[None])[0]), COUNTING)
    excess = excess_score(emulator, values[judging], summaries(judging), near)
    return Synthetic(emulator, reduce, seen, _chi2(CUT, emulator.mean.shape[1]), excess, before)


def plausible(likelihoods: Sequence[Synthetic], values: Floats) -> Flags:
    """Tell which parameters (K, d) some likelihood finds plausible, (K,)."""
    return np.asarray(np.logical_or.reduce([likelihood.inside(values) for likelihood in likelihoods]))


def plausible_scores(prior: Prior, likelihoods: Sequence[Synthetic], count: int, seed: int) -> tuple[Floats, float]:
    """Return ``count`` points (normal scores) of the prior that some likelihood finds plausible, and the share of the prior that is.

    Where that share is small, points found are moved a little within the region instead of drawing on for ever.
    """
    kept: list[Floats] = []
    for block in range(MOST_BLOCKS):
        scores = prior.sample(CANDIDATES, seed + 1 + block)
        kept.append(scores[plausible(likelihoods, prior.values(scores))])
        found = sum(map(len, kept))
        if found >= count or (block >= 7 and found * MOST_BLOCKS < count * (block + 1)):
            break
    scores, share = np.concatenate(kept), found / (CANDIDATES * len(kept))
    if 2 <= len(scores) < count:
        scores = _moved(prior, likelihoods, scores, count, seed)
    return scores[:count], share


def _moved(prior: Prior, likelihoods: Sequence[Synthetic], scores: Floats, count: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(np.cov(scores.T).reshape(scores.shape[1], -1) + 1e-9 * np.eye(scores.shape[1]))
    parts = [scores]
    for _ in range(200):
        step = 0.7 * rng.standard_normal((CANDIDATES // 4, scores.shape[1])) @ root.T
        tried = np.clip(scores[rng.integers(len(scores), size=len(step))] + step, -4.9, 4.9)
        parts.append(tried[plausible(likelihoods, prior.values(tried))])
        if sum(map(len, parts)) >= count:
            break
    return np.concatenate(parts)
