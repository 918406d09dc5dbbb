"""A user's CSV file as columns of text and of numbers, with the problems found in it so far: every message names file, row and column.

Whatever a spreadsheet writes: encoding, delimiter, decimal mark and the spelling of headers are found out. Rows are numbered as it does.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.errors import InputError, nearest, quoted

from .countries import LONGEST_LABEL
from .encoding import decoded, tidy
from .numbers import Bounds, Numbers, proven_marks, read_numbers

USUAL_MARK = {",": ".", ";": ",", "\t": None, "|": None}
"""Delimiters, and the decimal mark that goes with each in spreadsheets."""

MOST_ROWS_NAMED = 3
MAPPED = "another header is told by --columns"


class Dialect(NamedTuple):
    """What a user says of how tables are written: the ``encoding`` of those that are not Unicode, their own headers by our ``columns``."""

    encoding: str | None = None
    columns: Mapping[str, str] = MappingProxyType({})


class Given(NamedTuple):
    """A column as the user gave it: ``values`` (words as their numbers), and where they are ``present``."""

    values: NDArray[np.float64]
    present: NDArray[np.bool_]


class _Sheet(NamedTuple):
    """The rows of a file that are not blank, by their numbers, without columns that have neither name nor cells; what to say of it."""

    delimiter: str
    header: list[str]
    rows: list[tuple[int, list[str]]]
    notice: str


class CsvTable:
    """A CSV file as columns of stripped text, the problems found in it so far, and the notices to give of it."""

    def __init__(
        self,
        path: str | Path,
        known: Mapping[str, Bounds | None],
        required: Sequence[str],
        dialect: Dialect = Dialect(),  # noqa: B008 - a constant
        countries: Iterable[str] = (),
    ) -> None:
        """Read the file. ``known``: columns, with bounds of numbers; ``countries``: codes, where it names none. Raises InputError."""
        self.name = Path(path).name
        sheet = _sheet(Path(path), dialect, countries)
        self.notices = [sheet.notice] if sheet.notice else []
        self._known, self._delimiter = known, sheet.delimiter
        header = self._header(sheet.header, required, dialect)
        self._shown = dict(zip(header, sheet.header, strict=True))
        body = sheet.rows
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
        left_out = [name for name in self.columns if name not in known]
        for name in left_out:
            del self.columns[name]
        if left_out:
            self.notices.append(f"{self.name}: columns that --columns does not name are left out: {', '.join(left_out)}")

    def _header(self, given: list[str], required: Sequence[str], dialect: Dialect) -> list[str]:
        """Return the names of the columns; those that are not known stay as they are, to be left out."""
        header = _named(given, self._known, dialect.columns)
        where = f"{self.name}, row 1"
        for position, name in enumerate(header, 1):
            if not name:
                raise InputError(f"{where}, column {position}", "has no name", "name every column in the first row")
            if header.count(name) > 1:
                raise InputError(f"{where}, column {position}", f"the column {name!r} is there {header.count(name)} times", "give it once")
        for name, own in dialect.columns.items():
            if name in self._known and name not in header:
                raise InputError(f"--columns {name}={own}", f"{self.name} has no column {own!r}", nearest(own, given))
        for name in required:
            if name not in header:
                found = ", ".join(repr(cell) for cell in given[:5]) or "nothing"
                allowed = f"the first row names the columns; {MAPPED} {name}=HEADER"
                raise InputError(where, f"the column {name!r} is missing (found {found})", allowed)
        unknown = [name for name in header if name not in self._known]
        if unknown and not dialect.columns:
            raise InputError(where, f"unknown column {quoted(unknown)}", f"{nearest(unknown, self._known)}; {MAPPED} NAME={unknown[0]}")
        return header

    def __contains__(self, name: str) -> bool:
        """Tell whether there is a column of that name."""
        return name in self.columns

    def filled(self, column: str) -> NDArray[np.bool_]:
        """Return where a column has a cell that is not blank."""
        return np.array([cell != "" for cell in self.columns[column]], dtype=bool)

    def complain(self, at: int, column: str, allowed: str, problem: str | None = None) -> None:
        """Note a problem in a cell: row ``at`` of the body, what is ``allowed`` there."""
        found = f"found {self.columns[column][at]!r}" if problem is None else problem
        self.problems.append((self.numbers[at], list(self.columns).index(column), self._shown[column], found, allowed))

    def settle(self) -> None:
        """Raise the first problem in reading order, with the number of further ones, if there is any."""
        if not self.problems:
            return
        row, _, column, problem, allowed = min(self.problems)
        more = len(self.problems) - 1
        tail = f" (and {more} more error{'s' if more > 1 else ''} in the file)" if more else ""
        raise InputError(f"{self.name}, row {row}" + (f", column {column}" if column else ""), problem + tail, allowed)

    def remark(self, at: Iterable[int], column: str, found: str, expected: str) -> None:
        """Note what is probably not meant in some rows of the body, if any: what was ``found`` there, and what would be ``expected``."""
        rows = [self.numbers[one] for one in at]
        if rows:
            where = f"{self.name}, {_listed(rows)}" + (f", column {self._shown[column]}" if column else "")
            self.notices.append(f"{where}: {found}; {expected}")

    @cached_property
    def _proven(self) -> set[str]:
        """The decimal marks that the columns of numbers show."""
        return proven_marks(cells for name, cells in self.columns.items() if self._known[name] is not None)

    def as_numbers(self, cells: Sequence[str], bounds: Bounds) -> Numbers:
        """Return cells of a column as numbers, by the marks of this file."""
        return read_numbers(cells, bounds, USUAL_MARK.get(self._delimiter), self._proven)

    def numbers_of(self, column: str, words: Mapping[str, float] = MappingProxyType({})) -> Given:
        """Return a column of numbers within its bounds, or of ``words`` for one; blank cells are absent, others complained of."""
        bounds = self._known[column]
        assert bounds is not None, f"{column} holds no numbers"
        cells = self.columns[column]
        found = self.as_numbers(cells, bounds)
        values = (
            np.array([words.get(cell, value) for cell, value in zip(cells, found.values.tolist(), strict=True)]) if words else found.values
        )
        present = self.filled(column)
        wrong = present & np.isnan(values)
        for at in np.flatnonzero(wrong).tolist():
            if at in found.open:
                both = " or ".join(f"{value:.10g}" for value in found.open[at])
                self.complain(at, column, f"write it without a separator; give {bounds.what}", f"found {cells[at]!r}, which may be {both}")
            else:
                self.complain(at, column, f"give {bounds.what}")
        return Given(np.where(present & ~wrong, values, bounds.low), present)

    def words_of(self, column: str, words: Mapping[str, int], shown: Sequence[str] = ()) -> Given:
        """Return a column of words as their numbers, blank cells absent; case is nothing. A message lists those ``shown`` (all of them)."""
        codes = [words.get(cell.casefold(), -1) for cell in self.columns[column]]
        present = self.filled(column)
        values = np.array(codes, dtype=np.float64)
        for at in np.flatnonzero(present & (values < 0)).tolist():
            self.complain(
                at, column, "give " + either(shown or [word for word in words if word]) + hint(self.columns[column][at], shown or words)
            )
        return Given(values, present)

    def labels_of(self, column: str) -> list[str]:
        """Return a column of free labels of at most 100 characters; those that differ only in case or spaces are remarked on."""
        cells = self.columns[column]
        first = {cell: at for at, cell in reversed(list(enumerate(cells)))}
        alike: dict[str, int] = {}
        for cell, at in reversed(first.items()):
            if len(cell) > LONGEST_LABEL:
                self.complain(at, column, f"at most {LONGEST_LABEL} are allowed", f"found a label of {len(cell)} characters")
            before = alike.setdefault("".join(cell.split()).casefold(), at)
            if before != at:
                self.remark([before, at], column, f"{cells[before]!r} and {cell!r} are taken for two", "expected one spelling of one name")
        return cells


def header_of(path: str | Path, known: Iterable[str], dialect: Dialect) -> list[str]:
    """Return the names of a file's columns, ``known`` ones in our spelling. Raises InputError."""
    return _named(_sheet(Path(path), dialect, ()).header, known, dialect.columns)


