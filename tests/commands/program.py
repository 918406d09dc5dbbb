"""Run commands, in this process or in one of their own; what all tests of commands share."""

import contextlib
import hashlib
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from subprocess import Popen
from typing import Any, NamedTuple

from school_mentoring.analysis.commands.program import run
from school_mentoring.model.compiled import is_warm
from school_mentoring.model.errors import InputError

ROOT = Path(__file__).parents[2]
SMALL = (
    "--set",
    "world.schools_per_region=4",
    "--set",
    "world.regions_per_country=1",
    "--set",
    "draws=3",
    "--set",
    "programme.last_month=12",
)
QUICK = (*SMALL, "--replicates", "3", "--months", "14", "--designs", "regional_hub,bottom_up")
"""24 schools, 14 months, of which 6 to 11 are funded (fewer would recruit nobody): a comparison in a few seconds, most of which Python
takes to start."""

TRACES = ("Traceback", 'File "', "Error:", "Warning")


MOST_SECONDS, TO_COMPILE = 60, 600  # of processor time


class Done(NamedTuple):
    """What a command left: exit code, standard output, standard error; ``fault``: an exception that it did not catch."""

    code: int
    out: str
    err: str
    fault: str = ""


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, str(ROOT / "run.py"), *map(str, arguments)]


def begin(words: Sequence[str], *, cwd: Path, environment: Mapping[str, str | None] | None = None, **options: Any) -> Popen[str]:
    """Start a process; ``environment`` changes single variables (None takes one away)."""
    settings = {**os.environ, **(environment or {})}
    kept = {name: value for name, value in settings.items() if value is not None}
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    return subprocess.Popen(words, cwd=cwd, env=kept, **{**streams, **options})


def finish(process: Popen[str], seconds: float = 120.0) -> Done:
    """Wait until a process ends; one that takes longer is killed."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        err = f"{err}killed after {seconds:.0f} s\n"
    return _told(process.args, Done(process.returncode, out or "", err or ""))


def _told(words: Any, done: Done) -> Done:
    """Print what a command said, which pytest shows with a test that fails."""
    print(f"$ {shlex.join(map(str, words))}\n{done.out}{done.err}exit code {done.code} {done.fault}")
    return done


class TooSlow(BaseException):
    """A command took too long."""


def _too_slow(*_: object) -> None:
    raise TooSlow("took too long")


@contextlib.contextmanager
def _within(folder: Path, seconds: float) -> Iterator[None]:
    """Work in a folder for some seconds of processor time at most, with the warnings that a process would show on standard error."""
    before = Path.cwd(), sys.argv
    os.chdir(folder)
    signal.signal(signal.SIGPROF, _too_slow)
    signal.setitimer(signal.ITIMER_PROF, seconds if is_warm() else TO_COMPILE)
    try:
        with warnings.catch_warnings():
            warnings.resetwarnings()
            for kind in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
                warnings.simplefilter("ignore", kind)
            warnings.showwarning = lambda *given: print(warnings.formatwarning(*given[:4]), end="", file=sys.stderr)
            yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        os.chdir(before[0])
        sys.argv = before[1]


def call(act: Sequence[str] | Callable[[Path], object], folder: Path, seconds: float = MOST_SECONDS) -> Done:
    """Run a command, or a function that raises InputError as one would, in this process, which spares that libraries are loaded."""
    out, err = io.StringIO(), io.StringIO()
    code, fault = 0, ""
    with _within(folder, seconds), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            if callable(act):
                told = act(folder)
                print("" if told is None else told)
            else:
                sys.argv = ["run.py", *act]
                run()
        except SystemExit as leave:
            code = int(leave.code or 0)
        except InputError as error:
            code = 2
            print(f"error: {error}", file=err)
        except (Exception, TooSlow) as error:
            code = 1
            frames = traceback.extract_tb(error.__traceback__)
            place = [frame for frame in frames if Path(frame.filename).is_relative_to(ROOT)][-1:] or frames[-1:]
            fault = f"{type(error).__name__}: {str(error)[:200]} at {Path(place[0].filename).name}:{place[0].lineno} ({frames[-1].name})"
    return Done(code, out.getvalue(), err.getvalue(), fault)


def python(code: str) -> str:
    """Run Python code in a process of its own and return what it prints."""
    done = finish(begin([sys.executable, "-c", code], cwd=ROOT))
    assert done.code == 0
    return done.out


def started(*arguments: str | Path, cwd: Path, **options: Any) -> Popen[str]:
    """Start a command; options are those of ``begin``."""
    return begin(command(*arguments), cwd=cwd, **options)


def program(*arguments: str | Path, cwd: Path, seconds: float = 120.0, **options: Any) -> Done:
    """Run a command to its end: in a process of its own where options of ``begin`` are given, else in this one."""
    if options:
        return finish(started(*arguments, cwd=cwd, **options), seconds)
    words = [str(argument) for argument in arguments]
    return _told(["run.py", *words], call(words, cwd, 2 * seconds))  # of two processors


def succeed(*arguments: str | Path, cwd: Path, **options: Any) -> Done:
    """Run a command that must succeed and say nothing on standard error, but that it compiles where no compiled code is there yet."""
    done = program(*arguments, cwd=cwd, **options)
    assert (done.code, said(done.err)) == (0, []), f"exit code {done.code}: {done.err}"
    return done


def said(err: str) -> list[str]:
    """Return the lines on standard error but for the one that says that the engine is compiled."""
    return [line for line in err.splitlines() if not line.startswith("Compiling the engine")]


def files(folder: Path) -> dict[str, str]:
    """Return the digest of every file below a folder, hidden ones too, by its path.

    The commit that ``study.json`` names is left out of its digest: somebody may commit between two runs.
    """
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    digests = {}
    for path in found:
        data = path.read_bytes()
        if path.name == "study.json":
            data = re.sub(rb'"source_commit": (null|"[0-9a-f]*\+?")', b"", data, count=1)
        digests[path.relative_to(folder).as_posix()] = hashlib.sha256(data).hexdigest()
    return digests


def tree(folder: Path) -> list[str]:
    """Return everything below a folder, hidden things and empty folders too."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def assert_intact(study: Path) -> None:
    """Hold that a study is whole: every file that ``study.json`` lists has the bytes it had when it was written, and no other is there."""
    listed = json.loads((study / "study.json").read_text(encoding="utf-8"))["files"]
    found = files(study)
    del found["study.json"]
    assert found == listed
