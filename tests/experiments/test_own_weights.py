"""Weights that a user gives to rows: what sums over schools are made of, and no likelihood school by school."""

from dataclasses import replace

import numpy as np
import pytest

from school_mentoring.experiments.calibration.aggregate import check_aggregates
from school_mentoring.experiments.calibration.calibrate import asked, problem_of
from school_mentoring.experiments.calibration.posterior import obstacles
from school_mentoring.experiments.calibration.summaries import FeatureSet, learn_summaries
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import load_scenario

ROWS = ["a,6,8,2,1", "b,6,10,5,3", "c,6,5,0,", "a,18,8,4,1", "b,18,10,8,3"]


@pytest.fixture
def pilot(tmp_path):
    """Return the problem of three schools whose rows have weights, and what makes it anew with other rows."""
    (tmp_path / "schools.csv").write_text("school_id,country,teachers\na,IT,10\nb,IT,12\nc,IT,9\n", encoding="utf-8")
    scenario = load_scenario("mensi-pilot-only", [], designs=["none"], schools=str(tmp_path / "schools.csv"))

    def made(rows=ROWS):
        text = "\n".join(["school_id,month,respondents,adopters,weight", *rows])
        (tmp_path / "o.csv").write_text(text + "\n", encoding="utf-8")
        return problem_of(scenario, tmp_path / "o.csv", asked(fit="p,q_in"))[0]

    return made


def test_weights_are_read_and_a_blank_one_is_one(pilot):
    survey = pilot().survey
    assert survey.weights.tolist() == [[1, 3, 1], [1, 3, 1]]
    assert survey.counting.tolist() == [[8, 30, 5], [8, 30, 0]]
    assert pilot([row.rsplit(",", 1)[0] + "," for row in ROWS]).survey.weights is None
    with pytest.raises(InputError, match="row 2, column weight"):
        pilot(["a,6,8,2,-1"])


def test_a_weighted_survey_has_no_likelihood_school_by_school(pilot):
    assert "answers have weights of their own" in obstacles(pilot())


def test_curves_and_scores_count_each_school_by_its_weight(pilot):
    survey = pilot().survey
    made = np.random.default_rng(1).uniform(0.1, 0.9, (100, 2, 3))
    seen = check_aggregates(survey, made, {"all schools": np.ones(3, bool)}, survey.seen).table["seen"]
    np.testing.assert_allclose(seen, [(2 + 15 + 0) / 43, (4 + 24) / 38])
    rng = np.random.default_rng(2)
    values, shares = rng.uniform(0, 1, (400, 1)), rng.uniform(0, 1, (400, 2, 3))
    plain = FeatureSet(survey.respondents * 1.0, survey.follows, [np.ones(3, bool)], [], [], np.zeros(0, np.int32))
    one, other = (learn_summaries(values, shares, replace(plain, own=own)) for own in (None, survey.weights))
    np.testing.assert_allclose(other.linear.reshape(-1, 2, 3), one.linear.reshape(-1, 2, 3) * [1, 3, 1])
    np.testing.assert_allclose(other.quadratic[:, 1], 3 * one.quadratic[:, 1])
