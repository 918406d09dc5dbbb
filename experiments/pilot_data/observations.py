"""``observations.csv``: what was seen of the schools of a pilot, as one tidy table whatever the form it came in."""

import datetime
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.model.errors import InputError, nearest
from school_mentoring.model.world.csv_file import CsvTable, Dialect, either
from school_mentoring.model.world.numbers import Bounds, read_numbers
from school_mentoring.model.world.schools import Schools

from .answers import ScaleMapping, answers_of, bounds_of, parse_mapping

Kind = Literal["counts", "scale", "times"]

KINDS: dict[Kind, tuple[str, ...]] = {
    "counts": ("respondents", "adopters"),
    "scale": ("respondents", "mean", "sd"),
    "times": ("adoption_time",),
}
"""The three forms, and the columns that each of them measures."""

COLUMNS: dict[str, Bounds | None] = {
    **dict.fromkeys(("school_id", "month", "date", "practice", "item")),
    "wave": Bounds(1.0, 100.0, "the number of the wave: 1, 2, ...", whole=True),
    "weight": Bounds(0.0, 1e6, "a weight from 0, 1 where nothing else is given"),
    **dict.fromkeys(("note", "adoption_time")),
    **bounds_of(None),
}
"""The columns of ``observations.csv``; those of numbers with what they may hold."""

LAST_MONTH = 1199  # that a scenario may simulate
MONTHS = Bounds(0.0, LAST_MONTH, f"a month from 0 to {LAST_MONTH}", whole=True)

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:[T ][0-9:.]+Z?)?)?)?")
_ISO = "an ISO date such as 2021-11 or 2021-11-15"

MOST_COMPARED = 5000  # school names that an unknown one is compared with; a national table is too long for that


class Span(NamedTuple):
    """The steps, first and last, that a cell may mean: one month, or the twelve of a year; below 0 where before the start."""

    first: int
    last: int


class Clock(NamedTuple):
    """How dates become steps: the calendar's step (months, or years, since year 0) that is step 0, None where unknown; months of a step."""

    zero: int | None = None
    months: int = 1


NO_DATES = Clock()


@dataclass(frozen=True)
class Observations:
    """What was seen of a pilot's schools.

    ``frame``: one row per school, month and practice that was seen, sorted by these, columns by ``kind``:

    - all: ``school`` (row of the school table), ``school_id``, ``practice``, ``wave`` (1, 2, ...), ``weight`` (1 where none is given);
    - counts: ``month``, ``respondents`` (>= 1), ``adopters`` (0..respondents);
    - scale: ``month``, ``respondents``, ``mean``, ``sd`` (as given), ``share``, ``share_error`` (the mapping's, and its standard error);
    - times: ``adoption_time`` (months, the middle of what is known; NaN where not adopted by the end), ``earliest``, ``latest``: the first
      recorded month in which the school is an adopter is one of these (inclusive). Not adopted: end + 1 and infinity; from the start: 0, 0.

    A month is compared with the record of that month, month 0 being the start. ``waves``: the months in which anything was seen, ascending;
    of times the months at which intervals end, the last being the end of the observation. ``practices``: those seen, in the scenario's
    order. ``synthetic``: whether the file says of itself that it is made up. ``notices``: what of it is probably not meant.
    """

    kind: Kind
    frame: pd.DataFrame
    waves: tuple[int, ...]
    practices: tuple[str, ...]
    name: str
    mapping: ScaleMapping | None = None
    synthetic: bool = False
    notices: tuple[str, ...] = ()

    @property
    def end(self) -> int:
        """The last month in which anything was seen."""
        return self.waves[-1]


