"""An emulated synthetic likelihood: what features of data to expect at any parameters, learned from a reference table of simulations.

Features are reduced to discriminants: the directions in which parameters move their mean by more than chance does (Fisher 1936; Rao 1948).
Their mean is a polynomial of the parameters, their covariance a modified Cholesky decomposition with polynomial entries (Pourahmadi 1999),
so it is positive definite everywhere. Data then have a Gaussian synthetic likelihood (Wood 2010) that knows the emulator's own error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.errors import InputError
from school_mentoring.model.world.arrays import Floats

DEGREES = (1, 2, 3, 4)
ROWS_PER_TERM = 25  # a polynomial has at most one term for so many simulations
SIGNAL = 0.01  # least variance of a discriminant's mean over the region, in units of its noise
MOST_DISCRIMINANTS = 20
STEPS = 8  # of Fisher scoring for the variances
DIFFERENCE = 0.01  # of the box, by which parameters are moved to see the likelihood's slope


@lru_cache
def _exponents(parameters: int, degree: int) -> NDArray[np.int64]:
    """Return the exponents of all terms up to a degree, the constant first, (terms, parameters)."""
    chosen = (one for total in range(degree + 1) for one in combinations_with_replacement(range(parameters), total))
    return np.array([[one.count(j) for j in range(parameters)] for one in chosen])


class ParameterBox(NamedTuple):
    """A box around parameters, so that polynomials are taken on [-1, 1]."""

    low: Floats
    high: Floats

    def holds(self, values: Floats) -> NDArray[np.bool_]:
        """Tell which parameters (K, d) lie in the box, (K,)."""
        return np.asarray(((values >= self.low) & (values <= self.high)).all(axis=1))

    def basis(self, values: Floats, degree: int) -> Floats:
        """Return the terms of a polynomial (products of Legendre polynomials) at parameters (K, d), shape (K, terms)."""
        width = np.where(self.high > self.low, self.high - self.low, 1.0)
        inside = 2.0 * (values - self.low) / width - 1.0
        powers = [np.ones_like(inside), inside]
        for k in range(1, degree):
            powers.append(((2 * k + 1) * inside * powers[k] - k * powers[k - 1]) / (k + 1))
        table = np.stack(powers[: degree + 1])
        exponents = _exponents(values.shape[1], degree)
        terms = table[exponents[:, 0], :, 0]
        for j in range(1, values.shape[1]):
            terms = terms * table[exponents[:, j], :, j]
        return np.ascontiguousarray(terms.T)


class Directions(NamedTuple):
    """What makes q discriminants of F features: (features - ``centre``) @ ``project``, (F,) and (F, q)."""

    centre: Floats
    project: Floats


@dataclass(frozen=True)
class Emulator:
    """The distribution of q discriminants of the features, at parameters (K, d) within a region.

    ``names``: of the features. ``mean``: coefficients (terms, q). ``inverse``: of the terms' cross-products, for the emulator's error.
    ``regress``: coefficients of each discriminant on those before it (terms, q, q); ``variance``: of the logarithm of what is left
    (terms, q). ``kurtosis``: of what is left, standardised, 3 where it is normal. ``rows``: simulations learned from.
    """

    names: tuple[str, ...]
    box: ParameterBox
    degree: int
    spread_degree: int
    directions: Directions
    mean: Floats
    inverse: Floats
    regress: Floats
    variance: Floats
    kurtosis: Floats
    rows: int

    def discriminants(self, features: Floats) -> Floats:
        """Return the discriminants of features (B, F), shape (B, q)."""
        return np.asarray((features - self.directions.centre) @ self.directions.project)

    def standardised(self, values: Floats, discriminants: Floats) -> tuple[Floats, Floats]:
        """Return what is left of discriminants, (q,) or (K, q), independent and standardised, and log variances (K, q)."""
        terms = self.box.basis(values, self.degree)
        spread = terms[:, : len(_exponents(values.shape[1], self.spread_degree))]
        left = discriminants - terms @ self.mean
        q = self.mean.shape[1]
        regress = (spread @ self.regress.reshape(spread.shape[1], q * q)).reshape(-1, q, q)
        left = left - (regress @ left[:, :, None])[:, :, 0]
        error = ((terms @ self.inverse) * terms).sum(axis=1)
        logarithm = spread @ self.variance + np.log1p(error)[:, None]
        return left * np.exp(-0.5 * logarithm), logarithm

    def log_likelihood(self, values: Floats, discriminants: Floats) -> Floats:
        """Return the synthetic log-likelihood of discriminants at parameters (K, d), up to a constant, (K,)."""
        left, logarithm = self.standardised(values, discriminants)
        return np.asarray(-0.5 * (left**2 + logarithm).sum(axis=1))

    def distance(self, values: Floats, discriminants: Floats) -> Floats:
        """Return the squared Mahalanobis distance of discriminants from what is expected at parameters (K, d), (K,)."""
        left, _ = self.standardised(values, discriminants)
        return np.asarray((left**2).sum(axis=1))


def learn_directions(values: Floats, features: Floats) -> Directions:
    """Return the discriminants of features (N, F) that simulations at parameters (N, d) teach."""
    whiten, centre, varied = _standard(features)
    if not varied.any():
        raise InputError("--fit", "simulations do not differ in anything that was observed", "take more --runs, or other parameters")
    scaled = (features[:, varied] - centre[varied]) @ whiten
    _, terms, inverse = _chosen_degree(ParameterBox(values.min(axis=0), values.max(axis=0)), values, scaled)
    project = np.zeros((features.shape[1], scaled.shape[1]))
    project[varied] = whiten
    return Directions(_rounded(centre), _rounded(project @ _directions(terms, inverse @ (terms.T @ scaled), scaled)))


def fit_emulator(values: Floats, features: Floats, names: tuple[str, ...], directions: Directions) -> Emulator:
    """Return the emulator of features (N, F) at parameters (N, d), learned over the region that the parameters cover.

    The rows must be others than those that the directions were learned from: what chance put into those would look like information here.
    """
    box = ParameterBox(values.min(axis=0), values.max(axis=0))
    found = (features - directions.centre) @ directions.project
    degree, terms, inverse = _chosen_degree(box, values, found)
    mean = inverse @ (terms.T @ found)
    spread_degree = min(2, degree)
    spread = terms[:, : len(_exponents(values.shape[1], spread_degree))]
    leverage = np.minimum(((terms @ inverse) * terms).sum(axis=1), 0.99)
    regress, variance, left = _spread(spread, (found - terms @ mean) / np.sqrt(1.0 - leverage)[:, None])
    return Emulator(
        names, box, degree, spread_degree, directions, _rounded(mean), inverse, _rounded(regress), _rounded(variance),
        (left**4).mean(axis=0), len(values),
    )  # fmt: skip


def excess_score(emulator: Emulator, values: Floats, features: Floats) -> float:
    """Return how many times more the score varies than the curvature says, 1 or more, on simulations (N, F) at (N, d) not learned from.

    Of a true likelihood both are the information. A likelihood divided by the factor has, over all parameters, intervals as wide as its
    errors make them (the magnitude adjustment of Pauli, Racugno & Ventura 2011 for composite likelihoods).
    """
    found = emulator.discriminants(features)
    steps = np.diag(DIFFERENCE * np.where(emulator.box.high > emulator.box.low, emulator.box.high - emulator.box.low, 1.0))

    def slope(at: Floats) -> Floats:
        moved = [emulator.log_likelihood(at + step, found) - emulator.log_likelihood(at - step, found) for step in steps]
        return np.stack(moved, axis=1) / 2.0

    score = slope(values)
    curvature = -np.stack([(slope(values + step) - slope(values - step)).mean(axis=0) / 2.0 for step in steps])
    information, vectors = np.linalg.eigh((curvature + curvature.T) / 2.0)
    told = information > 1e-6 * information.max(initial=0.0)
    if not told.any():
        return 1.0
    turned = (score @ vectors[:, told]) / np.sqrt(information[told])
    return max(1.0, float((turned**2).mean()))


def _rounded(values: Floats) -> Floats:
    """Round to 9 significant digits, so that a last bit that differs between machines does not send chains another way."""
    with np.errstate(all="ignore"):
        scale = 10.0 ** (8 - np.floor(np.log10(np.where(values == 0.0, 1.0, np.abs(values)))))
    return np.asarray(np.rint(values * scale) / scale)


def _standard(features: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return a matrix that makes features that vary uncorrelated with variance 1, their means, and which vary."""
    centre, sd = features.mean(axis=0), features.std(axis=0)
    varied = sd > 1e-9
    scaled = (features[:, varied] - centre[varied]) / sd[varied]
    values, vectors = np.linalg.eigh(scaled.T @ scaled / len(scaled))
    kept = values > 1e-6 * max(values.max(initial=0.0), 1.0)
    return vectors[:, kept] / np.sqrt(values[kept]) / sd[varied][:, None], centre, varied


