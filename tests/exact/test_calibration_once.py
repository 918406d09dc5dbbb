"""The likelihood of adoption times against sums over all courses that may have been, written anew from the rule of a Bass contagion."""

from dataclasses import replace
from itertools import product

import networkx as nx
import numpy as np
import pytest

from school_mentoring.experiments.calibration.adoption_times import intervals, once_obstacles, times_log_likelihood
from school_mentoring.experiments.calibration.calibrate import asked, calibrate, problem_of
from school_mentoring.experiments.calibration.posterior import exact_of, obstacles
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.errors import InputError
from school_mentoring.model.world.network import Peers
from tests.pilots import Pilot, adoption_years, contagion, many_nodes, seven_schools

P, Q = np.linspace(0.0005, 0.02, 80), np.linspace(0.005, 0.2, 80)
FIT = "p=0.0005:0.02,q_out=0.005:0.2"


def weights_of(pilot):
    """Return the exposure matrix, (n, n)."""
    world, _ = Worlds(pilot.scenario).get(pilot.scenario.base_parameters(), 0)
    weights = np.zeros((len(pilot.months),) * 2)
    tie = Peers(world.peer_start, world.peer, world.row_weight, world.weight).full_weights()
    for i in range(len(weights)):
        here = slice(world.peer_start[i], world.peer_start[i + 1])
        weights[i, world.peer[here]] = tie[here]
    return weights


def of_months(months, weights, last, p, q):
    """Return the log chance that schools adopt in these months (-1: not by the last one), of p and q of one shape."""
    found = np.zeros_like(p)
    for month in range(last):
        adopted = (months >= 0) & (months <= month)
        exposure = weights @ adopted
        for i in np.flatnonzero(~adopted):
            stays = (1 - p) * (1 - q * exposure[i])
            found += np.log(1 - stays) if months[i] == month + 1 else np.log(stays)
    return found


def fitted(pilot: Pilot, folder, fit=FIT, **options):
    chosen = asked(fit=fit, **options)
    problem, _ = problem_of(pilot.scenario, pilot.observations, chosen, start=pilot.start, end=pilot.end)
    return calibrate(problem, chosen, folder / "out")


def problem(pilot: Pilot):
    return problem_of(pilot.scenario, pilot.observations, asked(fit=FIT), start=pilot.start, end=pilot.end)[0]


def test_particles_sum_over_all_months_in_which_schools_may_have_adopted(tmp_path):
    """Seven schools seen at months 0, 4 and 8: the chances of all their courses, one by one.

    One estimate has a standard deviation of some hundredths; the mean of 100 with other seeds must be within 4 of its standard errors.
    """
    pilot = seven_schools(tmp_path, seed=4)
    one = problem(pilot)
    months = np.array([0, 4, 8])
    shares = (pilot.months >= 0) & (pilot.months <= months[:, None])
    survey = replace(one.survey, months=(0, 4, 8), practices=(0, 0, 0), shares=shares * 1.0, respondents=np.ones((3, 7), np.int64))
    survey = replace(survey, respondents=survey.respondents - (np.arange(7) == 3) * np.array([[0], [1], [0]]))  # one school was missed once
    earliest, latest = intervals(survey, 0)
    choices = [[0] if a == 0 else [-1] if b > 8 else list(range(a, b + 1)) for a, b in zip(earliest.tolist(), latest.tolist(), strict=True)]
    courses = np.array(list(product(*choices)))
    assert len(courses) == 2048
    p, q = np.array([0.01, 0.05, 0.1]), np.array([0.15, 0.6, 0.4])
    weights = weights_of(pilot)
    exact = np.log(sum(np.exp(of_months(course, weights, 8, p, q)) for course in courses))
    values = np.stack([p, q], axis=1)
    found = np.array(
        [times_log_likelihood(one.scenario, one.world, survey, ("p", "q_out"), values, seed, threads=1) for seed in range(100)]
    )
    ratios = np.exp(found - exact)
    assert (ratios.std(axis=0) > 0).all()
    assert (ratios.std(axis=0) < 0.2).all()
    assert (np.abs(ratios.mean(axis=0) - 1) < 4 * ratios.std(axis=0) / 10).all()


def test_schools_that_take_turns_have_no_such_likelihood(tmp_path):
    one = problem(seven_schools(tmp_path))
    known = one.schools, one.survey, one.prior.names
    assert once_obstacles(one.scenario, one.world, *known) == []
    assert once_obstacles(one.scenario, one.world._replace(sequential=True), *known) == ["schools take turns"]


def test_known_months_have_the_product_of_their_chances(tmp_path):
    pilot = adoption_years(tmp_path, by="month")
    one = problem(pilot)
    p, q = np.array([0.001, 0.01, 0.02]), np.array([0.2, 0.05, 0.1])
    found = times_log_likelihood(one.scenario, one.world, one.survey, ("p", "q_out"), np.stack([p, q], axis=1), 1)
    np.testing.assert_allclose(found, of_months(pilot.months, weights_of(pilot), 71, p, q), rtol=1e-10)


