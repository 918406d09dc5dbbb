"""Timing that survives a busy machine: candidates take turns in one process, and the best of several turns counts.

Single-threaded candidates are timed in processor seconds of their thread, so other programs' turns on the processor do not count.
"""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["alternate", "environment", "table"]

PACKAGES = ("numpy", "numba", "llvmlite", "scipy", "mesa", "ndlib", "networkx")


def alternate(
    candidates: Mapping[str, Callable[[], object]], turns: int, clock: Callable[[], float] = time.thread_time, *, warm: bool = True
) -> dict[str, float]:
    """Return the least seconds of each candidate over several turns; in each turn all run once, one after the other.

    Candidates are called once before (``warm``), so that nothing is compiled or first touched while the clock runs.
    """
    best = dict.fromkeys(candidates, float("inf"))
    for call in candidates.values() if warm else ():
        call()
    for _ in range(turns):
        for name, call in candidates.items():
            started = clock()
            call()
            best[name] = min(best[name], clock() - started)
    return best


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; floats get three significant digits, and numbers stand to the right."""

    def cell(value: object) -> str:
        if isinstance(value, float):
            return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}"
        return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)

    ruler = ["---" if isinstance(value, str) else "---:" for value in rows[0]]
    lines = [head, ruler, *([cell(value) for value in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _first_line(command: Sequence[str]) -> str:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parent)
    except (OSError, subprocess.CalledProcessError):
        return "not found"
    return answer.stdout.splitlines()[0] if answer.stdout else ""


def environment() -> str:
    """Return lines that say what the figures hold for: date, commit, machine, versions, and how busy the machine is."""
    models = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    changed = _first_line(("git", "status", "--porcelain", "--untracked-files=no", "--", "../model"))
    versions = []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            versions.append(f"{name} absent")
    return "\n".join(
        [
            f"- Date: {date.today().isoformat()}; commit {_first_line(('git', 'rev-parse', '--short', 'HEAD'))}"
            + (", with changes to model/ that are not committed" if changed else ""),
            f"- Machine: {models[0] if models else platform.processor()}, {len(os.sched_getaffinity(0))} processors, {memory:.0f} GiB, "
            f"{platform.system()} {platform.machine()}; load {os.getloadavg()[0]:.1f} at the end",
            f"- Versions: Python {sys.version.split()[0]}, {', '.join(versions)}; {_first_line(('gcc', '--version'))}",
        ]
    )
