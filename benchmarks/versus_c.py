"""Months of teachers in the compiled engine against the same months in C (``c/months.c``): the bound of what gcc can do.

Of schools without ties, which are nearly all of a run's work; teams and contacts come on top in both. Both begin with the same arrays: a
world, who adopts, and how ready schools are. They are first proved to end with the same adopters in every school and run, then timed on one
core.
"""

import ctypes
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model import rules
from school_mentoring.model.compiled import compiled
from school_mentoring.model.month import commit, decide
from school_mentoring.model.parameters import base_values, parameter_table
from school_mentoring.model.state import SIDE, Spread, State, allocate
from school_mentoring.model.world.arrays import Record, World

from . import cases
from .timing import alternate, table

__all__ = ["section"]

SOURCE = Path(__file__).parent / "c" / "months.c"
FLAGS = ("-O3", "-ffp-contract=off", "-fno-trapping-math")
"""A fused multiply-add rounds once where the model rounds twice, so contraction is off. Traps of floating-point exceptions, which
nobody reads, would keep gcc from turning the loops with exp and log into vector instructions."""
NATIVE_FLAGS = (*FLAGS, "-march=native")
RATES = ("p", "gamma", "q_in", "q_out", "d", "protection", "turnover")
SEED = 1


class Case(NamedTuple):
    """Runs side by side under one parameter set: schools' state before month 0 in arrays (schools, runs), and how long they run."""

    world: World
    parameters: NDArray[np.void]
    adopters: NDArray[np.int32]
    months: int

    @property
    def school_months(self) -> int:
        """Schools times runs times months."""
        return self.adopters.size * self.months


def case(world: World, values: dict[str, float], runs: int, months: int) -> Case:
    """Return runs in which a seventh of the teachers adopts at the start."""
    adopters = np.random.default_rng(7).binomial(world.teachers[:, None], 1 / 7, (world.teachers.size, runs)).astype(np.int32)
    return Case(world, parameter_table([values]), adopters, months)


# --- the engine ------------------------------------------------------------------------------------------------------


@compiled
def _months(world: World, par: Record, state: State, seed: np.uint64, months: int) -> None:
    n = world.teachers.size
    commit(par, state, 0, 0, n)
    for month in range(months):
        decide(world, par, state, 0, seed, month, 0, n)
        commit(par, state, 0, 0, n)


def readiness(one: Case) -> NDArray[np.float64]:
    """Return how ready each school is for a practice of difficulty 1."""
    return np.array([rules.readiness(one.parameters[0], capacity, 1.0) for capacity in one.world.capacity])


def engine(one: Case) -> Any:
    """Return a function that lets the months pass in the engine and returns the adopters after them."""
    runs = one.adopters.shape[1]
    state = allocate(one.world, 1, runs)
    state.spread[Spread.READY, 0] = np.repeat(readiness(one), runs)
    state.replicate[:] = np.resize(np.arange(runs), state.replicate.size)

    def call() -> NDArray[np.int32]:
        state.adopters[0] = one.adopters.reshape(-1)
        _months(one.world, one.parameters[0], state, np.uint64(SEED), one.months)
        return state.adopters[0].reshape(one.adopters.shape)

    return call


# --- C ---------------------------------------------------------------------------------------------------------------


@cache
def build(flags: tuple[str, ...]) -> ctypes.CDLL:
    """Return the program compiled with these flags; the build folder is removed when the process has loaded it."""
    compiler = shutil.which("gcc")
    if compiler is None:
        raise RuntimeError("the comparison with C needs gcc")
    with tempfile.TemporaryDirectory(prefix="mentoring-c-") as folder:
        library = Path(folder) / f"months-{len(flags)}.so"
        subprocess.run([compiler, "-std=gnu11", *flags, "-Wall", "-fPIC", "-shared", str(SOURCE), "-o", str(library), "-lm"], check=True)
        return ctypes.CDLL(str(library))


def in_c(one: Case, flags: tuple[str, ...]) -> Any:
    """Return a function that lets the months pass in C, run by run, and returns the adopters after them."""
    n, runs = one.adopters.shape
    par, world = one.parameters[0], one.world
    read = {
        "peer_start": (world.peer_start, np.int64), "peer": (world.peer, np.int32), "teachers": (world.teachers, np.int32),
        "row_weight": (world.row_weight, float), "weight": (world.weight, float), "openness": (world.openness, float),
        "ready": (readiness(one), float),
    }  # fmt: skip
    arrays = [np.ascontiguousarray(array, dtype) for array, dtype in read.values()]
    rates = np.array([par[name] for name in RATES])
    adopters, share, after = np.empty((runs, n), np.int32), np.empty(n), np.empty(n)
    run_months = build(flags).run_months

    def pointer(array: NDArray[Any]) -> ctypes.c_void_p:
        return ctypes.c_void_p(array.ctypes.data if array.size else None)

    def call() -> NDArray[np.int32]:
        adopters[:] = one.adopters.T
        schools = (ctypes.c_void_p * len(arrays))(*map(pointer, arrays))
        for run in range(runs):
            own = (pointer(array) for array in (adopters[run], share, after))
            run_months(n, schools, pointer(rates), ctypes.c_uint64(SEED), ctypes.c_uint32(run), one.months, *own)
        return adopters.T

    return call


# --- both ------------------------------------------------------------------------------------------------------------


def check_equal(one: Case) -> int:
    """Return the number of schools and runs that end with the same adopters in all three programs; raise where one does not."""
    ours = engine(one)()
    for flags in (FLAGS, NATIVE_FLAGS):
        theirs = in_c(one, flags)()
        if not np.array_equal(ours, theirs):
            school, run = np.argwhere(ours != theirs)[0]
            raise AssertionError(f"school {school}, run {run}: engine {ours[school, run]}, C {theirs[school, run]} ({flags})")
    return ours.size


def _compare(title: str, one: Case, turns: int) -> list[object]:
    best = alternate({"engine": engine(one), "plain": in_c(one, FLAGS), "native": in_c(one, NATIVE_FLAGS)}, turns)
    each = {name: seconds / one.school_months * 1e9 for name, seconds in best.items()}
    return [title, *each.values(), each["engine"] / each["plain"], each["engine"] / each["native"]]


def section(quick: bool) -> str:
    """Return the comparison with C as Markdown."""
    pilot, national, base = cases.pilot_world(), cases.sized_world(250_000), base_values()
    agreed = sum(check_equal(case(pilot, values, SIDE, 24)) for values in cases.random_sets(30))
    rows = []
    for world, runs, months, turns in ((pilot, SIDE, 72, 100), (pilot, 1, 72, 100), (national, SIDE, 12, 3), (national, 1, 12, 5)):
        one = case(world, base, runs, months)
        agreed += check_equal(one)
        rows.append(_compare(f"{world.teachers.size:,} schools, {runs} at once", one, 3 if quick else turns))
    head = ["runs", "engine, ns per school-month", "C", "C native", "engine / C", "engine / C native"]
    return (
        f"## Against C\n\nMonths of teachers in schools without ties; gcc {' '.join(FLAGS)}; native: "
        "-march=native too. One thread. "
        f"Before timing, the adopters of {agreed:,} schools and runs agreed in all three programs, also under 30 random parameter sets.\n\n"
        + table(head, rows)
    )
