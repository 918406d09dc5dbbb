"""The parameter table is honest: what is called measured hangs on a figure, and ranges hold their base."""

import re

import pytest

from school_mentoring.model.parameters import PARAMETERS

MEASURED = {name: row for name, row in PARAMETERS.items() if row.kind != "assumption"}


def test_at_least_25_parameters_hang_on_a_measured_value():
    assert len(MEASURED) >= 25


@pytest.mark.parametrize("name", MEASURED)
def test_what_is_called_evidence_or_inference_names_a_figure_that_is_no_year(name):
    figures = re.findall(r"\d[\d,.]*", re.sub(r"https?://\S+|\b(?:19|20)\d\d\b", "", MEASURED[name].source))
    assert figures, MEASURED[name].source


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_says_where_it_comes_from_and_its_ends_hold_its_base(name):
    row = PARAMETERS[name]
    assert row.source
    assert row.minimum <= row.low <= row.base <= row.high <= row.maximum
