"""Months from what a user writes in a cell: the number of a month, or an ISO date counted from the month that is number 0."""

import datetime
import math
import re
from typing import NamedTuple

from school_mentoring.model.errors import InputError
from school_mentoring.model.world.numbers import Bounds

LAST_MONTH = 1199  # that a scenario may simulate
MONTHS = Bounds(0.0, LAST_MONTH, f"a month from 0 to {LAST_MONTH}", whole=True)

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:[T ][0-9:.]+Z?)?)?)?")
_ISO = "an ISO date such as 2021-11 or 2021-11-15"


class Span(NamedTuple):
    """The months, first and last, that a cell may mean: one month, or the twelve of a year; below 0 where before the start."""

    first: int
    last: int


def month_zero(start: str | None) -> int | None:
    """Return the calendar month (12 x year + month - 1) that is month 0, of a year, a month or a day; None of None.

    Raises InputError for anything that is no ISO date.
    """
    if start is None:
        return None
    match = _DATE.fullmatch(start.strip())
    months = _calendar(match) if match else None
    if months is None:
        raise InputError(f"--start {start}", "is no date", f"give {_ISO}: the month that is month 0")
    return months.first


def _calendar(match: re.Match[str]) -> Span | None:
    """Return the calendar months of a date; None where there is no such day."""
    year, month, day = (None if part is None else int(part) for part in match.groups())
    try:
        datetime.date(year or 0, month or 1, day or 1)
    except ValueError:
        return None
    first = 12 * (year or 0) + (month or 1) - 1
    return Span(first, first + (11 if month is None else 0))


def is_date(cell: str) -> bool:
    """Tell whether a cell is a year, a month or a day, as it is where --start is given; else a year is the number of a month."""
    return _DATE.fullmatch(cell) is not None


def span_of(cell: str, zero: int | None, month: float) -> Span | str:
    """Return the months that a cell means, or what to give instead of it.

    ``zero``: as ``month_zero`` gives it. ``month``: the number that the cell is, nan where it is none that a month may have.
    """
    match = _DATE.fullmatch(cell)
    if not math.isnan(month) and (zero is None or not match):
        return Span(int(month), int(month))
    if zero is None and match and "-" not in cell:
        return f"give a month from 0 to {LAST_MONTH}, or for a year or a date --start, the month that is month 0"
    if not match:
        return f"give a month from 0 to {LAST_MONTH}, or {_ISO} (in a spreadsheet: format the cells as YYYY-MM-DD before saving)"
    if zero is None:
        return "dates need --start, the month that is month 0 (for example --start 2020-11)"
    months = _calendar(match)
    if months is None:
        return f"there is no such day; give {_ISO}"
    span = Span(months.first - zero, months.last - zero)
    return span if span.last <= LAST_MONTH else f"is more than {LAST_MONTH} months after --start; give a later start"
