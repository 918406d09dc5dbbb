"""The compiled engine, as it is for every study, against other tools on the one model that all of them can express."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.engine import run_batch
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.model.world.arrays import World

from . import cases, peers
from .timing import alternate, table

__all__ = ["section"]

END = OUTCOMES.index("adopters_end")
MONTHS = 60

Runner = Callable[[World, int, int], NDArray[np.float64]]


def _engine(world: World, runs: int, months: int) -> NDArray[np.float64]:
    work = cases.limit(world, runs, months)
    return run_batch(work, threads=1).outcomes[:, END]


def _standard_errors_apart(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    spread = math.sqrt(a.var(ddof=1) / a.size + b.var(ddof=1) / b.size)
    return float((a.mean() - b.mean()) / spread)


# name, how to run it, runs in the small case, whether its mean must be the limit's
SMALL: tuple[tuple[str, Runner, int, bool], ...] = (
    ("plain Mesa model", peers.with_mesa, 60, True),
    ("NDlib, own compartment with the exact chance", peers.with_ndlib_custom, 20, True),
    ("NDlib, nearest built-in composite", peers.with_ndlib, 20, False),
    ("NumPy + SciPy sparse, run by run", peers.with_numpy, 400, True),
    ("NumPy + SciPy sparse, 1,000 runs at once", peers.with_numpy_batched, 1000, True),
)
# name, how to run it, runs, months
LARGE: tuple[tuple[str, Runner, int, int], ...] = (
    ("plain Mesa model", peers.with_mesa, 1, 4),
    ("NDlib, own compartment with the exact chance", peers.with_ndlib_custom, 1, 3),
    ("NumPy + SciPy sparse, one run", peers.with_numpy, 1, 60),
    ("NumPy + SciPy sparse, 8 runs at once", peers.with_numpy_batched, 8, 20),
)


def _small(quick: bool) -> str:
    scenario_world = cases.sized_world(120)
    world = cases.limit(scenario_world, 1, MONTHS).world
    n = world.teachers.size
    ours = _engine(scenario_world, 4000, MONTHS)
    rows: list[list[object]] = []
    for name, run, runs, exact in SMALL:
        theirs = run(world, 4 * runs if not quick or exact else runs, MONTHS)
        apart = _standard_errors_apart(theirs, ours)
        if exact and abs(apart) > 4.0:
            raise AssertionError(f"{name}: mean {theirs.mean():.2f} is {apart:.1f} standard errors from the engine's {ours.mean():.2f}")
        best = alternate(
            {"peer": lambda run=run, runs=runs: run(world, runs, MONTHS), "engine": lambda: _engine(scenario_world, 1000, MONTHS)},  # type: ignore[misc]
            3 if quick else 5,
        )
        peer, engine = best["peer"] / runs * 1e6, best["engine"] / 1000 * 1e6
        rows.append([name, float(theirs.mean()), f"{apart:+.1f}", peer, engine, peer / engine])
    head = ["tool", "mean adopters at the end", "standard errors from ours", "us per run", "engine, us per run", "ratio"]
    return (
        f"{n} schools, {MONTHS} months; the engine's mean over 4,000 runs is {ours.mean():.2f} (standard error "
        f"{ours.std(ddof=1) / math.sqrt(ours.size):.2f}):\n\n" + table(head, rows)
    )


def _large(quick: bool) -> str:
    national = cases.sized_world(250_000)
    work = cases.limit(national, 1, MONTHS)
    world, n = work.world, work.world.teachers.size
    rows: list[list[object]] = []
    for name, run, runs, months in LARGE[2:] if quick else LARGE:
        quickly = months > 4
        ours = months if quickly else MONTHS
        whole, first = (
            {"peer": lambda run=run, runs=runs, m=m: run(world, runs, m), "engine": lambda runs=runs, m=o: _engine(national, runs, m)}  # type: ignore[misc]
            for m, o in ((months + 1, ours + 1), (2, 2))
        )
        best, start = alternate(whole, 5 if quickly else 1, warm=quickly), alternate(first, 5 if quickly else 1, warm=quickly)
        each = {who: (best[who] - start[who]) / (n * runs * (length - 1)) * 1e9 for who, length in (("peer", months), ("engine", ours))}
        rows.append([name, each["peer"], each["engine"], each["peer"] / each["engine"], best["engine"] / (n * runs * ours) * 1e9])
    head = ["tool", "ns per school-month", "engine, as many runs", "ratio", "engine with its start"]
    return f"{n:,} schools; set-up and the first month are subtracted from both:\n\n" + table(head, rows)


def section(quick: bool) -> str:
    """Return the comparison with other tools as Markdown."""
    return (
        "## Against other tools, on the exact limit\n\nA Bass contagion with abandonment: "
        f"p = {peers.P}, q_out = {peers.Q}, d = {peers.D}. Every tool in its own idiom and with its own random numbers, one thread.\n\n"
        + _small(quick)
        + "\n\n"
        + _large(quick)
    )
