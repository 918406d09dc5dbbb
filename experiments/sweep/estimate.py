"""How long a sweep takes and how much disk it fills, told by a small trial before it begins."""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from school_mentoring.experiments.variables import MOST_SETS, Variable, count_sets, sample
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import Scenario, resolved

from .chunks import Sweep
from .execution import shard_of
from .plan import Plan, chosen_variables, chunk_cells, plan_sweep
from .store import count_words, disk_words, part_bytes

TRIAL_SECONDS, TRIAL_CELLS = 0.5, 4096
LONG_SECONDS, LARGE_BYTES = 3600.0, 5e9


class Estimate(NamedTuple):
    """``runs`` of a sweep, ``seconds`` on this machine, ``size`` in bytes on disk."""

    runs: int
    seconds: float
    size: float

    def share(self, part: float) -> "Estimate":
        """Return what a part of it takes."""
        return Estimate(round(part * self.runs), part * self.seconds, part * self.size)

    def words(self) -> str:
        """Return the estimate for people."""
        units = {"years": 31_557_600.0, "days": 86_400.0, "hours": 3600.0, "minutes": 60.0}
        longest = next((f"{count_words(self.seconds / one)} {unit}" for unit, one in units.items() if self.seconds >= one), None)
        time = longest or f"{self.seconds:.0f} seconds"
        return f"{count_words(self.runs)} runs, about {time} on this machine and {disk_words(self.size)} on disk"


def estimate(
    scenario: Scenario,
    variables: Sequence[Variable],
    sampling: str,
    threads: int | None = None,
    *,
    chunk: int | None = None,
    broken_down: bool = False,
) -> Estimate:
    """Return what a sweep of sampled sets would take, from trials that grow until one is half a second of work or a whole chunk."""
    count = count_sets(sampling, variables)
    runs, of_chunk = (cells * len(scenario.designs) for cells in (count * scenario.replicates, chunk or chunk_cells(scenario)))
    sets = sample(f"lhs:{max(8, -(-TRIAL_CELLS // scenario.replicates))}", variables, scenario.seed)
    sweep = Sweep(Plan(scenario, sets, "common", 1, "trial", broken_down=broken_down), threads=threads)
    sweep.chunk(0)  # compiles and warms up
    most = min(sweep.plan.cells, TRIAL_CELLS, chunk_cells(scenario))
    cells, seconds, work = 0, 0.0, 0.0
    while cells < most and work <= TRIAL_SECONDS:  # of processor time, or a busy machine would leave too few rows to tell their size by
        cells = min(max(1, 4 * cells), most)
        sweep.plan = replace(sweep.plan, chunk=cells)
        started, before = time.perf_counter(), time.process_time()
        table, _ = sweep.chunk(0)
        seconds, work = time.perf_counter() - started, time.process_time() - before
    mark = {"plan": "0" * 16, "chunk": 0, "sets": "0" * 16}
    foot, each = _growth(lambda rows: len(part_bytes(table.slice(0, rows), mark)), min(table.num_rows, of_chunk, runs))
    sets_foot, each_set = _growth(lambda rows: len(sets.iloc[:rows].to_parquet(index=False, compression="zstd")), min(len(sets), count))
    described = len(json.dumps(resolved(scenario), indent=1))
    size = described + sets_foot + each_set * count + foot * math.ceil(runs / of_chunk) + each * runs
    return Estimate(runs, seconds / table.num_rows * runs, size)


def _growth(size: Callable[[int], int], rows: int) -> tuple[float, float]:
    """Return what a table takes whatever it holds, and what each row adds, from its size with so many rows and with half of them."""
    each = (size(rows) - size(rows // 2)) / (rows - rows // 2)
    return size(rows) - each * rows, each


def plan_with_estimate(
    scenario: Scenario,
    vary: Sequence[str],
    sampling: str,
    *,
    random: str,
    chunk: int | None,
    yes: bool,
    threads: int | None = None,
    broken_down: bool = False,
    shard: tuple[int, int] = (1, 1),
) -> tuple[Plan, str]:
    """Return the plan of a sweep and in words what it, or the ``shard`` of it, takes.

    Raises InputError for a sweep that is long or large and was not confirmed by ``yes``, or has too many parameter sets for one study.
    """
    found = None
    if not sampling.startswith("table:"):
        variables = chosen_variables(scenario, vary)
        sets = count_sets(sampling, variables)
        found = estimate(scenario, variables, sampling, threads, chunk=chunk, broken_down=broken_down)
        if sets > MOST_SETS:
            most = f"allowed: at most {MOST_SETS:,} sets; cut it into studies"
            raise InputError(f"--sample {sampling}", f"gives {count_words(sets)} parameter sets; {found.words()}", most)
        if not yes and (found.seconds / shard[1] > LONG_SECONDS or found.size > LARGE_BYTES):
            raise InputError("sweep", f"this is {found.words()}", "add --yes to run it all the same")
    plan = plan_sweep(scenario, vary, sampling, random=random, chunk=chunk, broken_down=broken_down)
    chunks = shard_of(range(plan.chunks), shard)
    runs = sum(map(plan.runs_of, chunks))
    takes = f"{runs:,} runs" if found is None else found.share(runs / plan.runs).words()
    if shard[1] == 1:
        return plan, f"{takes}; {plan.chunks:,} chunks"
    return plan, f"shard {shard[0]}/{shard[1]}: {takes}; {len(chunks):,} of {plan.chunks:,} chunks"
