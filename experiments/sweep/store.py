"""A store that survives: chunks of a study as Parquet parts, whole or not there, checked by name and mark.

The parts are the truth; nothing else records what is done. Any number of processes may fill one store: a chunk under way is claimed by a
lock that the system lifts when its process dies, and a part is the same bytes whoever writes it. Its name holds a hash of these bytes; its
mark, in the metadata of the file, says which chunk of which study it is.
"""

import errno
import hashlib
import json
import os
import re
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from school_mentoring.experiments.folder.description import decides, read_description
from school_mentoring.model.errors import InputError

try:
    import fcntl
except ImportError:  # without POSIX locks processes may do a chunk twice, never wrongly
    fcntl = None  # type: ignore[assignment]

RESULTS = "results"
FAILURES = "failures"
"""Where in a sweep's folder the parts are, and what is said of runs that failed."""

Mark = Mapping[str, Any]
"""Whose a part is, as JSON holds it: ``plan``, a hash of what decides its bytes; ``chunk``, its number; what else tells chunks apart."""

METADATA = b"school_mentoring"
DAMAGED = "is damaged (not the bytes that were written)"
GROWS = ("parameter_sets", "runs", "sets_hash", "sample", "variables")
"""What ``study.json`` says of the sets: a sweep may grow by more of them, and each part is marked with its own."""

UNMARKED = 1
"""The format of studies whose parts carry no mark, as version 1.0 wrote them."""

PART = re.compile(r"part-(\d{8,})-([0-9a-f]{16})\.parquet")
DRAFT = re.compile(r"\.part-(\d{8,})-.*\.tmp")


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a crash of the machine."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


class Store:
    """The parts of a study in one folder; chunk numbers run from 0 to ``chunks`` - 1.

    ``mark``: that of each chunk. ``unmarked``: says what is wrong with a part that has no mark, nothing where it may be that of its chunk;
    None where every part has one.
    """

    def __init__(self, folder: Path, chunks: int, mark: Callable[[int], Mark], unmarked: Callable[[int, Path], str] | None = None) -> None:
        self.folder, self.chunks, self._mark, self._unmarked = folder, chunks, mark, unmarked
        self._sound: set[Path] = set()

    def parts(self) -> dict[int, Path]:
        """Return a part of each chunk that is there, by chunk number; not verified."""
        found: dict[int, Path] = {}
        for chunk, path in self._named():
            if chunk < self.chunks:
                found.setdefault(chunk, path)
        return found

    def checked(self) -> dict[int, Path]:
        """Return ``parts``; raises InputError for a part that is damaged, of another study or of another chunk."""
        before = len(self._sound)
        for path, problem in self.faults():
            remedy = "run the study again" if problem == DAMAGED else "take it out of the folder, then complete the study"
            raise InputError(str(path), problem, f"{remedy} with --resume")
        if self._unmarked and len(self._sound) > before:
            say(
                f"notice: {self.folder}: parts written by version 1.0, which did not record of which study they are. Their bytes are whole "
                "and their rows are those of their chunks; that seed and parameters are those of study.json cannot be checked"
            )
        return self.parts()

    def missing(self) -> list[int]:
        """Return the numbers of the chunks that have no part yet."""
        there = self.parts()
        return [chunk for chunk in range(self.chunks) if chunk not in there]

    def mend(self) -> None:
        """Remove the damaged parts, naming them, so that they are made again. Raises InputError for a part of another study or chunk."""
        for path, problem in self.faults():
            if problem == DAMAGED:
                say(f"{path} {problem}: its chunk is computed again")
                path.unlink(missing_ok=True)
        self.checked()

    def faults(self) -> Iterator[tuple[Path, str]]:
        """Give each part that this study did not write, or not as it is now, and what is wrong with it."""
        chunks = set()
        for chunk, path in self._named():
            if path not in self._sound:
                data = path.read_bytes()
                if _digest(data) != path.stem.rpartition("-")[2]:
                    problem = DAMAGED
                elif chunk >= self.chunks:
                    problem = f"is chunk {chunk} of a study that has chunks 0 to {self.chunks - 1}"
                else:
                    problem = self._foreign(chunk, path, data, again=chunk in chunks)
                if problem:
                    yield path, problem
                else:
                    self._sound.add(path)
            chunks.add(chunk)

    def _foreign(self, chunk: int, path: Path, data: bytes, *, again: bool) -> str:
        """Say what tells a part from that of a chunk of this study; nothing where nothing does."""
        try:
            written = (pq.read_schema(pa.BufferReader(data)).metadata or {}).get(METADATA)
            found = dict(json.loads(written)) if written is not None else {}
        except (ValueError, TypeError):
            return "is no part that a command wrote"
        if not found:
            if self._unmarked is None:
                return "does not say of which study it is"
            return f"is a second part of chunk {chunk}" if again else self._unmarked(chunk, path)
        mark = self._mark(chunk)
        if found.get("plan") == mark["plan"] and found.get("chunk") != chunk:
            return f"is chunk {found.get('chunk')} of this study under the name of chunk {chunk}"
        return "" if found == mark else "is of another study"

    def _named(self) -> Iterator[tuple[int, Path]]:
        """Give the files that are named as parts, with the chunk in their names, in order."""
        for path in sorted(self.folder.iterdir()) if self.folder.is_dir() else []:
            match = PART.fullmatch(path.name)
            if match:
                yield int(match[1]), path

    def remove_drafts(self) -> None:
        """Remove what killed processes left half written; the drafts of chunks under way here stay."""
        for path in list(self.folder.iterdir()) if self.folder.is_dir() else []:
            match = DRAFT.fullmatch(path.name)
            if match:
                with self.claim(int(match[1])) as mine:
                    if mine:
                        path.unlink(missing_ok=True)

    def write(self, chunk: int, table: pa.Table) -> Path:
        """Write the part of a chunk."""
        self.folder.mkdir(parents=True, exist_ok=True)
        data = part_bytes(table, self._mark(chunk))
        path = self.folder / f"part-{chunk:08d}-{_digest(data)}.parquet"
        write_atomically(path, data)
        return path

    @contextmanager
    def claim(self, chunk: int) -> Iterator[bool]:
        """Give True while this process alone may work on a chunk, False where another does."""
        if fcntl is None:
            yield True
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".claims").open("ab") as file:
            try:
                # One byte of the file stands for one chunk; the lock goes with the process.
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, chunk, os.SEEK_SET)
            except OSError as error:
                if error.errno in (errno.EACCES, errno.EAGAIN):
                    yield False
                    return
                if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL):
                    raise
            yield True


