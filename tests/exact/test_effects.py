"""Effects of regions and months: the likelihood against sums and integrals written anew, and draws of what the level will be."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats

from school_mentoring.experiments.calibration.adoption_times import times_log_likelihood
from school_mentoring.experiments.calibration.calibrate import asked, problem_of
from school_mentoring.experiments.calibration.effects import courses_of, known_log_likelihood, readiness_factors
from school_mentoring.model.errors import InputError
from tests.pilots import many_nodes, seven_schools

POINTS = np.array([[0.02, 0.3], [0.05, 0.1]])


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """Return a problem of 300 schools of one region, seen at each of ten steps."""
    pilot = many_nodes(tmp_path_factory.mktemp("many"), 300)
    problem = problem_of(pilot.scenario, pilot.observations, asked(fit="p,q_out"), start=pilot.start, end=pilot.end)[0]
    return replace(problem, world=problem.world._replace(region=np.zeros(300, np.int32)))


def test_without_effects_it_is_the_likelihood_of_known_months(one):
    at = one.scenario, one.world, one.survey, ("p", "q_out"), POINTS
    np.testing.assert_allclose(known_log_likelihood(*at), times_log_likelihood(*at, 1), rtol=1e-10)


def test_effects_of_a_region_are_summed_over_as_an_integral_says(one):
    """One region: its effect is one number, and the likelihood the integral of that of chances times exp of it; Laplace is off by 1 %."""
    names, spread = ("p", "q_out", "between_regions"), 0.4
    found = known_log_likelihood(one.scenario, one.world, one.survey, names, np.array([[0.02, 0.3, spread]]))[0]
    shares = one.survey.shares > 0.5
    row = np.repeat(np.arange(300), np.diff(one.world.peer_start))
    risk = []
    for month in range(len(shares) - 1):
        seen = one.world.row_weight[row] * shares[month][one.world.peer]
        chance = 1.0 - (1.0 - 0.02) * (1.0 - 0.3 * np.bincount(row, weights=seen, minlength=300))
        risk += list(zip(chance[~shares[month]], shares[month + 1][~shares[month]], strict=True))
    chance, did = (np.array(column) for column in zip(*risk, strict=True))

    def log_density(b: float) -> float:
        now = np.minimum(chance * np.exp(b), 0.999)
        return float(np.log(np.where(did, now, 1.0 - now)).sum() + stats.norm.logpdf(b, scale=spread))

    top = max(log_density(b) for b in np.linspace(-1, 1, 201))
    exact = top + np.log(integrate.quad(lambda b: np.exp(log_density(b) - top), -1.5, 1.5, points=[-0.3, 0.0, 0.3])[0])
    assert found == pytest.approx(exact, abs=0.01)


def test_a_level_is_drawn_on_from_where_it_stands_and_grows_as_uncertain_as_a_random_walk(one):
    """Ten steps more: the variance of the logarithm grows by drift squared a step, which 4,000 draws know to some 3 %."""
    names, values = ("p", "q_out", "drift"), np.tile([[0.02, 0.3, 0.2]], (4000, 1))
    last = one.survey.horizon - 1
    level = np.log(readiness_factors(one.scenario, one.world, one.survey, names, values, last + 10, 1)[:, :, 0])
    grown = (level[:, last + 9] - level[:, last - 1]).var()
    assert grown == pytest.approx(10 * 0.2**2, rel=0.12)
    assert abs((level[:, last + 9] - level[:, last - 1]).mean()) < 5 * np.sqrt(grown / 4000)


def test_months_that_are_not_known_have_no_effects(tmp_path):
    pilot = seven_schools(tmp_path, seed=4)
    options = asked(fit="p,q_out,drift")
    problem = problem_of(pilot.scenario, pilot.observations, options, start=pilot.start, end=pilot.end)[0]
    assert courses_of(problem.survey, problem.world) is not None
    coarse = problem.survey.only(np.isin(problem.survey.months, (0, 4, 8))[:, None] & problem.survey.seen)
    assert courses_of(coarse, problem.world) is None
    with pytest.raises(InputError, match="only times of adoption have it"):
        from school_mentoring.experiments.calibration.prior import prior_of

        prior_of(pilot.scenario, ("drift",), kind="counts")
