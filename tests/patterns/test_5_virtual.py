"""Pattern 5: virtual mentoring has less effect and costs less per mentored school than face to face, and wins where distances are long."""

import pytest

from school_mentoring.experiments.validation.patterns.virtual import PATTERN

from .holds import assert_drawn, assert_verdict


@pytest.mark.parametrize("statement", PATTERN.checks)
def test_the_verdict_is_the_recorded_one(statement):
    assert_verdict(PATTERN, statement)


def test_its_figure_shows_every_series():
    assert_drawn(PATTERN)
