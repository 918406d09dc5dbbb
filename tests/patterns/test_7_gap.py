"""Pattern 7: assignment by need narrows the gap between school types relative to the mean; self-organisation by likeness widens it."""

import pytest

from school_mentoring.experiments.validation.patterns.gap import PATTERN

from .holds import assert_drawn, assert_holds


@pytest.mark.parametrize("statement", PATTERN.checks)
def test_the_pattern_holds_and_vanishes_where_it_must(statement):
    assert_holds(PATTERN, statement)


def test_its_figure_shows_every_series():
    assert_drawn(PATTERN)
