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
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from school_mentoring.model.world.arrays import Floats

from .psa import Sample, sound

SHUFFLES, GP_SHUFFLES, PARTS = 100, 10, 12
ENOUGH_SETS = 20
"""Parameter sets below which no regression says what is worth knowing."""

SURE = 0.95
"""The share of shuffles in which nothing that says nothing exceeds the floor."""

MOST_PAIRED = 5
PENALTIES = np.logspace(-4, 6, 31)
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
    values = sample.net_benefit(willingness_to_pay).to_numpy(np.float64)
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

# What they explain need not be one table: columns are fitted each for itself, so many shuffled tables side by side take one call.


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


# --- what regressions say ----------------------------------------------------------------------------------------------


class Learnt(NamedTuple):
    """What seeing data before the choice is worth in EUR: ``value``, its standard error ``se``, and the ``floor``, as in ``evppi``."""

    value: float
    se: float
    floor: float

    @property
    def tells(self) -> bool:
        """Whether the value is told apart from nothing: by the floor and by two standard errors."""
        return self.value > max(self.floor, 2 * self.se)


def _varying(inputs: Floats) -> Floats:
    return inputs[:, (inputs != inputs[:1]).any(axis=0)]


def _losses(inputs: Floats, incremental: Floats, method: str) -> Floats:
    """Return for each parameter set what knowing the inputs would gain there, as a regression has it; the mean is the value of it.

    ``incremental``: shape (parameter sets, ..., designs); the result has that shape without designs.
    """
    fitted = np.broadcast_to(incremental.mean(axis=0), incremental.shape)
    if inputs.shape[1]:
        flat = incremental.reshape(len(incremental), -1)
        fitted = METHODS[method](inputs, flat).reshape(incremental.shape)
    best = fitted.mean(axis=0, keepdims=True).argmax(axis=-1, keepdims=True)
    return np.asarray(fitted.max(axis=-1) - np.take_along_axis(fitted, best, axis=-1)[..., 0])


def _without(inputs: Floats, incremental: Floats, method: str) -> Floats:
    """Return what knowing the inputs is worth to the rest of the parameter sets, for each of ``PARTS`` parts that is left out."""
    part = np.random.default_rng(2).permutation(len(inputs)) % PARTS
    kept = [part != k for k in range(PARTS)]
    return np.array([float(_losses(_varying(inputs[rows]), incremental[rows], method).mean()) for rows in kept])


def _error(values: Floats) -> float:
    """Return the standard error of a value that comes to ``values`` with parts of the sample left out (Tukey's jackknife)."""
    return float(np.sqrt((len(values) - 1) / len(values) * ((values - values.mean()) ** 2).sum()))