def read_observations(
    path: str | Path, schools: Schools, *, start: str | None = None, mapping: str | ScaleMapping | None = None,
    practices: Sequence[str] | None = None, end: str | None = None, months: int | None = None, step: str = "month",
    dialect: Dialect = Dialect(),  # noqa: B008 - a constant
) -> Observations:  # fmt: skip
    """Return the observations of a file, rows in any order.

    ``start``: the month that is month 0, which dates need (``2020-11``). ``mapping``: what makes a share of a scale, as
    ``parse_mapping`` reads it. ``practices``: names that may be seen; of a single one the file may leave the column out. ``end``: the
    last month in which adoption times were looked for (default: that of the last adoption). ``months``: those of the scenario, of which
    each is a ``step``, month or year. ``dialect``: how the file is written. Rows whose measured cells are all blank are missing
    observations, except in times, where blank means not adopted. Raises InputError for the first fault, with row and column.
    """
    scale = parse_mapping(mapping) if isinstance(mapping, str) else mapping
    table = CsvTable(path, {**COLUMNS, **bounds_of(scale)}, ["school_id"], dialect, schools.country_codes)
    kind = _kind(table)
    scale, times = scale if kind == "scale" else None, kind == "times"
    if mapping is not None and kind != "scale":
        table.notices.append(f"{table.name}: holds no means on a scale, so --mapping tells nothing")
    if end is not None and not times:
        table.notices.append(f"{table.name}: holds no adoption times, so --end tells nothing")
    if kind == "scale" and scale is None:
        problem = "means on a scale are no shares of teachers, and nothing says how they become shares"
        allowed = "give --mapping linear:1:5 (share = (mean - 1) / 4), or threshold:4 (the share of answers of 4 and more)"
        raise InputError(f"{table.name}, row 1", problem, allowed)
    clock = clock_of(start, step)
    seen = [at for at in range(len(table.numbers)) if times or any(table.columns[c][at] for c in KINDS[kind] if c in table)]
    school = _schools(table, schools)
    practice, named = _practices(table, practices)
    when = "adoption_time" if times else _either_column(table, "month", "date")
    spans = _spans(table, when, clock, blank=times)
    wave = None if times else _waves(table, spans, seen)
    _check_repeats(table, seen, practice, None if times else spans)
    weight = table.numbers_of("weight") if "weight" in table else None
    answers = {} if times else answers_of(table, seen, KINDS[kind], schools, school, scale)
    table.settle()
    if months is not None:
        late = [at for at in seen if spans[at].first >= months]
        table.remark(late, when, f"beyond the {months} months of the scenario", f"expected months from 0 to {months - 1}")
    if not seen:
        raise InputError(table.name, "holds no observation: every measured cell is blank", "give at least one row with answers")
    frame = pd.DataFrame({"school": school[seen], "school_id": schools.school_id[school[seen]]})
    frame["practice"] = np.array(practice, dtype=object)[seen]
    frame["weight"] = 1.0 if weight is None else np.where(weight.present, weight.values, 1.0)[seen]
    if times:
        waves = _add_times(table, frame, spans, end, clock)
        _check_adoption(table, frame, schools, practices or named)
    else:
        frame.insert(2, "month", [spans[at].first for at in seen])
        waves = tuple(sorted({int(month) for month in frame["month"]}))
        frame["wave"] = [waves.index(month) + 1 for month in frame["month"]] if wave is None else np.array(wave)[seen]
        frame = frame.assign(**answers)
        if kind == "counts":
            _check_start(table, seen, frame, schools, practices or named)
        if scale is not None:
            _add_shares(table, frame, scale)
    frame = frame.sort_values([name for name in ("school", "month", "practice") if name in frame], kind="stable", ignore_index=True)
    synthetic = "note" in table and any("synthetic" in note.lower() for note in table.columns["note"])
    practices = tuple(name for name in named if name in set(frame["practice"]))
    return Observations(kind, frame, waves, practices, table.name, scale, synthetic, tuple(table.notices))


