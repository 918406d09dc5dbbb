"""The anchors: each reading of ``anchors.csv`` with its target, and the scenario in which they are read."""

import csv
from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple

from school_mentoring.scenarios import Scenario, load_scenario


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


def pilot(worlds: int) -> Scenario:
    """Return the pilot in so many worlds."""
    return load_scenario("mensi-pilot").model_copy(update={"worlds": worlds})
