"""Value of information: what it would be worth to know the uncertain better before a design is chosen.

With net benefit NB(d, theta) of designs d under parameters theta, in EUR of the study's world and horizon:

EVPI  = E max NB - max E NB                                       everything known
EVPPI = E max E[NB | phi] - max E NB                              some parameters phi known
EVSI  = E max E[NB | data] - max E NB                             data seen that tell of the parameters

Conditional means are regressions of the net benefit on phi, or on what the data would show (Strong, Oakley & Brennan 2014, Medical Decision
Making 34, 311-326; Strong, Oakley, Brennan & Breeze 2015, Medical Decision Making 35, 570-583). Replicates of a stochastic model are
averaged within parameter sets, and what is left of their luck is reported, as it looks like something one might know. Formulas with their
sources: docs/economics.md.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .psa import Sample

__all__ = [
    "METHODS",
    "Perfect",
    "evpi",
    "evppi",
    "evsi",
    "nested_evppi",
    "observed",
    "population_value",
]

Array = NDArray[np.float64]
GP_MOST = 300
SHUFFLES, GP_SHUFFLES = 100, 10
MOST_PAIRED = 5
FREE = 1e3  # lines this much larger than bends have coefficients so small that no penalty touches them


@dataclass(frozen=True)
class Perfect:
    """The value of knowing everything, and how much of what looks like it is luck of the replicates.

    ``value``: EVPI in EUR on the means over replicates, ``se`` its Monte Carlo standard error. ``lower``: the value of choosing by one half
    of each set's replicates, seen on the other half, which luck pulls down as it pushes ``value`` up (nan with one replicate). ``best``:
    the design with the highest mean net benefit. Variances are those of the net benefit of the best rival less that of ``best``:
    ``between``: between parameter sets; ``within``: left over from replicates in the means; ``noise_share``: within / (between + within),
    nan with one replicate.
    """

    value: float
    se: float
    lower: float
    best: str
    between: float
    within: float
    noise_share: float


def evpi(sample: Sample, willingness_to_pay: float) -> Perfect:
    """Return the expected value of perfect information at a willingness to pay. One parameter set leaves nothing to know: 0."""
    benefit = sample.net_benefit(willingness_to_pay)
    values = benefit.to_numpy(np.float64)
    best = int(np.argmax(values.mean(axis=0)))
    loss = values.max(axis=1) - values[:, best]
    se = float(loss.std(ddof=1) / np.sqrt(len(loss))) if len(loss) > 1 else np.nan
    others = [k for k in range(values.shape[1]) if k != best]
    between = within = share = np.nan
    if others and len(loss) > 1:
        rival = others[int(np.argmax(values[:, others].mean(axis=0)))]
        runs = sample.net_benefit_runs(willingness_to_pay)
        difference = runs.iloc[:, rival] - runs.iloc[:, best]
        within = _left_over(difference)
        spread = float((values[:, rival] - values[:, best]).var(ddof=1))
        between = max(0.0, spread - within) if not np.isnan(within) else spread
        share = float(np.minimum(1.0, within / spread)) if spread > 0 else np.nan
    return Perfect(max(0.0, float(loss.mean())), se, _halves(sample, willingness_to_pay), sample.designs[best], between, within, share)


def _left_over(difference: "pd.Series[Any]") -> float:
    """Return the variance that replicates leave in the mean of a parameter set, pooled over sets; nan where no set has two."""
    sets = difference.groupby(level="parameter_set")
    freedom = len(difference) - sets.ngroups
    if not freedom:
        return float("nan")
    pooled = float(((difference - sets.transform("mean")) ** 2).sum()) / freedom
    return pooled * float((1.0 / sets.size()).mean())


def _halves(sample: Sample, k: float) -> float:
    """Return the value of choosing for each set by one half of its replicates, as the other half sees it; means over both ways."""
    runs = sample.net_benefit_runs(k)
    order = runs.groupby(level="parameter_set").cumcount().to_numpy()
    halves = [runs[order % 2 == side].groupby(level="parameter_set").mean() for side in (0, 1)]
    both = halves[0].index.intersection(halves[1].index)
    if both.empty:
        return float("nan")
    first, second = (half.loc[both].to_numpy(np.float64) for half in halves)
    rows = np.arange(len(both))
    chosen = (second[rows, first.argmax(axis=1)] + first[rows, second.argmax(axis=1)]).mean() / 2
    return max(0.0, float(chosen - ((first + second) / 2).mean(axis=0).max()))


def population_value(value: float, *, size: float = 1.0, years: float = 1.0, discount_rate: float = 0.0) -> float:
    """Return what a value per decision and year comes to for ``size`` such worlds decided on in each of ``years`` years.

    sum over whole years t = 0, 1, ... of value x size x (1 + rate)^(-t), a last part of a year counted in proportion; without discounting
    value x size x years.
    """
    if not discount_rate:
        return value * size * years
    whole = np.arange(np.ceil(years))
    lengths = np.minimum(1.0, years - whole)
    return float(value * size * (lengths * (1.0 + discount_rate) ** -whole).sum())


# --- regressions ------------------------------------------------------------------------------------------------------


def _spline(inputs: Array, outputs: Array) -> Array:
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


def _gaussian_process(inputs: Array, outputs: Array) -> Array:
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


METHODS: Mapping[str, Callable[[Array, Array], Array]] = {"spline": _spline, "gp": _gaussian_process}
"""Regressions by name: spline (smooth curves, and products of pairs of up to five inputs) and gp (Gaussian process)."""


def _regress(inputs: pd.DataFrame, benefit: Array, method: str) -> Array:
    """Return the fitted net benefit less that of the design with the highest mean, by parameter set and design."""
    if method not in METHODS:
        raise ValueError(f"no regression named {method!r}; there are {', '.join(METHODS)}")
    best = int(np.argmax(benefit.mean(axis=0)))
    incremental = benefit - benefit[:, [best]]
    table = inputs.loc[:, inputs.nunique() > 1].to_numpy(np.float64)
    if not table.shape[1]:
        return np.broadcast_to(incremental.mean(axis=0), incremental.shape)
    return METHODS[method](table, incremental)


def _value(fitted: Array) -> tuple[float, float]:
    """Return E max - max E of fitted net benefits and the standard error that so many parameter sets leave in it."""
    best = int(np.argmax(fitted.mean(axis=0)))
    loss = fitted.max(axis=1) - fitted[:, best]
    return max(0.0, float(loss.mean())), float(loss.std(ddof=1) / np.sqrt(len(loss)))


def _enough(sample: Sample) -> None:
    if sample.sets < 20:
        raise ValueError(f"{sample.sets} parameter sets are too few to regress on; draw at least 20, better several hundred")


# --- what to learn ----------------------------------------------------------------------------------------------------


def evppi(
    sample: Sample,
    willingness_to_pay: float,
    groups: Mapping[str, Sequence[str]] | None = None,
    *,
    method: str = "spline",
) -> pd.DataFrame:
    """Return the expected value of knowing each parameter, or each group of parameters, exactly.

    ``groups``: names of parameters by the name of the group; default each parameter for itself. Columns: ``name``, ``parameters`` (joined
    by ``+``), ``value`` in EUR, ``se``: its Monte Carlo standard error given the regression, ``floor``: the most that the same regression
    finds in parameters that are shuffled, so in nothing, of 100 shuffles spread over the rows of as many parameters (fewer for gp, and
    for more than 500 parameter sets); ``worth_knowing``: whether the value exceeds the floor; ``share``: of the EVPI; ``method``. Rows by
    descending value. A value never exceeds the EVPI.

    Raises ValueError for a parameter that does not vary or is not there, and for fewer than 20 parameter sets.
    """
    _enough(sample)
    known = list(sample.parameters)
    chosen = {name: (name,) for name in known} if groups is None else {name: tuple(members) for name, members in groups.items()}
    for name, members in chosen.items():
        missing = [member for member in members if member not in known]
        if missing or not members:
            raise ValueError(f"{name}: {', '.join(missing) or 'no parameter'} does not vary in this study")
    benefit = sample.net_benefit(willingness_to_pay).to_numpy(np.float64)
    most = evpi(sample, willingness_to_pay).value
    sizes = sorted({len(members) for members in chosen.values()})
    floors = {size: _floor(sample, [m for m in chosen.values() if len(m) == size], benefit, method) for size in sizes}
    rows = []
    for name, members in chosen.items():
        value, se = _value(_regress(sample.parameters[list(members)], benefit, method))
        row = {"name": name, "parameters": "+".join(members), "value": min(value, most), "se": se, "floor": floors[len(members)]}
        rows.append(row | {"worth_knowing": value > floors[len(members)], "share": min(value, most) / most if most > 0 else 0.0})
    table = pd.DataFrame(rows, columns=["name", "parameters", "value", "se", "floor", "worth_knowing", "share"])
    return table.assign(method=method).sort_values(["value", "name"], ascending=[False, True], ignore_index=True)


def _floor(sample: Sample, members: Sequence[Sequence[str]], benefit: Array, method: str) -> float:
    """Return the most that a regression finds in inputs that are shuffled over the parameter sets, taking each of ``members`` in turn."""
    rng = np.random.default_rng(1)
    values = []
    # A larger sample leaves chance less to find, and costs more to search.
    shuffles = GP_SHUFFLES if method == "gp" else int(np.clip(SHUFFLES * 500 // sample.sets, SHUFFLES // 5, SHUFFLES))
    for k in range(shuffles):
        inputs = sample.parameters[list(members[k % len(members)])]
        values.append(_value(_regress(inputs.iloc[rng.permutation(len(inputs))], benefit, method))[0])
    return max(values)


def evsi(sample: Sample, willingness_to_pay: float, data: pd.DataFrame, *, method: str = "spline") -> tuple[float, float]:
    """Return the expected value of seeing data before the choice, in EUR, and its Monte Carlo standard error.

    ``data``: what a survey or a pilot would show if a parameter set were true: one row per parameter set (index parameter_set), a column
    for each figure that it would give (``observed`` makes them, or simulate the pilot itself under the same sets). Never more than EVPI.
    Raises ValueError where data of a parameter set are missing.
    """
    _enough(sample)
    missing = sample.cost.index.difference(data.index)
    if len(missing):
        raise ValueError(f"no data for {len(missing)} parameter sets, such as {missing[0]}")
    benefit = sample.net_benefit(willingness_to_pay).to_numpy(np.float64)
    value, se = _value(_regress(data.loc[sample.cost.index], benefit, method))
    return min(value, evpi(sample, willingness_to_pay).value), se


def observed(shares: pd.DataFrame, *, respondents: int, clusters: int = 0, clusters_simulated: int = 0, seed: int = 0) -> pd.DataFrame:
    """Return what a survey would show of true adopting shares: one simulated data set per parameter set.

    ``shares``: index (parameter_set, replicate), a column per figure surveyed (a design, a wave), each the share of teachers who use the
    practice in a run. One replicate of each set, the first, is what happens; ``respondents`` teachers answer, each independently. With a
    pilot of ``clusters`` clusters instead of the ``clusters_simulated`` of the study, chance between runs counts more: the deviation of the
    replicate from the mean of its set is stretched by sqrt(clusters_simulated / clusters), as if clusters were independent.
    """
    means = shares.groupby(level="parameter_set").mean()
    happened = shares.groupby(level="parameter_set").first()
    if clusters:
        if shares.groupby(level="parameter_set").size().min() < 2:
            raise ValueError("the chance between clusters is seen only with two replicates or more of each parameter set")
        # The first replicate is part of the mean; its deviation from the others' mean, put to its own size, is what chance makes.
        count = shares.groupby(level="parameter_set").size().to_numpy(np.float64)[:, None]
        stretch = np.sqrt(clusters_simulated / clusters * count / (count - 1.0))
        happened = means + (happened - means) * stretch
    true = np.clip(happened.to_numpy(np.float64), 0.0, 1.0)
    answers = np.random.default_rng(seed).binomial(respondents, true) / respondents
    return pd.DataFrame(answers, index=means.index, columns=shares.columns)


def nested_evppi(benefit: pd.DataFrame) -> tuple[float, float]:
    """Return the EVPPI by nested Monte Carlo, without any regression, and its standard error: the check of ``evppi``.

    ``benefit``: net benefits in EUR, a column per design; index level ``outer``: the values of the parameters of interest, drawn; below it
    draws of all other parameters given those. The maximum over means of few inner draws is biased upwards; the bias is taken off by the
    jackknife over inner draws in halves: 2 V(all) - mean of V(halves).
    """
    outer = benefit.groupby(level="outer")
    if outer.size().min() < 4:
        raise ValueError("nested Monte Carlo needs at least four inner draws for each outer one")
    means = outer.mean().to_numpy(np.float64)
    best = int(np.argmax(means.mean(axis=0)))
    position = outer.cumcount().to_numpy()
    halves = [benefit[position % 2 == side].groupby(level="outer").mean().to_numpy(np.float64) for side in (0, 1)]
    gains = [part.max(axis=1) - part[:, best] for part in (means, *halves)]
    loss = 2 * gains[0] - (gains[1] + gains[2]) / 2
    return max(0.0, float(loss.mean())), float(loss.std(ddof=1) / np.sqrt(len(loss)))
