"""Pattern 7: assignment by need narrows the gap between school types relative to the mean; self-organisation by likeness widens it."""

import pytest

from experiments.validation.gap import PATTERN

from .holds import assert_holds


@pytest.mark.parametrize("statement", PATTERN.checks)
def test_the_pattern_holds_and_vanishes_where_it_must(statement):
    assert_holds(PATTERN, statement)