def cells_of(path: str | Path, column: str, known: Iterable[str], dialect: Dialect, countries: Iterable[str] = ()) -> list[str]:
    """Return the cells of one column of a file, one for each row, blank where there is none. Raises InputError where it is no table."""
    sheet = _sheet(Path(path), dialect, countries)
    header = _named(sheet.header, known, dialect.columns)
    at = header.index(column) if column in header else len(header)
    return [row[at].strip() if at < len(row) else "" for _, row in sheet.rows]


# ------------------------------------------------------------------------------------------------------ bytes to cells


def _sheet(path: Path, dialect: Dialect, countries: Iterable[str]) -> _Sheet:
    """Return what stands in a file. Raises InputError."""
    content = _bytes(path)
    text, notice = decoded(content, path.name, dialect.encoding, lambda: _codes(content, path.name, dialect) or countries)
    if not text.strip():
        raise InputError(path.name, "is empty", "the first row names the columns")
    return _cells(tidy(text), path.name)._replace(notice=notice)


def _bytes(path: Path) -> bytes:
    if path.is_dir():
        raise InputError(str(path), "is a folder", "give a CSV file")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(str(path), "there is no such file", "give the path of a CSV file") from None
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror})") from None


def _codes(content: bytes, name: str, dialect: Dialect) -> list[str]:
    """Return the codes in the column of countries, which are ASCII in any code page; none where there is no such column."""
    sheet = _cells(content.decode("latin-1"), name)
    header = _named(sheet.header, ["country"], dialect.columns)
    if "country" not in header:
        return []
    at = header.index("country")
    return sorted({row[at] for _, row in sheet.rows if len(row) > at})


