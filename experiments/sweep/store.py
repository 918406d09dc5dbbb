"""A store that survives: chunks of a study as Parquet parts, written whole or not at all, checked by the hash in their names.

The parts are the truth; nothing else records what is done. Any number of processes may fill one store: a chunk under way is claimed by a
lock that the system lifts when its process dies, and a part is the same bytes whoever writes it.
"""

import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

try:
    import fcntl
except ImportError:  # without POSIX locks processes may do a chunk twice, never wrongly
    fcntl = None  # type: ignore[assignment]

__all__ = ["FAILURES", "RESULTS", "Store", "write_atomically"]

RESULTS = "results"
FAILURES = "failures"
"""Where in a sweep's folder the parts are, and what is said of runs that failed."""

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
    """The parts of a study in one folder; chunk numbers run from 0 to ``chunks`` - 1."""

    def __init__(self, folder: Path, chunks: int) -> None:
        self.folder, self.chunks = folder, chunks

    def parts(self) -> dict[int, Path]:
        """Return the part of each chunk that is there, by chunk number; not verified."""
        found = {}
        if self.folder.is_dir():
            for path in sorted(self.folder.iterdir()):
                match = PART.fullmatch(path.name)
                if match:
                    found[int(match[1])] = path
        return found

    def missing(self) -> list[int]:
        """Return the numbers of the chunks that have no part yet."""
        there = self.parts()
        return [chunk for chunk in range(self.chunks) if chunk not in there]

    def damaged(self) -> list[Path]:
        """Return the parts whose bytes are not those that were written: cut short, or changed since."""
        return [path for path in self.parts().values() if not self.sound(path)]

    def remove_drafts(self) -> None:
        """Remove what killed processes left half written; the drafts of chunks under way here stay."""
        for path in list(self.folder.iterdir()) if self.folder.is_dir() else []:
            match = DRAFT.fullmatch(path.name)
            if match:
                with self.claim(int(match[1])) as mine:
                    if mine:
                        path.unlink(missing_ok=True)

    @staticmethod
    def sound(path: Path) -> bool:
        """Tell whether a part holds the bytes that were written."""
        match = PART.fullmatch(path.name)
        return match is not None and _digest(path.read_bytes()) == match[2]

    def write(self, chunk: int, table: pa.Table) -> Path:
        """Write the part of a chunk."""
        self.folder.mkdir(parents=True, exist_ok=True)
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
        data = sink.getvalue().to_pybytes()
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


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
