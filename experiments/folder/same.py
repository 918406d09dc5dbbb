"""Whether two study folders hold the same results: the same bytes, or else the same values, or else where they first differ."""

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from school_mentoring.experiments.sweep.store import PART

from .description import file_digest
from .writing import METADATA

DRAWN = (".png", ".svg", ".html", ".pdf")
"""Files that show results and hold none of their own: their bytes change with the libraries that draw."""

DESCRIBE = ("study.json", METADATA)


@dataclass(frozen=True)
class Difference:
    """The first difference in a file. ``row``: counted from 1; None, as ``column``, where a file differs otherwise, as ``what`` says."""

    file: str
    what: str
    column: str | None = None
    row: int | None = None
    there: str = ""
    here: str = ""

    def __str__(self) -> str:
        """Say it in one line."""
        if self.row is None:
            return f"{self.file}: {self.what}"
        column = "" if self.column is None else f"column {self.column}, "
        return f"{self.file}, {column}row {self.row}: {self.there} there, {self.here} here"


@dataclass
class FolderComparison:
    """What two folders have in common, by names of files.

    ``identical``: results of the same bytes; ``same_values``: tables that hold the same to the last bit in other bytes; ``different``:
    results that differ; ``drawn_identical``, ``drawn_different``: figures and reports.
    """

    identical: list[str] = field(default_factory=list)
    same_values: list[str] = field(default_factory=list)
    different: list[Difference] = field(default_factory=list)
    drawn_identical: list[str] = field(default_factory=list)
    drawn_different: list[str] = field(default_factory=list)

    @property
    def same(self) -> bool:
        """Whether every result is the same."""
        return not self.different

    def document(self) -> dict[str, Any]:
        """Return the comparison as JSON holds it."""
        return {"same": self.same, "byte_identical": self.same and not self.same_values, **asdict(self)}

    def lines(self) -> list[str]:
        """Return the comparison for people."""
        files = len(self.identical) + len(self.same_values) + len(self.different)
        if self.different:
            said = [f"DIFFERENT: {len(self.different)} of {files} result files", *(f"  {one}" for one in self.different)]
        elif self.same_values:
            said = [f"Same values in all {files} result files, {len(self.identical)} of them byte for byte"]
            said += [f"Other bytes for the same values, as libraries encode them otherwise: {', '.join(self.same_values)}"]
        else:
            said = [f"Same: all {files} result files are identical, byte for byte"]
        if other := self.drawn_different:
            of = len(self.drawn_identical) + len(other)
            said.append(f"{len(other)} of {of} figures and reports are drawn otherwise: {', '.join(other)}")
        return said


def compare_folders(there: Path, here: Path) -> FolderComparison:
    """Compare the results of the study in one folder with those in another.

    A file of the first that is gone is compared by the hash in its ``study.json``, and one that is not as that says counts as different.
    What the studies were made from, of which a folder may keep copies, is no result.
    """
    found = FolderComparison()
    sources = {digest for folder in (there, here) for _, study in _described(folder) for digest in dict(study.get("inputs") or {}).values()}
    recorded = {name: digest for name, digest in _recorded(there).items() if digest[:16] not in sources}
    present, mine = ({n: path for n, path in _present(folder).items() if file_digest(path)[:16] not in sources} for folder in (there, here))
    for name in sorted({*recorded, *present, *mine}):
        difference, same_bytes = _file(name, recorded.get(name), present.get(name), mine.get(name))
        if Path(name).suffix in DRAWN:
            (found.drawn_identical if same_bytes else found.drawn_different).append(name)
        elif difference is not None:
            found.different.append(difference)
        else:
            (found.identical if same_bytes else found.same_values).append(name)
    return found


def _file(name: str, recorded: str | None, there: Path | None, here: Path | None) -> tuple[Difference | None, bool]:
    """Return the first difference in a file, None where it holds the same, and whether its bytes are the same."""
    if here is None:
        return Difference(name, "is not made again"), False
    digest = file_digest(here)
    actual = recorded if there is None else file_digest(there)
    if recorded not in (None, actual):
        what = "was changed after the study was made" + (", which gives what it held before" if recorded == digest else "")
        return Difference(name, what), False
    if actual == digest:
        return None, True
    if there is None:
        return Difference(name, "was not there" if recorded is None else "differs, and is gone there"), False
    return first_difference(name, there, here), False


