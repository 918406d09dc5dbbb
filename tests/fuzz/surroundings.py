"""Where commands run: folders that cannot be written, full disks, no home, other locales, odd names, closed outputs, and interruptions.

Each trial is a process of its own. It must end with exit code 0 and whole studies, or with 2 and one line, and leave nothing half-written.
"""

import ctypes
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from school_mentoring.model.compiled import cache_folder, is_warm
from tests.commands.program import TRACES, Done, assert_intact, finish, started, tree

from .sound import OBSERVATIONS, SMALL, TABLES
from .trial import ASIDE

__all__ = [
    "COMMANDS",
    "SPREADS",
    "SURROUNDINGS",
    "WRITES",
    "Surroundings",
    "at_once",
    "faults_in",
    "interrupted",
    "set_up",
    "shards_at_once",
    "spread",
]

OUT = ("--out", "study")
LONGEST, TO_COMPILE = 300, 1200  # seconds
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "validate": ("validate", "small.yaml", "schools.csv", "ties.csv", "observations.csv", "--scenario", "small.yaml"),
    "parameters": ("parameters", "small.yaml"),
    "schema": ("schema",),
    "new": ("new", "mine"),
    "simulate": ("simulate", "small.yaml", "--design", "mine", "--per-school", *OUT),
    "compare": ("compare", "small.yaml", "--schools", "schools.csv", *OUT),
    "scale": ("scale", "small.yaml", "--schools", "schools.csv", *OUT),
    "sweep": ("sweep", "small.yaml", "--vary", "p=0.01:0.05", "--sample", "lhs:8", "--chunk", "8", *OUT),
    "sensitivity": ("sensitivity", "small.yaml", "--method", "pawn", "--n", "8", "--max-runs", "60", "--replicates", "2", *OUT),
    "optimise": ("optimise", "small.yaml", "--evaluations", "8", "--population", "4", "--replicates", "2", "--draws", "0", *OUT),
    "recommend": ("recommend", "small.yaml", *OUT),
    "calibrate": ("calibrate", "small.yaml", "--schools", "schools.csv", "--design", "mine", "--fit", "p", "--runs", "256", *OUT),
}
"""A quick run of every command but the page and the re-run."""

WRITES = tuple(name for name in COMMANDS if name not in ("validate", "parameters", "schema"))


SPREADS: Mapping[str, int] = {
    **dict.fromkeys(("--workers=1", "--workers=1000", f"--workers={10**30}", "--shard=1/1", "--shard=999999999/999999999"), 0),
    **dict.fromkeys(("--workers=0", "--workers=-1", "--workers=1.5", "--workers=", "--chunk=0"), 2),
    **dict.fromkeys(("--shard=0/2", "--shard=3/2", "--shard=1", "--shard=1/2/3", "--shard=", "--shard=-1/2", f"--shard=1/{10**12}"), 2),
    **dict.fromkeys(("--scheduler=", "--scheduler=nonsense", "--scheduler=ftp://127.0.0.1:1", "--scheduler=tcp://127.0.0.1:99999"), 2),
    **dict.fromkeys(("--scheduler=tcp://127.0.0.1:9", "--scheduler=tls://127.0.0.1:9", "--scheduler=127.0.0.1"), 2),
}
"""How a sweep may be asked to be spread over processors, job arrays and clusters, and the exit code of each."""


@dataclass(frozen=True)
class Surroundings:
    """Where a process runs: the name of its folder, what is changed of its environment, how it is started; and how it may end."""

    folder: str = "folder"
    environment: Mapping[str, str | None] = field(default_factory=dict)
    prepare: Callable[[Path], object] = lambda _folder: None
    process: Callable[[Path], dict[str, Any]] = lambda _folder: {}
    codes: tuple[int, ...] = (0,)
    commands: tuple[str, ...] = tuple(COMMANDS)


def _limited(size: int) -> Callable[[Path], dict[str, Any]]:
    """Return what lets a process write no file larger than ``size`` bytes, as a full disk does."""
    return lambda _folder: {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))}


