"""Compare designs: replicates at the base parameters, and parameter sets drawn from the uncertain ones."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.designs import PRESETS
from model.engine import run_batch
from scenarios import COMPARATOR, Scenario

from .ensemble import BatchRunner, Ensemble, run_ensemble
from .sampling import draw_sets
from .worlds import Worlds

__all__ = ["DRAW_REPLICATES", "Comparison", "Snapshot", "compare", "with_comparator"]

DRAW_REPLICATES = 2
"""Replicates under each drawn parameter set; their mean stands for the set."""

SNAPSHOT_SCHOOLS = 400
SNAPSHOT_CELLS = 100_000_000

Stage = Callable[[str, int, int], None]
"""Told (what is being done, runs done, runs in all) now and then."""


@dataclass(frozen=True)
class Snapshot:
    """One replicate of each design, seen school by school in one country: before, at the end of funding, at the end.

    ``schools``: columns design, month, school (row number), school_id, x_km, y_km, share, role, mentor (row number or -1).
    ``peers``: pairs of row numbers, int64 (ties, 2).
    """

    country: str
    schools: pd.DataFrame
    peers: NDArray[np.int64]


@dataclass(frozen=True)
class Comparison:
    """What ``compare`` found.

    ``base``: replicates at the base parameters, with monthly records. ``uncertain``: the runs under drawn parameter sets, numbered from 1.
    ``sets``: the drawn values, one row per parameter set. ``drawn``: columns of the user's schools that were drawn for want of data.
    """

    scenario: Scenario
    base: Ensemble
    uncertain: pd.DataFrame
    sets: pd.DataFrame
    snapshot: Snapshot | None
    drawn: tuple[str, ...]
    teachers: int


def with_comparator(scenario: Scenario) -> Scenario:
    """Return the scenario with the design ``none`` first among its designs."""
    others = {name: design for name, design in scenario.designs.items() if name != COMPARATOR}
    return scenario.model_copy(update={"designs": {COMPARATOR: PRESETS[COMPARATOR], **others}})


def compare(
    scenario: Scenario, *, engine: BatchRunner = run_batch, threads: int | None = None, stage: Stage = lambda *_: None
) -> Comparison:
    """Run every design of a scenario, and ``none``, on common random numbers.

    Raises InputError where the scenario's files are faulty.
    """
    scenario = with_comparator(scenario)
    worlds = Worlds(scenario)
    parameters = scenario.base_parameters()
    _, schools = worlds.get(parameters, 0)
    base = run_ensemble(
        scenario,
        [{}],
        scenario.replicates,
        worlds=worlds,
        monthly=True,
        engine=engine,
        threads=threads,
        progress=lambda done, total: stage("base parameters", done, total),
    )
    uncertain = scenario.uncertain_parameters()
    sets = draw_sets(uncertain, scenario.draws, scenario.seed) if uncertain else []
    runs = base.runs.iloc[:0]
    if sets:
        runs = run_ensemble(
            scenario,
            sets,
            min(DRAW_REPLICATES, scenario.replicates),
            worlds=worlds,
            first_set=1,
            engine=engine,
            threads=threads,
            progress=lambda done, total: stage("drawn parameters", done, total),
        ).runs
    table = pd.DataFrame(sets)
    table.insert(0, "parameter_set", range(1, len(sets) + 1))
    return Comparison(
        scenario=scenario,
        base=base,
        uncertain=runs,
        sets=table,
        snapshot=_snapshot(scenario, worlds, engine),
        drawn=schools.drawn,
        teachers=int(schools.teachers.sum()),
    )


def _snapshot(scenario: Scenario, worlds: Worlds, engine: BatchRunner) -> Snapshot | None:
    """Return the picture of one country, at most ``SNAPSHOT_SCHOOLS`` of its schools; None where one run fills too much memory."""
    world, schools = worlds.get(scenario.base_parameters(), 0)
    designs = {name: design for name, design in scenario.designs.items() if design.recruitment != "none"}
    if not designs or len(schools) * scenario.months * len(designs) > SNAPSHOT_CELLS:
        return None
    months = sorted({0, min(scenario.programme.last_month, scenario.months - 1), scenario.months - 1})
    seen = np.flatnonzero(schools.country == 0)
    if len(seen) > SNAPSHOT_SCHOOLS:
        upto = schools.region[seen[SNAPSHOT_SCHOOLS]]
        seen = seen[schools.region[seen] < max(upto, 1)][:SNAPSHOT_SCHOOLS]
    shown = scenario.model_copy(update={"designs": designs})
    records = run_ensemble(shown, [{}], 1, worlds=worlds, per_school=True, engine=engine).results.schools
    parts = []
    for position, name in enumerate(designs):
        for month in months:
            adopters = records[position, month, :-2][:, seen].sum(axis=0)
            part = {
                "design": name,
                "month": month,
                "school": seen,
                "school_id": schools.school_id[seen],
                "x_km": schools.x[seen],
                "y_km": schools.y[seen],
                "share": adopters / (schools.teachers[seen] * len(scenario.practices)),
                "role": records[position, month, -2][seen],
                "mentor": records[position, month, -1][seen],
            }
            parts.append(pd.DataFrame(part))
    source = np.repeat(np.arange(len(schools)), np.diff(world.peer_start))
    pairs = np.column_stack([source, world.peer])
    inside = np.isin(pairs, seen).all(axis=1) & (pairs[:, 0] < pairs[:, 1])
    return Snapshot(schools.countries[0].name, pd.concat(parts, ignore_index=True), pairs[inside])
