"""Small sweeps for tests: 48 schools of the pilot for 12 months, some milliseconds a chunk."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from school_mentoring.experiments.sweep.chunks import Sweep
from school_mentoring.experiments.sweep.execution import carry_out, open_sweep
from school_mentoring.experiments.sweep.plan import Plan, plan_sweep
from school_mentoring.experiments.sweep.store import RESULTS
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.scenarios import Scenario, load_scenario

__all__ = ["DESIGNS", "KEYS", "content", "made", "parts_of", "plan_of", "rows_of", "same_rows", "small"]

DESIGNS = ("none", "top_down", "regional_hub")
KEYS = ["design", "parameter_set", "replicate"]


def small(*sets: str, months: int = 12, replicates: int = 3, designs: Sequence[str] = DESIGNS, **options: Any) -> Scenario:
    """Return the small scenario; ``sets`` are texts as ``--set`` takes them."""
    given = ["world.schools_per_region=2", "programme.first_month=2", *sets]
    return load_scenario("mensi-pilot-only", given, months=months, replicates=replicates, designs=designs, **options)


def plan_of(*vary: str, sampling: str = "sobol:5", chunk: int = 4, random: str = "common", **options: Any) -> Plan:
    """Return a plan over the small scenario, by default of 15 cells in 4 chunks, the last one shorter."""
    return plan_sweep(small(**options), vary or ["gamma=0.5:1.5", "q_in=0.01:0.2"], sampling, random=random, chunk=chunk)


def made(folder: Path, plan: Plan, **options: Any) -> dict[str, bytes]:
    """Carry out a sweep in a folder (resume it where it is begun) and return the content of the folder."""
    store = open_sweep(folder, plan, resume=True)
    options.setdefault("threads", 1)
    carry_out(folder, plan, store, **options)
    return content(folder)


def content(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file of a folder by name; only the locks, which are empty, are left out."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".claims")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def rows_of(plan: Plan, **options: Any) -> pd.DataFrame:
    """Return the rows of all chunks of a plan, computed here, in order; no run may fail."""
    options.setdefault("threads", 1)
    sweep = Sweep(plan, **options)
    tables = []
    for number in range(plan.chunks):
        table, failures = sweep.chunk(number)
        assert not failures
        tables.append(table.to_pandas())
    return pd.concat(tables, ignore_index=True).astype({"design": str})


def same_rows(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Hold the outcomes of two tables of runs to the same bits, whatever the order of their rows."""
    tables = [frame.astype({"design": str, "replicate": int}).sort_values(KEYS, ignore_index=True) for frame in (one, other)]
    assert tables[0][KEYS].equals(tables[1][KEYS])
    for name in OUTCOMES:
        assert tables[0][name].to_numpy().tobytes() == tables[1][name].to_numpy().tobytes(), name


def parts_of(folder: Path) -> list[Path]:
    """Return the parts of a sweep's folder in order."""
    return sorted((folder / RESULTS).glob("part-*.parquet"))
