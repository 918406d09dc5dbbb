"""Who answers: users of a practice may answer more readily than others, in which case the shares that are seen are too high."""

import numpy as np
import pytest

from school_mentoring.experiments.calibration.calibrate import asked
from school_mentoring.experiments.calibration.forward_filter import _answering
from school_mentoring.experiments.calibration.survey import Survey, answering_share
from school_mentoring.model.errors import InputError


@pytest.mark.parametrize(("readily", "part"), [(3.0, 0.2), (0.5, 0.3), (3.0, 1.0), (1.0, 0.4)])
def test_users_who_answer_more_readily_are_more_of_the_answers(readily, part):
    """Of 2,000 teachers drawn one by one, by weights (Efraimidis & Spirakis 2006), a fifth to all answer."""
    rng = np.random.default_rng(1)
    users = np.arange(2000) < 600
    keys = rng.random((50, 2000)) ** (1.0 / np.where(users, readily, 1.0))
    chosen = np.argsort(-keys, axis=1)[:, : int(part * 2000)]
    found, expected = users[chosen].mean(), answering_share(0.3, readily, part)
    # Who answered is no longer there to answer, which the formula knows of the ends only.
    assert found == pytest.approx(expected, abs=0.05 if part < 1.0 else 1e-12)
    assert _answering(0.3, readily, part) == pytest.approx(expected, rel=1e-12)


def test_a_survey_of_ready_users_finds_the_share_that_the_formula_says():
    shape = 1, 2000
    survey = Survey("counts", (6,), (0,), np.zeros(shape), np.full(shape, 10), np.zeros(shape), ("a",), readily=2.0)
    adopters, teachers = np.full((1, *shape), 30), np.full((1, 2000), 100)
    found = survey.answers(adopters, teachers, np.array([3]), 1, np.zeros(1)).mean()
    assert found == pytest.approx(0.6 / 1.3, abs=4 * np.sqrt(0.25 / 20_000))


@pytest.mark.parametrize(
    ("text", "told"),
    [("shares:2", "is not known"), ("share:x", "'x' is not a number"), ("share:0", "0 is out of range; allowed: share:R with R from 0.01")],
)
def test_another_way_to_answer_is_refused(text, told):
    with pytest.raises(InputError) as caught:
        asked(non_response=text)
    assert told in str(caught.value)
