"""How long a sweep takes and how much disk it fills, told by a small trial before it begins."""

import time
from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from model.errors import InputError
from scenarios import Scenario

from .sampling import MOST_SETS, count_sets, sample
from .sweep import Plan, Sweep, chosen_variables, plan_sweep
from .variables import Variable

__all__ = ["Estimate", "estimate", "plan_with_estimate"]

TRIAL_SECONDS = 0.5
LONG_SECONDS, LARGE_BYTES = 3600.0, 5e9


class Estimate(NamedTuple):
    """``runs`` of a sweep, ``seconds`` on this machine, ``size`` in bytes on disk."""

    runs: int
    seconds: float
    size: float

    def words(self) -> str:
        """Return the estimate for people."""
        return f"{_count(self.runs)} runs, about {_duration(self.seconds)} on this machine and {_count(self.size / 1e9)} GB on disk"


def _count(value: float) -> str:
    """Return a number with what digits it is worth."""
    if value >= 1e12:
        return f"{value:.0e}"
    return f"{value:,.0f}" if value == int(value) or value >= 1000 else f"{value:,.1f}"


def _duration(seconds: float) -> str:
    for unit, length in (("years", 31_557_600.0), ("days", 86_400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= length:
            return f"{_count(seconds / length)} {unit}"
    return f"{seconds:.0f} seconds"


def estimate(scenario: Scenario, variables: Sequence[Variable], sampling: str, threads: int | None = None) -> Estimate:
    """Return what a sweep of sampled sets would take, from a trial of about a second on the first sets of a small sample."""
    runs = count_sets(sampling, variables) * scenario.replicates * len(scenario.designs)
    sets = sample("lhs:64", variables, scenario.seed) if variables else sample("lhs:1", variables, scenario.seed)
    few = scenario.model_copy(update={"replicates": min(2, scenario.replicates)})
    sweep = Sweep(Plan(few, sets, "common", 1, "lhs:64"), threads=threads)
    sweep.chunk(0)  # compiles and warms up
    tables, started = [], time.perf_counter()
    for chunk in range(1, sweep.plan.chunks):
        tables.append(sweep.chunk(chunk)[0])
        if time.perf_counter() - started > TRIAL_SECONDS:
            break
    seconds = time.perf_counter() - started
    made = sum(len(table) for table in tables) or len(scenario.designs)
    sink = pa.BufferOutputStream()
    pq.write_table(pa.concat_tables(tables) if tables else sweep.chunk(0)[0], sink, compression="zstd")
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
) -> tuple[Plan, str]:
    """Return the plan of a sweep and its estimate in words.

    Raises InputError for a sweep that is long or large and was not confirmed by ``yes``, or has too many parameter sets for one study.
    """
    if sampling.startswith("table:"):
        plan = plan_sweep(scenario, vary, sampling, random=random, chunk=chunk)
        return plan, f"{plan.runs:,} runs"
    variables = chosen_variables(scenario, vary)
    sets = count_sets(sampling, variables)
    found = estimate(scenario, variables, sampling, threads)
    if sets > MOST_SETS:
        most = f"allowed: at most {MOST_SETS:,} sets; cut it into studies"
        raise InputError(f"--sample {sampling}", f"gives {_count(sets)} parameter sets; {found.words()}", most)
    if not yes and (found.seconds > LONG_SECONDS or found.size > LARGE_BYTES):
        raise InputError("sweep", f"this is {found.words()}", "add --yes to run it all the same")
    return plan_sweep(scenario, vary, sampling, random=random, chunk=chunk), found.words()
