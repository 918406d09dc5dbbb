"""What teachers answered, as numbers: counts, or means on a scale; what contradicts itself or the school table is complained of."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.world.arrays import Floats
from school_mentoring.model.world.countries import MOST_TEACHERS
from school_mentoring.model.world.csv_file import CsvTable
from school_mentoring.model.world.numbers import Bounds
from school_mentoring.model.world.schools import Schools

from .scales import ScaleMapping

ROUNDED = 0.05
"""How far a mean or standard deviation may be from what it was rounded from."""


def bounds_of(scale: ScaleMapping | None) -> dict[str, Bounds]:
    """Return the columns of answers with what they may hold."""
    low, high = (1.0, 5.0) if scale is None else (scale.low, scale.high)
    return {
        "respondents": Bounds(
            1.0, MOST_TEACHERS, f"a whole number from 1 to {MOST_TEACHERS}; leave a school without answers blank", whole=True
        ),
        "adopters": Bounds(0.0, MOST_TEACHERS, "a whole number from 0 to the respondents", whole=True),
        "mean": Bounds(low, high, f"a mean from {low:g} to {high:g}, the ends of --mapping"),
        "sd": Bounds(0.0, high - low, f"a standard deviation from 0 to {high - low:g}"),
    }


def answers_of(
    table: CsvTable, seen: Sequence[int], columns: Sequence[str], schools: Schools, school: NDArray[np.int64], scale: ScaleMapping | None
) -> dict[str, NDArray[np.int64] | Floats]:
    """Return the columns of the rows ``seen``, whole numbers as such; a standard deviation of a lone answer may be blank, which is nan.

    ``school``: the row of each answer's school in the table, -1 where there is none.
    """
    bounds = bounds_of(scale)
    given = {name: table.numbers_of(name) for name in columns}
    for name, cells in given.items():
        for at in seen:
            if not cells.present[at] and name != "sd":
                table.complain(at, name, f"give {bounds[name].what}", "is blank")
    if not table.problems:
        values = {name: np.where(cells.present, cells.values, np.nan) for name, cells in given.items()}
        _check_teachers(table, seen, values["respondents"], schools, school)
        if scale is None:
            _check_counts(table, seen, values["respondents"], values["adopters"])
        else:
            _check_spread(table, seen, values, scale)
    rows = list(seen)
    return {
        name: cells.values[rows].astype(np.int64) if bounds[name].whole else np.where(cells.present, cells.values, np.nan)[rows]
        for name, cells in given.items()
    }


def _check_teachers(table: CsvTable, seen: Sequence[int], respondents: Floats, schools: Schools, school: NDArray[np.int64]) -> None:
    """Complain of more respondents than teachers, where the school table gives all of its teachers."""
    if "teachers" in (*schools.drawn, *(schools.partly_drawn or ())):
        return
    for at in seen:
        label, teachers = schools.school_id[school[at]], schools.teachers[school[at]]
        if respondents[at] > teachers:
            problem = f"{respondents[at]:g} respondents, but the school table gives {label} {teachers} teachers"
            table.complain(at, "respondents", "correct one of the two", problem)


def _check_counts(table: CsvTable, seen: Sequence[int], respondents: Floats, adopters: Floats) -> None:
    for at in seen:
        if adopters[at] > respondents[at]:
            problem = f"{adopters[at]:g} adopters among {respondents[at]:g} respondents"
            table.complain(at, "adopters", "at most all respondents adopt", problem)


def _check_spread(table: CsvTable, seen: Sequence[int], values: dict[str, Floats], scale: ScaleMapping) -> None:
    """Complain of standard deviations that no answers with this mean have, remark on those that whole numbers do not have."""
    narrow = []
    for at in seen:
        n, mean, sd = (float(values[name][at]) for name in ("respondents", "mean", "sd"))
        if np.isnan(sd):
            if n > 1:
                table.complain(at, "sd", "give the standard deviation of the answers", f"is blank although {n:g} answered")
            continue
        # Answers at the two ends have the largest sd of all with this mean (Bhatia & Davis 2000), those next to it the smallest.
        unbiased = n / max(n - 1.0, 1.0)
        most = ((mean - scale.low) * (scale.high - mean) * unbiased) ** 0.5
        if sd > most + ROUNDED:
            allowed = f"{n:g} answers of mean {mean:g} have a standard deviation of at most {most:.2f}"
            table.complain(at, "sd", allowed, f"found {sd:g}")
        apart = max(abs(mean - round(mean)) - ROUNDED, 0.0)
        if sd < (apart * (1.0 - apart) * unbiased) ** 0.5 - ROUNDED:
            narrow.append(at)
    table.remark(narrow, "sd", "smaller than whole numbers with these means have", "expected the standard deviation of single answers")
