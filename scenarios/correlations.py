"""Correlations of uncertain parameters that a scenario states: checked, and as a matrix."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from .fields import Number, ScenarioSection, fault
from .gone import refusal


class Correlation(ScenarioSection):
    """Two uncertain parameters that go together: the correlation of their normal scores (Gaussian copula)."""

    between: tuple[str, str] = Field(description="The two parameters")
    value: Number = Field(description="Correlation of their normal scores", json_schema_extra={"unit": "-"}, ge=-0.99, le=0.99)


def check_correlations(given: Sequence[Correlation], known: Collection[str]) -> None:
    """Refuse correlations of what is no ``known`` parameter, pairs that stand twice, and those that no set of parameters has together."""
    seen: set[frozenset[str]] = set()
    for position, one in enumerate(given):
        for side, name in enumerate(one.between):
            if name not in known:
                fault((position, "between", side), *refusal([name], "no parameter named {}", known)[1:])
        pair = frozenset(one.between)
        if len(pair) < 2:
            fault((position, "between"), f"{one.between[0]!r} stands twice", "allowed: two different parameters")
        if pair in seen:
            fault((position, "between"), f"{' and '.join(one.between)} are listed twice", "allowed: each pair once")
        seen.add(pair)
    names = sorted({name for one in given for name in one.between})
    if given and np.linalg.eigvalsh(correlation_matrix(given, names)).min() < 1e-6:
        fault((), "no set of parameters has all these correlations together", "allowed: values that go together, such as smaller ones")


def correlation_matrix(given: Sequence[Correlation], names: Sequence[str]) -> NDArray[np.float64]:
    """Return the correlation matrix of the normal scores of some parameters; those that are not stated are independent."""
    place = {name: position for position, name in enumerate(names)}
    matrix = np.eye(len(names))
    for one in given:
        if all(name in place for name in one.between):
            j, k = (place[name] for name in one.between)
            matrix[j, k] = matrix[k, j] = one.value
    return matrix
