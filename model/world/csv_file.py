"""A user's CSV file as columns of text, and the problems found in it so far: every message names file, row and column.

UTF-8 with or without byte order mark; comma, or semicolon with decimal comma. Rows are numbered as a spreadsheet numbers them.
"""

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.errors import InputError, nearest

from .countries import LONGEST_LABEL

__all__ = ["CsvTable", "Given", "either", "hint"]


class Given(NamedTuple):
    """A column as the user gave it: ``values`` (words as their numbers), and where they are ``present``."""

    values: NDArray[np.float64]
    present: NDArray[np.bool_]


class CsvTable:
    """A CSV file as columns of stripped text, and the problems found in it so far."""

    def __init__(self, path: str | Path, known: Callable[[str], str | None], required: Sequence[str]) -> None:
        """Read the file; ``known`` says what is wrong with a column's name, or None. Raises InputError."""
        self.name = Path(path).name
        text = _text(Path(path))
        head = text.split("\n", 1)[0]
        self.decimal_comma = ";" in head and "," not in head
        rows = self._rows(text, ";" if self.decimal_comma else ",")
        header = [cell.strip() for cell in rows[0][1]] if rows else []
        self._check_header(header, known, required)
        body = rows[1:]
        if not body:
            raise InputError(self.name, "has a header but no rows", "give at least one row below it")
        self.problems: list[tuple[int, int, str, str, str]] = []
        for number, row in body:
            if len(row) != len(header):
                cells = f"found {len(row)} cell" + "s" * (len(row) != 1)
                self.problems.append((number, -1, "", cells, f"the header names {len(header)} columns"))
        self.settle()
        self.numbers = [number for number, _ in body]
        stripped = ([cell.strip() for cell in column] for column in zip(*(row for _, row in body), strict=True))
        self.columns = dict(zip(header, stripped, strict=True))

    def _rows(self, text: str, delimiter: str) -> list[tuple[int, list[str]]]:
        """Return the rows that are not blank, numbered as a spreadsheet numbers them."""
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        try:
            return [(number, row) for number, row in enumerate(reader, 1) if any(cell and not cell.isspace() for cell in row)]
        except csv.Error as error:
            raise InputError(f"{self.name}, line {reader.line_num}", f"is not well-formed CSV ({error})") from None

    def _check_header(self, header: list[str], known: Callable[[str], str | None], required: Sequence[str]) -> None:
        for position, name in enumerate(header, 1):
            where = f"{self.name}, row 1, column {position}"
            if not name:
                raise InputError(where, "has no name", "name every column in the first row")
            if header.count(name) > 1:
                raise InputError(where, f"the column {name!r} is there {header.count(name)} times", "give it once")
        for name in required:
            if name not in header:
                found = ", ".join(repr(given) for given in header[:5]) or "nothing"
                raise InputError(
                    f"{self.name}, row 1", f"the column {name!r} is missing (found {found})", "the first row names the columns"
                )
        for name in header:
            problem = known(name)
            if problem:
                raise InputError(f"{self.name}, row 1", f"unknown column {name!r}", problem)

    def __contains__(self, name: str) -> bool:
        """Tell whether there is a column of that name."""
        return name in self.columns

    def complain(self, at: int, column: str, allowed: str, problem: str | None = None) -> None:
        """Note a problem in a cell: row ``at`` of the body, what is ``allowed`` there."""
        found = f"found {self.columns[column][at]!r}" if problem is None else problem
        self.problems.append((self.numbers[at], list(self.columns).index(column), column, found, allowed))

    def settle(self) -> None:
        """Raise the first problem in reading order, with the number of further ones, if there is any."""
        if not self.problems:
            return
        row, _, column, problem, allowed = min(self.problems)
        more = len(self.problems) - 1
        tail = f" (and {more} more error{'s' if more > 1 else ''} in the file)" if more else ""
        raise InputError(f"{self.name}, row {row}" + (f", column {column}" if column else ""), problem + tail, allowed)

    def numbers_of(self, column: str, low: float, high: float, what: str, *, whole: bool = False, above: bool = False) -> Given:
        """Return a column of numbers in [low, high], or in (low, high] where ``above``; blank cells are absent."""
        cells = self.columns[column]
        if self.decimal_comma:
            cells = [cell.replace(",", ".") for cell in cells]
        values = np.array([_number(cell) for cell in cells])
        present = np.array([cell != "" for cell in cells], dtype=bool)
        fits = (values >= low) & (values <= high)  # False for nan
        if above:
            fits &= values > low
        if whole:
            fits &= values == np.rint(values)
        for at in np.flatnonzero(present & ~fits).tolist():
            self.complain(at, column, f"give {what}")
        return Given(np.where(present & fits, values, low), present)

    def words_of(self, column: str, words: Mapping[str, int]) -> Given:
        """Return a column of words as their numbers; upper and lower case are the same, blank cells are absent."""
        codes = [words.get(cell.lower(), -1) for cell in self.columns[column]]
        present = np.array([cell != "" for cell in self.columns[column]], dtype=bool)
        values = np.array(codes, dtype=np.float64)
        for at in np.flatnonzero(present & (values < 0)).tolist():
            self.complain(at, column, "give " + either([word for word in words if word]) + hint(self.columns[column][at], words))
        return Given(values, present)

    def labels_of(self, column: str) -> list[str]:
        """Return a column of free labels of at most 100 characters."""
        cells = self.columns[column]
        for at, cell in enumerate(cells):
            if len(cell) > LONGEST_LABEL:
                self.complain(at, column, f"at most {LONGEST_LABEL} are allowed", f"found a label of {len(cell)} characters")
        return cells


def _text(path: Path) -> str:
    """Return the text of a UTF-8 file, without a byte order mark. Raises InputError."""
    if path.is_dir():
        raise InputError(str(path), "is a folder", "give a CSV file")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(str(path), "there is no such file", "give the path of a CSV file") from None
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror})") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise InputError(f"{path.name}, row {row}", f"is not UTF-8 text (byte 0x{byte:02X})", "save the file as 'CSV UTF-8'") from None
    if not text.strip():
        raise InputError(path.name, "is empty", "the first row names the columns")
    return text


def _number(cell: str) -> float:
    """Return the number in a cell, nan where there is none. Python would also read 1_000."""
    try:
        return math.nan if "_" in cell else float(cell)
    except ValueError:
        return math.nan


def either(words: Sequence[str]) -> str:
    """Return words as a list that ends in 'or'."""
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]


def hint(cell: str, words: Iterable[str]) -> str:
    """Return ' (did you mean ...?)' where a word is near, else nothing; any two short words are near each other."""
    hint = nearest(cell, [word for word in words if len(word) > 3])
    return f" ({hint})" if hint.startswith("did") else ""
