"""A variable of a study over a range, a choice or joint draws: its values at points of a sequence, and the points themselves."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.parameters import Parameter

PERT_SHAPE = 4.0
DISTRIBUTIONS = ("uniform", "loguniform", "triangular", "pert", "integer")


@dataclass(frozen=True)
class Variable:
    """One column of the table of parameter sets.

    ``name``: a parameter, ``design.field``, or one of ``WORLD_FIELDS`` and ``WORLD_WORDS``. Either ``choices`` (values, or words) or a
    range with a distribution, as the row of a parameter has it. ``draws``: of what varies by joint draws, of a posterior or anchored ones,
    its column of these, which hold how it varies; the same row of all such columns goes together.
    """

    name: str
    low: float = 0.0
    base: float = 0.0
    high: float = 0.0
    distribution: str = "uniform"
    choices: tuple[float | str, ...] = ()
    draws: NDArray[Any] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def over(cls, row: Parameter, draws: NDArray[Any] | None = None) -> Self:
        """Return a parameter over its range, or by its column of joint ``draws``."""
        return cls(row.name, row.low, row.base, row.high, row.distribution, draws=draws)

    @property
    def highest(self) -> float:
        """The highest value, of a variable of numbers."""
        return max(float(value) for value in self.choices) if self.choices else self.high

    def values(self, u: NDArray[np.float64]) -> NDArray[Any]:
        """Return the values at cumulative probabilities ``u`` in (0, 1); of draws at these shares of the way through their rows."""
        if self.draws is not None:
            return self.draws[np.minimum((u * len(self.draws)).astype(int), len(self.draws) - 1)]
        if self.choices:
            return np.array(self.choices)[np.minimum((u * len(self.choices)).astype(int), len(self.choices) - 1)]
        return quantile(self.low, self.base, self.high, self.distribution, u)

    def grid(self, steps: int) -> list[float | str]:
        """Return ``steps`` values spread evenly from low to high (all choices; all whole numbers where there are fewer)."""
        if self.choices:
            return list(self.choices)
        if self.low == self.high:
            return [self.low]
        spread = (np.geomspace if self.distribution == "loguniform" else np.linspace)(self.low, self.high, steps)
        return np.unique(np.rint(spread)).tolist() if self.distribution == "integer" else [float(f"{value:.12g}") for value in spread]

    def grid_size(self, steps: int) -> int:
        """Return how many values ``grid`` gives, without making them."""
        if self.choices:
            return len(self.choices)
        if self.low == self.high:
            return 1
        return min(steps, int(self.high - self.low) + 1) if self.distribution == "integer" else steps


def quantile(low: float, base: float, high: float, distribution: str, u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values of a distribution on low..high at the cumulative probabilities ``u``, each in (0, 1).

    pert: the beta distribution with mode base and shape 4 (Malcolm et al. 1959); integer: a PERT on low - 0.5 .. high + 0.5, rounded;
    triangular: with mode base; uniform; loguniform. Values carry 12 significant digits, so that they do not depend on the machine's
    mathematics library.
    """
    from scipy import stats

    if low == high:
        return np.full(u.shape, base)
    if distribution == "uniform":
        values = low + (high - low) * u
    elif distribution == "loguniform":
        values = low * (high / low) ** u
    elif distribution == "triangular":
        values = stats.triang.ppf(u, (base - low) / (high - low), loc=low, scale=high - low)
    else:
        least, most = (low - 0.5, high + 0.5) if distribution == "integer" else (low, high)
        a, b = (1.0 + PERT_SHAPE * part / (most - least) for part in (base - least, most - base))
        values = stats.beta.ppf(u, a, b, loc=least, scale=most - least)
        if distribution == "integer":
            values = np.clip(np.rint(values), low, high)
    scale = 10.0 ** (11 - np.floor(np.log10(np.where(values == 0.0, 1.0, np.abs(values)))))
    return np.clip(np.rint(values * scale) / scale, low, high)


def sobol_points(dimensions: int, count: int, seed: int | Sequence[int]) -> NDArray[np.float64]:
    """Return ``count`` points of a scrambled Sobol sequence in (0, 1), shape (count, dimensions); nothing is skipped (Owen 2020)."""
    from scipy.stats import qmc

    sampler = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(seed))
    return inside(sampler.random_base2(math.ceil(math.log2(count)) if count > 1 else 0)[:count])


def inside(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points with those at 0 or 1, which have no normal score, moved inside."""
    return np.clip(points, 2.0**-54, 1.0 - 2.0**-53)


def correlated(points: NDArray[np.float64], correlation: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Return points whose normal scores have a correlation matrix (Gaussian copula; Nelsen 2006, section 2.3); of None as they are."""
    from scipy.special import ndtr, ndtri

    if correlation is None:
        return points
    return inside(ndtr(ndtri(points) @ np.linalg.cholesky(correlation).T))


def dimensions(variables: Sequence[Variable]) -> list[int]:
    """Return the dimension of a sequence of points that each variable follows: its own; the last one all that share posterior draws."""
    alone = [variable.draws is None for variable in variables]
    return [sum(alone[:j]) if alone[j] else sum(alone) for j in range(len(variables))]
