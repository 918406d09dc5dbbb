"""Simulate one design: every month, and every school where asked."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from school_mentoring.model.engine import run_batch
from school_mentoring.model.errors import InputError
from school_mentoring.model.world.schools import Schools
from school_mentoring.scenarios import Scenario

from .compare import notes_on, window
from .ensemble import BatchRunner, Ensemble, run_ensemble
from .progress import Advance
from .worlds import Worlds

ROLES = ("none", "mentor", "mentee")
MOST_CELLS = 100_000_000


@dataclass(frozen=True)
class Simulation:
    """What ``simulate`` found.

    ``schools``: one row per replicate, month and school, or None where not asked for; ``table``: the school table of the first world.
    """

    scenario: Scenario
    ensemble: Ensemble
    schools: pd.DataFrame | None
    table: Schools

    @property
    def title(self) -> str:
        """One line that says what was simulated."""
        return f"{self.scenario.title or self.scenario.name}: {len(self.table):,} schools"

    @property
    def notes(self) -> list[str]:
        """What a reader must know of where the schools come from."""
        return notes_on(self.scenario, self.table)

    @property
    def window(self) -> tuple[int, int]:
        """The funded months of the design."""
        return window(self.scenario, next(iter(self.scenario.designs.values())))

    def __repr__(self) -> str:
        one = self.scenario
        size = f"{len(self.table):,} schools, {one.months} months; {one.replicates:,} runs"
        return f"<Simulation of {one.name}: {', '.join(one.designs)}, {size}>"

    def runs(self) -> pd.DataFrame:
        """Return one row per run: design, parameter_set (0: the base parameters), replicate, and the outcomes."""
        return self.ensemble.runs

    def monthly(self) -> pd.DataFrame:
        """Return the counts of every month by group of schools and practice."""
        return self.ensemble.monthly()

    def costs(self) -> pd.DataFrame:
        """Return the costs by month, country, category and payer, in EUR, not discounted."""
        return self.ensemble.costs()

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables that the study folder keeps, by file name."""
        tables = {"results.parquet": self.monthly(), "runs.parquet": self.runs(), "costs.parquet": self.costs()}
        return tables if self.schools is None else {**tables, "schools.parquet": self.schools}


def simulate(
    scenario: Scenario,
    *,
    per_school: bool = False,
    engine: BatchRunner = run_batch,
    threads: int | None = None,
    progress: Advance = lambda *_: None,
) -> Simulation:
    """Run the replicates of a scenario with a single design at its base parameters.

    Raises InputError where the scenario's files are faulty, or where the schools of all months would fill too much memory.
    """
    worlds = Worlds(scenario)
    _, schools = worlds.get(scenario.base_parameters(), 0)
    cells = len(schools) * scenario.months * scenario.replicates
    if per_school and cells > MOST_CELLS:
        allowed = f"allowed: at most {max(1, MOST_CELLS // (len(schools) * scenario.months))} replicates with {len(schools):,} schools"
        raise InputError("--per-school", f"{cells:,} rows are too many", allowed)
    how: dict[str, Any] = {"per_school": per_school, "engine": engine, "threads": threads, "progress": progress}
    ensemble = run_ensemble(scenario, [{}], scenario.replicates, worlds=worlds, monthly=True, **how)
    return Simulation(scenario, ensemble, _per_school(ensemble, worlds, scenario) if per_school else None, schools)


def _per_school(ensemble: Ensemble, worlds: Worlds, scenario: Scenario) -> pd.DataFrame:
    records = ensemble.results.schools
    replicates, months, _, n = records.shape
    tables = [worlds.get(scenario.base_parameters(), r % scenario.worlds)[1] for r in range(replicates)]
    ids = np.concatenate([np.tile(table.school_id, months) for table in tables])
    mentor = np.concatenate([np.append(table.school_id, "")[records[r, :, -1]].reshape(-1) for r, table in enumerate(tables)])
    frame = pd.DataFrame(
        {
            "design": pd.Categorical.from_codes(np.zeros(len(ids), np.int8), categories=list(ensemble.designs)),
            "replicate": np.repeat(np.arange(replicates), months * n),
            "month": np.tile(np.repeat(np.arange(months), n), replicates),
            "school_id": pd.Categorical(ids),
            "teachers": np.concatenate([np.tile(table.teachers, months) for table in tables]),
            "role": pd.Categorical.from_codes(records[:, :, -2].reshape(-1), categories=list(ROLES)),
            "mentor": pd.Categorical(pd.Series(mentor).mask(mentor == "")),
        }
    )
    many = len(ensemble.practices) > 1
    for p, practice in enumerate(ensemble.practices):
        frame[f"adopters_{practice}" if many else "adopters"] = records[:, :, p].reshape(-1)
    return frame