def _floor(inputs: Sequence[Floats], incremental: Floats, method: str) -> float:
    """Return the value that in 95 % of shuffles the regression finds in none of ``inputs``, once they say nothing."""
    sets = len(incremental)
    # A larger sample leaves chance less to find, and costs more to search.
    shuffles = GP_SHUFFLES if method == "gp" else int(np.clip(SHUFFLES * 500 // sets, max(1, SHUFFLES // 5), SHUFFLES))
    rng = np.random.default_rng(1)
    # Shuffling what is explained parts it from the parameters just as well, and lets one regression see all shuffles.
    shuffled = np.stack([incremental[rng.permutation(sets)] for _ in range(shuffles)], axis=1)
    found = [_losses(table, shuffled, method).mean(axis=0) for table in inputs]
    return float(np.quantile(np.max(found, axis=0), SURE))


def _checked(sample: Sample, method: str) -> None:
    if method not in METHODS:
        raise ValueError(f"no regression named {method!r}; there are {', '.join(METHODS)}")
    if sample.sets < ENOUGH_SETS:
        raise ValueError(f"{sample.sets} parameter sets are too few to regress on; draw at least {ENOUGH_SETS}, better several hundred")


def _regressed(sample: Sample, willingness_to_pay: float, method: str) -> tuple[NDArray[np.intp], Floats]:
    """Return which parameter sets a regression sees, all or as many as its method bears, and their net benefits less the best design's."""
    benefit = sample.net_benefit(willingness_to_pay).to_numpy(np.float64)
    incremental = benefit - benefit[:, [int(np.argmax(benefit.mean(axis=0)))]]
    some = np.random.default_rng(0).permutation(sample.sets)[: MOST_SETS[method]] if method in MOST_SETS else np.arange(sample.sets)
    return some, incremental[some]


# --- what to learn ----------------------------------------------------------------------------------------------------


def evppi(
    sample: Sample, willingness_to_pay: float, groups: Mapping[str, Sequence[str]] | None = None, *, method: str = "spline"
) -> pd.DataFrame:
    """Return the expected value of knowing each parameter, or each group of parameters, exactly.

    ``groups``: names of parameters by the name of the group; default each parameter for itself. Columns: ``name``, ``parameters`` (joined
    by ``+``), ``value`` in EUR, ``se``: its standard error; ``floor``: what the same regression finds in nothing: in 19 of 20 shuffles of
    the parameter sets none of the rows with as many parameters is worth more (of 100 shuffles, fewer for gp and for more than 500 parameter
    sets; as in Westfall & Young 1993, so that many rows do not make one of them look worth knowing by luck); ``worth_knowing``: whether the
    value exceeds the floor and two standard errors; ``share``: of the EVPI; ``near_first``: whether the value lies within two standard
    errors of the highest, paired; ``method``; ``sets``: how many parameter sets were regressed on (gp takes 300 of more). Rows by
    descending value. A value never exceeds the EVPI.

    Standard errors are those of a jackknife over twelfths of the parameter sets (Quenouille 1956; Tukey 1958), each regression made anew.
    In the linear-normal case of the tests, at 128 and 512 sets, values spread by 0.8 to 0.9 times that much, and by 2.2 to 2.5 times the
    standard error that takes a regression as given.

    Raises ValueError for a parameter that does not vary or is not there, and for fewer than 20 parameter sets.
    """
    _checked(sample, method)
    known = list(sample.parameters)
    chosen = {name: (name,) for name in known} if groups is None else {name: tuple(members) for name, members in groups.items()}
    for name, members in chosen.items():
        missing = [member for member in members if member not in known]
        if missing or not members:
            raise ValueError(f"{name}: {', '.join(missing) or 'no parameter'} does not vary in this study")
    some, incremental = _regressed(sample, willingness_to_pay, method)
    most = evpi(sample, willingness_to_pay).value
    inputs = {name: _varying(sample.parameters[list(members)].to_numpy(np.float64)[some]) for name, members in chosen.items()}
    sizes = {len(members) for members in chosen.values()}
    with threadpool_limits(1):  # many small regressions, which threads of the linear algebra only get in the way of
        floors = {k: _floor([inputs[n] for n, members in chosen.items() if len(members) == k], incremental, method) for k in sorted(sizes)}
        values = {name: max(0.0, float(_losses(table, incremental, method).mean())) for name, table in inputs.items()}
        without = {name: _without(table, incremental, method) for name, table in inputs.items()}
    first = max(values, key=lambda name: values[name], default="")
    rows = []
    for name, members in chosen.items():
        value, floor = values[name], floors[len(members)]
        row = {"name": name, "parameters": "+".join(members), "value": min(value, most), "se": _error(without[name]), "floor": floor}
        row |= {"worth_knowing": value > max(floor, 2 * float(row["se"])), "share": min(value, most) / most if most > 0 else 0.0}
        rows.append(row | {"near_first": values[first] - value <= 2 * _error(without[first] - without[name])})
    table = pd.DataFrame(rows, columns=["name", "parameters", "value", "se", "floor", "worth_knowing", "share", "near_first"])
    return table.assign(method=method, sets=len(some)).sort_values(["value", "name"], ascending=[False, True], ignore_index=True)


def evsi(sample: Sample, willingness_to_pay: float, data: pd.DataFrame, *, method: str = "spline") -> Learnt:
    """Return the expected value of seeing data before the choice, in EUR, with its standard error and floor (as in ``evppi``).

    ``data``: what a survey or a pilot would show if a parameter set were true: one row per parameter set (index parameter_set), a column
    for each figure that it would give (``observed`` makes them, or simulate the pilot itself under the same sets). Never less than 0 nor
    more than the EVPI. Raises ValueError where data of a parameter set are missing.
    """
    _checked(sample, method)
    missing = sample.cost.index.difference(data.index)
    if len(missing):
        raise ValueError(f"no data for {len(missing)} parameter sets, such as {missing[0]}")
    some, incremental = _regressed(sample, willingness_to_pay, method)
    inputs = _varying(sound("data", data).loc[sample.cost.index].to_numpy()[some])
    with threadpool_limits(1):
        value = float(np.clip(_losses(inputs, incremental, method).mean(), 0.0, evpi(sample, willingness_to_pay).value))
        return Learnt(value, _error(_without(inputs, incremental, method)), _floor([inputs], incremental, method))


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