def _chosen_degree(box: ParameterBox, values: Floats, scaled: Floats) -> tuple[int, Floats, Floats]:
    """Return the degree that predicts rows left out best (PRESS; Allen 1974), its terms, and the inverse of their cross-products."""
    best: tuple[float, int, Floats, Any] | None = None
    for degree in DEGREES:
        count = len(_exponents(values.shape[1], degree))
        if best is not None and count * ROWS_PER_TERM > len(values):
            break
        terms = box.basis(values, degree)
        inverse = np.linalg.pinv(terms.T @ terms, hermitian=True)
        left = scaled - terms @ (inverse @ (terms.T @ scaled))
        leverage = np.minimum(((terms @ inverse) * terms).sum(axis=1), 0.99)
        press = float(((left / (1.0 - leverage)[:, None]) ** 2).sum())
        if best is None or press < best[0]:
            best = press, degree, terms, inverse
    assert best is not None
    return best[1:]


def least_squares(box: ParameterBox, values: Floats, found: Floats, degrees: Sequence[int]) -> tuple[int, Floats, float]:
    """Return degree, coefficients and rms error at rows left out of the polynomial that predicts rows left out best."""
    best: tuple[float, int, Floats] | None = None
    for degree in degrees:
        terms = box.basis(values, degree)
        if terms.shape[1] * 3 > len(values):
            break
        inverse = np.linalg.pinv(terms.T @ terms, hermitian=True)
        coefficients = inverse @ (terms.T @ found)
        leverage = np.minimum(((terms @ inverse) * terms).sum(axis=1), 0.99)
        error = float(np.sqrt(np.mean(((found - terms @ coefficients) / (1.0 - leverage)) ** 2)))
        if best is None or error < best[0]:
            best = error, degree, coefficients
    assert best is not None
    return best[1], best[2], best[0]