def _cells(text: str, name: str) -> _Sheet:
    """Return the cells of a text, which are separated as its line ``sep=`` says, or as its header is."""
    told = re.match(r'"?sep=([^"\r\n])"?[;,\t]*(\r\n|\r|\n)', text, re.IGNORECASE)
    text = text[told.end() :] if told else text
    head = re.sub(r'"[^"]*"', "", next((line for line in text.splitlines() if line.strip()), ""))
    delimiter = told[1] if told else max(USUAL_MARK, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [(number, row) for number, row in enumerate(reader, 1) if "".join(row).strip()]
    except csv.Error as error:
        raise InputError(f"{name}, line {reader.line_num}", f"is not well-formed CSV ({error})") from None
    header = [cell.strip() for cell in rows[0][1]] if rows else []
    # Spreadsheets write columns and rows that were once used: they have neither a name nor a cell.
    spare = {at for at, cell in enumerate(header) if not cell and not any(row[at].strip() for _, row in rows[1:] if len(row) > at)}
    body = []
    for number, row in rows[1:]:
        while len(row) > len(header) and not row[-1].strip():
            row.pop()
        body.append((number, [cell for at, cell in enumerate(row) if at not in spare] if spare else row))
    return _Sheet(delimiter, [cell for at, cell in enumerate(header) if at not in spare], body, "")


def _named(given: Sequence[str], known: Iterable[str], columns: Mapping[str, str]) -> list[str]:
    """Return headers as the columns they mean: by ``columns``, else by the known name that is spelled alike."""
    own = {_spelled(header): name for name, header in columns.items()}
    names = list(known)
    times = Counter(_spelled(name) for name in names)
    alike = {_spelled(name): name for name in names if times[_spelled(name)] == 1}
    spelled = [_spelled(cell) for cell in given]
    return [own.get(key) or (cell if cell in names else alike.get(key, cell)) for cell, key in zip(given, spelled, strict=True)]


def _spelled(name: str) -> str:
    """Return a header without case and without what stands between its words."""
    return re.sub(r"[\W_]", "", name.casefold())


def _listed(rows: Sequence[int]) -> str:
    """Return rows in words, the first of them by their numbers."""
    more = len(rows) - MOST_ROWS_NAMED
    named = [str(row) for row in rows[:MOST_ROWS_NAMED]] + ([f"{more:,} more"] if more > 0 else [])
    return f"row {named[0]}" if len(named) == 1 else f"rows {', '.join(named[:-1])} and {named[-1]}"


def either(words: Sequence[str]) -> str:
    """Return words as a list that ends in 'or'."""
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]


def hint(cell: str, words: Iterable[str]) -> str:
    """Return ' (did you mean ...?)' where a word is near, else nothing; any two short words are near each other."""
    hint = nearest(cell, [word for word in words if len(word) > 3])
    return f" ({hint})" if hint.startswith("did") else ""