def without_override() -> None:
    """Take from this process, which is about to start another, root's right to read and write whatever permissions say."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, dropped from the bounding set
            if libc.prctl(24, capability, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "prctl")


def _read_only(folder: Path) -> None:
    folder.chmod(0o555)


def _closed_pipe(_folder: Path) -> dict[str, Any]:
    """Return a standard output that nobody reads, as after ``| head``."""
    reader, writer = os.pipe()
    os.close(reader)
    return {"stdout": writer}


def _full(_folder: Path) -> dict[str, Any]:
    return {"stdout": os.open("/dev/full", os.O_WRONLY)}


def _no_streams(_folder: Path) -> dict[str, Any]:
    """Return a process without standard input and output, as some schedulers start one."""
    return {"preexec_fn": lambda: [os.close(number) for number in (0, 1)] and None, "stdin": None, "stdout": None}


OWNED = {"preexec_fn": without_override}
C_LOCALE = {"LC_ALL": "C", "LANG": None, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": None}

SURROUNDINGS: Mapping[str, Surroundings] = {
    "a folder with spaces and accents": Surroundings(folder="études à 100 % — ñ 学校"),
    "a folder whose name is a quotation": Surroundings(folder="it's \"x\" [y] {z} $HOME"),
    "the C locale": Surroundings(environment=C_LOCALE),
    "the C locale in a folder with accents": Surroundings(folder="étude 学", environment=C_LOCALE),
    "another locale": Surroundings(environment={"LC_ALL": "de_DE.ISO-8859-1", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"}),
    "no HOME": Surroundings(environment={"HOME": None, "XDG_CACHE_HOME": None, "NUMBA_CACHE_DIR": str(cache_folder().parents[1])}),
    "a HOME that is not there": Surroundings(
        environment={"HOME": "/nonexistent", "XDG_CACHE_HOME": None, "NUMBA_CACHE_DIR": str(cache_folder().parents[1])}
    ),
    "a folder that is read-only": Surroundings(prepare=_read_only, process=lambda _folder: OWNED, codes=(2,), commands=WRITES),
    "a scenario that may not be read": Surroundings(
        prepare=lambda folder: (folder / "small.yaml").chmod(0), process=lambda _folder: OWNED, codes=(2,),
        commands=tuple(name for name, words in COMMANDS.items() if "small.yaml" in words),
    ),
    "schools that may not be read": Surroundings(
        prepare=lambda folder: (folder / "schools.csv").chmod(0), process=lambda _folder: OWNED, codes=(2,),
        commands=("validate", "compare", "calibrate"),
    ),
    "a disk with no room": Surroundings(process=_limited(0), codes=(2,), commands=WRITES),
    "a disk with room for 3 kB": Surroundings(process=_limited(3_000), codes=(0, 2), commands=WRITES),
    "a disk with room for 20 kB": Surroundings(process=_limited(20_000), codes=(0, 2), commands=WRITES),
    "a standard output that nobody reads": Surroundings(process=_closed_pipe, codes=(0, 1)),
    "a standard output that is full": Surroundings(process=_full, codes=(0, 2)),
    "no standard output": Surroundings(process=_no_streams),
}  # fmt: skip


def set_up(folder: Path) -> None:
    """Put the sound files into a new folder."""
    folder.mkdir()
    for name, text in {"small.yaml": SMALL, **TABLES, "observations.csv": OBSERVATIONS["counts"]}.items():
        (folder / name).write_text(text, encoding="utf-8")


def _started(words: tuple[str, ...], folder: Path, surroundings: Surroundings) -> subprocess.Popen[str]:
    given = surroundings.process(folder)
    spoken = surroundings.environment.get("PYTHONIOENCODING") or "utf-8"
    process = started(*words, cwd=folder, environment=surroundings.environment, encoding=spoken, **given)
    if given.get("stdout") is not None:
        os.close(given["stdout"])
    return process


def _ended(process: subprocess.Popen[str]) -> Done:
    """Wait until a process ends; processes at once each compile for all."""
    return finish(process, LONGEST if is_warm() else TO_COMPILE)


def faults_in(name: str, command: str, parent: Path) -> list[str]:
    """Run a command in surroundings, below a folder, and return what was wrong with what it did."""
    surroundings = SURROUNDINGS[name]
    folder = parent / surroundings.folder
    set_up(folder)
    surroundings.prepare(folder)
    before = tree(folder)
    process = _started(COMMANDS[command], folder, surroundings)
    done = _ended(process)
    if os.geteuid() != 0:
        folder.chmod(0o755)
    return _faults(folder, before, done, surroundings.codes)


def _faults(folder: Path, before: list[str], done: Done, codes: tuple[int, ...]) -> list[str]:
    code, err = done.code, done.err
    lines = [line for line in err.splitlines() if not ASIDE.match(line)]
    faults = [] if code in codes else [f"exit code {code}, said {lines[-3:]}"]
    if any(trace in err for trace in TRACES if trace != "Error:"):
        faults.append(f"traceback: {err[-400:]}")
    elif code == 2 and (len(lines) != 1 or not lines[0].startswith("error: ")):
        faults.append(f"message: {lines}")
    elif code == 0 and lines:
        faults.append(f"said {lines}")
    new = [name for name in tree(folder) if name not in before]
    if any(part.startswith(".") and part != ".claims" for name in new for part in name.split("/")):
        faults.append(f"left {new}")
    if code == 0 and (folder / "study" / "study.json").exists():
        faults += _whole(folder / "study")
    return faults


def _whole(study: Path) -> list[str]:
    for path in study.rglob("study.json"):
        if '"files":' in path.read_text(encoding="utf-8").rsplit('"versions"', 1)[-1] and not (path.parent / "results").exists():
            try:
                assert_intact(path.parent)
            except AssertionError as error:
                return [f"a study that is not whole: {str(error)[:200]}"]
    return []


def at_once(command: str, folder: Path) -> list[str]:
    """Run a command twice at once into one folder: one at least succeeds, the other does or refuses; what is there in the end is whole."""
    set_up(folder)
    before = tree(folder)
    both = [_started(COMMANDS[command], folder, Surroundings()) for _ in range(2)]
    ended = [_ended(process) for process in both]
    faults = [fault for done in ended for fault in _faults(folder, before, done, (0, 2))]
    if all(done.code for done in ended):
        faults.append(f"neither succeeded: {ended}")
    return faults


def spread(option: str, folder: Path) -> list[str]:
    """Run a sweep that is to be spread in some way, and return what was wrong with what it did."""
    set_up(folder)
    before = tree(folder)
    done = _ended(_started((*COMMANDS["sweep"], option), folder, Surroundings()))
    faults = _faults(folder, before, done, (SPREADS[option],))
    if done.code == 2 and "--scheduler" not in option and tree(folder) != before:
        faults.append(f"refused, and left {tree(folder)}")
    return faults


def shards_at_once(shards: int, folder: Path) -> list[str]:
    """Run the shards of a sweep at once into one folder: it must be that of a sweep in one go, to the last byte of its runs."""
    set_up(folder)
    words = COMMANDS["sweep"][: -len(OUT)]
    whole = _started((*words, "--out", "whole"), folder, Surroundings())
    parts = [_started((*words, "--out", "study", f"--shard={i}/{shards}"), folder, Surroundings()) for i in range(1, shards + 1)]
    faults = []
    for process in (whole, *parts):
        done = _ended(process)
        lines = [line for line in done.err.splitlines() if not ASIDE.match(line)]
        faults += [f"exit code {done.code}, said {lines}"] if done.code or lines else []
    one, other = ({path.name: path.read_bytes() for path in (folder / name / "results").glob("part-*")} for name in ("whole", "study"))
    return faults + ([] if one and one == other else [f"{sorted(other)} instead of {sorted(one)}"])


def interrupted(command: str, folder: Path, seconds: float) -> list[str]:
    """Press Ctrl-C so many seconds after a command was started: exit code 130 and one line, or it was finished before."""
    set_up(folder)
    before = tree(folder)
    process = _started(COMMANDS[command], folder, Surroundings())
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    done = _ended(process)
    lines = [line for line in done.err.splitlines() if not ASIDE.match(line)]
    if done.code == 130:
        said = len(lines) == 1 and lines[0].startswith("interrupted: ")
        faults = [] if said else [f"said {done.err[-600:]!r}"]
        return faults + [fault for fault in _faults(folder, before, done, (130,)) if "left" in fault]
    starting = "run.py" not in done.err or "import main" in done.err
    if done.code in (-signal.SIGINT, 1) and starting:  # Python itself was still starting, which says so in its own way
        return [] if tree(folder) == before else ["killed, and left something"]
    return _faults(folder, before, done, (0,))
