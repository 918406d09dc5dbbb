"""A command on files in a folder, and what is wrong with what it did."""

import contextlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.commands.program import TRACES, Done, assert_intact, call

from .damage import damaged

__all__ = ["Case", "Folder", "Outcome", "faults_of", "tried"]

LONGEST_MESSAGE = 1500
ASIDE = re.compile(
    r"notice: |"
    r"(?!error: )(Compiling the engine|.* is damaged|.* holds no sweep yet|[a-z ]+: [\d,]+ of [\d,]+|"
    r"(shard [\d/]+: )?[\d,]+ (runs|parameter).*chunks in)"
)
"""Lines on standard error that are no error."""

OWN = ("study", "again")
"""Folders that a command may make."""


@dataclass(frozen=True)
class Case:
    """A command and the files it reads, one of which is to be damaged.

    ``act``: the words after ``run.py``, or a function of the folder that raises InputError as a command would. ``spoil``: what is damaged.
    ``sound``: raises AssertionError where a success was wrong (the folder, what the command left). ``too_much``: whether the damaged files
    ask for more work than a trial may take. ``mends``: whether the command may put the damaged file right. ``codes``: other exit codes that
    are answers. ``weight``: how often the case is tried beside others. ``damage``: what spoils the file.
    """

    name: str
    files: Mapping[str, bytes]
    spoil: str
    act: tuple[str, ...] | Callable[[Path], object]
    sound: Callable[[Path, Done], None] = lambda _folder, _done: None
    too_much: Callable[[Path], bool] = lambda _folder: False
    mends: bool = False
    codes: tuple[int, ...] = ()
    weight: int = 1
    damage: Callable[[bytes, str, Random], bytes] = damaged

    @property
    def command(self) -> str:
        """The command as people call it."""
        return self.name.partition(" < ")[0]


class Outcome(NamedTuple):
    """What came of a trial: ``verdict`` is accepted, refused or left out; ``faults`` what was wrong with it."""

    verdict: str
    faults: list[str]
    done: Done


class Folder:
    """A folder whose content is set before every trial; only what differs is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, bytes] = {}

    def set(self, files: Mapping[str, bytes]) -> None:
        """Make the folder hold just these files."""
        for name in [name for name in self.known if name not in files]:
            (self.path / name).unlink()
            del self.known[name]
        for folder in sorted((path for path in self.path.rglob("*") if path.is_dir()), reverse=True):
            with contextlib.suppress(OSError):  # it holds something
                folder.rmdir()
        for name, content in files.items():
            if self.known.get(name) != content:
                (self.path / name).parent.mkdir(parents=True, exist_ok=True)
                (self.path / name).write_bytes(content)
                self.known[name] = content

    def read(self) -> dict[str, bytes]:
        """Return what the folder holds now."""
        self.known = {path.relative_to(self.path).as_posix(): path.read_bytes() for path in self.path.rglob("*") if path.is_file()}
        return self.known


def tried(case: Case, folder: Folder, content: bytes) -> Outcome:
    """Run the command of a case on its files, of which one holds ``content``, and say what was wrong."""
    files = {**case.files, case.spoil: content}
    folder.set(files)
    if case.too_much(folder.path):
        return Outcome("left out", [], Done(0, "", ""))
    done = call(case.act, folder.path)
    after = dict(folder.read())
    return Outcome("refused" if done.code == 2 else "accepted", faults_of(case, folder.path, files, after, done), done)


def faults_of(case: Case, folder: Path, before: Mapping[str, bytes], after: Mapping[str, bytes], done: Done) -> list[str]:
    """Return what is wrong with what a command did."""
    if done.fault:
        return [f"traceback: {done.fault}"]
    faults = _said(done)
    if done.code not in (0, 2, *case.codes):
        faults.append(f"exit code {done.code}")
    if done.code in (2, 130) and not case.mends and before != after:
        changed = [name for name in {*before, *after} if before.get(name) != after.get(name)]
        faults.append(f"refused or interrupted, and changed {sorted(changed)[:5]}")
    drafts = [name for name in after if name not in before and re.search(r"(^|/)\.(?!claims)", name)]
    if drafts:
        faults.append(f"left {drafts[:5]}")
    if done.code in (0, *case.codes):
        faults += _success(case, folder, before, after, done)
    return faults


def _said(done: Done) -> list[str]:
    """Return what is wrong with what a command said."""
    faults = []
    lines = [line for line in done.err.splitlines() if not ASIDE.match(line)]
    if done.code == 2:
        if done.out.strip():
            faults.append(f"refused, and printed {done.out[:80]!r}")
        if len(lines) != 1 or not lines[0].startswith("error: ") or len(lines[0]) > LONGEST_MESSAGE or not lines[0].isprintable():
            faults.append(f"message: {lines!r:.300}")
    elif done.code == 130 and len(lines) == 1 and lines[0].startswith("interrupted: "):
        pass
    elif lines:
        faults.append(f"accepted, and said {lines!r:.300}")
    if any(trace in done.err for trace in TRACES if trace != "Error:"):
        faults.append(f"traceback on standard error: {done.err[-300:]!r}")
    return faults


def _success(case: Case, folder: Path, before: Mapping[str, bytes], after: Mapping[str, bytes], done: Done) -> list[str]:
    """Return why a success was none: a study that is not whole, or a file that should not have been accepted."""
    try:
        for name in OWN:
            if f"{name}/study.json" in after and f"{name}/study.json" not in before:
                _whole(folder / name)
        case.sound(folder, done)
    except AssertionError as error:
        return [f"wrong success: {str(error)[:300] or 'not what the file says'}"]
    except Exception as error:  # what the oracle cannot read, the command should not have read either
        return [f"wrong success: the file reads as {type(error).__name__}: {str(error)[:200]}"]
    return []


def _whole(study: Path) -> None:
    listed: Mapping[str, Any] = json.loads((study / "study.json").read_text(encoding="utf-8"))
    if "files" in listed:
        assert_intact(study)
