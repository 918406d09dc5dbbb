"""How often 95 % intervals of sensitivity indices hold the truth, by what they are made from; and what optimising trajectories does.

    python -m benchmarks.sensitivity_intervals      # about five minutes; needs the extra ``test``

Sobol: functions with known indices, a plain bootstrap over points against the one that is calibrated by independent scramblings. Morris:
mu* of functions whose truth 20,000 trajectories of SALib tell, from the project's trajectories, SALib's plain and SALib's optimised ones.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from SALib.sample import morris as salib_morris

from school_mentoring.experiments.distributions import Variable
from school_mentoring.experiments.sensitivity.design import LEVELS, Factor, Layout, layout_of, morris_points
from school_mentoring.experiments.sensitivity.indices import (
    Estimated,
    calibrated,
    elementary_effects,
    left_out_counts,
    morris_indices,
    resample_counts,
    sobol_indices,
    widened,
)
from tests.sensitivity.functions import (
    ISHIGAMI_S1,
    ISHIGAMI_ST,
    PI,
    UNIT,
    WIDE,
    ishigami,
    morris_function,
    sobol_g,
    sobol_g_indices,
)

Array = NDArray[np.float64]
REPETITIONS, RESAMPLES, LEVEL = 200, 300, 0.95
DELTA = LEVELS / (2.0 * (LEVELS - 1))


def held(values: Estimated, truth: Array) -> Array:
    """Tell which truths lie in their intervals."""
    low, high = values.interval(LEVEL)
    count = len(truth)
    return np.asarray((low[:count, 0] - 1e-9 <= truth) & (truth <= high[:count, 0] + 1e-9), np.float64)


def sobol_coverage(function: Callable[[Array], Array], variables: list[Variable], truths: tuple[Array, Array], points: int) -> None:
    """Print the least and the greatest coverage over inputs, of first and total order, plain and calibrated."""
    hits: dict[tuple[str, str], list[Array]] = {}
    for seed in range(REPETITIONS):
        layout: Layout = layout_of("sobol", variables, groups="without", seed=seed, start=points)
        y = function(layout.sets(points).to_numpy()[:, : len(variables)]).reshape(points, layout.step, 1)
        bootstrap, left_out = resample_counts(points, RESAMPLES, seed), left_out_counts(points, layout.scramblings)
        both = sobol_indices(y, len(layout.factors), np.vstack([left_out, bootstrap]))
        for name, values, truth in zip(("S1", "ST"), both, truths, strict=True):
            plain = Estimated(values.estimate, values.resampled[layout.scramblings :])
            better = calibrated(values, layout.scramblings, LEVEL, positive=name == "ST")
            hits.setdefault((name, "bootstrap"), []).append(held(plain, truth))
            hits.setdefault((name, "calibrated"), []).append(held(better, truth))
    for (name, kind), each in hits.items():
        mean = np.mean(each, axis=0)
        print(f"{function.__name__:16} N = {points:5}  {name}  {kind:10}  {mean.min():.3f} to {mean.max():.3f}", flush=True)


def problem(inputs: int) -> dict[str, Any]:
    """Return SALib's description of inputs in 0..1."""
    return {"num_vars": inputs, "names": [f"x{j}" for j in range(inputs)], "bounds": [[0.0, 1.0]] * inputs}


def trajectories(kind: str, inputs: int, seed: int) -> Array:
    """Return 16 trajectories, shape (sets, inputs)."""
    if kind == "ours":
        factors = [Factor(f"x{j}", "", (j,), "parameter") for j in range(inputs)]
        return morris_points(factors, inputs, 16, 16, (seed,)).reshape(-1, inputs)
    if kind == "SALib, plain":
        return np.asarray(salib_morris.sample(problem(inputs), 16, num_levels=LEVELS, seed=seed))
    candidates = int(kind.rpartition(" ")[2])
    return np.asarray(
        salib_morris.sample(problem(inputs), candidates, num_levels=LEVELS, optimal_trajectories=16, local_optimization=True, seed=seed)
    )


def effects(function: Callable[[Array], Array], x: Array, inputs: int) -> Array:
    """Return the elementary effects of trajectories."""
    y = function(x).reshape(-1, inputs + 1, 1)
    return elementary_effects(x.reshape(-1, inputs + 1, inputs), y, list(range(inputs)), DELTA)


def morris_bias(function: Callable[[Array], Array], inputs: int) -> None:
    """Print by how much mu* of the ten largest is off, and how often intervals hold it."""
    x = np.asarray(salib_morris.sample(problem(inputs), 20_000, num_levels=LEVELS, seed=5))
    truth = np.abs(effects(function, x, inputs)[:, :, 0]).mean(axis=0)
    shown = np.argsort(-truth)[: min(10, int((truth > 1e-9).sum()))]
    for kind in ("ours", "SALib, plain", "SALib, best 16 of 32", "SALib, best 16 of 64"):
        repetitions = REPETITIONS if kind in ("ours", "SALib, plain") else 40
        found, hits = [], []
        for seed in range(repetitions):
            _, values, _ = morris_indices(effects(function, trajectories(kind, inputs, seed), inputs), resample_counts(16, RESAMPLES, seed))
            found.append(values.estimate[:, 0])
            hits.append(held(widened(values, 16, LEVEL, positive=True), truth))
        off = (np.mean(found, axis=0) / np.maximum(truth, 1e-12) - 1.0)[shown]
        mean = np.mean(hits, axis=0)[shown]
        print(
            f"{function.__name__:16} {kind:21} off by {off.min():+.1%} to {off.max():+.1%}, held {mean.min():.3f} to {mean.max():.3f}",
            flush=True,
        )


def product(x: Array) -> Array:
    """Return 3 x1 - 2 x2 + 4 x2 x3, and of further inputs slopes and one more product."""
    more = x[:, 3:] @ np.linspace(0.1, 1.0, x.shape[1] - 3)
    return np.asarray(3 * x[:, 0] - 2 * x[:, 1] + 4 * x[:, 1] * x[:, 2] + more + (2 * x[:, 5] * x[:, 6] if x.shape[1] > 6 else 0.0))


def main() -> None:
    """Print all figures."""
    wide = [Variable(name, -PI, 0.0, PI, "uniform") for name in WIDE[:3]]
    unit = [Variable(name, 0.0, 0.5, 1.0, "uniform") for name in UNIT[:8]]
    for points in (16, 64, 256, 1024):
        sobol_coverage(ishigami, wide, (ISHIGAMI_S1, ISHIGAMI_ST), points)
        sobol_coverage(sobol_g, unit, sobol_g_indices(), points)
    for function, inputs in ((product, 4), (morris_function, 20), (product, 74)):
        print(f"{inputs} inputs:")
        morris_bias(function, inputs)


if __name__ == "__main__":
    main()
