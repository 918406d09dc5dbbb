"""Distributions against SciPy and their moments, and the three ways of laying out parameter sets."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import qmc

from school_mentoring.experiments.distributions import DISTRIBUTIONS, Variable, quantile, sobol_points
from school_mentoring.experiments.variables import MOST_SETS, count_sets, sample
from school_mentoring.model.errors import InputError
from school_mentoring.model.parameters import PARAMETERS

U = np.linspace(0.0005, 0.9995, 1000)
DIGITS = 5.01e-12  # half a unit of the 12th significant digit, to which values are rounded


def beta(low, mode, high):
    return stats.beta(1 + 4 * (mode - low) / (high - low), 1 + 4 * (high - mode) / (high - low), loc=low, scale=high - low)


@pytest.mark.parametrize(
    ("distribution", "reference"),
    [
        ("uniform", stats.uniform(0.2, 1.8)),
        ("loguniform", stats.loguniform(0.2, 2.0)),
        ("triangular", stats.triang(0.3 / 1.8, loc=0.2, scale=1.8)),
        ("pert", beta(0.2, 0.5, 2.0)),
    ],
)
def test_quantiles_are_those_of_scipy(distribution, reference):
    np.testing.assert_allclose(quantile(0.2, 0.5, 2.0, distribution, U), reference.ppf(U), rtol=DIGITS)


@pytest.mark.parametrize(
    ("distribution", "mean", "variance"),
    [
        ("uniform", 1.1, 1.8**2 / 12),
        ("loguniform", 1.8 / np.log(10.0), (4.0 - 0.04) / (2 * np.log(10.0)) - (1.8 / np.log(10.0)) ** 2),
        ("triangular", 2.7 / 3, (0.04 + 0.25 + 4.0 - 0.1 - 0.4 - 1.0) / 18),
        ("pert", (0.2 + 4 * 0.5 + 2.0) / 6, ((0.2 + 4 * 0.5 + 2.0) / 6 - 0.2) * (2.0 - (0.2 + 4 * 0.5 + 2.0) / 6) / 7),
    ],
)
def test_moments_are_those_worked_out_by_hand(distribution, mean, variance):
    u = (np.arange(200_000) + 0.5) / 200_000  # the midpoint rule: its error is below 1e-6 of the range for these
    values = quantile(0.2, 0.5, 2.0, distribution, u)
    assert values.mean() == pytest.approx(mean, rel=1e-5)
    assert values.var() == pytest.approx(variance, rel=1e-4)


def test_an_integer_has_the_chances_of_a_pert_half_a_step_wider():
    reference = beta(1.5, 4.0, 9.5)
    u = (np.arange(100_000) + 0.5) / 100_000
    values, counts = np.unique(quantile(2.0, 4.0, 9.0, "integer", u), return_counts=True)
    assert values.tolist() == list(range(2, 10))
    chances = np.diff(reference.cdf(np.arange(1.5, 10.0)))
    np.testing.assert_allclose(counts / 100_000, chances, atol=2e-5)  # each count is exact to one point at either end


ranges = st.tuples(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.floats(0.0, 1.0)).filter(lambda r: r[0] < r[1])


@given(ranges, st.sampled_from(DISTRIBUTIONS), st.lists(st.floats(2.0**-54, 1 - 2.0**-53), min_size=2, max_size=20))
def test_values_lie_in_the_range_and_rise_with_u(given_range, distribution, u):
    low, high, share = given_range
    if distribution == "integer":
        low, high = float(np.floor(low)), float(np.ceil(high))
    base = min(max(low + share * (high - low), low), high)
    values = quantile(low, base, high, distribution, np.sort(np.array(u)))
    assert (values >= low).all()
    assert (values <= high).all()
    assert (np.diff(values) >= 0).all()
    if distribution == "integer":
        assert (values == np.rint(values)).all()


def test_a_range_without_width_gives_its_base():
    assert quantile(3.0, 3.0, 3.0, "pert", U[:4]).tolist() == [3.0] * 4


def test_choices_share_the_probability_evenly():
    values = Variable("top_down.scope", choices=("country", "region", "peers")).values(
        np.array([0.01, 0.33, 0.34, 0.66, 0.67, 1 - 2.0**-53])
    )
    assert values.tolist() == ["country", "country", "region", "region", "peers", "peers"]


@pytest.mark.parametrize("count", [1, 8, 100])
def test_sobol_points_are_those_of_scipy(count):
    reference = qmc.Sobol(5, scramble=True, rng=np.random.default_rng(7)).random(128)[:count]
    assert (sobol_points(5, count, 7) == reference).all()


def test_another_seed_scrambles_otherwise():
    assert (sobol_points(3, 16, 1) != sobol_points(3, 16, 2)).all()


VARIABLES = [Variable("gamma", 0.0, 0.5, 1.0), Variable("q_in", 10.0, 15.0, 20.0), Variable("top_down.scope", choices=("region", "peers"))]


def test_sobol_sets_have_a_balanced_first_half_and_whole():
    sets = sample("sobol:64", VARIABLES, 3)
    for part in (
        sets.iloc[:32],
        sets,
    ):  # a scrambled Sobol sequence puts equally many points into every half, quarter, ... of a power of two
        counts = np.histogram(part["gamma"], bins=32, range=(0, 1))[0]
        assert (counts == len(part) // 32).all()
        assert (part["top_down.scope"] == "peers").sum() == len(part) // 2


def test_a_latin_hypercube_has_one_point_in_every_stratum():
    sets = sample("lhs:50", VARIABLES, 3)
    assert (np.sort(np.floor(sets["gamma"] * 50)) == np.arange(50)).all()
    assert (np.sort(np.floor((sets["q_in"] - 10) * 5)) == np.arange(50)).all()
    assert (sets["top_down.scope"] == "peers").sum() == 25
    assert np.abs(np.corrcoef(sets["gamma"], sets["q_in"])[0, 1]) < 4 / np.sqrt(50)  # 4 standard errors of independence


def test_a_grid_counts_like_an_odometer():
    sets = sample("grid:3", VARIABLES, 1)
    expected = list(itertools.product([0.0, 0.5, 1.0], [10.0, 15.0, 20.0], ["region", "peers"]))
    assert list(sets.itertuples(index=False, name=None)) == expected


@pytest.mark.parametrize(
    ("variable", "steps", "values"),
    [
        (Variable("n", 1.0, 3.0, 5.0, "integer"), 3, [1, 3, 5]),
        (Variable("n", 1.0, 2.0, 3.0, "integer"), 10, [1, 2, 3]),
        (Variable("x", 1.0, 2.0, 100.0, "loguniform"), 3, [1, 10, 100]),
        (Variable("x", 0.1, 0.2, 0.4), 4, [0.1, 0.2, 0.3, 0.4]),
        (Variable("x", 2.0, 2.0, 2.0), 7, [2]),
        (Variable("x", 1.0, 2.0, 3.0), 1, [1]),
    ],
)
def test_a_grid_of_one_variable(variable, steps, values):
    assert variable.grid(steps) == values


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 60), st.sampled_from(DISTRIBUTIONS))
def test_the_size_of_a_grid_is_told_without_making_it(low, width, steps, distribution):
    variable = Variable("x", low + 1.0, low + 1.0 + width / 2, low + 1.0 + width, distribution)
    grid = variable.grid(steps)
    assert len(grid) == variable.grid_size(steps)
    assert grid == sorted(set(grid))


def test_a_huge_grid_is_counted_and_refused_at_once():
    assert count_sets(f"grid:{10**9}", VARIABLES[:2]) == 10**18
    with pytest.raises(InputError, match=r"gives 1,000,000,000,000,000,000 parameter sets; allowed: at most 16,777,216"):
        sample(f"grid:{10**9}", VARIABLES[:2], 1)
    with pytest.raises(InputError, match="cut it into studies"):
        sample(f"sobol:{MOST_SETS + 1}", VARIABLES, 1)


@pytest.mark.parametrize("spec", ["", "sobol", "sobol:", "sobol:0", "lhs:-3", "grid:1.5", "halton:4", "sobol:²", "lhs:" + "9" * 5000])
def test_what_is_no_sampling_is_refused(spec):
    with pytest.raises(InputError, match="is no sampling; allowed: sobol:N, lhs:N, grid:N") as caught:
        sample(spec, VARIABLES, 1)
    assert len(str(caught.value)) < 250


def test_the_same_seed_gives_the_same_sets_and_another_gives_others():
    for spec in ("sobol:16", "lhs:16"):
        assert sample(spec, VARIABLES, 5).equals(sample(spec, VARIABLES, 5))
        assert (sample(spec, VARIABLES, 5)["gamma"] != sample(spec, VARIABLES, 6)["gamma"]).any()


def test_drawn_sets_are_sobol_points_through_the_quantiles_of_the_table():
    rows = [PARAMETERS[name] for name in ("gamma", "q_in")]
    drawn = sample("sobol:6", [Variable(row.name, row.low, row.base, row.high, row.distribution) for row in rows], 9)
    points = sobol_points(2, 6, 9)
    for j, row in enumerate(rows):
        expected = quantile(row.low, row.base, row.high, row.distribution, points[:, j])
        assert drawn[row.name].tolist() == expected.tolist()
