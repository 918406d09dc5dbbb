"""From the answers of a survey to its summaries: quasi-scores school by school, beside the features that hold for all.

Each school's answers over the waves have a mean and a covariance that parameters move; both are learned from simulations. The best linear
and quadratic statistics of the answers (the score of a Gaussian likelihood of independent schools; Godambe 1960) are sums over schools with
the weights that this gives, so a large or telling school counts for more. What they miss, such as peers that go together, features hold.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.world.arrays import Floats

from .emulator import ParameterBox
from .features import FeatureSet

MOST_CELLS = 30_000_000  # answers of simulations that weights are learned from


@dataclass(frozen=True)
class SchoolScores:
    """Quasi-scores of answers (B, W, n): ``expected`` (W, n); ``linear`` weights (terms, W n); ``quadratic`` ones (d, n, W, W)."""

    expected: Floats
    linear: Floats
    quadratic: Floats

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the scores."""
        linear, quadratic = len(self.linear), len(self.quadratic)
        return (*(f"school score {k + 1}" for k in range(linear)), *(f"school spread score {k + 1}" for k in range(quadratic)))

    def of(self, shares: Floats, seen: NDArray[np.bool_]) -> Floats:
        """Return the scores of shares (B, W, n), (B, scores)."""
        left = np.where(seen, shares - self.expected, 0.0)
        scores = [left.reshape(len(left), -1) @ self.linear.T]
        waves = left.shape[1]
        square = np.zeros((len(left), len(self.quadratic)))
        for a in range(waves):
            for b in range(a + 1):
                square += (0.5 if a == b else 1.0) * (left[:, a] * left[:, b]) @ self.quadratic[:, :, a, b].T
        return np.concatenate([*scores, square], axis=1)


def learn_scores(values: Floats, shares: Floats, seen: NDArray[np.bool_]) -> SchoolScores:
    """Return the scores that simulations teach: parameters (N, d), shares (N, W, n) and which of them a survey sees, (W, n)."""
    shares = np.where(seen, shares, 0.0)
    count, waves, schools = shares.shape
    box = ParameterBox(values.min(axis=0), values.max(axis=0))
    terms = box.basis(values, 2)
    answers = shares.reshape(count, -1)
    coefficients = np.linalg.pinv(terms.T @ terms, hermitian=True) @ (terms.T @ answers)
    left = (answers - terms @ coefficients).reshape(count, waves, schools)
    line = terms[:, : values.shape[1] + 1]
    solve = np.linalg.pinv(line.T @ line, hermitian=True) @ line.T
    spread = np.zeros((line.shape[1], schools, waves, waves))
    for a in range(waves):
        for b in range(a + 1):
            spread[:, :, a, b] = spread[:, :, b, a] = solve @ (left[:, a] * left[:, b])
    known = spread[0].copy()
    known[:, np.arange(waves), np.arange(waves)] += np.where(seen.T, 1e-6, 1.0)
    inverse = np.linalg.pinv(known, rcond=1e-6, hermitian=True)
    moved = coefficients[1:].reshape(-1, waves, schools)
    linear = np.einsum("nab,tbn->tan", inverse, moved).reshape(len(moved), -1)
    return SchoolScores(coefficients[0].reshape(waves, schools), linear, np.einsum("nab,tnbc,ncd->tnad", inverse, spread[1:], inverse))


@dataclass(frozen=True)
class Summaries:
    """Summaries of a survey's answers: school scores and features."""

    scores: SchoolScores
    features: FeatureSet

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the summaries."""
        return (*self.scores.names, *self.features.names)

    def of(self, shares: Floats) -> Floats:
        """Return the summaries of shares (B, W, n), (B, S)."""
        return np.concatenate([self.scores.of(shares, self.features.weight > 0), self.features.of(shares)], axis=1)
