"""Start `run.py` in a process of its own, in a folder of its own; what all tests of commands share."""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import Popen
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
SMALL = (
    "--set",
    "world.schools_per_region=4",
    "--set",
    "world.regions_per_country=1",
    "--set",
    "draws=3",
    "--set",
    "programme.last_month=10",
)
QUICK = (*SMALL, "--replicates", "3", "--months", "14", "--designs", "regional_hub,bottom_up")
"""24 schools, 14 months of which 6 to 9 are funded: a comparison in a few seconds, most of which Python takes to start."""

TRACES = ("Traceback", 'File "', "Error:", "Warning")


class Done(NamedTuple):
    """What a process left: exit code, standard output and standard error."""

    code: int
    out: str
    err: str


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, str(ROOT / "run.py"), *map(str, arguments)]


def begin(words: Sequence[str], *, cwd: Path, environment: Mapping[str, str | None] | None = None, **options: Any) -> Popen[str]:
    """Start a process; ``environment`` changes single variables (None takes one away)."""
    settings = {**os.environ, **(environment or {})}
    kept = {name: value for name, value in settings.items() if value is not None}
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    return subprocess.Popen(words, cwd=cwd, env=kept, **{**streams, **options})


def finish(process: Popen[str], seconds: float = 120.0) -> Done:
    """Wait until a process ends, and print what it said, which pytest shows with a test that fails; one that takes longer is killed."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        err = f"{err}killed after {seconds:.0f} s\n"
    done = Done(process.returncode, out or "", err or "")
    print(f"$ {shlex.join(map(str, process.args))}\n{done.out}{done.err}exit code {done.code}")
    return done


def python(code: str) -> str:
    """Run Python code in a process of its own and return what it prints."""
    done = finish(begin([sys.executable, "-c", code], cwd=ROOT))
    assert done.code == 0
    return done.out


def started(*arguments: str | Path, cwd: Path, **options: Any) -> Popen[str]:
    """Start a command; options are those of ``begin``."""
    return begin(command(*arguments), cwd=cwd, **options)


def program(*arguments: str | Path, cwd: Path, seconds: float = 120.0, **options: Any) -> Done:
    """Run a command to its end."""
    return finish(started(*arguments, cwd=cwd, **options), seconds)


def succeed(*arguments: str | Path, cwd: Path, **options: Any) -> Done:
    """Run a command that must succeed and say nothing on standard error, but that it compiles where no compiled code is there yet."""
    done = program(*arguments, cwd=cwd, **options)
    assert (done.code, said(done.err)) == (0, [])
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
