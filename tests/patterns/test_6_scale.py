"""Pattern 6: the effect per mentored school falls as a programme scales faster than its coordinators."""

import pytest

from school_mentoring.experiments.validation.patterns.scale import PATTERN

from .holds import assert_drawn, assert_verdict


@pytest.mark.parametrize("statement", PATTERN.checks)
def test_the_verdict_is_the_recorded_one(statement):
    assert_verdict(PATTERN, statement)


def test_its_figure_shows_every_series():
    assert_drawn(PATTERN)
