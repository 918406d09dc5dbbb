"""A programme: designs one after the other, in one or in several tracks, each of its countries or regions. A plain design is one phase.

Ties, mentors and contacts carry over from phase to phase. A gate lets a phase begin only where a survey of the mentored schools says so.

The engines read rows, ``programme_table``: one for each phase, which names the row that comes next and the one that comes where a gate
says no. So the row in force tells which way a programme took. ``track_table`` says with which row it begins in which region.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from school_mentoring.model.world.arrays import Ints

from .designs import ALONE, DESIGN_DTYPE, Design, design_record

OTHERS = "others"
"""The key of the track that all countries or regions take for which no track of their own is stated."""


class Gate(BaseModel):
    """A question that is asked when a phase is to begin, and answered by a survey of mentored schools in that month.

    ``outcome``: what is asked, ``mentee_share``: the share of the teachers in the teams of mentored schools who use the practice.
    ``at_least``: the share from which on the phase begins. ``survey``: schools that are asked, drawn from those that have a mentor or had
    one; all of them where there are fewer. ``survey_cost``: EUR per school asked, paid by the programme in that month.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: Literal["mentee_share"]
    at_least: float
    survey: int
    survey_cost: float


class Phase(Design):
    """A design for so many ``months``; its own ``first_month`` and ``last_month`` are None, as the programme's run from phase to phase.

    ``gate`` (``if`` in a scenario): what the phase needs to begin. Where it does not, ``otherwise`` (``else``) are the phases that come in
    the place of this one and all after it; where there are none, the programme ends.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    months: int
    gate: Gate | None = Field(default=None, alias="if")
    otherwise: tuple["Phase", ...] = Field(default=(), alias="else")


Course = Design | tuple[Phase, ...]
"""What the schools of one track go through: a design in the scenario's window (or its own), or phases from the window's first month on."""


class Programme(BaseModel):
    """One of three: ``phases`` for all schools, or a track by country or by region, of which ``OTHERS`` is that of all not named."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phases: tuple[Phase, ...] = ()
    by_country: Mapping[str, Course] = {}
    by_region: Mapping[str, Course] = {}

    @property
    def tracks(self) -> Mapping[str, Course]:
        """The tracks by the names of their places; that of ``OTHERS`` alone where all schools share one."""
        return self.by_country or self.by_region or {OTHERS: self.phases}


# --- as the engines read it ------------------------------------------------------------------------------------------

_NodeRows = list[tuple[Any, ...]]


def programme_table(designs: Sequence[Design | Programme], first_month: int, last_month: int) -> NDArray[np.void]:
    """Return the rows of designs, as ``design_table`` does of plain ones; the arguments are the scenario's window.

    Row d is that with which the first track of design d begins; those of the other tracks and of later phases follow behind all of these.
    """
    return _rows_and_entries(designs, first_month, last_month)[0]


def track_table(designs: Sequence[Design | Programme], places: Sequence[tuple[str, str]]) -> Ints:
    """Return the row with which each design begins in each region, shape (designs, regions); empty where each has one track.

    ``places``: code of the country and name of each region. Raises KeyError where a programme has no track for a place.
    """
    entries = _rows_and_entries(designs, 0, 0)[1]
    if all(list(entry) == [OTHERS] for entry in entries):
        return np.empty((0, 0), np.int32)
    table = np.empty((len(designs), len(places)), np.int32)
    for row, (design, entry) in enumerate(zip(designs, entries, strict=True)):
        by_region = isinstance(design, Programme) and bool(design.by_region)
        for region, place in enumerate(places):
            name = place[by_region]
            table[row, region] = entry[name] if name in entry else entry[OTHERS]
    return table


def _rows_and_entries(
    designs: Sequence[Design | Programme], first_month: int, last_month: int
) -> tuple[NDArray[np.void], list[dict[str, int]]]:
    rows: _NodeRows = [()] * len(designs)
    entries: list[dict[str, int]] = []
    for number, design in enumerate(designs):
        entry: dict[str, int] = {}
        for place, track in ({OTHERS: design} if isinstance(design, Design) else design.tracks).items():
            entry[place] = at = _new(rows) if entry else number
            if isinstance(track, Design):
                rows[at] = design_record(track, first_month, last_month)
            else:
                _add_phases(rows, at, track, first_month, first_month, None)
        entries.append(entry)
    return np.array(rows, DESIGN_DTYPE), entries


def _new(rows: _NodeRows) -> int:
    rows.append(())
    return len(rows) - 1


def _add_phases(rows: _NodeRows, at: int, phases: Sequence[Phase], begin: int, start: int, before: Phase | None) -> int:
    """Write phases, the first of them into row ``at``; return the month in which the last one ends.

    ``begin``: month in which the first begins, ``start``: that in which the programme does; ``before``: the phase before it. Where a gate
    says no and there is no other way, that phase stays in force, without funding from the month of the gate on.
    """
    phase, last = phases[0], begin + phases[0].months
    place: dict[str, Any] = dict(ALONE)
    if len(phases) > 1:
        place |= {"end": last, "next": _new(rows)}
        last = _add_phases(rows, place["next"], phases[1:], last, start, phase)
    if phase.gate is not None and before is not None:
        gate = phase.gate
        place |= {"at_least": gate.at_least, "survey": gate.survey, "survey_cost": gate.survey_cost, "other": _new(rows)}
        if phase.otherwise:
            _add_phases(rows, place["other"], phase.otherwise, begin, start, before)
        else:
            rows[place["other"]] = _record(before, start, begin, ALONE)
    rows[at] = _record(phase, start, last, place)
    return last


def _record(phase: Phase, first_month: int, last_month: int, place: Mapping[str, Any]) -> tuple[Any, ...]:
    return design_record(phase.model_copy(update={"first_month": None, "last_month": None}), first_month, last_month, place)
