"""The table of the anchors: target, what the model gives at the base values, verdict; a failing anchor is shown as failing."""

import csv
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import NamedTuple

import pandas as pd

from school_mentoring.experiments.progress import Stage
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.scenarios import Scenario, load_scenario

from .readings import Case, read_with_error

PILOT = "mensi-pilot"
WORLDS = 40
PASS, FAIL, REPORTED = "pass", "fail", "reported"


class Anchor(NamedTuple):
    """One reading with its target.

    ``letter``: of the anchor; ``key``: of the reading, whose function is ``reading`` of ``readings.READINGS``; ``low`` to ``high``: the
    target; where both are one figure it stands beside the reading and decides nothing. ``others``: designs read too, which decide nothing.
    """

    letter: str
    key: str
    title: str
    reading: str
    design: str
    low: float
    high: float
    others: tuple[str, ...]
    source: str
    fixes: str

    @property
    def function(self) -> str:
        """The key of the function that takes the reading."""
        return self.key.partition("_")[0]

    @property
    def decides(self) -> bool:
        """Whether the verdict counts."""
        return self.low < self.high

    def meets(self, found: float) -> bool:
        """Tell whether a reading lies within the target."""
        return self.low <= found <= self.high


def _read() -> Iterator[Anchor]:
    text = files(__package__).joinpath("anchors.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        others = tuple(row["others"].split("|")) if row["others"] else ()
        told = row["key"], row["title"], row["reading"], row["design"], float(row["low"]), float(row["high"])
        yield Anchor(row["anchor"], *told, others, row["source"], row["fixes"])


ANCHORS: tuple[Anchor, ...] = tuple(_read())
"""The anchors A to G in the order of their letters."""

COLUMNS = ("anchor", "title", "reading", "design", "target_low", "target_high", "found", "error", "decides", "verdict", "source", "fixes")


def pilot(worlds: int = WORLDS) -> Scenario:
    """Return the pilot in so many worlds."""
    return load_scenario(PILOT).model_copy(update={"worlds": worlds})


def anchor_table(stage: Stage = lambda *_: None, threads: int | None = None) -> pd.DataFrame:
    """Return every reading at the base values in the pilot's world, with its standard error over worlds; columns ``COLUMNS``."""
    scenario = pilot()
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
