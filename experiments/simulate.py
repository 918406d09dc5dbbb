"""Simulate one design of a scenario at its base parameters, month by month and, where asked for, school by school."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from school_mentoring.model.engine import run_batch
from school_mentoring.model.errors import InputError
from school_mentoring.model.world.arrays import World
from school_mentoring.model.world.schools import Schools
from school_mentoring.scenarios import Scenario

from .compare import ends_of, lasting_contacts, notes_on, peer_pairs
from .ensemble import BatchRunner, Ensemble, run_ensemble
from .notes import fixed_note
from .progress import Advance
from .worlds import Worlds

ROLES = ("none", "mentor", "mentee", "alumnus")
MOST_CELLS = 100_000_000


@dataclass(frozen=True)
class Simulation:
    """What ``simulate`` found.

    ``schools``: one row per replicate, month and school, ``contacts``: those that last at the end of funding and at the end, and ``peers``:
    pairs of peer schools in each replicate, each once; or None where not asked for; ``table``: the school table of the first world.
    """

    scenario: Scenario
    ensemble: Ensemble
    schools: pd.DataFrame | None
    contacts: pd.DataFrame | None
    peers: pd.DataFrame | None
    table: Schools

    @property
    def title(self) -> str:
        """One line that says what was simulated."""
        return f"{self.scenario.title or self.scenario.name}: {len(self.table):,} schools"

    @property
    def notes(self) -> list[str]:
        """What a reader must know of where the schools come from."""
        return [*notes_on(self.scenario, self.table), *fixed_note(self.scenario)]

    @property
    def window(self) -> tuple[int, int]:
        """The funded months of the design."""
        return self.scenario.programme.window(next(iter(self.scenario.designs.values())))

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

    def teams(self) -> pd.DataFrame:
        """Return the counts of every month among teachers in a team, their colleagues and all others."""
        return self.ensemble.teams()

    def costs(self) -> pd.DataFrame:
        """Return the costs by month, country, category and payer, in EUR, not discounted."""
        return self.ensemble.costs()

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables that the study folder keeps, by file name."""
        tables = {"results.parquet": self.monthly(), "teams.parquet": self.teams(), "runs.parquet": self.runs()}
        asked = {"costs.parquet": self.costs(), "schools.parquet": self.schools, "contacts.parquet": self.contacts}
        asked["peers.parquet"] = self.peers
        return tables | {name: table for name, table in asked.items() if table is not None}


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
    if not per_school:
        return Simulation(scenario, ensemble, None, None, None, schools)
    homes = [worlds.get(scenario.base_parameters(), r % scenario.worlds) for r in range(scenario.replicates)]
    tables = [table for _, table in homes]
    found = _per_school(ensemble, tables), _contacts(ensemble, tables, scenario), _peers(homes)
    return Simulation(scenario, ensemble, *found, schools)


def _peers(homes: Sequence[tuple[World, Schools]]) -> pd.DataFrame:
    """Return the pairs of peer schools of each replicate, each once, with the names of schools."""
    parts = []
    for r, (world, table) in enumerate(homes):
        pairs = peer_pairs(world)
        parts.append(pd.DataFrame({"replicate": r, "school_id": table.school_id[pairs[:, 0]], "peer": table.school_id[pairs[:, 1]]}))
    return pd.concat(parts, ignore_index=True)


def _contacts(ensemble: Ensemble, tables: Sequence[Schools], scenario: Scenario) -> pd.DataFrame:
    """Return the lasting contacts at the end of funding and at the end, with the names of schools."""
    results, parts = ensemble.results, []
    for r, table in enumerate(tables):
        for month, end in ends_of(scenario).items():
            listed = lasting_contacts(results.partners[r, end], results.partner_weights[r, end])
            ids = {name: table.school_id[listed[column]] for name, column in (("school_id", "school"), ("partner", "partner"))}
            parts.append(pd.DataFrame({"replicate": r, "month": month, **ids, "weight": listed["weight"]}))
    frame = pd.concat(parts, ignore_index=True)
    frame.insert(0, "design", pd.Categorical([ensemble.designs[0]] * len(frame), categories=list(ensemble.designs)))
    return frame


def _per_school(ensemble: Ensemble, tables: Sequence[Schools]) -> pd.DataFrame:
    records = ensemble.results.schools
    replicates, months, _, n = records.shape
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
        frame[f"team_adopters_{practice}" if many else "team_adopters"] = ensemble.results.team_adopters[:, :, p].reshape(-1)
    return frame