def grid_posterior(pilot, p=P, q=Q):
    """Return means, sds and 90 % intervals of p and q_out on a grid, from the months of adoption themselves."""
    a, b = np.meshgrid(p, q, indexing="ij")
    height = of_months(pilot.months, weights_of(pilot), pilot.scenario.months - 1, a, b)
    weight = np.exp(height - height.max())
    weight /= weight.sum()
    for axis, values in enumerate((p, q)):
        marginal = weight.sum(axis=1 - axis)
        mean = marginal @ values
        total = np.concatenate([[0.0], np.cumsum((marginal[1:] + marginal[:-1]) / 2)])
        yield mean, np.sqrt(marginal @ (values - mean) ** 2), np.interp([0.05, 0.95], total / total[-1], values)


def assert_grid_posterior(found, expected):
    """Hold means to 8 % of the sd and ends of 90 % intervals to 6 % of their width.

    Of 3,000 effective draws a mean has a standard error of 2 % of the sd, and an end one of 1.2 % of the width, by the density of a normal
    there; so that is four and five of them. Which draws they are depends on the processor's linear algebra.
    """
    assert found.state["likelihood"] == "exact"
    for name, (mean, sd, (low, high)) in zip(("p", "q_out"), expected, strict=True):
        assert abs(found.draws[name].mean() - mean) < 0.08 * sd
        assert np.abs(found.draws[name].quantile([0.05, 0.95]) - [low, high]).max() < 0.06 * (high - low)


def test_38_schools_that_adopt_once_in_known_months_have_the_grid_posterior(tmp_path):
    pilot = adoption_years(tmp_path, by="month")
    assert_grid_posterior(fitted(pilot, tmp_path), grid_posterior(pilot))


@pytest.mark.parametrize(("seed", "ends"), [(4, (0.05, 1.0)), (5, (0.05, 0.1)), (6, (0.2, 0.9))])
def test_a_posterior_that_leans_on_zero_has_the_mass_there_that_a_grid_gives(tmp_path, seed, ends):
    """Wide priors, and truths at which q_out is next to nothing: mass of the lowest tenth, quarter and half, and sds, within 5 %."""
    graph = nx.gnm_random_graph(60, 120, seed=seed)
    pilot = contagion(tmp_path, graph, {"p": 0.008, "q_out": 0.01 * (seed == 5)}, months=72, at_start=[0, 1], seed=seed)
    found = fitted(pilot, tmp_path, f"p=0:{ends[0]},q_out=0:{ends[1]}")
    p, q = 0.03 * (np.arange(240) + 0.5) / 240, 0.1 * (np.arange(400) + 0.5) / 400
    a, b = np.meshgrid(p, q, indexing="ij")
    height = of_months(pilot.months, weights_of(pilot), 71, a, b)
    weight = np.exp(height - height.max())
    for axis, (name, values) in enumerate((("p", p), ("q_out", q))):
        marginal = weight.sum(axis=1 - axis) / weight.sum()
        mean, total = marginal @ values, np.concatenate([[0.0], np.cumsum(marginal)])
        assert found.draws[name].std() == pytest.approx(np.sqrt(marginal @ (values - mean) ** 2), rel=0.05)
        edges = np.concatenate([[0.0], values + (values[1] - values[0]) / 2])
        for share in (0.1, 0.25, 0.5):
            assert (found.draws[name] < np.interp(share, total, edges)).mean() == pytest.approx(share, rel=0.05)


def test_each_condition_of_the_exact_likelihood_that_fails_is_named(tmp_path):
    one = problem(seven_schools(tmp_path))
    wanted = replace(one, scenario=one.scenario, world=one.world._replace(sequential=True), pooled=("p",))
    with pytest.raises(InputError) as refused:
        exact_of(wanted, "exact")
    assert "parameters are pooled (--pool); schools take turns" in str(refused.value)
    fits_d = replace(one.prior, variables=(*one.prior.variables, replace(one.prior.variables[0], name="d")))
    assert obstacles(replace(one, prior=fits_d)) == ["d is fitted, not 0"]
    assert obstacles(one) == []


def test_a_thousand_nodes_seen_at_ten_steps_have_the_grid_posterior(tmp_path):
    pilot = many_nodes(tmp_path, 1000)
    p, q = np.linspace(0.001, 0.05, 120), np.linspace(0.05, 0.8, 120)
    assert_grid_posterior(fitted(pilot, tmp_path, "p=0.001:0.05,q_out=0.05:0.8"), grid_posterior(pilot, p, q))


def test_38_schools_seen_by_the_year_have_nearly_the_posterior_that_months_give(tmp_path):
    """Years hide the order within a year, which is some of what six years say: means move by less than 0.8 sd, sds by a quarter."""
    pilot = adoption_years(tmp_path)
    found = fitted(pilot, tmp_path)
    assert found.state["likelihood"] == "particle filter"
    assert found.state["effective"] > 1000
    for name, (mean, sd, _) in zip(("p", "q_out"), grid_posterior(pilot), strict=True):
        assert abs(found.draws[name].mean() - mean) < 0.8 * sd
        assert 0.8 < found.draws[name].std() / sd < 1.25


def test_a_start_that_the_two_tables_tell_differently_is_refused(tmp_path):
    pilot = seven_schools(tmp_path)
    schools = pilot.schools.read_text(encoding="utf-8")
    assert "synthetic-1,1,1,1" in schools
    pilot.schools.write_text(schools.replace("synthetic-1,1,1,1", "synthetic-1,1,1,0"), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        problem(pilot)
    assert str(refused.value).endswith(
        " school synthetic-1: adoption was there at the start, but adopters_at_start of the school table is 0; correct one of the two"
    )