def first_difference(name: str, there: Path, here: Path) -> Difference | None:
    """Return where two files of different bytes first differ in what they hold; None where they hold the same."""
    reader = {".parquet": _parquet, ".csv": _csv, ".yaml": _text, ".txt": _text, ".json": _text}.get(there.suffix)
    if reader is None:
        return Difference(name, "differs in its bytes")
    try:
        one, other = reader(there), reader(here)
    except (OSError, ValueError) as error:
        return Difference(name, f"cannot be read ({error})")
    if list(one) != list(other):
        differing = next((a, b) for a, b in zip_longest(one, other) if a != b)
        return Difference(name, f"columns differ: {differing[0]} there, {differing[1]} here")
    rows = [(row, column) for column in one if (row := _first_row(one[column], other[column])) is not None]
    if not rows:
        return None if there.suffix in (".parquet", ".csv") else Difference(name, "differs in its bytes")
    row, column = min(rows, key=lambda found: found[0])  # of several columns the first
    return Difference(name, "differs", column or None, row + 1, *(_shown(table[column], row) for table in (one, other)))


Columns = dict[str, "np.ndarray[Any, np.dtype[Any]] | list[Any]"]


def _parquet(path: Path) -> Columns:
    table = pq.read_table(path)
    return {name: _values(table[name]) for name in table.column_names}


def _values(column: pa.ChunkedArray) -> "np.ndarray[Any, np.dtype[Any]] | list[Any]":
    """Return numbers without blanks as an array, anything else as a list."""
    number = pa.types.is_floating(column.type) or pa.types.is_integer(column.type)
    return column.to_numpy() if number and not column.null_count else column.to_pylist()


def _csv(path: Path) -> Columns:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    return {name: [row[position] if position < len(row) else "" for row in rows] for position, name in enumerate(header)}


def _text(path: Path) -> Columns:
    return {"": list(path.read_text(encoding="utf-8").splitlines())}


def _first_row(one: Any, other: Any) -> int | None:
    """Return the first row in which two columns differ, to the last bit; where one ends earlier, its end."""
    n = min(len(one), len(other))
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        a, b = one[:n], other[:n]
        rows = np.flatnonzero(~((a == b) & (np.signbit(a) == np.signbit(b)) | (np.isnan(a) & np.isnan(b)))).tolist()
    else:  # a column without blanks is an array, and beside one that has some it is read as that is
        left, right = (column.tolist() if isinstance(column, np.ndarray) else column for column in (one, other))
        rows = [k for k in range(n) if repr(left[k]) != repr(right[k])]
    return rows[0] if rows else n if len(one) != len(other) else None


def _shown(column: Any, row: int) -> str:
    if row >= len(column):
        return "no such row"
    value = column[row].item() if isinstance(column, np.ndarray) else column[row]
    return repr(value) if len(repr(value)) <= 60 else repr(value)[:57] + "..."


def _present(folder: Path) -> dict[str, Path]:
    """Return the files of results and figures in a folder by name, without hidden ones and those that describe it."""
    present: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and path.name not in DESCRIBE and not any(part.startswith(".") for part in name.parts):
            key = _key(name.as_posix())
            present[name.as_posix() if key in present else key] = path  # a second part of a chunk is a file of its own
    return present


def _key(name: str) -> str:
    """Return the name of a file within its folder; parts carry a hash in theirs, which is left out."""
    folder, slash, file = name.rpartition("/")
    part = PART.fullmatch(file)
    return name if part is None else f"{folder}{slash}part-{part[1]}.parquet"


def _recorded(folder: Path) -> dict[str, str]:
    """Return the hashes of files that the ``study.json`` of a folder, and of folders in it, state."""
    hashes = {}
    for inside, study in _described(folder):
        stated = study.get("files")  # none while the study is under way
        for name, digest in (stated if isinstance(stated, dict) else {}).items():
            if name.rpartition("/")[2] not in DESCRIBE:
                hashes[_key(f"{inside}/{name}".removeprefix("./"))] = str(digest)
    return hashes


def _described(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give what each ``study.json`` in a folder, and in folders in it, says, and where in the folder it stands."""
    for path in folder.rglob("study.json"):
        try:
            study = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(study, dict):
            yield path.parent.relative_to(folder).as_posix(), study
