"""The compiled engine: many runs of designs x parameter sets x replicates in one call.

One run is a loop over months on arrays; runs share nothing but the world, so batches of them go to threads; a run of a large world goes to
all threads, range by range of schools. ``agents.py`` is the same model for people; a property test holds the two equal to the last bit.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled
from .costs import CATEGORIES, PAYERS
from .month import commit, decide, open_month, start
from .observe import CELLS, GROUPS, OUTCOMES, observe
from .state import MENTOR, State, allocate
from .world import Practices, World

__all__ = ["Batch", "Results", "cpu_count", "empty_results", "run_batch"]

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


@compiled
def _run_rows(world, practices, pars, dess, batch, seed, months, end_of_funding, has_named, state, cells, results, low, high):
    """Make the runs low..high of a batch, one after the other, in one state."""
    n = world.teachers.size
    for r in range(low, high):
        record = (
            results.groups[r : r + 1],
            results.ties[r : r + 1],
            results.costs[r : r + 1],
            results.schools[r : r + 1],
        )
        par, des, replicate = pars[batch.parameter_set[r]], dess[batch.design[r]], batch.replicate[r]
        outcomes = results.outcomes[r]
        start(world, practices, par, des, state, seed, replicate)
        for month in range(months):
            ties = open_month(world, practices, par, des, state, seed, replicate, month, has_named)
            observe(world, practices, par, state, ties, month, months, end_of_funding, cells, outcomes, record)
            if month == months - 1:
                break
            for p in range(practices.weight.size):
                decide(world, par, des, state, p, seed, replicate, month, 0, n)
                commit(world, par, state, p, 0, n)


def _run_on_threads(
    world, practices, par, des, seed, replicate, months, end_of_funding, has_named, state, cells, outcomes, record, pool, cuts
):
    """Make one run of a large world: as ``_run_rows`` does, but the teachers of different ranges of schools decide on different threads."""
    start(world, practices, par, des, state, seed, replicate)
    for month in range(months):
        ties = open_month(world, practices, par, des, state, seed, replicate, month, has_named)
        observe(world, practices, par, state, ties, month, months, end_of_funding, cells, outcomes, record)
        if month == months - 1:
            return
        for p in range(practices.weight.size):
            list(pool.map(partial(decide, world, par, des, state, p, seed, replicate, month), cuts[:-1], cuts[1:]))
            list(pool.map(partial(commit, world, par, state, p), cuts[:-1], cuts[1:]))


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

    def work(low: int, high: int) -> None:
        _run_rows(world, practices, parameters, designs, batch, *fixed, *_workspace(world, practices), results, low, high)

    if threads == 1 or runs == 0:
        work(0, runs)
        return results
    pool = ThreadPoolExecutor(threads)
    try:
        if runs < threads and world.teachers.size >= MANY_SCHOOLS:
            _large_runs(world, practices, parameters, designs, batch, fixed, results, pool, threads)
        else:
            # More pieces than threads, so that a thread with short runs (no mentoring) takes on more.
            cuts = np.linspace(0, runs, min(runs, 8 * threads) + 1).astype(int)
            list(pool.map(work, cuts[:-1], cuts[1:]))
    finally:
        # An interrupt waits for the pieces under way only.
        pool.shutdown(cancel_futures=True)
    return results


def _workspace(world: World, practices: Practices) -> tuple[State, NDArray[np.int64]]:
    state = allocate(world, practices.weight.size, len(CATEGORIES), len(PAYERS))
    return state, np.zeros((2, world.salary.size * CELLS, 5), np.int64)


def _large_runs(world, practices, parameters, designs, batch, fixed, results, pool, threads):
    """Make the few runs of a large world one after the other, each on all threads."""
    seed, months, end_of_funding, has_named = fixed
    state, cells = _workspace(world, practices)
    cuts = np.linspace(0, world.teachers.size, threads + 1).astype(int).tolist()
    for r in range(batch.design.size):
        par, des = parameters[batch.parameter_set[r]], designs[batch.design[r]]
        record = tuple(part[r : r + 1] for part in results[1:])
        _run_on_threads(
            world, practices, par, des, seed, int(batch.replicate[r]), months, end_of_funding, has_named,
            state, cells, results.outcomes[r], record, pool, cuts,
        )  # fmt: skip
