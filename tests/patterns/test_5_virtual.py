"""Pattern 5: virtual mentoring has less effect and costs less per mentored school than face to face, and wins where distances are long."""

import pytest

from experiments.validation.virtual import PATTERN

from .holds import assert_holds


@pytest.mark.parametrize("statement", PATTERN.checks)
def test_the_pattern_holds_and_vanishes_where_it_must(statement):
    assert_holds(PATTERN, statement)
