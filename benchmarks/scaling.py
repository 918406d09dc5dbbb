"""How the engine scales: schools from 10**2 to 10**7, one thread and two, memory, and the making of worlds."""

import json
import subprocess
import sys
import time
from pathlib import Path

from .timing import alternate, table

__all__ = ["huge_section", "section"]

ROOT = Path(__file__).parent.parent

# Each size runs in a process of its own, so that its peak memory is its own: {schools} {months} {designs}.
MEASURE = """
import json, sys, time
from pathlib import Path
from school_mentoring.model.engine import run_batch
from benchmarks import cases

def peak():
    # Not getrusage's ru_maxrss, which a process inherits from the one that started it.
    return next(int(line.split()[1]) * 1024 for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))

schools, months, names = int(sys.argv[1]), int(sys.argv[2]), tuple(sys.argv[3].split(","))
small = cases.work(cases.sized_world(100), names, 1, 9)
run_batch(small)
cases.sized_world(24_000)
before = peak()
started = time.thread_time()
world = cases.sized_world(schools)
generating = time.thread_time() - started
after_world = peak()
runs = max(1, 200_000 // schools)
work = cases.work(world, names, runs, months)
seconds = []
for turn in range(1 if schools > 10**6 else 3):
    started = time.thread_time()
    results = run_batch(work, threads=1)
    seconds.append(time.thread_time() - started)
n = world.teachers.size
print(json.dumps({
    "schools": n, "generating": generating, "each": min(seconds) / cases.school_months(work) * 1e9, "seconds": min(seconds),
    "world_bytes": sum(array.nbytes for array in world if hasattr(array, "nbytes")) / n, "ties": world.peer.size / n,
    "before": before, "after_world": after_world, "peak": peak(), "adopters": float(results.outcomes[0, 3]),
}))
"""


def _measure(schools: int, months: int, names: str) -> dict[str, float]:
    answer = subprocess.run(
        [sys.executable, "-c", MEASURE, str(schools), str(months), names], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(answer.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def _row(schools: int, design: str) -> list[object]:
    measured = _measure(schools, 24, design)
    n = int(measured["schools"])
    return [
        f"`{design}`",
        n,
        measured["each"],
        measured["generating"] / n * 1e6,
        measured["world_bytes"],
        (measured["peak"] - measured["before"]) / n if n >= 10**5 else "",
    ]


HEAD = [
    "design",
    "schools",
    "ns per school-month",
    "making the world, us per school",
    "its bytes per school",
    "bytes of memory in all",
]


def _threads(quick: bool) -> str:
    from school_mentoring.model.engine import run_batch

    from . import cases

    work = cases.pilot(20 if quick else 200)
    best = alternate(
        {str(k): lambda k=k: run_batch(work, threads=k) for k in (1, 2)},  # type: ignore[misc]
        5 if quick else 9,
        time.perf_counter,
    )
    runs = work.batch.design.size
    return (
        f"{runs:,} runs of all designs in the pilot: {best['1']:.3f} s by the clock on one thread, {best['2']:.3f} s on two, "
        f"{best['1'] / best['2']:.2f} times as fast."
    )


def section(quick: bool) -> str:
    """Return how time and memory grow with schools, as Markdown."""
    sizes = (1_000, 10_000, 100_000) if quick else (1_000, 10_000, 100_000, 250_000, 1_000_000)
    rows = [_row(size, design) for design in ("none", "regional_hub") for size in sizes]
    text = "## Scaling\n\nOne thread, 24 months, each size in a process of its own.\n\n" + table(HEAD, rows) + "\n\n" + _threads(quick)
    if not quick:
        national = _measure(250_000, 120, "none,regional_hub,virtual,bottom_up")
        text += (
            f" {int(national['schools']):,} schools, 120 months, four designs one after the other: {national['seconds']:.1f} s on one "
            f"thread, {national['peak'] / 2**30:.2f} GiB with all of Python."
        )
    return text


def huge_section(quick: bool) -> str:
    """Return the figures of 10 million schools, as Markdown."""
    rows = [_row(1_000_000 if quick else 10_000_000, design) for design in ("none", "regional_hub")]
    return "## Ten million schools\n\n24 months, one thread.\n\n" + table(HEAD, rows)
