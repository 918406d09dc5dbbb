"""How a pattern is asserted: each check's verdict is the recorded one, reading by reading, and its figure shows what it says.

A pattern that the model does not show is recorded as failing, so that it can be seen, and so that no verdict changes unseen; so is an
anchor. ``python -m tests.patterns`` writes the record anew, after a change that is meant.
"""

import csv
from functools import cache
from pathlib import Path

import numpy as np

from school_mentoring.analysis.figures.validation import panels
from school_mentoring.experiments.anchors.table import anchor_table, pattern_anchors, record
from school_mentoring.experiments.validation.checks import COLUMNS, Check, Pattern
from school_mentoring.experiments.validation.patterns import PATTERNS

__all__ = [
    "ANCHOR_RECORD",
    "RECORD",
    "assert_drawn",
    "assert_verdict",
    "recorded",
    "recorded_anchors",
    "recorded_anchors_now",
    "sentences",
]

RECORD, ANCHOR_RECORD = (Path(__file__).with_name(name) for name in ("verdicts.csv", "anchors.csv"))


def sentences(check: Check) -> tuple[list[str], list[str]]:
    """Return which readings of a check miss their rules: by name, and in full."""
    readings = list(check.read())
    assert readings, "the check reads nothing"
    missed = [one for one in readings if not one.holds]
    return [one.what for one in missed], [f"{one.what}: {one.estimate:.4g} +- {one.error:.2g}, must be {one.rule}" for one in missed]


@cache
def recorded() -> dict[tuple[int, str], list[str]]:
    """Return which readings of each check are recorded as missing their rules, by pattern and statement."""
    with RECORD.open(encoding="utf-8", newline="") as file:
        return {(int(row["pattern"]), row["check"]): row["missed"].split("; ") if row["missed"] else [] for row in csv.DictReader(file)}


def recorded_anchors() -> list[dict[str, str]]:
    """Return what is recorded of each reading of the anchors."""
    with ANCHOR_RECORD.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def recorded_anchors_now() -> list[dict[str, str]]:
    """Return what the record of the anchors says where it is made now; anchor H as the patterns are recorded."""
    failing = [(p.number, p.title, p.source, sum(bool(recorded()[p.number, statement]) for statement in p.checks)) for p in PATTERNS]
    return [*record(anchor_table()), *record(pattern_anchors(failing))]


def assert_verdict(pattern: Pattern, statement: str) -> None:
    """Hold the verdict of one of a pattern's checks to the record, and name the readings that miss their rules."""
    names, full = sentences(pattern.checks[statement])
    assert names == recorded()[pattern.number, statement], full


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
