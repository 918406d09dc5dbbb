"""The store: parts are whole or not there, damage is seen, and a chunk is one process's at a time."""

import errno
import hashlib
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from school_mentoring.experiments.sweep.store import DAMAGED, Store, write_atomically
from school_mentoring.model.errors import InputError

TABLE = pa.table({"x": list(range(1000))})


def store_of(folder, chunks, plan="mine"):
    return Store(folder, chunks, lambda chunk: {"plan": plan, "chunk": chunk})


def test_a_part_is_named_by_its_chunk_and_holds_its_table(tmp_path):
    store = store_of(tmp_path / "results", 3)
    assert store.missing() == [0, 1, 2]
    path = store.write(1, TABLE)
    assert path.name.startswith("part-00000001-")
    assert store.parts() == {1: path}
    assert store.missing() == [0, 2]
    assert pq.read_table(path).equals(TABLE)


def test_the_same_table_is_the_same_part(tmp_path):
    one, other = (store_of(tmp_path / name, 1).write(0, TABLE) for name in "ab")
    assert one.name == other.name
    assert one.read_bytes() == other.read_bytes()


def test_other_files_are_no_parts(tmp_path):
    store = store_of(tmp_path, 1)
    for name in ("part-00000000.parquet", "part-0-0123456789abcdef.parquet", ".part-00000000-0123456789abcdef.parquet.x.tmp", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert store.parts() == {}


@pytest.mark.parametrize("at", [0, 4, 100, 500, -9, -5, -1])
def test_a_flipped_byte_is_seen_wherever_it_is(tmp_path, at):
    store = store_of(tmp_path, 2)
    sound, path = store.write(0, TABLE), store.write(1, TABLE.slice(1))
    assert list(store.checked().values()) == [sound, path]
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)
    assert list(store_of(tmp_path, 2).faults()) == [(path, DAMAGED)]


@pytest.mark.parametrize("kept", [0, 1, 100, -1])
def test_a_part_cut_short_is_seen(tmp_path, kept):
    store = store_of(tmp_path, 1)
    path = store.write(0, TABLE)
    path.write_bytes(path.read_bytes()[:kept])
    assert list(store.faults()) == [(path, DAMAGED)]


@pytest.mark.parametrize(
    ("plan", "written", "named", "problem"),
    [
        ("other", 1, 1, "is of another study"),
        ("mine", 1, 2, "is chunk 1 of this study under the name of chunk 2"),
        ("mine", 1, 7, "is chunk 7 of a study that has chunks 0 to 2"),
    ],
)
def test_a_part_of_another_study_or_chunk_is_named_and_stays(tmp_path, plan, written, named, problem):
    path = store_of(tmp_path, 3, plan).write(written, TABLE)
    path = path.rename(path.with_name(path.name.replace(f"{written:08d}", f"{named:08d}")))
    for look in (Store.checked, Store.mend):
        with pytest.raises(InputError) as caught:
            look(store_of(tmp_path, 3))
        assert str(caught.value) == f"{path}: {problem}; take it out of the folder, then complete the study with --resume"
    assert path.exists()


def test_a_part_that_says_nothing_is_refused(tmp_path):
    path = store_of(tmp_path, 1).write(0, TABLE)
    pq.write_table(TABLE, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    path.rename(path.with_name(f"part-00000000-{digest}.parquet"))
    with pytest.raises(InputError, match="does not say of which study it is"):
        store_of(tmp_path, 1).checked()


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"before")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"after")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


HOLDER = """
import sys
from pathlib import Path
from school_mentoring.experiments.sweep.store import Store
with Store(Path(sys.argv[1]), 9, lambda chunk: {}).claim(4) as mine:
    print(mine, flush=True)
    sys.stdin.read()
"""


def test_a_claim_excludes_other_processes_until_its_process_dies(tmp_path):
    store = store_of(tmp_path, 9)
    with subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "True\n"
        draft, other = (tmp_path / f".part-{n:08d}-0123456789abcdef.parquet.ab.tmp" for n in (4, 5))
        draft.write_bytes(b"half")
        other.write_bytes(b"half")
        with store.claim(4) as mine:
            assert not mine
        with store.claim(5) as mine:
            assert mine
        store.remove_drafts()
        assert (draft.exists(), other.exists()) == (True, False)
        holder.kill()
        holder.wait()
        with store.claim(4) as mine:
            assert mine
        store.remove_drafts()
        assert not draft.exists()
