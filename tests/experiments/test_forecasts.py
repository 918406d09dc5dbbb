"""What is held out, what the model and its rivals forecast from the state that was seen, and how that is scored."""

from dataclasses import replace

import numpy as np
import pytest

from school_mentoring.experiments.calibration.adoption_times import courses
from school_mentoring.experiments.calibration.calibrate import asked, calibrate, problem_of
from school_mentoring.experiments.calibration.findings import Predicted
from school_mentoring.experiments.calibration.forecast import _agreeing, error_of, rival_forecasts
from school_mentoring.experiments.calibration.hold_out import splits_of
from school_mentoring.experiments.calibration.rivals import RIVALS, course_of, fit_rival
from school_mentoring.experiments.calibration.survey import Groups, Survey
from school_mentoring.model.errors import InputError
from tests.pilots import many_nodes, seven_schools

SURVEY = Survey("counts", (3, 9, 20), (0, 0, 0), np.full((3, 10), 0.5), np.full((3, 10), 4), np.zeros((3, 10)), ("practice",))
HALVES = {"a": np.arange(10) < 5, "b": np.arange(10) >= 5}
THIRDS = {"a": np.arange(10) < 3, "b": (np.arange(10) >= 3) & (np.arange(10) < 6), "c": np.arange(10) >= 6}


def held(text, clusters=HALVES):
    return splits_of(text, SURVEY, Groups({}, clusters), 1, int)


@pytest.mark.parametrize(
    ("text", "waves"),
    [
        ("wave=last", [[2]]),
        ("wave=2", [[1]]),
        ("last=2", [[1, 2]]),
        ("after=3", [[1, 2]]),
        ("after=12", [[2]]),
        ("rolling=2", [[1, 2], [2]]),
    ],
)
def test_in_time_whole_waves_are_held_out_and_all_later_ones(text, waves):
    found = held(text)
    assert [np.flatnonzero(split.held.any(axis=1)).tolist() for split in found] == waves
    assert all(split.held[split.held.any(axis=1)].all() for split in found)


def test_of_clusters_as_many_are_held_out_as_come_nearest_to_the_share_and_never_half_for_a_fifth():
    assert {int(split.held.any(axis=0).sum()) for split in held("clusters=0.3", THIRDS)} <= {3, 4}
    assert int(held("clusters=0.5")[0].held.any(axis=0).sum()) == 5
    assert int(held("schools=0.2")[0].held.any(axis=0).sum()) == 2
    with pytest.raises(InputError, match=r"clusters=0.2: the smallest holds 50 % of the schools; allowed: schools=SHARE"):
        held("clusters=0.2")
    each = [(split.name, np.flatnonzero(split.held.any(axis=0)).tolist()) for split in held("clusters=each", THIRDS)]
    assert each == [("a", [0, 1, 2]), ("b", [3, 4, 5]), ("c", [6, 7, 8, 9])]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("after=20", "waves are seen from month 3 to 20"),
        ("after=2", "waves are seen from month 3 to 20"),
        ("last=3", "there are 3 waves; allowed: last=K .* K from 1 to 2"),
        ("rolling=x", "there are 3 waves"),
        ("clusters=all", "is no share of the clusters"),
        ("cluster=0.2", "names nothing that can be held out; did you mean 'clusters'"),
    ],
)
def test_what_cannot_be_held_out_is_refused_with_what_can(text, told):
    with pytest.raises(InputError, match=told):
        held(text)


def test_a_forecast_goes_on_from_the_state_that_was_seen_by_the_rule_of_the_model(tmp_path):
    """Seven schools, the state at month 4: a month later each has adopted with chance 1 - (1 - p)(1 - q E), to 5 standard errors."""
    pilot = seven_schools(tmp_path, seed=4)
    one = problem_of(pilot.scenario, pilot.observations, asked(fit="p,q_out"), start=pilot.start, end=pilot.end)[0]
    shares = (pilot.months >= 0) & (pilot.months <= np.array([4, 5])[:, None])
    survey = replace(one.survey, months=(4, 5), practices=(0, 0), shares=shares * 1.0, respondents=np.ones((2, 7), np.int64))
    kept = np.array([[True] * 7, [False] * 7])
    runs = 20_000
    found = courses(one.scenario, one.world, survey, kept, ("p", "q_out"), np.tile([[0.05, 0.4]], (runs, 1)), 1)
    assert (found[:, 0] == shares[0]).all()
    assert (found[:, 1] >= shares[0]).all()
    row = np.repeat(np.arange(7), np.diff(one.world.peer_start))
    exposure = np.bincount(row, weights=one.world.row_weight[row] * shares[0][one.world.peer], minlength=7)
    chance = np.where(shares[0], 1.0, 1.0 - (1.0 - 0.05) * (1.0 - 0.4 * exposure))
    assert (np.abs(found[:, 1].mean(axis=0) - chance) <= 5.0 * np.sqrt(chance * (1.0 - chance) / runs)).all()


