"""Curves of schools taken together tell a wrong model from a right one, where answers of single schools cannot."""

import json

import numpy as np
import pytest

from school_mentoring.experiments.calibration.aggregate import check_aggregates, misfit_of
from school_mentoring.experiments.calibration.survey import Survey

SCHOOLS, MONTHS = 60, (6, 12, 18)


def survey(shares):
    shape = len(MONTHS), SCHOOLS
    return Survey("times", MONTHS, (0, 0, 0), shares, np.ones(shape, np.int64), np.zeros(shape), ("digital_practice",))


def courses(rng, rate, count):
    """Return whether schools have adopted by each month, (count, W, n), at a rate that differs from course to course."""
    times = rng.exponential(1.0 / (rate * rng.lognormal(0.0, 0.2, (count, 1, 1))), (count, 1, SCHOOLS))
    return (times <= np.array(MONTHS)[:, None]).astype(float)


GROUPS = {"all schools": np.ones(SCHOOLS, bool), "mentees": np.arange(SCHOOLS) < 20}


def test_curves_of_the_model_itself_have_even_p_values():
    rng = np.random.default_rng(1)
    kept = np.ones((3, SCHOOLS), bool)
    found = np.array([check_aggregates(survey(courses(rng, 0.05, 1)[0]), courses(rng, 0.05, 400), GROUPS, kept).p for _ in range(200)])
    assert abs(found.mean() - 0.5) < 4 * np.sqrt(1 / 12 / 200)
    assert (found < 0.1).mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / 200))


def test_a_course_that_is_too_fast_for_one_group_is_found_and_named():
    rng = np.random.default_rng(2)
    seen = courses(rng, 0.05, 1)[0]
    seen[:, :20] = 1.0
    checked = check_aggregates(survey(seen), courses(rng, 0.05, 400), GROUPS, np.ones((3, SCHOOLS), bool))
    assert checked.p == 1 / 201
    said = misfit_of(checked)
    assert said["worst"]["group"] == "mentees" and said["worst"]["seen"] == 1.0 > said["worst"]["high"]
    assert 0.05 < said["gap"] < 0.5
    assert json.loads(json.dumps(said)) == said


def test_cells_that_were_held_out_do_not_count():
    rng = np.random.default_rng(3)
    seen = courses(rng, 0.05, 1)[0]
    seen[2] = 0.0
    kept = np.ones((3, SCHOOLS), bool)
    made = courses(rng, 0.05, 400)
    assert check_aggregates(survey(seen), made, GROUPS, kept).p < 0.01
    kept[2] = False
    checked = check_aggregates(survey(seen), made, GROUPS, kept)
    assert checked.p > 0.01 and set(checked.table["month"]) == {6, 12}
