"""An emulated synthetic likelihood: what features of data to expect at any parameters, learned from a reference table of simulations.

Features are reduced to discriminants: the directions in which parameters move their mean by more than chance does (Fisher 1936; Rao 1948).
Their mean is a polynomial of the parameters, their covariance a modified Cholesky decomposition with polynomial entries (Pourahmadi 1999),
so it is positive definite everywhere. Data then have a Gaussian synthetic likelihood (Wood 2010) that knows the emulator's own error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np

from school_mentoring.model.errors import InputError
from school_mentoring.model.world.arrays import Counts, Flags, Floats

DEGREES = (1, 2, 3, 4)
ROWS_PER_TERM = 25  # a polynomial has at most one term for so many simulations
SIGNAL = 0.01  # least variance of a discriminant's mean over the region, in units of its noise
MOST_DISCRIMINANTS = 20
STEPS = 8  # of Fisher scoring for the variances
DIFFERENCE = 0.01  # of the box, by which parameters are moved to see the likelihood's slope


@lru_cache
def _exponents(parameters: int, degree: int) -> Counts:
    """Return the exponents of all terms up to a degree, the constant first, (terms, parameters)."""
    chosen = (one for total in range(degree + 1) for one in combinations_with_replacement(range(parameters), total))
    return np.array([[one.count(j) for j in range(parameters)] for one in chosen])


class ParameterBox(NamedTuple):
    """A box around parameters, so that polynomials are taken on [-1, 1]."""

    low: Floats
    high: Floats

    @staticmethod
    def around(values: Floats) -> "ParameterBox":
        """Return the box that parameters (K, d) span."""
        return ParameterBox(values.min(axis=0), values.max(axis=0))

    @property
    def width(self) -> Floats:
        """The width in each parameter, (d,); 1 where it has none."""
        return np.where(self.high > self.low, self.high - self.low, 1.0)

    def holds(self, values: Floats) -> Flags:
        """Tell which parameters (K, d) lie in the box, (K,)."""
        return np.asarray(((values >= self.low) & (values <= self.high)).all(axis=1))

    def basis(self, values: Floats, degree: int) -> Floats:
        """Return the terms of a polynomial (products of Legendre polynomials) at parameters (K, d), shape (K, terms)."""
        inside = 2.0 * (values - self.low) / self.width - 1.0
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

    def of(self, features: Floats) -> Floats:
        """Return the discriminants of features (B, F), shape (B, q)."""
        return np.asarray((features - self.centre) @ self.project)


@dataclass(frozen=True)
class Emulator:
    """The distribution of q discriminants of the features, at parameters (K, d) within a region.

    ``mean``: coefficients (terms, q). ``inverse``: of the terms' cross-products, for the emulator's error.
    ``regress``: coefficients of each discriminant on those before it (terms, q, q); ``variance``: of the logarithm of what is left
    (terms, q). ``kurtosis``: of what is left, standardised, 3 where it is normal. ``rows``: simulations learned from.
    """

    box: ParameterBox
    degree: int
    directions: Directions
    mean: Floats
    inverse: Floats
    regress: Floats
    variance: Floats
    kurtosis: Floats
    rows: int

    def standardised(self, values: Floats, discriminants: Floats) -> tuple[Floats, Floats]:
        """Return what is left of discriminants, (q,) or (K, q), independent and standardised, and log variances (K, q)."""
        terms = self.box.basis(values, self.degree)
        spread = terms[:, : len(self.variance)]
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


def learn_directions(values: Floats, features: Floats) -> Directions:
    """Return the discriminants of features (N, F) that simulations at parameters (N, d) teach."""
    whiten, centre, varied = _standard(features)
    if not varied.any():
        raise InputError("--fit", "simulations do not differ in anything that was observed", "take more --runs, or other parameters")
    scaled = (features[:, varied] - centre[varied]) @ whiten
    fit = best_polynomial(ParameterBox.around(values), values, scaled)
    project = np.zeros((features.shape[1], scaled.shape[1]))
    project[varied] = whiten
    return Directions(_rounded(centre), _rounded(project @ _directions(fit, scaled)))


def fit_emulator(values: Floats, features: Floats, directions: Directions) -> Emulator:
    """Return the emulator of features (N, F) at parameters (N, d), learned over the region that the parameters cover.

    The rows must be others than those that the directions were learned from: what chance put into those would look like information here.
    """
    box, found = ParameterBox.around(values), directions.of(features)
    fit = best_polynomial(box, values, found)
    spread = fit.terms[:, : len(_exponents(values.shape[1], min(2, fit.degree)))]
    regress, variance, left = _spread(spread, (found - fit.terms @ fit.coefficients) / np.sqrt(1.0 - fit.leverage)[:, None])
    return Emulator(
        box, fit.degree, directions, _rounded(fit.coefficients), fit.inverse, _rounded(regress), _rounded(variance),
        (left**4).mean(axis=0), len(values),
    )  # fmt: skip


def excess_score(emulator: Emulator, values: Floats, features: Floats, weights: Floats | None = None) -> float:
    """Return how many times more the score varies than the curvature says, 1 or more, on simulations (N, F) at (N, d) not learned from.

    ``weights``: of the simulations, (N,), as what holds near the data need not hold elsewhere in the region; None: all alike.

    Of a true likelihood both are the information. A likelihood divided by the factor has, over all parameters, intervals as wide as its
    errors make them (the magnitude adjustment of Pauli, Racugno & Ventura 2011 for composite likelihoods).
    """
    found, steps = emulator.directions.of(features), np.diag(DIFFERENCE * emulator.box.width)

    def slope(at: Floats) -> Floats:
        moved = [emulator.log_likelihood(at + step, found) - emulator.log_likelihood(at - step, found) for step in steps]
        return np.stack(moved, axis=1) / 2.0

    score, share = slope(values), np.ones(len(values)) if weights is None else weights
    share = share / share.sum()
    curvature = -np.stack([share @ (slope(values + step) - slope(values - step)) / 2.0 for step in steps])
    information, vectors = np.linalg.eigh((curvature + curvature.T) / 2.0)
    told = information > 1e-6 * information.max(initial=0.0)
    if not told.any():
        return 1.0
    turned = (score @ vectors[:, told]) / np.sqrt(information[told])
    return max(1.0, float((share @ turned**2).mean()))


def _rounded(values: Floats) -> Floats:
    """Round to 9 significant digits, so that a last bit that differs between machines does not send chains another way."""
    with np.errstate(all="ignore"):
        scale = 10.0 ** (8 - np.floor(np.log10(np.where(values == 0.0, 1.0, np.abs(values)))))
    return np.asarray(np.rint(values * scale) / scale)


def _standard(features: Floats) -> tuple[Floats, Floats, Flags]:
    """Return a matrix that makes features that vary uncorrelated with variance 1, their means, and which vary."""
    centre, sd = features.mean(axis=0), features.std(axis=0)
    varied = sd > 1e-9
    scaled = (features[:, varied] - centre[varied]) / sd[varied]
    values, vectors = np.linalg.eigh(scaled.T @ scaled / len(scaled))
    kept = values > 1e-6 * max(values.max(initial=0.0), 1.0)
    return vectors[:, kept] / np.sqrt(values[kept]) / sd[varied][:, None], centre, varied


def cross_inverse(terms: Floats) -> Floats:
    """Return the inverse of the cross-products of terms (N, k), (k, k)."""
    return np.asarray(np.linalg.pinv(terms.T @ terms, hermitian=True), np.float64)


class Polynomial(NamedTuple):
    """A least-squares fit: its ``terms`` at the rows (N, terms), the ``inverse`` of their cross-products, and the rows' ``leverage``, (N,).

    ``coefficients``: (terms,) or (terms, q). ``press``: the sum of squared errors at rows left out (Allen 1974).
    """

    degree: int
    terms: Floats
    inverse: Floats
    coefficients: Floats
    leverage: Floats
    press: float


def best_polynomial(
    box: ParameterBox, values: Floats, found: Floats, degrees: Sequence[int] = DEGREES, rows_per_term: int = ROWS_PER_TERM
) -> Polynomial:
    """Return the polynomial of ``found``, (N,) or (N, q), that predicts rows left out best; the first degree is taken of any rows."""
    fits: list[Polynomial] = []
    for degree in degrees:
        if fits and len(_exponents(values.shape[1], degree)) * rows_per_term > len(values):
            break
        terms = box.basis(values, degree)
        inverse = cross_inverse(terms)
        coefficients = inverse @ (terms.T @ found)
        leverage = np.minimum(((terms @ inverse) * terms).sum(axis=1), 0.99)
        left = ((found - terms @ coefficients).T / (1.0 - leverage)).T
        fits.append(Polynomial(degree, terms, inverse, coefficients, leverage, float((left**2).sum())))
    return min(fits, key=lambda fit: fit.press)


def _directions(fit: Polynomial, scaled: Floats) -> Floats:
    """Return the directions in which the mean varies most over the region, relative to the noise, which they make unit and uncorrelated."""
    fitted = fit.terms @ fit.coefficients
    left = scaled - fitted
    noise, vectors = np.linalg.eigh(left.T @ left / max(1, len(scaled) - fit.terms.shape[1]))
    root = vectors / np.sqrt(np.maximum(noise, 1e-9))
    moved = (fitted - fitted.mean(axis=0)) @ root
    signal, turned = np.linalg.eigh(moved.T @ moved / len(moved))
    chance = fit.terms.shape[1] / len(scaled)  # what a polynomial finds where there is nothing
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
    inverse = cross_inverse(terms)
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


def _log_variance(terms: Floats, inverse: Floats, squares: Floats) -> Floats:
    """Return the polynomial of the log variance by maximum likelihood of normal values (Fisher scoring; Aitkin 1987)."""
    found = np.zeros(terms.shape[1])
    found[0] = np.log(max(float(squares.mean()), 1e-12))
    for _ in range(STEPS):
        ratio = squares * np.exp(-np.clip(terms @ found, -30.0, 30.0))
        step = inverse @ (terms.T @ np.minimum(ratio - 1.0, 30.0))
        found = found + np.clip(step, -1.0, 1.0)
    return found
