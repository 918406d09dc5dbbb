"""Parameter sets drawn from the uncertain parameters of a scenario."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.stats import qmc

from model.parameters import Parameter

__all__ = ["draw_sets", "quantile"]

PERT_SHAPE = 4.0


def quantile(parameter: Parameter, u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values of a parameter at the cumulative probabilities ``u``, each in (0, 1).

    pert: the beta distribution on low..high with mode base and shape 4 (Malcolm et al. 1959, PERT); integer: whole numbers, with the
    probabilities of a PERT on low - 0.5 .. high + 0.5 rounded; uniform, triangular (mode base) and loguniform on low..high. Values carry 12
    significant digits, so that they do not depend on the machine's mathematics library.
    """
    low, base, high = parameter.low, parameter.base, parameter.high
    if low == high:
        return np.full(u.shape, base)
    if parameter.distribution == "uniform":
        values = low + (high - low) * u
    elif parameter.distribution == "loguniform":
        values = low * (high / low) ** u
    elif parameter.distribution == "triangular":
        values = stats.triang.ppf(u, (base - low) / (high - low), loc=low, scale=high - low)
    elif parameter.distribution == "integer":
        values = np.clip(np.rint(_pert(low - 0.5, base, high + 0.5, u)), low, high)
    else:
        values = _pert(low, base, high, u)
    return np.array([float(f"{value:.12g}") for value in values.ravel()]).reshape(u.shape)


def _pert(low: float, mode: float, high: float, u: NDArray[np.float64]) -> NDArray[np.float64]:
    a = 1.0 + PERT_SHAPE * (mode - low) / (high - low)
    b = 1.0 + PERT_SHAPE * (high - mode) / (high - low)
    return np.asarray(stats.beta.ppf(u, a, b, loc=low, scale=high - low))


def draw_sets(parameters: Mapping[str, Parameter], count: int, seed: int) -> list[dict[str, float]]:
    """Return ``count`` parameter sets from scrambled Sobol points (Owen 1998), independent between parameters.

    A count that is no power of two takes the first points of the next power.
    """
    if not parameters:
        return [{} for _ in range(count)]
    sampler = qmc.Sobol(len(parameters), scramble=True, rng=np.random.default_rng(seed))
    points = sampler.random_base2(max(0, int(np.ceil(np.log2(count)))))[:count]
    inside = np.clip(points, 2.0**-54, 1.0 - 2.0**-53)
    columns = {name: quantile(parameter, inside[:, j]) for j, (name, parameter) in enumerate(parameters.items())}
    return [{name: float(values[row]) for name, values in columns.items()} for row in range(count)]
