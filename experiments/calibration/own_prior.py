"""Priors in a user's own words: ``p=lognormal:-5:1``, ``beta=pert:0.03:0.06:0.11``, cut to what a parameter may be."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from school_mentoring.experiments.distributions import PERT_SHAPE, Variable
from school_mentoring.model.errors import InputError, nearest
from school_mentoring.model.world.arrays import Floats
from school_mentoring.model.world.numbers import Bounds, read_option

ENDS = 0.001, 0.999  # shares of a prior at which it is said to begin and end
ANY = Bounds(-1e6, 1e6, "a number")


class Shape(NamedTuple):
    """A distribution: what its numbers are, what they must be, and how scipy has it."""

    numbers: tuple[str, ...]
    holds: Callable[..., bool]
    frozen: Callable[..., Any]


def _pert(low: float, mode: float, high: float) -> Any:
    from scipy import stats

    a, b = (1.0 + PERT_SHAPE * part / (high - low) for part in (mode - low, high - mode))
    return stats.beta(a, b, loc=low, scale=high - low)


def _scipy(name: str, **how: Callable[..., float]) -> Callable[..., Any]:
    """Return what makes a distribution of scipy of the numbers of a shape."""

    def frozen(*numbers: float) -> Any:
        from scipy import stats

        return getattr(stats, name)(**{key: of(*numbers) for key, of in how.items()})

    return frozen


SHAPES = {
    "uniform": Shape(("low", "high"), lambda a, b: a < b, _scipy("uniform", loc=lambda a, b: a, scale=lambda a, b: b - a)),
    "loguniform": Shape(("low", "high"), lambda a, b: 0 < a < b, _scipy("loguniform", a=lambda a, b: a, b=lambda a, b: b)),
    "normal": Shape(("mean", "sd"), lambda m, s: s > 0, _scipy("norm", loc=lambda m, s: m, scale=lambda m, s: s)),
    "lognormal": Shape(
        ("mean of the logarithm", "its sd"), lambda m, s: abs(m) < 50 and 0 < s < 20,
        _scipy("lognorm", s=lambda m, s: s, scale=lambda m, s: math.exp(m)),
    ),
    "beta": Shape(("a", "b"), lambda a, b: a > 0 and b > 0, _scipy("beta", a=lambda a, b: a, b=lambda a, b: b)),
    "triangular": Shape(
        ("low", "mode", "high"), lambda a, m, b: a <= m <= b and a < b,
        _scipy("triang", c=lambda a, m, b: (m - a) / (b - a), loc=lambda a, m, b: a, scale=lambda a, m, b: b - a),
    ),
    "pert": Shape(("low", "mode", "high"), lambda a, m, b: a <= m <= b and a < b, _pert),
}  # fmt: skip


@dataclass(frozen=True)
class OwnPrior(Variable):
    """A parameter with a distribution of its own, cut to ``least`` .. ``most``."""

    frozen: Any = None
    least: float = 0.0
    most: float = 1.0

    def values(self, u: NDArray[np.float64]) -> Floats:
        """Return the values at cumulative probabilities."""
        below, above = self.frozen.cdf([self.least, self.most])
        return np.clip(self.frozen.ppf(below + (above - below) * u), self.least, self.most)


def own_prior(where: str, name: str, words: str, least: float, most: float) -> OwnPrior:
    """Return the prior of words such as ``lognormal:-5:1``. Raises InputError, which says ``where``, for anything else."""
    kind, *given = words.split(":")
    kind = kind.strip()
    if kind not in SHAPES:
        raise InputError(where, f"no distribution named {kind!r}", nearest(kind, SHAPES))
    shape, allowed = SHAPES[kind], f"allowed: {name}={kind}:{':'.join(part.upper().replace(' ', '-') for part in SHAPES[kind].numbers)}"
    if len(given) != len(shape.numbers):
        raise InputError(where, f"{kind} has {len(shape.numbers)} numbers ({', '.join(shape.numbers)}), not {len(given)}", allowed)
    numbers = [read_option(where, word, ANY) for word in given]
    if not shape.holds(*numbers):
        raise InputError(where, f"there is no such {kind} distribution", allowed)
    frozen = shape.frozen(*numbers)
    below, above = frozen.cdf([least, most])
    if above - below < 1e-6:
        raise InputError(where, f"lies outside of what {name} may be", f"allowed: {least:g} to {most:g}")
    found = OwnPrior(name, distribution=kind, frozen=frozen, least=least, most=most)
    low, base, high = found.values(np.array([ENDS[0], 0.5, ENDS[1]])).tolist()
    return OwnPrior(name, low, base, high, kind, frozen=frozen, least=least, most=most)