def _directions(terms: Floats, coefficients: Floats, scaled: Floats) -> Floats:
    """Return the directions in which the mean varies most over the region, relative to the noise, which they make unit and uncorrelated."""
    fitted = terms @ coefficients
    left = scaled - fitted
    freedom = max(1, len(scaled) - terms.shape[1])
    noise, vectors = np.linalg.eigh(left.T @ left / freedom)
    noise = np.maximum(noise, 1e-9)
    root = vectors / np.sqrt(noise)
    moved = (fitted - fitted.mean(axis=0)) @ root
    signal, turned = np.linalg.eigh(moved.T @ moved / len(moved))
    chance = terms.shape[1] / len(scaled)  # what a polynomial finds where there is nothing
    order = np.argsort(-signal)
    kept = [k for k in order[:MOST_DISCRIMINANTS] if signal[k] > SIGNAL + 2.0 * chance] or [order[0]]
    directions = root @ turned[:, kept]
    return np.asarray(directions * np.where(directions.sum(axis=0) < 0, -1.0, 1.0))


def _spread(terms: Floats, left: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the coefficients of each discriminant on those before it and of its log variance, and what is left, standardised.

    The variance is that of rows left out of the coefficients, as the many coefficients make those that are in look better than data can be.
    """
    count, q = terms.shape[1], left.shape[1]
    regress, variance = np.zeros((count, q, q)), np.zeros((count, q))
    standard = np.empty_like(left)
    inverse = np.linalg.pinv(terms.T @ terms, hermitian=True)
    for a in range(q):
        rest = left[:, a]
        if a:
            columns = (terms[:, :, None] * left[:, None, :a]).reshape(len(left), -1)
            across = np.linalg.pinv(columns.T @ columns, rcond=1e-10, hermitian=True)
            found = across @ (columns.T @ rest)
            regress[:, a, :a] = found.reshape(count, a)
            leverage = np.minimum(np.einsum("nk,nk->n", columns @ across, columns), 0.99)
            rest = (rest - columns @ found) / (1.0 - leverage)
        variance[:, a] = _log_variance(terms, inverse, rest**2)
        standard[:, a] = rest * np.exp(-0.5 * (terms @ variance[:, a]))
    return regress, variance, standard


def _log_variance(terms: Floats, inverse: Any, squares: Floats) -> Floats:
    """Return the polynomial of the log variance by maximum likelihood of normal values (Fisher scoring; Aitkin 1987)."""
    found = np.zeros(terms.shape[1])
    found[0] = np.log(max(float(squares.mean()), 1e-12))
    for _ in range(STEPS):
        ratio = squares * np.exp(-np.clip(terms @ found, -30.0, 30.0))
        step = inverse @ (terms.T @ np.minimum(ratio - 1.0, 30.0))
        found = found + np.clip(step, -1.0, 1.0)
    return found
