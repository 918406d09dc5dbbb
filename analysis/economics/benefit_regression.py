"""Regressions that give the mean net benefit of designs once something is known: smooth curves, or a Gaussian process.

What they explain need not be one table: columns are fitted each for itself, so many shuffled tables side by side take one call.
"""

import warnings
from collections.abc import Callable, Mapping

import numpy as np

from school_mentoring.model.world.arrays import Floats

MOST_PAIRED = 5
PENALTIES = np.logspace(-4, 6, 31)
FREE = 1e3  # lines this much larger than bends have coefficients so small that no penalty touches them


def _spline(inputs: Floats, outputs: Floats) -> Floats:
    """Fit a smooth curve of every input, their sum, and products of pairs; how smooth by leave-one-out cross-validation.

    Cubic B-splines with a penalty on second differences (P-splines; Eilers & Marx 1996, Statistical Science 11, 89-121), written as a ridge
    regression: straight lines and, apart from them, bends. Lines go without penalty where there are 20 parameter sets or more for each.
    """
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
    return _ridge(features, outputs)


def _ridge(features: Floats, outputs: Floats) -> Floats:
    """Fit every column by ridge regression, with the penalty of the least leave-one-out error (Allen 1974, Technometrics 16, 125-127).

    One decomposition serves all penalties and columns. What no feature explains is kept apart, so that nothing cancels.
    """
    rows = len(outputs)
    middle = outputs.mean(axis=0)
    u, spread, _ = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    u, spread = u[:, spread > spread[0] * 1e-12], spread[spread > spread[0] * 1e-12]
    on = u.T @ (outputs - middle)
    beyond = outputs - middle - u @ on
    free = np.clip(1.0 - 1.0 / rows - (u**2).sum(axis=1), 0.0, None)
    squares, least, chosen = beyond**2, np.full(outputs.shape[1], np.inf), np.zeros_like(on)
    for penalty in PENALTIES:
        held = penalty / (spread**2 + penalty)
        short = held[:, None] * on  # the residual is beyond + u @ short, and that of a row left out is it / (1 - leverage)
        weight = (free + u**2 @ held) ** -2.0
        weighted = u.T * weight
        error = weight @ squares + (short * (2.0 * weighted @ beyond + weighted @ u @ short)).sum(axis=0)
        chosen = np.where(error < least, on - short, chosen)
        least = np.minimum(error, least)
    return np.asarray(middle + u @ chosen)


def _gaussian_process(inputs: Floats, outputs: Floats) -> Floats:
    """Fit a Gaussian process with a length scale per input and noise, each column for itself."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    scaled = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
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
            model = GaussianProcessRegressor(kernel, random_state=0).fit(scaled, target)
            fitted[:, k] = outputs[:, k].mean() + spread * model.predict(scaled)
    return fitted


METHODS: Mapping[str, Callable[[Floats, Floats], Floats]] = {"spline": _spline, "gp": _gaussian_process}
"""Regressions by name: spline (smooth curves, and products of pairs of up to five inputs) and gp (Gaussian process)."""

MOST_SETS: Mapping[str, int] = {"gp": 300}
"""The most parameter sets of a regression whose work grows with their cube; of more it sees some, drawn at random."""
