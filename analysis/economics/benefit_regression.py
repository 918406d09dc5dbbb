"""Regressions that give the mean net benefit of designs once something is known: smooth curves, or a Gaussian process.

What they explain need not be one table: columns are fitted each for itself, so many shuffled tables side by side take one call.
"""

import warnings
from collections.abc import Callable, Mapping

import numpy as np

from school_mentoring.model.world.arrays import Floats

GP_MOST = 300
MOST_PAIRED = 5
FREE = 1e3  # lines this much larger than bends have coefficients so small that no penalty touches them


def _spline(inputs: Floats, outputs: Floats) -> Floats:
    """Fit a smooth curve of every input, their sum, and products of pairs; how smooth by leave-one-out cross-validation.

    Cubic B-splines with a penalty on second differences (P-splines; Eilers & Marx 1996, Statistical Science 11, 89-121), written as a ridge
    regression: straight lines and, apart from them, bends. Lines go without penalty where there are 20 parameter sets or more for each.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.preprocessing import SplineTransformer, StandardScaler

    rows, columns = inputs.shape
    knots = int(np.clip(rows // (5 * columns), 3, 12))
    lines = StandardScaler().fit_transform(inputs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # quantile knots that fall together where an input has few values
        basis = SplineTransformer(n_knots=knots, knots="quantile").fit_transform(lines)
    each = basis.shape[1] // columns
    second = np.diff(np.eye(each), 2, axis=0)
    bends = (basis.reshape(rows, columns, each) @ (second.T @ np.linalg.inv(second @ second.T))).reshape(rows, -1)
    first, other = np.triu_indices(columns, 1)
    products = lines[:, first] * lines[:, other] if columns <= MOST_PAIRED else np.empty((rows, 0))
    free = FREE if rows >= 20 * columns else 1.0
    features = np.hstack([free * lines, products, bends - bends.mean(axis=0)])
    model = RidgeCV(np.logspace(-4, 6, 31), alpha_per_target=True).fit(features, outputs)
    return np.asarray(model.predict(features), np.float64).reshape(outputs.shape)


def _gaussian_process(inputs: Floats, outputs: Floats) -> Floats:
    """Fit a Gaussian process with a length scale per input and noise; hyperparameters from at most ``GP_MOST`` sets."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    scaled = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    some = np.random.default_rng(0).permutation(len(scaled))[:GP_MOST]
    fitted = np.empty_like(outputs)
    for k in range(outputs.shape[1]):
        spread = outputs[:, k].std()
        if spread == 0.0:
            fitted[:, k] = outputs[:, k]
            continue
        target = (outputs[:, k] - outputs[:, k].mean()) / spread
        kernel = ConstantKernel(1.0, (1e-3, 1e3)) * RBF(np.ones(scaled.shape[1]), (0.1, 1e3)) + WhiteKernel(0.5, (1e-6, 10.0))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a length scale at its bound: the input does not matter
            model = GaussianProcessRegressor(kernel, random_state=0).fit(scaled[some], target[some])
            fitted[:, k] = outputs[:, k].mean() + spread * model.predict(scaled)
    return fitted


METHODS: Mapping[str, Callable[[Floats, Floats], Floats]] = {"spline": _spline, "gp": _gaussian_process}
"""Regressions by name: spline (smooth curves, and products of pairs of up to five inputs) and gp (Gaussian process)."""
