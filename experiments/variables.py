"""What a sweep varies: parameters, fields of designs, the size of the world; and over which values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.designs import CHOICES, FIELDS, NO_QUOTA
from model.errors import InputError, nearest
from model.parameters import PARAMETERS, Parameter
from scenarios import Scenario

from .sampling import quantile

__all__ = ["WORLD_FIELDS", "Variable", "parse_variable", "uncertain_variables"]

WORLD_FIELDS: Mapping[str, tuple[int, int]] = {"world.schools_per_region": (1, 100_000), "world.regions_per_country": (1, 10_000)}
"""Fields of the world that a sweep may vary, with what is allowed."""

DISTRIBUTIONS = ("uniform", "loguniform", "triangular", "pert", "integer")


@dataclass(frozen=True)
class Variable:
    """One column of the table of parameter sets.

    ``name``: a parameter, ``design.field`` or a field of ``WORLD_FIELDS``. Either ``choices`` (values, words for fields of words) or a
    range with a distribution, as the row of a parameter has it.
    """

    name: str
    low: float = 0.0
    base: float = 0.0
    high: float = 0.0
    distribution: str = "uniform"
    choices: tuple[float | str, ...] = ()

    def values(self, u: NDArray[np.float64]) -> NDArray[Any]:
        """Return the values at cumulative probabilities ``u`` in (0, 1)."""
        if self.choices:
            position = np.minimum((u * len(self.choices)).astype(int), len(self.choices) - 1)
            return np.array(self.choices)[position]
        return quantile(self.low, self.base, self.high, self.distribution, u)

    def grid(self, steps: int) -> list[float | str]:
        """Return ``steps`` values spread evenly from low to high (all choices; all whole numbers where there are fewer)."""
        if self.choices:
            return list(self.choices)
        if self.distribution == "integer":
            whole = np.unique(np.rint(np.linspace(self.low, self.high, steps)))
            return [float(value) for value in whole]
        if self.distribution == "loguniform":
            return [float(f"{value:.12g}") for value in np.geomspace(self.low, self.high, steps)]
        return [float(f"{value:.12g}") for value in np.linspace(self.low, self.high, steps)]


def uncertain_variables(scenario: Scenario) -> list[Variable]:
    """Return the scenario's own uncertain parameters as variables."""
    return [_from_row(row) for row in scenario.uncertain_parameters().values()]


def parse_variable(text: str, scenario: Scenario) -> Variable:
    """Return the variable of a ``--vary`` text.

    ``name`` alone takes the range and distribution of the table, ``name=low:high`` a uniform range, ``name=low:high:distribution`` that
    one, ``name=a|b|c`` a choice. Raises InputError for anything else.
    """
    where = f"--vary {text}"
    name, equals, what = text.partition("=")
    name = name.strip()
    known = [*PARAMETERS, *WORLD_FIELDS, *(f"{design}.{field}" for design in scenario.designs for field in FIELDS)]
    if name not in known:
        raise InputError(where, f"nothing named {name!r} can be varied", nearest(name, known))
    words: tuple[str, ...] = ()
    if name in PARAMETERS:
        row = PARAMETERS[name].model_copy(update=scenario.parameters[name].model_dump())
        minimum, maximum, whole = row.minimum, row.maximum, row.distribution == "integer"
    elif name in WORLD_FIELDS:
        row, (minimum, maximum), whole = None, WORLD_FIELDS[name], True
    else:
        field = name.partition(".")[2]
        row, words = None, CHOICES.get(field, ())
        minimum, maximum = FIELDS[field].minimum or 0.0, FIELDS[field].maximum or 0.0
        whole = field in ("places", "first_month", "last_month") or FIELDS[field].unit == "0|1"
    if not equals:
        if row is not None:
            return _from_row(row)
        field_row = None if name in WORLD_FIELDS else FIELDS[name.partition(".")[2]]
        if words:
            return Variable(name, choices=words)
        if field_row is None or field_row.low is None or field_row.high is None:
            raise InputError(where, "states no values", "allowed: name=low:high or name=a|b|c")
        return _range(where, name, [f"{field_row.low}", f"{field_row.high}"], minimum, maximum, whole)
    if words or "|" in what or ":" not in what:
        return Variable(name, choices=tuple(_choice(where, name, word.strip(), words, minimum, maximum, whole) for word in what.split("|")))
    return _range(where, name, what.split(":"), minimum, maximum, whole)


def _from_row(row: Parameter) -> Variable:
    return Variable(row.name, row.low, row.base, row.high, row.distribution)


def _range(where: str, name: str, parts: Sequence[str], minimum: float, maximum: float, whole: bool) -> Variable:
    if len(parts) not in (2, 3):
        raise InputError(where, "is no range", "allowed: name=low:high or name=low:high:distribution")
    low, high = (_number(where, part, minimum, maximum, whole) for part in parts[:2])
    if low > high:
        raise InputError(where, f"low {low:g} is above high {high:g}", "allowed: low <= high")
    distribution = parts[2].strip() if len(parts) == 3 else ("integer" if whole else "uniform")
    if distribution not in DISTRIBUTIONS:
        raise InputError(where, f"no distribution named {distribution!r}", nearest(distribution, DISTRIBUTIONS))
    if whole and distribution != "integer":
        raise InputError(where, f"{name} takes whole numbers", "allowed: integer")
    if distribution == "loguniform" and low <= 0:
        raise InputError(where, f"{low:g} has no logarithm", "allowed with loguniform: above 0")
    return Variable(name, low, (low + high) / 2.0, high, distribution)


def _choice(where: str, name: str, word: str, words: Sequence[str], minimum: float, maximum: float, whole: bool) -> float | str:
    if words:
        if word not in words:
            raise InputError(where, f"{word!r} is no value of {name}", nearest(word, words))
        return word
    if name.endswith(".mentor_share") and word in ("none", "null"):
        return NO_QUOTA
    return _number(where, word, minimum, maximum, whole)


def _number(where: str, word: str, minimum: float, maximum: float, whole: bool) -> float:
    try:
        value = float(word)
    except ValueError:
        raise InputError(where, f"{word!r} is not a number", f"allowed: {minimum:g} to {maximum:g}") from None
    if not minimum <= value <= maximum:
        raise InputError(where, f"{value:g} is out of range", f"allowed: {minimum:g} to {maximum:g}")
    if whole and not value.is_integer():
        raise InputError(where, f"{value:g} is no whole number", f"allowed: whole numbers from {minimum:g} to {maximum:g}")
    return value
