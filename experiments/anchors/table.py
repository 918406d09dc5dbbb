"""The table of the anchors: target, what the model gives at the base values, verdict; a failing anchor is shown as failing."""

from collections.abc import Iterable

import pandas as pd

from school_mentoring.experiments.progress import Stage
from school_mentoring.experiments.worlds import Worlds

from .readings import Case, read_with_error
from .targets import ANCHORS, pilot

WORLDS = 40
PASS, FAIL, REPORTED = "pass", "fail", "reported"


COLUMNS = ("anchor", "title", "reading", "design", "target_low", "target_high", "found", "error", "decides", "verdict", "source", "fixes")


def anchor_table(stage: Stage = lambda *_: None, threads: int | None = None) -> pd.DataFrame:
    """Return every reading at the base values in the pilot's world, with its standard error over worlds; columns ``COLUMNS``."""
    scenario = pilot(WORLDS)
    case = Case(scenario, scenario.base_parameters(), Worlds(scenario), threads=threads)
    asked = [(anchor, design) for anchor in ANCHORS for design in (anchor.design, *anchor.others)]
    rows = []
    for position, (anchor, design) in enumerate(asked):
        stage("anchors", position, len(asked))
        found, error = read_with_error(case, anchor.function, design)
        decides = anchor.decides and design == anchor.design
        verdict = (PASS if anchor.meets(found) else FAIL) if decides else REPORTED
        told = anchor.letter, anchor.title, anchor.reading, design, anchor.low, anchor.high
        rows.append((*told, found, error, decides, verdict, anchor.source, anchor.fixes))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def pattern_anchors(failing: Iterable[tuple[int, str, str, int]]) -> pd.DataFrame:
    """Return anchor H, a row for each pattern; ``failing``: number, title, source, and how many of its checks fail."""
    rows = []
    for number, title, source, count in failing:
        read = "H", f"Pattern {number}", f"Checks that fail: {title}", "", 0.0, 0.0, float(count), float("nan")
        rows.append((*read, True, FAIL if count else PASS, source, ""))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def record(table: pd.DataFrame) -> list[dict[str, str]]:
    """Return what is recorded of a table, as text: target, found and verdict of each reading."""
    kept = ("anchor", "title", "design", "target_low", "target_high", "found", "error", "verdict")
    return [
        {name: f"{row[name]:.4g}" if isinstance(row[name], float) else str(row[name]) for name in kept} for row in table.to_dict("records")
    ]
