"""How long a user waits: compiling into an empty cache, starting with a full one, and what of it is Python's own imports."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .timing import table

__all__ = ["section"]

ROOT = Path(__file__).parent.parent
FIRST_BATCH = """
import numpy as np
from benchmarks import cases
from school_mentoring.model.engine import run_batch
work = cases.pilot(1)
run_batch(work)
"""
SCRIPTS = {
    "import numpy, numba, pandas": "import numpy, numba, pandas",
    "import the model and a scenario": "import school_mentoring.model.engine\n"
    "from school_mentoring.scenarios import load_scenario\nload_scenario('mensi-pilot')",
    "import, make the pilot's world, first batch of all designs": FIRST_BATCH,
}


def _seconds(script: str, cache: str) -> tuple[float, float]:
    """Return (seconds by the clock, processor seconds) of a script in a process of its own."""
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env={**os.environ, "NUMBA_CACHE_DIR": cache}, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - started, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def section(quick: bool) -> str:
    """Return start-up times as Markdown."""
    with tempfile.TemporaryDirectory(prefix="mentoring-cache-") as cache:
        rows: list[list[object]] = [["the last line below with an empty cache: compiles all of the model", *_seconds(FIRST_BATCH, cache)]]
        rows += [[name, *min(_seconds(script, cache) for _ in range(2 if quick else 5))] for name, script in SCRIPTS.items()]
    return (
        "## Start-up\n\nA fresh Python process; the compiled code of a source is kept on disk, so compiling happens once per "
        "version.\n\n" + table(["what", "seconds", "processor seconds"], rows)
    )
