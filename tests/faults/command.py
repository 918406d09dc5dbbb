"""Runs ``run.py sweep`` in processes of their own."""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from school_mentoring.experiments.sweep.store import RESULTS
from tests.commands import program
from tests.commands.program import ROOT, Done, finish

__all__ = ["SWEEP", "started", "swept", "wait_for_parts"]

SWEEP = (
    *("mensi-pilot-only", "--set", "world.schools_per_region=2", "--set", "programme.first_month=2", "--months", "12"),
    *("--designs", "none,top_down,regional_hub", "--vary", "gamma=0.5:1.5", "--vary", "q_in=0.01:0.2", "--sample", "sobol:40"),
    *("--replicates", "2", "--chunk", "2", "--workers", "1"),
)
"""A sweep of 240 runs in 40 chunks of some milliseconds."""


def started(out: Path, *options: str, base: Sequence[str] = SWEEP, **process: Any) -> subprocess.Popen[str]:
    """Start a sweep."""
    # A commit made while the tests run must not tell two studies apart.
    return program.started("sweep", *base, "--out", out, *options, cwd=ROOT, environment={"GIT_DIR": "/nonexistent"}, **process)


def swept(out: Path, *options: str, **process: Any) -> Done:
    """Run a sweep to its end."""
    return finish(started(out, *options, **process))


def wait_for_parts(running: subprocess.Popen[str], out: Path, count: int) -> int:
    """Wait until a sweep has begun and written so many parts, or has ended; return how many there are."""
    assert running.stderr is not None
    running.stderr.readline()  # what the sweep will take: then it begins
    while running.poll() is None:
        parts = len(list((out / RESULTS).glob("part-*.parquet")))
        if parts >= count:
            return parts
        time.sleep(0.001)
    return -1
