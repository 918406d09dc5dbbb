"""What teachers answered, as numbers: counts, or means on a scale, which a user's mapping turns into shares.

What contradicts itself or the school table is complained of.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.errors import InputError
from school_mentoring.model.world.arrays import Floats
from school_mentoring.model.world.countries import MOST_TEACHERS
from school_mentoring.model.world.csv_file import CsvTable
from school_mentoring.model.world.numbers import Bounds
from school_mentoring.model.world.schools import Schools

ROUNDED = 0.05  # how far a mean or standard deviation may be from what it was rounded from
ROUNDING = 1.0 / 12.0
"""Variance of an answer that is rounded to whole numbers: what even unanimous answers leave unknown (Sheppard 1898)."""


@dataclass(frozen=True)
class ScaleMapping:
    """How the mean and sd of answers on ``low``..``high`` become a share.

    ``linear``: share = (mean - low) / (high - low). ``threshold``: the share of answers of ``threshold`` and more, of answers that are a
    normal variable with that mean and sd, rounded: 1 - Phi((threshold - 1/2 - mean) / sd).
    """

    kind: str
    low: float = 1.0
    high: float = 5.0
    threshold: float = 0.0

    def __str__(self) -> str:
        """Return the text that ``parse_mapping`` reads."""
        first = f"threshold:{self.threshold:g}:" if self.kind == "threshold" else "linear:"
        return f"{first}{self.low:g}:{self.high:g}"

    def shares(self, mean: Floats, sd: Floats, respondents: Floats) -> tuple[Floats, Floats]:
        """Return the shares in [0, 1] and their standard errors, from sampling and rounding (of a threshold by the delta method)."""
        spread = np.sqrt(sd**2 + ROUNDING)
        if self.kind == "linear":
            width = self.high - self.low
            return np.clip((mean - self.low) / width, 0.0, 1.0), spread / np.sqrt(respondents) / width
        from scipy.special import ndtr

        z = (self.threshold - 0.5 - mean) / spread
        density = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
        error = density * np.sqrt((1.0 + 0.5 * z**2) / respondents)
        # Far from the threshold the slope vanishes, but a single teacher could still have answered otherwise.
        return ndtr(-z), np.maximum(error, 0.5 / (respondents + 1.0))


def parse_mapping(text: str) -> ScaleMapping:
    """Return the mapping of a text such as ``linear:1:5`` or ``threshold:4``. Raises InputError for anything else."""
    kind, *parts = text.strip().split(":")
    where = f"--mapping {text}"
    if not re.fullmatch(r"linear(:[0-9]{1,3}){2}|threshold:[0-9]{1,3}((:[0-9]{1,3}){2})?", text.strip()):
        allowed = "allowed: linear:1:5 (share = (mean - 1) / 4), or threshold:4 or threshold:4:1:5 (share of answers of 4 and more, "
        raise InputError(where, "is no mapping of a scale to a share", f"{allowed}normal around the mean)")
    numbers = [float(part) for part in parts]
    low, high = numbers[-2:] if len(numbers) > 1 else (1.0, 5.0)
    if low >= high:
        raise InputError(where, f"the scale runs from {low:g} to {high:g}", "allowed: the lower end first")
    if kind == "threshold" and not low < numbers[0] <= high:
        raise InputError(where, f"the threshold {numbers[0]:g} tells no answers apart", f"allowed: above {low:g}, at most {high:g}")
    return ScaleMapping(kind, low, high, numbers[0] if kind == "threshold" else 0.0)


def bounds_of(scale: ScaleMapping | None) -> dict[str, Bounds]:
    """Return the columns of answers with what they may hold."""
    low, high = (1.0, 5.0) if scale is None else (scale.low, scale.high)
    teachers = f"a whole number from 1 to {MOST_TEACHERS}; leave a school without answers blank"
    return {
        "respondents": Bounds(1.0, MOST_TEACHERS, teachers, whole=True),
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
        if scale is not None:
            _check_spread(table, seen, values, scale)
        for at in seen if scale is None else ():
            if values["adopters"][at] > values["respondents"][at]:
                problem = f"{values['adopters'][at]:g} adopters among {values['respondents'][at]:g} respondents"
                table.complain(at, "adopters", "at most all respondents adopt", problem)
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
