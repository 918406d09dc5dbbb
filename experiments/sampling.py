"""Parameter sets: drawn by Sobol sequences or Latin hypercubes, laid out on a grid, or read from the user's table."""

import itertools
import math
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.model.errors import InputError

from .variables import Variable

MOST_SETS = 2**24


def sobol_points(dimensions: int, count: int, seed: int | Sequence[int]) -> NDArray[np.float64]:
    """Return ``count`` points of a scrambled Sobol sequence in (0, 1), shape (count, dimensions); nothing is skipped (Owen 2020)."""
    from scipy.stats import qmc

    sampler = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(seed))
    points = sampler.random_base2(math.ceil(math.log2(count)) if count > 1 else 0)[:count]
    return _inside(points)


def _inside(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(points, 2.0**-54, 1.0 - 2.0**-53)


def correlated(points: NDArray[np.float64], correlation: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Return points whose normal scores have a correlation matrix (Gaussian copula; Nelsen 2006, section 2.3); of None as they are."""
    from scipy.special import ndtr, ndtri

    if correlation is None:
        return points
    return _inside(ndtr(ndtri(points) @ np.linalg.cholesky(correlation).T))


def dimensions(variables: Sequence[Variable]) -> list[int]:
    """Return the dimension of a sequence of points that each variable follows: its own; the last one all that share posterior draws."""
    alone = [variable.draws is None for variable in variables]
    return [sum(alone[:j]) if alone[j] else sum(alone) for j in range(len(variables))]


def _parse(spec: str) -> tuple[str, int]:
    kind, _, size = spec.partition(":")
    if kind not in ("sobol", "lhs", "grid") or not re.fullmatch(r"\s*[0-9]{1,100}\s*", size) or int(size) < 1:
        given = spec if len(spec) <= 60 else spec[:57] + "..."
        raise InputError(f"--sample {given}", "is no sampling", "allowed: sobol:N, lhs:N, grid:N with N from 1, or table:FILE")
    return kind, int(size)


def count_sets(spec: str, variables: Sequence[Variable]) -> int:
    """Return how many parameter sets a sampling gives, without making them."""
    kind, size = _parse(spec)
    if not variables:
        return 1
    fitted = [variable.name for variable in variables if variable.draws is not None]
    if kind == "grid" and fitted:
        problem = f"a grid leaves the posterior draws, in which {fitted[0]} varies"
        raise InputError(f"--sample {spec}", problem, f"allowed: sobol:N or lhs:N; or a range of your own, --vary {fitted[0]}=low:high")
    return math.prod(variable.grid_size(size) for variable in variables) if kind == "grid" else size


def sample(spec: str, variables: Sequence[Variable], seed: int, correlation: NDArray[np.float64] | None = None) -> pd.DataFrame:
    """Return one row per parameter set, a column per variable.

    ``sobol:N`` scrambled Sobol points, ``lhs:N`` a Latin hypercube, ``grid:N`` N values of each variable in every combination. Raises
    InputError for another ``spec``, more than ``MOST_SETS`` sets, or a grid of variables that are correlated. Variables with posterior
    draws take whole rows of them, so that they stay together as they were fitted.
    """
    kind, size = _parse(spec)
    count = count_sets(spec, variables)
    if count > MOST_SETS:
        raise InputError(f"--sample {spec}", f"gives {count:,} parameter sets", f"allowed: at most {MOST_SETS:,}; cut it into studies")
    if not variables:
        return pd.DataFrame(index=range(1))
    if kind == "grid" and correlation is not None:
        raise InputError(f"--sample {spec}", "a grid has no correlations, and the scenario states some", "allowed: sobol:N or lhs:N")
    if kind == "grid":
        rows = itertools.product(*(variable.grid(size) for variable in variables))
        return pd.DataFrame(rows, columns=[variable.name for variable in variables])
    followed = dimensions(variables)
    if kind == "lhs":
        from scipy.stats import qmc

        points = _inside(qmc.LatinHypercube(max(followed) + 1, rng=np.random.default_rng(seed)).random(size))
    else:
        points = sobol_points(max(followed) + 1, size, seed)
    points = correlated(points[:, followed], correlation)
    return pd.DataFrame({variable.name: variable.values(points[:, j]) for j, variable in enumerate(variables)})
