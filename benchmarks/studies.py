"""What whole studies take, from the command to the last file: time, memory and disk, with the compiled code on disk."""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .timing import table

__all__ = ["section"]

ROOT = Path(__file__).parent.parent
VARIED = "--vary beta --vary q_out --vary d --vary regional_hub.fte=0.1:2 --vary virtual.stipend=0:3000"
STUDIES = {
    "a million runs in one sweep": f"sweep mensi-pilot-only {VARIED} --sample sobol:16384 --replicates 9 --months 60 --yes",
    "a full sensitivity study": "sensitivity mensi-pilot-only --vary cost --vary incentive --n 1024 --replicates 10 --max-runs 2200000",
    "a search of designs": "optimise",
    "a sweep to recommend from": "sweep mensi-pilot --sample sobol:512 --replicates 2 --broken-down --out results/pilot-sweep --yes",
    "a recommendation": "recommend results/pilot-sweep",
}


def _taken(command: str, folder: Path) -> list[object]:
    """Return minutes by the clock, processor seconds, most MB of memory, and MB that a command adds to a folder."""
    before, started = _size(folder), time.perf_counter()
    words = [sys.executable, str(ROOT / "run.py"), *shlex.split(command)]
    with (folder / "said").open("w") as said, subprocess.Popen(words, cwd=folder, stdout=said, stderr=said) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"run.py {command}: exit code {process.returncode}\n{(folder / 'said').read_text()}")
    minutes = (time.perf_counter() - started) / 60
    return [minutes, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, (_size(folder) - before) / 1e6]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def section(quick: bool) -> str:
    """Return what studies take, as Markdown; only the last two where it should be quick."""
    chosen = dict(list(STUDIES.items())[-2:]) if quick else STUDIES
    with tempfile.TemporaryDirectory() as folder:
        rows = [[f"{title}: `run.py {command}`", *_taken(command, Path(folder))] for title, command in chosen.items()]
    head = ["study", "minutes by the clock", "processor seconds", "peak of memory, MB", "on disk, MB"]
    return "## Studies\n\nCommands as their users call them, all of the machine's processors.\n\n" + table(head, rows)
