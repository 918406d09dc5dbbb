"""When mentoring is funded: the scenario's window, and that of each design or programme within it."""

from typing import Any, Self

from pydantic import model_validator

from school_mentoring.model.designs import FIELDS, Design
from school_mentoring.model.programmes import Course, Programme

from .fields import ScenarioSection, Whole, described, fault
from .programmes import longest, tracks

MAX_MONTHS = 1200


def _month_field(field: str, description: str, default: int) -> Any:
    row = FIELDS[field]
    return described(description, "month", row.low, row.high, default=default, ge=0, le=MAX_MONTHS)


class Funding(ScenarioSection):
    """The months in which mentoring is funded: first_month <= month < last_month."""

    first_month: Whole = _month_field("first_month", "First month of funding", 6)
    last_month: Whole = _month_field("last_month", "First month without funding again", 34)

    @model_validator(mode="after")
    def _check_window(self) -> Self:
        if self.last_month < self.first_month:
            fault(("last_month",), f"{self.last_month} is before first_month {self.first_month}", "allowed: first_month or later")
        return self

    def window(self, design: Design | Programme) -> tuple[int, int]:
        """Return the first month in which a design is funded, and the first in which it is not again, of any track of a programme."""
        if isinstance(design, Programme):
            windows = [self._of_track(track) for _, track in tracks(design)]
            return min(first for first, _ in windows), max(last for _, last in windows)
        return self._of_track(design)

    def _of_track(self, track: Course) -> tuple[int, int]:
        if not isinstance(track, Design):
            return self.first_month, self.first_month + longest(track)
        first = self.first_month if track.first_month is None else track.first_month
        return first, self.last_month if track.last_month is None else track.last_month