def _kind(table: CsvTable) -> Kind:
    """Return which of the three forms a table has. Raises InputError where it is none of them, or two at once."""
    where = f"{table.name}, row 1"
    telling: dict[str, Kind] = {"adopters": "counts", "mean": "scale", "adoption_time": "times"}
    there = [column for column in telling if column in table]
    if len(there) != 1:
        problem = f"the columns {' and '.join(there)} are of different forms" if there else "nothing measured is there"
        raise InputError(where, problem, "give respondents and adopters, or respondents, mean and sd, or adoption_time")
    kind = telling[there[0]]
    for column in KINDS[kind]:
        if column not in table:
            raise InputError(where, f"{there[0]!r} is there without {column!r}", f"give {', '.join(KINDS[kind])}")
    others = [*(column for columns in KINDS.values() for column in columns), *(("month", "date", "wave") if kind == "times" else ())]
    if excess := [column for column in others if column in table and column not in KINDS[kind]]:
        raise InputError(where, f"the column {excess[0]!r} does not go with {there[0]!r}", "give one form")
    return kind


def _either_column(table: CsvTable, one: str, other: str) -> str:
    """Return which of two names for the same column is there."""
    if (one in table) == (other in table):
        problem = f"{one!r} and {other!r} are the same column" if one in table else f"the column {one!r} is missing"
        raise InputError(f"{table.name}, row 1", problem, f"give one column {one!r} (or {other!r})")
    return one if one in table else other


def _schools(table: CsvTable, schools: Schools) -> NDArray[np.int64]:
    """Return the row of each cell's school in the school table, -1 where there is none, which is complained of."""
    number = {str(label): at for at, label in enumerate(schools.school_id)}
    cells = table.columns["school_id"]
    found = np.array([number.get(cell, -1) for cell in cells], dtype=np.int64)
    for at in np.flatnonzero(found < 0).tolist():
        near = nearest(cells[at], number) if len(number) <= MOST_COMPARED else "give a school_id of the school table"
        table.complain(at, "school_id", near, f"no school is named {cells[at]!r}" if cells[at] else "is blank")
    return found


