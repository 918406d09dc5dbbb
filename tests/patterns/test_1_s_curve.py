"""Pattern 1: a practice spreads over a network along an S."""

import pytest

from school_mentoring.experiments.validation.patterns.s_curve import PATTERN

from .holds import assert_drawn, assert_verdict


@pytest.mark.parametrize("statement", PATTERN.checks)
def test_the_verdict_is_the_recorded_one(statement):
    assert_verdict(PATTERN, statement)


def test_its_figure_shows_every_series():
    assert_drawn(PATTERN)