# --- the parts and sets of a sweep -----------------------------------------------------------------------------------


def sweep_store(folder: Path, info: Mapping[str, Any] | None = None) -> Store:
    """Return the parts of the sweep in a folder; ``info``: what its ``study.json`` says.

    Raises InputError where the folder holds no study, or its parameter sets are damaged.
    """
    info = read_description(folder) if info is None else info
    sets = read_sets(folder, info).drop(columns="parameter_set")
    plan, size, replicates = plan_hash(info), info["sweep"]["chunk"], info["scenario"]["replicates"]
    cells = len(sets) * replicates

    def mark(chunk: int) -> dict[str, Any]:
        last = min((chunk + 1) * size, cells) - 1
        return {"plan": plan, "chunk": chunk, "sets": hash_sets(sets.iloc[chunk * size // replicates : last // replicates + 1])}

    def unmarked(chunk: int, path: Path) -> str:
        rows = pq.read_table(path, columns=["design", "parameter_set", "replicate"]).to_pandas()
        cell = rows["parameter_set"].to_numpy() * replicates + rows["replicate"].to_numpy()
        inside = (cell >= chunk * size) & (cell < min((chunk + 1) * size, cells))
        designs = set(rows["design"].astype(str).unique()) <= set(info["scenario"]["designs"])
        sound = bool(inside.all()) and designs and not rows.duplicated().any()
        return "" if sound else f"holds rows that are not of chunk {chunk} of this study"

    return Store(folder / RESULTS, -(-cells // size), mark, unmarked if info.get("format") == UNMARKED else None)


def plan_hash(info: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that change with all that decides the runs of a study but its sets; ``info``: its description."""
    kind = "search" if "search" in info else "sweep"
    decided = decides(info, kind)
    decided[kind] = {name: value for name, value in decided[kind].items() if name not in GROWS}
    return hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:16]


def read_sets(folder: Path, description: Mapping[str, Any]) -> pd.DataFrame:
    """Return the parameter sets in a sweep's folder; raises InputError where they are not those that its description names."""
    path = folder / "parameters.parquet"
    try:
        sets = pd.read_parquet(path)
        numbered = sets["parameter_set"].to_list() == list(range(len(sets)))
        sound = numbered and hash_sets(sets.drop(columns="parameter_set")) == description["sweep"]["sets_hash"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # what readers of Parquet say of bytes that are none
        sound = False
    if not sound:
        raise InputError(str(path), "is damaged (not the parameter sets of this sweep)", "run the sweep again with --resume")
    return sets


def hash_sets(frame: pd.DataFrame) -> str:
    """Return 16 hexadecimal digits that change with any name or value of a table of parameter sets."""
    digest = hashlib.sha256("|".join(map(str, frame.columns)).encode())
    for name in frame:
        column = frame[name]
        data = column.to_numpy(np.float64).tobytes() if pd.api.types.is_numeric_dtype(column) else json.dumps(list(column)).encode()
        digest.update(data)
    return digest.hexdigest()[:16]


# --- bytes and words -------------------------------------------------------------------------------------------------


def part_bytes(table: pa.Table, mark: Mark) -> bytes:
    """Return the bytes of a part that holds a table and its mark."""
    marked = {**(table.schema.metadata or {}), METADATA: json.dumps(mark, sort_keys=True).encode()}
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(marked), sink, compression="zstd", write_page_checksum=True)
    return bytes(sink.getvalue().to_pybytes())


def disk_words(size: float) -> str:
    """Return bytes in the unit that they are worth."""
    unit, length = next(((unit, length) for unit, length in (("GB", 1e9), ("MB", 1e6)) if size >= length), ("kB", 1e3))
    return f"{count_words(size / length)} {unit}"


def count_words(value: float) -> str:
    """Return a number with what digits it is worth."""
    if value >= 1e12:
        return f"{value:.0e}"
    return f"{value:,.0f}" if value == int(value) or value >= 1000 else f"{value:,.1f}"


def say(text: str) -> None:
    """Say on standard error what was read and is probably not meant."""
    print(text, file=sys.stderr, flush=True)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
