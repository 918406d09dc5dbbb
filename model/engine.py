"""The compiled engine: many runs of designs x parameter sets x replicates in one call.

One run is a loop over months on arrays; runs share nothing but the world, so batches of them go to threads; a run of a large world goes to
all threads, range by range of schools. ``mesa_model.py`` is the same model for people; a property test holds the two equal to the last bit.
"""

import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from school_mentoring.model.world.arrays import Counts, Floats, Ints, Practices, Record, Records, World

from .compiled import compiled, step
from .draws import Moment
from .mentoring import open_month
from .month import commit, decide
from .observe import Results, empty_results, observe, sum_adopters
from .sequential import take_turns
from .start import start
from .state import BLOCK, SIDE, State, allocate

__all__ = ["Batch", "Results", "Task", "cpu_count", "empty_results", "observe_run", "run_batch"]

FEW_SCHOOLS = 300_000
"""Up to this size runs are made side by side: beyond it their state, a kilobyte for each school and thread, takes too much memory."""

MANY_SCHOOLS = 50_000
"""From this size on, a batch with fewer runs than threads splits its schools over the threads."""


class Batch(NamedTuple):
    """Runs to make: row r is design ``design[r]`` under parameter set ``parameter_set[r]`` in replicate ``replicate[r]``."""

    design: Counts
    parameter_set: Counts
    replicate: Counts


ONE_TRACK = np.empty((0, 0), np.int32)
"""``Task.tracks`` where no design has several."""


class Task(NamedTuple):
    """All that the runs of a batch are made from.

    ``parameters`` and ``designs`` are tables of ``parameter_table`` and ``design_table``; ``seed`` (0 to 2**64 - 1) names random numbers;
    ``end_of_funding`` is the month whose state counts as the end of funding, the last one where it lies beyond. ``factors``: on the
    salaries of each country under each parameter set, (sets, countries); where they are empty all are 1. ``tracks``: of each design
    and region the row of ``designs`` with which the programme begins there, int32 (designs, regions); empty where each design begins with
    its own row everywhere.
    """

    world: World
    practices: Practices
    parameters: Records
    designs: Records
    batch: Batch
    seed: Any
    months: int
    end_of_funding: int
    factors: Floats = np.empty((0, 0))
    tracks: Ints = ONE_TRACK


def factors_of(task: Task) -> Floats:
    """Return the factors on salaries of a task, written out, (sets, countries)."""
    return task.factors if task.factors.size else np.ones((len(task.parameters), task.world.salary.size))


def most_tracks(tracks: Ints) -> int:
    """Return the largest number of tracks that a design has."""
    return 1 + int((np.diff(np.sort(tracks, axis=1), axis=1) > 0).sum(axis=1).max(initial=0))


def cpu_count() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@step
def _moment(task: Task, r: int, run: int, month: int) -> Moment:
    """Return a month of row r, which is made as one of the runs side by side."""
    return Moment(task.seed, task.batch.replicate[r], run, month, task.months, task.end_of_funding, 0, 0)


@step
def _start_run(task: Task, state: State, r: int, run: int) -> None:
    which, design = task.batch.parameter_set[r], task.batch.design[r]
    for region in range(task.world.region_country.size):
        state.track[run, region] = task.tracks[design, region] if task.tracks.size > 0 else design
    start(task.world, task.practices, task.parameters[which], task.factors[which], state, _moment(task, r, run, 0))


@step
def _commit_all(task: Task, par: Record, state: State) -> None:
    for p in range(task.practices.weight.size):
        commit(par, state, p, 0, task.world.teachers.size)


@step
def _open_run(task: Task, state: State, results: Results, r: int, run: int, month: int) -> None:
    """Make a month of row r up to where teachers decide, and observe it."""
    par, now = task.parameters[task.batch.parameter_set[r]], _moment(task, r, run, month)
    open_month(task.world, task.practices, par, task.designs, state, now)
    observe(task.world, task.practices, par, state, now, results, r)


@compiled
def observe_run(world: World, practices: Practices, par: Record, state: State, now: Moment, results: Results, r: int) -> None:
    """Add one month of a run that another engine made, as ``state`` holds it, to row r of the results."""
    sum_adopters(state)
    observe(world, practices, par, state, now, results, r)


@compiled
def _run_groups(task: Task, state: State, results: Results, rows: Counts, cuts: Counts, low: int, high: int) -> None:
    """Make the runs of groups low..high, one group ``rows[cuts[g]:cuts[g + 1]]`` after the other, each side by side."""
    n = task.world.teachers.size
    for g in range(low, high):
        group = rows[cuts[g] : cuts[g + 1]]
        par = task.parameters[task.batch.parameter_set[group[0]]]
        for run in range(group.size):
            _start_run(task, state, group[run], run)
        _commit_all(task, par, state)
        for month in range(task.months):
            sum_adopters(state)
            for run in range(group.size):
                r = group[run]
                now = _moment(task, r, run, month)
                open_month(task.world, task.practices, par, task.designs, state, now)
                observe(task.world, task.practices, par, state, now, results, r)
            if month < task.months - 1:
                for p in range(task.practices.weight.size):
                    decide(task.world, par, state, p, task.seed, month, 0, n)
                    commit(par, state, p, 0, n)


