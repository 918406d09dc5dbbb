"""Functions with known sensitivity indices, put in the place of the engine, so that they run through the project's own path."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.engine import Results, Task
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.model.parameters import PARAMETERS, WORLD_PARAMETERS

Array = NDArray[np.float64]

UNIT = [
    name
    for name, row in PARAMETERS.items()
    if row.minimum <= 0 and row.maximum >= 1 and row.distribution != "integer" and name not in WORLD_PARAMETERS
]
"""Parameters that may vary over 0..1 and make no new world; their meaning is of no account here."""

WIDE = ["volunteer_base", "volunteer_own_share", "seek_base", "seek_openness"]
"""Parameters that may vary over -pi..pi."""

ISHIGAMI_S1 = np.array([0.313905, 0.442411, 0.0])
ISHIGAMI_ST = np.array([0.557589, 0.442411, 0.243684])
G_A = np.array([0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0])


def ishigami(x: Array) -> Array:
    """Ishigami & Homma 1990, a = 7, b = 0.1."""
    return np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def sobol_g(x: Array) -> Array:
    """Sobol' 1993: product of (|4 x - 2| + a) / (1 + a)."""
    return np.prod((np.abs(4.0 * x[:, :8] - 2.0) + G_A) / (1.0 + G_A), axis=1)


def sobol_g_indices() -> tuple[Array, Array]:
    """Return first and total order of the g function."""
    v = 1.0 / (3.0 * (1.0 + G_A) ** 2)
    whole = np.prod(1.0 + v) - 1.0
    return v / whole, v * np.prod(1.0 + v) / (1.0 + v) / whole


def morris_function(x: Array) -> Array:
    """Morris 1991, section 4: 20 inputs, of which the first 10 matter and the first 7 not linearly; the rest is drawn."""
    rng = np.random.default_rng(1)
    w = 2.0 * (x[:, :20] - 0.5)
    for i in (2, 4, 6):
        w[:, i] = 2.0 * (1.1 * x[:, i] / (x[:, i] + 0.1) - 0.5)
    first = np.where(np.arange(20) < 10, 20.0, rng.normal(size=20))
    second = np.triu(rng.normal(size=(20, 20)), 1)
    second[:6, :6] = np.triu(np.full((6, 6), -15.0), 1)
    y = w @ first + np.einsum("ni,ij,nj->n", w, second, w)
    for i in range(5):
        for j in range(i + 1, 5):
            y += -10.0 * w[:, i] * w[:, j] * w[:, j + 1 : 5].sum(axis=1)
    return y + 5.0 * np.prod(w[:, :4], axis=1)


def with_function(function: Callable[[Array], Array], names: list[str], *, noise: float = 0.0) -> Callable[[str], Any]:
    """Return what takes the place of ``experiments.chunks.runner``: a function of named parameters is adopter-years."""

    def run(task: Task, **options: Any) -> Results:
        batch = task.batch
        x = np.column_stack([task.parameters[name][batch.parameter_set] for name in names])
        outcomes = np.zeros((len(x), len(OUTCOMES)))
        outcomes[:, 0] = function(x)
        if noise:
            draws = {int(r): np.random.default_rng([5, int(r)]).normal() for r in np.unique(batch.replicate)}
            outcomes[:, 0] += noise * np.array([draws[int(r)] for r in batch.replicate])
        return Results(outcomes, *[np.empty((0, 0))] * (len(Results._fields) - 1))

    return lambda engine: run


def ranges(names: list[str], low: float = 0.0, high: float = 1.0) -> tuple[str, ...]:
    """Return ``--vary`` texts."""
    return tuple(f"{name}={low}:{high}" for name in names)


PI = math.pi
