"""The compiled engine against this project's own Mesa model: the same rules and draws, school by school in Python."""

import time
from functools import cache
from typing import Any

import mesa
import numpy as np

from school_mentoring.model.designs import PRESETS
from school_mentoring.model.engine import run_batch
from school_mentoring.model.mesa_model import MentoringModel, run_batch_with_mesa
from school_mentoring.model.world.arrays import Practices, World

from . import cases
from .timing import alternate, table

__all__ = ["PilotModel", "section"]

SHOWN = ("none", "bottom_up")
"""The least and the most that a design does; all are made and compared."""


@cache
def _pilot_world() -> tuple[World, Practices]:
    return cases.pilot(1, ("none",))[:2]


class PilotModel(MentoringModel):
    """The pilot as ``mesa.batch_run`` wants a model: every argument a plain value."""

    def __init__(self, design: str = "none", replicate: int = 0, rng: Any = None, seed: Any = None) -> None:
        world, practices = _pilot_world()
        super().__init__(world, practices, PRESETS[design], seed=1, replicate=replicate)


def _per_design(replicates: int) -> list[list[object]]:
    rows: list[list[object]] = []
    totals = np.zeros(2)
    for name in PRESETS:
        few, many = cases.pilot(1, (name,)), cases.pilot(replicates, (name,))
        ours, theirs = run_batch(few).outcomes, run_batch_with_mesa(few).outcomes
        if not np.array_equal(ours, theirs, equal_nan=True):
            raise AssertionError(f"the two engines differ on {name}")
        slow = alternate({"mesa": lambda w=few: run_batch_with_mesa(w)}, 1, warm=False)["mesa"]  # type: ignore[misc]
        fast = alternate({"engine": lambda w=many: run_batch(w, threads=1)}, 7)["engine"] / replicates  # type: ignore[misc]
        if name in SHOWN:
            rows.append([f"`{name}`", slow * 1e3, fast * 1e3, slow / fast])
        totals += slow, fast
    rows.append(["all designs", totals[0] * 1e3, totals[1] * 1e3, totals[0] / totals[1]])
    return rows


def _batch_run() -> str:
    """Compare wall time of ``mesa.batch_run`` on two processes with the engine on two threads, same runs."""
    replicates = 4
    started = time.perf_counter()
    mesa.batch_run(
        PilotModel,
        {"design": ["none", "regional_hub"], "replicate": list(range(replicates))},
        number_processes=2,
        max_steps=72,
        display_progress=False,
    )
    slow = time.perf_counter() - started
    work = cases.pilot(replicates, ("none", "regional_hub"))
    fast = alternate({"engine": lambda: run_batch(work, threads=2)}, 9, time.perf_counter)["engine"]
    runs = work.batch.design.size
    return (
        f"`mesa.batch_run` with 2 processes, {runs} runs of 72 months of `none` and `regional_hub`: {slow:.1f} s of wall time; "
        f"the engine with 2 threads, the same runs: {fast * 1e3:.2f} ms; ratio {slow / fast:,.0f}."
    )


def section(quick: bool) -> str:
    """Return the comparison with the project's Mesa model as Markdown."""
    rows = _per_design(10 if quick else 40)
    text = table(["runs of", "Mesa model, ms per run", "engine, ms per run", "ratio"], rows)
    extra = "" if quick else "\n\n" + _batch_run()
    return (
        "## Against the project's own Mesa model\n\nThe pilot; results of all designs equal to the last bit. One thread.\n\n" + text + extra
    )