@compiled
def _run_in_turn(task: Task, state: State, results: Results, rows: Counts, cuts: Counts, low: int, high: int) -> None:
    """Make the runs ``rows[cuts[low]:cuts[high]]`` of a sequential world, one after the other."""
    for position in range(cuts[low], cuts[high]):
        r = rows[position]
        par = task.parameters[task.batch.parameter_set[r]]
        _start_run(task, state, r, 0)
        _commit_all(task, par, state)
        for month in range(task.months):
            sum_adopters(state)
            now = _moment(task, r, 0, month)
            open_month(task.world, task.practices, par, task.designs, state, now)
            observe(task.world, task.practices, par, state, now, results, r)
            if month < task.months - 1:
                take_turns(task.world, par, state, now)


# The steps as ``_run_on_threads`` calls them from Python.
_sum_adopters = compiled(sum_adopters)
_start_alone = compiled(_start_run)
_open_alone = compiled(_open_run)
_decide = compiled(decide)
_commit = compiled(commit)


def _run_on_threads(task: Task, state: State, results: Results, r: int, pool: ThreadPoolExecutor, cuts: list[int]) -> None:
    """Make one run of a large world: as ``_run_groups`` does, but teachers of different ranges of schools decide on different threads."""
    par, ranges = task.parameters[task.batch.parameter_set[r]], list(itertools.pairwise(cuts))
    _start_alone(task, state, r, 0)
    for month in range(task.months):
        for p in range(task.practices.weight.size):
            if month > 0:
                list(pool.map(lambda here, p=p, month=month: _decide(task.world, par, state, p, task.seed, month - 1, *here), ranges))
            list(pool.map(lambda here, p=p: _commit(par, state, p, *here), ranges))
        _sum_adopters(state)
        _open_alone(task, state, results, r, 0, month)


def run_batch(task: Task, *, monthly: bool = False, per_school: bool = False, threads: int | None = None) -> Results:
    """Make every run of a task's batch in its one world.

    ``monthly`` records groups, ties and costs of each month, ``per_school`` each school too. ``threads`` (default: all processors) never
    changes the results.
    """
    world, practices, batch = task.world, task.practices, task.batch
    runs = batch.design.size
    tracks = most_tracks(task.tracks)
    results = empty_results(world, practices, runs, task.months, monthly, per_school, tracks)
    threads = threads or cpu_count()
    end = min(task.end_of_funding, task.months - 1)
    task = task._replace(seed=np.uint64(task.seed), end_of_funding=end, factors=factors_of(task))
    one_by_one = np.arange(runs), np.arange(runs + 1)
    rows, of_group = one_by_one if world.sequential else _side_by_side(batch.parameter_set, world.teachers.size)
    make_runs = _run_in_turn if world.sequential else _run_groups
    groups = of_group.size - 1
    side = SIDE if runs > groups else 1

    def work(low: int, high: int) -> None:
        make_runs(task, allocate(world, practices.weight.size, side, tracks), results, rows, of_group, low, high)

    if threads == 1 or runs == 0:
        work(0, groups)
        return results
    pool = ThreadPoolExecutor(threads)
    try:
        if runs < threads and world.teachers.size >= MANY_SCHOOLS and not world.sequential:
            state = allocate(world, practices.weight.size, tracks=tracks)
            ranges = [*range(0, world.teachers.size, BLOCK * -(-world.teachers.size // (BLOCK * threads))), world.teachers.size]
            for r in range(runs):
                _run_on_threads(task, state, results, r, pool, ranges)
        else:
            # More pieces than threads, so that a thread with short runs (no mentoring) takes on more.
            cuts = np.linspace(0, groups, min(groups, 8 * threads) + 1).astype(int)
            list(pool.map(work, cuts[:-1], cuts[1:]))
    finally:
        # An interrupt waits for the pieces under way only.
        pool.shutdown(cancel_futures=True)
    return results


def _side_by_side(parameter_set: Counts, schools: int) -> tuple[Counts, Counts]:
    """Return the rows of a batch in the order in which they are made, and where each group of runs side by side begins, and the last ends.

    A group has one parameter set. Half-empty groups are not worth their work.
    """
    rows = np.argsort(parameter_set, kind="stable")
    sizes = np.unique(parameter_set, return_counts=True)[1]
    groups = -(-sizes // SIDE)
    if schools > FEW_SCHOOLS or 2 * rows.size <= SIDE * groups.sum():
        return rows, np.arange(rows.size + 1)
    # As even as can be: of 9 runs, 5 and 4.
    cuts = [first + size * np.arange(parts) // parts for first, size, parts in zip(np.cumsum(sizes) - sizes, sizes, groups, strict=True)]
    return rows, np.concatenate([*cuts, [rows.size]])
