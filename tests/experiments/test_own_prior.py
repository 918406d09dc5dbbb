"""Priors that a user states have the quantiles that their names promise, within what a parameter may be; others are refused."""

import numpy as np
import pytest
from scipy import stats

from school_mentoring.experiments.calibration.prior import prior_of
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import load_scenario

PILOT = load_scenario("mensi-pilot")
LEVELS = np.array([0.05, 0.5, 0.95])


def quantiles(text):
    """Return the quantiles of a prior at LEVELS, (3,)."""
    prior = prior_of(PILOT, (text,), kind="counts")
    return prior.values(stats.norm.ppf(LEVELS)[:, None])[:, 0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("p=lognormal:-5:1", stats.lognorm(1, scale=np.exp(-5))),
        ("q_in=normal:0.2:0.02", stats.norm(0.2, 0.02)),
        ("beta=pert:0.03:0.06:0.11", stats.beta(1 + 4 * 3 / 8, 1 + 4 * 5 / 8, 0.03, 0.08)),
        ("d=beta:2:50", stats.beta(2, 50)),
        ("d=triangular:0.01:0.02:0.05", stats.triang(0.25, 0.01, 0.04)),
        ("p=loguniform:0.001:0.1", stats.loguniform(0.001, 0.1)),
        ("p=uniform:0.001:0.1", stats.uniform(0.001, 0.099)),
    ],
)
def test_a_prior_of_ones_own_has_the_quantiles_of_its_name(text, expected):
    np.testing.assert_allclose(quantiles(text), expected.ppf(LEVELS), rtol=2e-4)


def test_a_prior_is_cut_to_what_the_parameter_may_be():
    found = quantiles("p=normal:0:0.1")  # a half-normal, as p is not negative
    np.testing.assert_allclose(found, stats.halfnorm(0, 0.1).ppf(LEVELS), rtol=2e-3)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("p=lognormale:-5:1", "no distribution named 'lognormale'; did you mean 'lognormal'?"),
        ("p=lognormal:-5", "lognormal has 2 numbers (mean of the logarithm, its sd), not 1"),
        ("p=lognormal:-5:0", "there is no such lognormal distribution; allowed: p=lognormal:MEAN-OF-THE-LOGARITHM:ITS-SD"),
        ("beta=pert:0.1:0.05:0.2", "there is no such pert distribution"),
        ("p=normal:x:1", "'x' is not a number"),
        ("p=normal:50:0.1", "lies outside of what p may be; allowed: 0 to 1"),
        ("peer_distance=normal:0.1:0.01", "decides which schools there are, not what they do"),
    ],
)
def test_no_prior_is_refused_with_what_is_allowed(text, told):
    with pytest.raises(InputError) as caught:
        prior_of(PILOT, (text,), kind="counts")
    assert told in str(caught.value)
