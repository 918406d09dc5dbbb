"""How long a sweep takes and how much disk it fills, told by a small trial before it begins."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from school_mentoring.experiments.sampling import MOST_SETS, count_sets, sample
from school_mentoring.experiments.variables import Variable
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import Scenario

from .chunks import Sweep
from .plan import Plan, chosen_variables, chunk_cells, plan_sweep

TRIAL_SECONDS, TRIAL_CELLS = 0.5, 4096
LONG_SECONDS, LARGE_BYTES = 3600.0, 5e9


class Estimate(NamedTuple):
    """``runs`` of a sweep, ``seconds`` on this machine, ``size`` in bytes on disk."""

    runs: int
    seconds: float
    size: float

    def words(self) -> str:
        """Return the estimate for people."""
        return f"{_count(self.runs)} runs, about {_duration(self.seconds)} on this machine and {_bytes(self.size)} on disk"


def _count(value: float) -> str:
    """Return a number with what digits it is worth."""
    if value >= 1e12:
        return f"{value:.0e}"
    return f"{value:,.0f}" if value == int(value) or value >= 1000 else f"{value:,.1f}"


def _bytes(size: float) -> str:
    return f"{_count(size / 1e9)} GB" if size >= 1e9 else f"{_count(size / 1e6)} MB"


def _duration(seconds: float) -> str:
    for unit, length in (("years", 31_557_600.0), ("days", 86_400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= length:
            return f"{_count(seconds / length)} {unit}"
    return f"{seconds:.0f} seconds"


def estimate(
    scenario: Scenario, variables: Sequence[Variable], sampling: str, threads: int | None = None, *, broken_down: bool = False
) -> Estimate:
    """Return what a sweep of sampled sets would take, from trials that grow until one takes half a second or is as large as a chunk."""
    runs = count_sets(sampling, variables) * scenario.replicates * len(scenario.designs)
    sets = sample(f"lhs:{max(8, -(-TRIAL_CELLS // scenario.replicates))}", variables, scenario.seed)
    sweep = Sweep(Plan(scenario, sets, "common", 1, "trial", broken_down=broken_down), threads=threads)
    sweep.chunk(0)  # compiles and warms up
    most = min(sweep.plan.cells, TRIAL_CELLS, chunk_cells(scenario))
    cells = 1
    while True:
        sweep.plan = replace(sweep.plan, chunk=cells)
        started = time.perf_counter()
        table, _ = sweep.chunk(0)
        seconds = time.perf_counter() - started
        if cells == most or seconds > TRIAL_SECONDS:
            break
        cells = min(4 * cells, most)
    made = cells * len(scenario.designs)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return Estimate(runs, seconds / made * runs, sink.getvalue().size / made * runs)


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
) -> tuple[Plan, str]:
    """Return the plan of a sweep and its estimate in words.

    Raises InputError for a sweep that is long or large and was not confirmed by ``yes``, or has too many parameter sets for one study.
    """
    if sampling.startswith("table:"):
        plan = plan_sweep(scenario, vary, sampling, random=random, chunk=chunk, broken_down=broken_down)
        return plan, f"{plan.runs:,} runs"
    variables = chosen_variables(scenario, vary)
    sets = count_sets(sampling, variables)
    found = estimate(scenario, variables, sampling, threads, broken_down=broken_down)
    if sets > MOST_SETS:
        most = f"allowed: at most {MOST_SETS:,} sets; cut it into studies"
        raise InputError(f"--sample {sampling}", f"gives {_count(sets)} parameter sets; {found.words()}", most)
    if not yes and (found.seconds > LONG_SECONDS or found.size > LARGE_BYTES):
        raise InputError("sweep", f"this is {found.words()}", "add --yes to run it all the same")
    return plan_sweep(scenario, vary, sampling, random=random, chunk=chunk, broken_down=broken_down), found.words()
