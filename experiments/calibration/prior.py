"""What is believed of parameters before the data: the ranges of the table or the scenario, on a scale on which they are normal."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from school_mentoring.experiments.distributions import Variable, sobol_points
from school_mentoring.experiments.variables import parse_variable
from school_mentoring.model.errors import InputError
from school_mentoring.model.parameters import WORLD_PARAMETERS, row_of
from school_mentoring.model.world.arrays import Floats
from school_mentoring.scenarios import Scenario
from school_mentoring.scenarios.gone import refusal

from .own_prior import own_prior
from .survey import EFFECTS, OVERDISPERSION

GRID = 4097  # points between which quantiles are interpolated
EDGE = 5.0  # normal scores beyond which no prior has mass that matters


class Beside(NamedTuple):
    """A parameter that is not the model's: of which kind of survey, how that is called, its usual upper end, and what it stays below."""

    kind: str
    of: str
    high: float
    below: float


BESIDE = {
    OVERDISPERSION: Beside("counts", "counts of respondents", 0.2, 1.0),
    **dict.fromkeys(EFFECTS, Beside("times", "times of adoption", 1.0, 5.0)),
}


@dataclass(frozen=True)
class Prior:
    """The d parameters that are fitted. A point z of normal scores has the values F^-1(Phi(z)), each F the parameter's distribution.

    ``correlation``: of the normal scores, where the scenario states any.
    """

    variables: tuple[Variable, ...]
    correlation: Floats | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names."""
        return tuple(variable.name for variable in self.variables)

    @cached_property
    def _quantiles(self) -> tuple[Floats, Floats]:
        from scipy.special import ndtr

        grid = np.linspace(-EDGE, EDGE, GRID)
        u = np.clip(ndtr(grid), 1e-12, 1.0 - 1e-12)
        return grid, np.stack([variable.values(u) for variable in self.variables])

    def values(self, scores: Floats) -> Floats:
        """Return the parameters at normal scores (K, d), (K, d)."""
        grid, quantiles = self._quantiles
        return np.stack([np.interp(column, grid, mine) for column, mine in zip(scores.T, quantiles, strict=True)], axis=1)

    def scores(self, values: Floats) -> Floats:
        """Return the normal scores of parameters (K, d), (K, d)."""
        grid, quantiles = self._quantiles
        return np.stack([np.interp(column, mine, grid) for column, mine in zip(values.T, quantiles, strict=True)], axis=1)

    def sample(self, count: int, seed: int) -> Floats:
        """Return normal scores of ``count`` points of a scrambled Sobol sequence over the prior, (count, d)."""
        from scipy.special import ndtri

        scores = ndtri(sobol_points(len(self.variables), count, seed))
        if self.correlation is not None:
            scores = scores @ np.linalg.cholesky(self.correlation).T
        return np.clip(scores, -EDGE, EDGE)

    def log_density(self, scores: Floats) -> Floats:
        """Return the log density of normal scores (K, d), up to a constant; -inf beyond EDGE."""
        inverse = np.eye(scores.shape[1]) if self.correlation is None else np.linalg.inv(self.correlation)
        density = -0.5 * np.einsum("kj,jl,kl->k", scores, inverse, scores)
        return np.where((np.abs(scores) < EDGE).all(axis=1), density, -np.inf)

    def sets(self, values: Floats) -> pd.DataFrame:
        """Return values (K, d) as a table of parameter sets, with 12 significant digits."""
        return pd.DataFrame({name: [float(f"{value:.12g}") for value in values[:, j]] for j, name in enumerate(self.names)})


def prior_of(scenario: Scenario, fit: Sequence[str], *, kind: str) -> Prior:
    """Return the prior of the parameters named by ``fit``, as ``--vary`` takes them or by a distribution of one's own.

    These are ``q_in``, ``q_in=0.01:0.3:uniform``, and ``q_in=normal:0.1:0.02``.
    Beyond the model's parameters those of the answers may be fitted, by the ``kind`` of survey: ``overdispersion`` of counts, EFFECTS of
    times. Raises InputError for anything else.
    """
    if scenario.posterior is not None:
        raise InputError(f"scenario {scenario.name}", "carries a posterior already", "give the scenario that it was calibrated from")
    known = [*scenario.parameters, *BESIDE]
    if strange := {name: text for text in fit if (name := text.partition("=")[0].strip()) not in known}:
        raise InputError(f"--fit {','.join(strange.values())}", *refusal([*strange], "no parameter named {}", known)[1:])
    variables = []
    for text in fit:
        name, _, bounds = text.partition("=")
        variables.append(_beside(text, name.strip(), bounds, kind) if name.strip() in BESIDE else _parameter(text, scenario))
    names = [variable.name for variable in variables]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"--fit {name}", "is given twice", "allowed: each name once")
    if not names:
        raise InputError("--fit", "names no parameter", "allowed: names separated by commas, for example p,q_in,q_out,beta,d")
    return Prior(tuple(variables), scenario.correlation(names))


def _beside(text: str, name: str, bounds: str, kind: str) -> Variable:
    """Return the prior of a parameter that is not the model's: uniform over the range given, or else its usual one."""
    usual = BESIDE[name]
    if kind != usual.kind:
        raise InputError(f"--fit {text}", f"only {usual.of} have it", "leave it out")
    try:
        low, high = (float(part) for part in (bounds.split(":") if "=" in text else (0.0, usual.high)))
    except ValueError:
        raise InputError(f"--fit {text}", "is no range", f"allowed: {name}=low:high") from None
    if not 0.0 <= low < high < usual.below:
        raise InputError(f"--fit {text}", f"{low:g} to {high:g} is out of range", f"allowed: 0 <= low < high < {usual.below:g}")
    return Variable(name, low, (low + high) / 2.0, high, "uniform")


def _parameter(text: str, scenario: Scenario) -> Variable:
    name, _, words = text.partition("=")
    known = row_of(name.strip())
    if known and words.strip()[:1].isalpha():
        if known.name in WORLD_PARAMETERS or known.distribution == "integer":
            text = known.name  # which is refused below, whatever its prior
        else:
            return own_prior(f"--fit {text}", known.name, words.strip(), known.minimum, known.maximum)
    try:
        variable = parse_variable(text, scenario)
    except InputError as error:
        raise InputError(f"--fit {text}", error.problem, error.allowed) from None
    if variable.choices or variable.distribution == "integer":
        raise InputError(f"--fit {text}", "takes no values in between", "allowed: parameters on a continuous range")
    if variable.name in WORLD_PARAMETERS:
        raise InputError(f"--fit {text}", "decides which schools there are, not what they do", "allowed: parameters of behaviour")
    if variable.low >= variable.high:
        raise InputError(f"--fit {text}", f"has no range ({variable.low:g} to {variable.high:g})", "allowed: name=low:high")
    return replace(variable, draws=None)