def _practices(table: CsvTable, practices: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Return the practice of each row, and the names that there may be, in order."""
    if "practice" not in table and "item" not in table:
        if practices is not None and len(practices) > 1:
            problem = f"does not say which of {len(practices)} practices was seen"
            raise InputError(f"{table.name}, row 1", problem, "give the column 'practice'")
        name = practices[0] if practices else "digital_practice"
        return [name] * len(table.numbers), [name]
    column = _either_column(table, "practice", "item")
    cells = table.labels_of(column)
    known = list(practices) if practices is not None else sorted(set(cells) - {""})
    for at, cell in enumerate(cells):
        if not cell:
            table.complain(at, column, "name the practice", "is blank")
        elif cell not in known:
            hint = nearest(cell, known)
            near = f" ({hint})" if hint.startswith("did") else ""
            table.complain(at, column, f"the scenario has {either(known)}{near}", f"no practice is named {cell!r}")
    return cells, known


def clock_of(start: str | None, step: str = "month") -> Clock:
    """Return the clock that begins with a year, a month or a day; ``step``: month or year. Raises InputError where that is no ISO date."""
    months = 12 if step == "year" else 1
    if start is None:
        return Clock(None, months)
    match = _DATE.fullmatch(start.strip())
    steps = _calendar(match, months) if match else None
    if steps is None:
        raise InputError(f"--start {start}", "is no date", f"give {_ISO}: the {step} that is {step} 0")
    return Clock(steps.first, months)


def _calendar(match: re.Match[str], months: int) -> Span | None:
    """Return the calendar's steps, of so many ``months`` each, that a date means; None where there is no such day."""
    year, month, day = (None if part is None else int(part) for part in match.groups())
    try:
        datetime.date(year or 0, month or 1, day or 1)
    except ValueError:
        return None
    first = 12 * (year or 0) + (month or 1) - 1
    return Span(first // months, (first + (11 if month is None else 0)) // months)


def _span_of(cell: str, clock: Clock, month: float) -> Span | str:
    """Return the steps that a cell means, or what to give instead of it.

    ``month``: the number that the cell is, nan where it is none that a month may have.
    """
    match, zero = _DATE.fullmatch(cell), clock.zero
    if not math.isnan(month) and (zero is None or not match):
        return Span(int(month), int(month))
    if zero is None and match and "-" not in cell:
        return f"give a month from 0 to {LAST_MONTH}, or for a year or a date --start, the month that is month 0"
    if not match:
        return f"give a month from 0 to {LAST_MONTH}, or {_ISO} (in a spreadsheet: format the cells as YYYY-MM-DD before saving)"
    if zero is None:
        return "dates need --start, the month that is month 0 (for example --start 2020-11)"
    steps = _calendar(match, clock.months)
    if steps is None:
        return f"there is no such day; give {_ISO}"
    span = Span(steps.first - zero, steps.last - zero)
    return span if span.last <= LAST_MONTH else f"is more than {LAST_MONTH} months after --start; give a later start"


def month_meant(text: str, clock: Clock, flag: str) -> int:
    """Return the step that a number or a date of the command line means, of several the last. Raises InputError, which names ``flag``."""
    number = read_numbers([text], MONTHS).values
    span = _span_of(text.strip(), clock, float(number[0]))
    if isinstance(span, str):
        raise InputError(flag, f"{text!r} is no month", span)
    return span.last


def _spans(table: CsvTable, column: str, clock: Clock, *, blank: bool) -> list[Span]:
    """Return the months of each cell, (0, 0) where it is blank or wrong; what is wrong is complained of. ``blank``: cells may be."""
    spans, cells = [], table.columns[column]
    months = table.as_numbers(["" if clock.zero is not None and _DATE.fullmatch(cell) else cell for cell in cells], MONTHS)
    for at, cell in enumerate(cells):
        found: Span | str = Span(0, 0)
        if cell or not blank:
            found = _span_of(cell, clock, float(months.values[at]))
        if isinstance(found, Span) and cell and not blank:
            if found.first != found.last:
                found = "a year does not say which month; give YYYY-MM"
            elif found.first < 0:
                found = "lies before --start; give an earlier start, or leave the row out"
        if isinstance(found, str):
            table.complain(at, column, found, None if cell else "is blank")
            found = Span(0, 0)
        spans.append(found)
    return spans


def _waves(table: CsvTable, spans: Sequence[Span], seen: Sequence[int]) -> list[int] | None:
    """Return the wave of each row as the table gives it, None where it gives none; a wave begins after the one before has ended."""
    if "wave" not in table:
        return None
    given = table.numbers_of("wave")
    for at in np.flatnonzero(~given.present).tolist():
        table.complain(at, "wave", "give the number of the wave: 1, 2, ...", "is blank")
    number = given.values.astype(int).tolist()
    months = {wave: [(spans[at].first, at) for at in seen if number[at] == wave] for wave in sorted({number[at] for at in seen})}
    for before, wave in [] if table.problems else pairwise(months):
        (last, ended), (first, begun) = max(months[before]), min(months[wave])
        if first <= last:
            problem = f"wave {wave} in month {first} is not after wave {before} in month {last} (row {table.numbers[ended]})"
            table.complain(begun, "wave", "number the waves in the order of their months", problem)
    return number


def _check_repeats(table: CsvTable, seen: Sequence[int], practice: Sequence[str], spans: Sequence[Span] | None) -> None:
    """Complain of a school that is seen twice in a month (or adopts twice) in the same practice, once the cells themselves are sound."""
    first: dict[tuple[str, str, Span | None], int] = {}
    for at in [] if table.problems else seen:
        label = table.columns["school_id"][at]
        key = (label, practice[at], None if spans is None else spans[at])
        if label and first.setdefault(key, at) != at:
            when = "" if spans is None else f" in month {spans[at].first}"
            problem = f"{label!r} was already seen{when} in row {table.numbers[first[key]]}"
            table.complain(at, "school_id", "give each school, month and practice once", problem)


def _add_times(table: CsvTable, frame: pd.DataFrame, spans: Sequence[Span], stated: str | None, clock: Clock) -> tuple[int, ...]:
    """Add when each school adopted, seen until the ``stated`` month or date; return the months at which intervals end."""
    end = None
    if stated is not None:
        span = _span_of(stated, clock, float(read_numbers([stated], MONTHS).values[0]))
        if isinstance(span, str) or span.last < 0:
            allowed = span if isinstance(span, str) else "allowed: not before --start"
            raise InputError(f"--end {stated}", "is no month of the study", allowed)
        end = span.last
    adopted = np.array([cell != "" for cell in table.columns["adoption_time"]])
    first, last = (np.maximum([span[k] for span in spans], 0).astype(np.float64) for k in (0, 1))
    if not adopted.any() and end is None:
        raise InputError(table.name, "no school adopted, and nothing says until when that was seen", "give --end, the last month looked at")
    latest = int(last[adopted].max()) if adopted.any() else 0
    if end is not None and end < latest:
        raise InputError("--end", f"is month {end}, but a school of {table.name} adopts in month {latest}", f"allowed: {latest} or later")
    until = latest if end is None else end
    frame["adoption_time"] = np.where(adopted, (first + last) / 2.0, np.nan)
    frame["earliest"] = np.where(adopted, first, until + 1.0)
    frame["latest"] = np.where(adopted, last, np.inf)
    waves = tuple(sorted({int(month) for month in last[adopted]} | {until}))
    frame["wave"] = [waves.index(int(month)) + 1 if np.isfinite(month) else len(waves) for month in frame["latest"]]
    return waves


def _check_adoption(table: CsvTable, frame: pd.DataFrame, schools: Schools, practices: Sequence[str]) -> None:
    """Refuse adoption times of schools that cannot adopt as one, or that began otherwise than the school table says."""
    for at, row in enumerate(frame.to_dict("records")):
        school, where = row["school"], f"{table.name}, row {table.numbers[at]}, school {row['school_id']}"
        if schools.teachers[school] > 1:
            problem = f"has {schools.teachers[school]} teachers, and adoption times are of schools that adopt as one"
            raise InputError(where, problem, "give teachers 1 in the school table, or respondents and adopters here")
        began, early = int(schools.adopters_at_start[list(practices).index(row["practice"]), school]), row["latest"] <= 0
        if (began == 0 and early) or (began > 0 and row["earliest"] > 0):
            problem = f"adoption {'was' if early else 'was not'} there at the start, but adopters_at_start of the school table is {began}"
            raise InputError(where, problem, "correct one of the two")


def _check_start(table: CsvTable, seen: Sequence[int], frame: pd.DataFrame, schools: Schools, practices: Sequence[str]) -> None:
    """Refuse counts of month 0 that contradict the adopters at the start, where the school table gives these."""
    for at, row in zip(seen, frame.to_dict("records"), strict=True):
        if row["month"] > 0:
            continue
        school = row["school"]
        began = int(schools.adopters_at_start[list(practices).index(row["practice"]), school])
        if began < 0:
            continue
        others = row["respondents"] - row["adopters"]
        if row["adopters"] > began or others > schools.teachers[school] - began:
            problem = f"{row['adopters']} of {row['respondents']} adopt at the start, but adopters_at_start of the school table is {began}"
            where = f"{table.name}, row {table.numbers[at]}, school {row['school_id']}"
            raise InputError(where, f"{problem} of {schools.teachers[school]} teachers", "correct one of the two")


def _add_shares(table: CsvTable, frame: pd.DataFrame, mapping: ScaleMapping) -> None:
    """Add the shares that a mapping makes of means, and their standard errors; a lone answer has the sd of the others."""
    frame["sd"] = sd = frame["sd"].astype(np.float64)
    known = sd.notna()
    if not known.any():
        raise InputError(f"{table.name}, column sd", "is blank in every row", "give the standard deviation of the answers")
    weight = frame["respondents"][known] - 1.0
    pooled = float(np.sqrt((weight * sd[known] ** 2).sum() / max(weight.sum(), 1.0)))
    numbers = (frame["mean"].to_numpy(np.float64), sd.fillna(pooled).to_numpy(), frame["respondents"].to_numpy(np.float64))
    frame["share"], frame["share_error"] = mapping.shares(*numbers)
