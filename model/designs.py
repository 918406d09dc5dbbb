"""A cluster design as data: who mentors whom, how, coordinated by whom, with which incentives.

Fields with their meaning, unit and range, what they add to the words for a design, and the presets, stand in ``data/designs.csv``. Any mix
of fields is a valid design.
"""

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args, get_origin

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

NO_QUOTA = -1.0


class DesignField(BaseModel):
    """What a field of a design means, which values make sense, and what it adds to the words for a design.

    ``needs``: the fields of which one must be on (or ``field=word``) for this one to mean anything, apart by |. ``topic``: fields of one
    topic are said together. ``phrase``: what is said where the field is on, with values of fields in braces; of words one phrase each,
    apart by |; empty where another field's phrase says it.
    """

    model_config = ConfigDict(frozen=True)

    field: str
    meaning: str
    unit: str
    minimum: float | None
    low: float | None
    high: float | None
    maximum: float | None
    needs: str | None
    topic: str
    phrase: str | None


class Design(BaseModel):
    """One way to organise mentoring; the fields are explained in ``FIELDS``.

    ``mentor_share`` None means no quota; ``first_month`` and ``last_month`` None mean the scenario's programme window.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recruitment: Literal["none", "assigned", "volunteer"]
    mandate: bool
    scope: Literal["country", "region", "anywhere", "peers"]
    priority: Literal["need", "proximity", "motivation", "centrality"]
    mentor_share: float | None
    places: int
    tie_months: int
    target: Literal["none", "disadvantaged", "rural", "small", "rural_or_disadvantaged"]
    reserve: float
    virtual_share: float
    team: int
    meeting_hours: float
    tier: Literal["none", "platform", "hub", "ministry"]
    fte: float
    stipend: float
    release_hours: float
    recognition: bool
    mentee_grant: float
    supply_cover: bool
    cascade: float
    community: float
    community_after: bool
    first_month: int | None
    last_month: int | None
    outreach: float


_TYPES = {name: field.annotation for name, field in Design.model_fields.items()}

CHOICES: Mapping[str, tuple[str, ...]] = {name: get_args(kind) for name, kind in _TYPES.items() if get_origin(kind) is Literal}
"""The words a field may take; a word's position is its code in the compiled engine."""

SWITCHES = tuple(name for name, kind in _TYPES.items() if kind is bool)
"""Fields that are on or off."""

WHOLE = tuple(name for name, kind in _TYPES.items() if int in (kind, *get_args(kind)))
"""Fields of whole numbers."""

OPTIONAL = tuple(name for name, kind in _TYPES.items() if type(None) in get_args(kind))
"""Fields that may be left empty."""


@cache
def _rows() -> list[dict[str, str | None]]:
    text = files(__package__).joinpath("data/designs.csv").read_text(encoding="utf-8")
    return [{key: value or None for key, value in row.items()} for row in csv.DictReader(text.splitlines())]


FIELDS: Mapping[str, DesignField] = {str(row["field"]): DesignField.model_validate(row) for row in _rows()}
"""Meaning, unit and range of every field of a design."""

PRESETS: Mapping[str, Design] = {
    name: Design.model_validate({str(row["field"]): row[name] for row in _rows()})
    for name in _rows()[0]
    if name not in DesignField.model_fields
}
"""The designs of the mission by name, ``none`` (the comparator) first."""

ALONE = {"end": -1, "next": -1, "other": -1, "at_least": 0.0, "survey": 0, "survey_cost": 0.0}
"""What the row of a design says of its place in a programme: here, that it is alone.

From month ``end`` on the row ``next`` is in force, -1: never. ``survey``: schools that are asked before this row begins, 0: none are;
where fewer than ``at_least`` of their mentored teachers use the practice, ``other`` begins in its place. ``survey_cost``: EUR a school.
"""

DESIGN_DTYPE = np.dtype(
    [(name, np.int64 if name in {*CHOICES, *WHOLE} else np.float64) for name in FIELDS]
    + [(name, np.int64 if isinstance(value, int) else np.float64) for name, value in ALONE.items()]
)
"""A design as a record: words as codes of ``CHOICES``, truth values as 0 or 1, no quota as -1; then its place in a programme."""


def design_record(design: Design, first_month: int, last_month: int, place: Mapping[str, float] = ALONE) -> tuple[Any, ...]:
    """Return the fields of a design's record, with a window where it states none; ``place``: its place in a programme."""
    values = design.model_dump(include=set(FIELDS))
    for name, words in CHOICES.items():
        values[name] = words.index(values[name])
    if design.mentor_share is None:
        values["mentor_share"] = NO_QUOTA
    if design.recruitment != "assigned":
        values["mandate"] = False  # a mandate binds the schools it assigns
    if design.first_month is None:
        values["first_month"] = first_month
    if design.last_month is None:
        values["last_month"] = last_month
    return tuple(values[name] for name in FIELDS) + tuple(place[name] for name in ALONE)


def design_table(designs: Sequence[Design], first_month: int, last_month: int) -> NDArray[np.void]:
    """Return one record per design, shape (len(designs),), with the scenario's window where a design states none."""
    return np.array([design_record(design, first_month, last_month) for design in designs], DESIGN_DTYPE)


def design_from_record(record: np.void) -> Design:
    """Return the design that a row of ``design_table`` holds, with its window written out."""
    values = {name: record[name].item() for name in FIELDS}
    for name, words in CHOICES.items():
        values[name] = words[values[name]]
    if values["mentor_share"] < 0.0:
        values["mentor_share"] = None
    return Design.model_validate(values)


def design_from_row(row: Mapping[str, Any]) -> Design:
    """Return the design of a table's row of fields, in which what is not stated is blank (None or NaN)."""
    return Design.model_validate({name: row[name] if row[name] == row[name] else None for name in FIELDS})
