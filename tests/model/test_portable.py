"""The portable functions are as exact as they say, against arithmetic of 50 digits."""

import itertools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_mentoring.model.portable import exp, log, power
from tests.worlds import source_of

mpmath.mp.dps = 50
rng = np.random.default_rng(2024)


def error_in_ulp(computed: float, exact: mpmath.mpf) -> float:
    """Return the error in units in the last place of the double nearest to the exact value."""
    return float(abs(mpmath.mpf(computed) - exact) / math.ulp(float(exact)))


def worst(function, exact, points) -> float:
    return max(error_in_ulp(function(float(x)), exact(mpmath.mpf(float(x)))) for x in points)


def beside(points) -> np.ndarray:
    """Return points with the doubles just below and above them, where a reduction to a core interval goes wrong first."""
    points = np.asarray(points, float)
    return np.concatenate([points, np.nextafter(points, -np.inf), np.nextafter(points, np.inf)])


EXP_POINTS = {
    "the whole range": rng.uniform(-708.0, 709.0, 4000),
    "exponents of rules": rng.uniform(-30.0, 5.0, 4000),
    "around zero": np.concatenate([10.0 ** rng.uniform(-300, 0, 1000), -(10.0 ** rng.uniform(-300, 0, 1000))]),
    "cuts between powers of two": beside((np.arange(-1020, 1022) + 0.5) * math.log(2.0)),
}
LOG_POINTS = {
    "all magnitudes": 10.0 ** rng.uniform(-307, 308, 4000),
    "around one": beside(1.0 + np.concatenate([10.0 ** rng.uniform(-16, -1, 2000), -(10.0 ** rng.uniform(-16, -1, 2000))])),
    "cuts between powers of two": beside(math.sqrt(0.5) * 2.0 ** np.arange(-1000, 1000)),
    "amounts of money and uniforms": np.concatenate([1.0 + rng.uniform(0, 1000, 2000), rng.random(2000) + 1e-16]),
}


@pytest.mark.parametrize("where", EXP_POINTS)
def test_exp_errs_by_less_than_one_and_a_half_units_in_the_last_place(where):
    # The bound is the one its docstring states.
    assert worst(exp, mpmath.exp, EXP_POINTS[where]) < 1.5


@pytest.mark.parametrize("where", LOG_POINTS)
def test_log_errs_by_less_than_two_units_in_the_last_place(where):
    # The bound is the one its docstring states.
    points = LOG_POINTS[where]
    assert worst(log, mpmath.log, points[points != 1.0]) < 2.0


@pytest.mark.parametrize(
    ("x", "value"),
    [(0.0, 1.0), (-0.0, 1.0), (-708.5, 0.0), (-1e9, 0.0), (-math.inf, 0.0), (5e-324, 1.0)],
)
def test_exp_is_exact_where_it_must_be(x, value):
    assert exp(x) == value


@pytest.mark.parametrize("x", [709.0, 709.5, 1e6, math.inf])
def test_exp_stays_at_its_largest_value_above_709(x):
    assert exp(x) == exp(709.0) < math.inf


def test_log_of_one_is_exactly_zero():
    assert log(1.0) == 0.0


@pytest.mark.parametrize("exponent", [-1000, -52, -1, 1, 10, 1000])
def test_log_of_a_power_of_two_is_the_nearest_double_or_its_neighbour(exponent):
    assert log(2.0**exponent) == pytest.approx(exponent * math.log(2.0), rel=2.3e-16)


@given(st.floats(0.0, 1.0))
def test_power_with_exponent_one_is_the_identity_to_the_bit(base):
    assert power(base, 1.0) == base


@given(st.floats(0.1, 10.0))
def test_power_of_zero_is_zero(exponent):
    assert power(0.0, exponent) == 0.0


@given(st.floats(0.1, 10.0))
def test_power_of_one_is_one(exponent):
    assert power(1.0, exponent) == 1.0


def test_power_errs_by_what_its_exponent_magnifies():
    # y ln x carries at most 2.5 units of relative error (2 of the logarithm, 1/2 of the product); the exponential turns that into
    # |y ln x| x 2.5 x 2**-52 relative, at most twice as many units of the result, and adds 1.5 of its own.
    for x, y in zip(rng.random(5000), rng.uniform(0.1, 10.0, 5000), strict=True):
        exact = mpmath.mpf(x) ** mpmath.mpf(y)
        assert error_in_ulp(power(x, y), exact) < 5.0 * abs(y * math.log(x)) + 1.5


@given(st.floats(-708.0, 709.0), st.floats(1e-12, 10.0))
def test_exp_rises(x, step):
    # Steps far above the spacing of doubles around x, so that rounding cannot hide a fall.
    assert exp(min(709.0, x + step * max(1.0, abs(x)))) >= exp(x)


@given(st.floats(1e-300, 1e300), st.floats(1e-12, 10.0))
def test_log_rises(x, step):
    assert log(x * (1.0 + step)) > log(x)


@pytest.mark.parametrize("exponent", [0.1, 0.7, 1.0, 1.3, 2.0, 10.0])
@pytest.mark.parametrize("teachers", [1, 7, 1000])
def test_power_rises_over_the_shares_that_a_school_can_have(exponent, teachers):
    raised = [power(k / teachers, exponent) for k in range(teachers + 1)]
    assert all(a < b for a, b in itertools.pairwise(raised))


@pytest.mark.parametrize("function", [exp, log])
@given(x=st.floats(1e-300, 700.0))
def test_compiled_and_interpreted_function_give_the_same_bits(function, x):
    assert function(x) == source_of(function)(np.float64(x))


@given(st.floats(0.0, 1.0), st.floats(0.1, 10.0))
def test_compiled_and_interpreted_power_give_the_same_bits(base, exponent):
    assert power(base, exponent) == source_of(power)(base, exponent)
