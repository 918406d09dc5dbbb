"""The compiled engine: many runs of designs x parameter sets x replicates in one call.

One run is a loop over months on arrays; runs share nothing but the world, so batches of them go to threads; a run of a large world goes to
all threads, range by range of schools. ``mesa_model.py`` is the same model for people; a property test holds the two equal to the last bit.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.world.arrays import Practices, World

from .compiled import compiled, inlined
from .costs import CATEGORIES, PAYERS, discount_factor
from .month import commit, decide, open_month, start
from .observe import CELLS, GROUPS, OUTCOMES, observe, sum_adopters
from .sequential import take_turns
from .state import BLOCK, MENTOR, SIDE, State, allocate, of_run

__all__ = ["Batch", "Results", "cpu_count", "empty_results", "observe_run", "run_batch"]

FEW_SCHOOLS = 300_000
"""Up to this size runs are made side by side: beyond it their state, a kilobyte for each school and thread, takes too much memory."""

MANY_SCHOOLS = 50_000
"""From this size on, a batch with fewer runs than threads splits its schools over the threads."""


class Batch(NamedTuple):
    """Runs to make: row r is design ``design[r]`` under parameter set ``parameter_set[r]`` in replicate ``replicate[r]``; int64 arrays."""

    design: NDArray[np.int64]
    parameter_set: NDArray[np.int64]
    replicate: NDArray[np.int64]


class Results(NamedTuple):
    """What a batch of B runs gave.

    ``outcomes``: float64 (B, len(OUTCOMES)). ``groups``: int64 (B, months, groups, practices, 4): schools, teachers, adopters, mainstreamed
    schools. ``ties``: active mentoring ties, int64 (B, months). ``costs``: cents, int64 (B, months, countries, categories,
    payers).
    ``schools``: per school and month adopters by practice, then role, then mentor, int32 (B, months, P + 2, n).
    What was not asked for has length 0 on its first axis.
    """

    outcomes: NDArray[np.float64]
    groups: NDArray[np.int64]
    ties: NDArray[np.int64]
    costs: NDArray[np.int64]
    schools: NDArray[np.int32]


def cpu_count() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@inlined
def _start_run(world, practices, par, des, state, seed, replicate, run):
    start(world, practices, par, des, of_run(state, run), seed, replicate)


@inlined
def _observe_row(world, practices, par, state, ties, factor, month, months, end_of_funding, cells, results, r):
    record = (results.groups[r : r + 1], results.ties[r : r + 1], results.costs[r : r + 1], results.schools[r : r + 1])
    observe(world, practices, par, state, ties, factor, month, months, end_of_funding, cells, results.outcomes[r], record)


@compiled
def observe_run(world, practices, par, state, run, ties, month, months, end_of_funding, cells, results, r):
    """Add one month of one of the runs side by side to row r of the results."""
    sum_adopters(state)
    _observe_row(
        world, practices, par, of_run(state, run), ties, discount_factor(par, month), month, months, end_of_funding, cells, results, r
    )


@inlined
def _open_run(
    world, practices, par, des, state, run, seed, replicate, factor, month, months, end_of_funding, has_named, cells, results, r
):  # fmt: skip
    own = of_run(state, run)
    ties = open_month(world, practices, par, des, own, seed, replicate, month, has_named)
    _observe_row(world, practices, par, own, ties, factor, month, months, end_of_funding, cells, results, r)


@compiled
def _run_groups(
    world, practices, pars, dess, batch, seed, months, end_of_funding, has_named, state, cells, results, rows, cuts, low, high
):  # fmt: skip
    """Make the runs of groups low..high, one group ``rows[cuts[g]:cuts[g + 1]]`` after the other, each side by side."""
    n = world.teachers.size
    for g in range(low, high):
        group = rows[cuts[g] : cuts[g + 1]]
        par = pars[batch.parameter_set[group[0]]]
        for run in range(group.size):
            r = group[run]
            _start_run(world, practices, par, dess[batch.design[r]], state, seed, batch.replicate[r], run)
        for p in range(practices.weight.size):
            commit(par, state, p, 0, n)
        for month in range(months):
            factor = discount_factor(par, month)
            sum_adopters(state)
            for run in range(group.size):
                r = group[run]
                _open_run(
                    world, practices, par, dess[batch.design[r]], state, run, seed, batch.replicate[r],
                    factor, month, months, end_of_funding, has_named, cells, results, r,
                )  # fmt: skip
            if month == months - 1:
                break
            for p in range(practices.weight.size):
                decide(world, par, state, p, seed, month, 0, n)
                commit(par, state, p, 0, n)


@compiled
def _run_in_turn(
    world, practices, pars, dess, batch, seed, months, end_of_funding, has_named, state, cells, results, rows, cuts, low, high
):  # fmt: skip
    """Make the runs ``rows[cuts[low]:cuts[high]]`` of a sequential world, one after the other."""
    for position in range(cuts[low], cuts[high]):
        r = rows[position]
        par, des, replicate = pars[batch.parameter_set[r]], dess[batch.design[r]], batch.replicate[r]
        _start_run(world, practices, par, des, state, seed, replicate, 0)
        for p in range(practices.weight.size):
            commit(par, state, p, 0, world.teachers.size)
        for month in range(months):
            factor = discount_factor(par, month)
            sum_adopters(state)
            _open_run(
                world, practices, par, des, state, 0, seed, replicate,
                factor, month, months, end_of_funding, has_named, cells, results, r,
            )  # fmt: skip
            if month < months - 1:
                take_turns(world, par, state, seed, replicate, month)


def _run_on_threads(world, practices, par, des, seed, replicate, months, end_of_funding, has_named, state, cells, results, r, pool, cuts):
    """Make one run of a large world: as ``_run_groups`` does, but teachers of different ranges of schools decide on different threads."""
    _start_run(world, practices, par, des, state, seed, replicate, 0)
    for p in range(practices.weight.size):
        commit(par, state, p, 0, world.teachers.size)
    for month in range(months):
        sum_adopters(state)
        _open_run(
            world, practices, par, des, state, 0, seed, replicate, discount_factor(par, month),
            month, months, end_of_funding, has_named, cells, results, r,
        )  # fmt: skip
        if month == months - 1:
            return
        for p in range(practices.weight.size):
            list(pool.map(partial(decide, world, par, state, p, seed, month), cuts[:-1], cuts[1:]))
            list(pool.map(partial(commit, par, state, p), cuts[:-1], cuts[1:]))


def empty_results(world: World, practices: Practices, runs: int, months: int, monthly: bool, per_school: bool) -> Results:
    """Return the arrays that hold the results of ``runs`` runs, filled with zeros."""
    recorded = runs if monthly else 0
    schools = runs if per_school else 0
    n, p = world.teachers.size, practices.weight.size
    groups = len(GROUPS) + world.salary.size
    return Results(
        outcomes=np.zeros((runs, len(OUTCOMES))),
        groups=np.zeros((recorded, months, groups, p, 4), np.int64),
        ties=np.zeros((recorded, months), np.int64),
        costs=np.zeros((recorded, months, world.salary.size, len(CATEGORIES), len(PAYERS)), np.int64),
        schools=np.zeros((schools, months, p + 2, n), np.int32),
    )


def run_batch(
    world: World,
    practices: Practices,
    parameters: NDArray[np.void],
    designs: NDArray[np.void],
    batch: Batch,
    *,
    seed: int,
    months: int,
    end_of_funding: int,
    monthly: bool = False,
    per_school: bool = False,
    threads: int | None = None,
) -> Results:
    """Make every run of a batch in one world.

    ``parameters`` and ``designs`` are tables of ``parameter_table`` and ``design_table``; ``seed`` from 0 to 2**64 - 1 names the random
    numbers; ``end_of_funding`` is the month whose state counts as the end of funding (at most months - 1). ``monthly`` records groups, ties
    and costs of each month, ``per_school`` each school too. ``threads`` (default: all processors) never changes the results.
    """
    runs = batch.design.size
    results = empty_results(world, practices, runs, months, monthly, per_school)
    threads = threads or cpu_count()
    fixed = np.uint64(seed), months, min(end_of_funding, months - 1), bool((world.named_role == MENTOR).any())

    one_by_one = np.arange(runs), np.arange(runs + 1)
    rows, of_group = one_by_one if world.sequential else _side_by_side(batch.parameter_set, world.teachers.size)
    make_runs = _run_in_turn if world.sequential else _run_groups
    groups = of_group.size - 1
    side = SIDE if runs > groups else 1

    def work(low: int, high: int) -> None:
        space = _workspace(world, practices, side)
        make_runs(world, practices, parameters, designs, batch, *fixed, *space, results, rows, of_group, low, high)

    if threads == 1 or runs == 0:
        work(0, groups)
        return results
    pool = ThreadPoolExecutor(threads)
    try:
        if runs < threads and world.teachers.size >= MANY_SCHOOLS and not world.sequential:
            _large_runs(world, practices, parameters, designs, batch, fixed, results, pool, threads)
        else:
            # More pieces than threads, so that a thread with short runs (no mentoring) takes on more.
            cuts = np.linspace(0, groups, min(groups, 8 * threads) + 1).astype(int)
            list(pool.map(work, cuts[:-1], cuts[1:]))
    finally:
        # An interrupt waits for the pieces under way only.
        pool.shutdown(cancel_futures=True)
    return results


def _side_by_side(parameter_set: NDArray[np.int64], schools: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of a batch in the order in which they are made, and where each group of runs side by side begins, and the last ends.

    A group has one parameter set. Half-empty groups are not worth their work.
    """
    rows = np.argsort(parameter_set, kind="stable")
    sizes = np.unique(parameter_set, return_counts=True)[1]
    groups = -(-sizes // SIDE)
    if schools > FEW_SCHOOLS or 2 * rows.size < SIDE * groups.sum():
        return rows, np.arange(rows.size + 1)
    # As even as can be: of 9 runs, 5 and 4.
    cuts = [first + size * np.arange(parts) // parts for first, size, parts in zip(np.cumsum(sizes) - sizes, sizes, groups, strict=True)]
    return rows, np.concatenate([*cuts, [rows.size]])


def _workspace(world: World, practices: Practices, side: int) -> tuple[State, NDArray[np.int64]]:
    state = allocate(world, practices.weight.size, len(CATEGORIES), len(PAYERS), side)
    return state, np.zeros((2, world.salary.size * CELLS, 5), np.int64)


def _large_runs(world, practices, parameters, designs, batch, fixed, results, pool, threads):
    """Make the few runs of a large world one after the other, each on all threads."""
    seed, months, end_of_funding, has_named = fixed
    state, cells = _workspace(world, practices, 1)
    cuts = [*range(0, world.teachers.size, BLOCK * -(-world.teachers.size // (BLOCK * threads))), world.teachers.size]
    for r in range(batch.design.size):
        par, des = parameters[batch.parameter_set[r]], designs[batch.design[r]]
        _run_on_threads(
            world, practices, par, des, seed, int(batch.replicate[r]), months, end_of_funding, has_named,
            state, cells, results, r, pool, cuts,
        )  # fmt: skip