def test_a_school_takes_its_course_from_runs_that_agree_with_its_earlier_answers():
    """One parameter set, two runs: in one the first school is full and the second empty, in the other the reverse."""
    survey = Survey("counts", (3, 9), (0, 0), np.array([[1.0, 1.0], [1.0, 1.0]]), np.full((2, 2), 10), np.zeros((2, 2)), ("practice",))
    adopters = np.array([[[10, 0], [10, 0]], [[0, 10], [0, 10]]], np.int32)
    earlier = np.array([[True, True], [False, False]])
    found, _ = _agreeing(survey, earlier, Predicted(adopters, np.full((2, 2), 10, np.int32), np.zeros(0)), np.zeros(2), 2, 1)
    assert (found.adopters == 10).all()


def test_a_constant_hazard_is_adoptions_over_school_months_and_rivals_see_no_school_that_is_held_out(tmp_path):
    pilot = many_nodes(tmp_path, 300)
    one = problem_of(pilot.scenario, pilot.observations, asked(fit="p,q_out"), start=pilot.start, end=pilot.end)[0]
    adopted = (pilot.months >= 0) & (pilot.months <= np.arange(11)[:, None])
    at_risk, joined = (~adopted[:-1]).sum(), (adopted[1:] & ~adopted[:-1]).sum()
    course = course_of(one.survey, one.survey.seen, one.world, {})
    draws = 1.0 / (1.0 + np.exp(-fit_rival(RIVALS[0], course, 1)[:, 0]))
    usual = joined / at_risk
    assert abs(draws.mean() - usual) < 5.0 * np.sqrt(usual / at_risk)
    assert 0.7 < draws.std() / np.sqrt(usual * (1 - usual) / at_risk) < 1.3
    held = np.zeros_like(one.survey.seen) | (np.arange(11) > 6)[:, None]
    strange = replace(one, survey=replace(one.survey, shares=np.where(held, 1.0 - one.survey.shares, one.survey.shares)))
    for name, found in rival_forecasts(one, held).items():
        assert np.array_equal(found.answers, rival_forecasts(strange, held)[name].answers), name
        assert (found.answers[:, 6] == one.survey.shares[6]).all()


def test_the_table_of_scores_holds_the_model_its_prior_and_four_rivals_over_all_splits(tmp_path):
    pilot = seven_schools(tmp_path, seed=4)
    options = asked(fit="p,q_out", hold_out="rolling=2")
    one = problem_of(pilot.scenario, pilot.observations, options, start=pilot.start, end=pilot.end)[0]
    found = calibrate(one, options, tmp_path / "out")
    scores = found.scores.set_index("prediction")
    assert list(scores.index) == ["posterior", "prior", *(rival.name for rival in RIVALS)]
    assert found.state["splits"] == ["after month 6", "after month 7"]
    assert (scores["cells"] == 7 * 3).all()
    assert not found.cells["held_out"].any()  # the fit that is shown is to all observations
    assert scores["curve_within_90"].between(0.0, 1.0).all() and (scores["crps"] > 0.0).all()


def test_the_error_of_a_mean_counts_clusters_and_not_cells():
    """Twice the cells in each cluster, all alike, leave the error as it is: sd over clusters by the root of their number."""
    differences, cluster = np.array([1.0, 2.0, 4.0, 5.0]), np.arange(4)
    expected = np.sqrt(((differences - 3.0) ** 2).sum() / 3 / 4)
    assert error_of(differences, cluster) == pytest.approx(expected)
    assert error_of(np.repeat(differences, 2), np.repeat(cluster, 2)) == pytest.approx(expected)
