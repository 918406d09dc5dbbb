"""How a pattern is asserted: every reading of a check holds by its rule, and its figure shows what it says."""

import numpy as np

from school_mentoring.analysis.figures.validation import panels
from school_mentoring.experiments.validation.checks import COLUMNS, Pattern

__all__ = ["assert_drawn", "assert_holds"]


def assert_holds(pattern: Pattern, statement: str) -> None:
    """Hold all readings of one of a pattern's checks to their rules, and name those that miss theirs."""
    readings = list(pattern.checks[statement].read())
    assert readings, "the check reads nothing"
    missed = [f"{one.what}: {one.estimate:.4g} +- {one.error:.2g}, must be {one.rule}" for one in readings if not one.holds]
    assert missed == []


def assert_drawn(pattern: Pattern) -> None:
    """Hold that a pattern's figure has a panel for each of its table, with every series in its legend, and finite values."""
    table = pattern.curves()
    assert tuple(table.columns) == COLUMNS
    assert np.isfinite(table[["x", "y"]]).all().all()
    figure = panels(table, pattern.title)
    for axes, (panel, rows) in zip(figure.axes, table.groupby("panel", sort=False), strict=True):
        assert axes.get_title(loc="left").replace("\n", " ") == panel
        legend = axes.get_legend()
        assert len(legend.get_texts() if legend else [1]) == rows["series"].nunique()
