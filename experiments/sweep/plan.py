"""A sweep: many parameter sets x designs x replicates, described once, cut into chunks by content alone.

A cell is one parameter set in one replicate, under every design. Cells are numbered; a chunk is a range of cells. What a chunk holds
depends on the plan only, never on who computes it (``chunks.py``).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from school_mentoring.experiments.folder.description import read_description
from school_mentoring.experiments.folder.inputs import hash_inputs
from school_mentoring.experiments.sampling import sample
from school_mentoring.experiments.school_record import SchoolRecord
from school_mentoring.experiments.variables import (
    WORLD_FIELDS,
    Variable,
    parse_variable,
    refuse_unknown,
    uncertain_variables,
)
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.errors import InputError
from school_mentoring.model.fingerprint import result_fingerprint
from school_mentoring.scenarios import Scenario, resolved, scenario_from
from school_mentoring.scenarios.schema import MAX_SCHOOLS

from .own_sets import read_table

CHUNK_SCHOOL_MONTHS = 150_000_000
CHUNK_RUNS = 200_000


@dataclass(frozen=True)
class Plan:
    """All that decides the bytes of a sweep.

    ``sets``: one row per parameter set, a column per variable. ``random``: ``common`` (a replicate has the same random numbers under every
    parameter set) or ``independent``. ``chunk``: cells per chunk. ``sample``: how the sets came about, for the record. ``monthly``: whether
    each run also records the share of teachers who use a practice, month by month (columns ``share_000`` and so on).
    ``broken_down``: whether it records what ``breakdown`` breaks effects and costs down into. ``schools``: record of each run what this
    says of its schools (a list in the column ``adopters``) and nothing else. ``vary``: the texts of ``--vary`` from which, with ``sample``,
    the sets follow; None where they do not. ``notices``: what of the user's own sets is probably not meant.
    """

    scenario: Scenario
    sets: pd.DataFrame
    random: str
    chunk: int
    sample: str
    monthly: bool = False
    broken_down: bool = False
    schools: SchoolRecord | None = None
    vary: tuple[str, ...] | None = None
    notices: tuple[str, ...] = ()

    @property
    def cells(self) -> int:
        """Parameter sets x replicates."""
        return len(self.sets) * self.scenario.replicates

    @property
    def chunks(self) -> int:
        """How many chunks the cells fall into."""
        return -(-self.cells // self.chunk)

    @property
    def runs(self) -> int:
        """Cells x designs."""
        return self.cells * len(self.scenario.designs)

    def runs_of(self, chunk: int) -> int:
        """Return the runs of one chunk."""
        low = chunk * self.chunk
        return (min(low + self.chunk, self.cells) - low) * len(self.scenario.designs)

    def describe(self) -> dict[str, Any]:
        """Return the plan as JSON holds it, without the sets themselves but with their hash."""
        return {
            "scenario": resolved(self.scenario),
            "model": result_fingerprint(),
            "sweep": {
                "variables": list(self.sets.columns),
                "parameter_sets": len(self.sets),
                "sample": self.sample,
                "sets_hash": hash_sets(self.sets),
                "files": hash_inputs(self.scenario),
                "random": self.random,
                "chunk": self.chunk,
                "runs": self.runs,
                **({"monthly": True} if self.monthly else {}),
                **({"broken_down": True} if self.broken_down else {}),
                **({"schools": self.schools.describe()} if self.schools is not None else {}),
            },
        }

    @staticmethod
    def of(description: Mapping[str, Any], sets: pd.DataFrame, source: str) -> "Plan":
        """Return the plan that ``describe`` described."""
        sweep = description["sweep"]
        scenario = scenario_from(description["scenario"], source, files=False)
        records = sweep.get("monthly", False), sweep.get("broken_down", False)
        schools = SchoolRecord.of(sweep["schools"]) if "schools" in sweep else None
        return Plan(scenario, sets, sweep["random"], sweep["chunk"], sweep["sample"], *records, schools)


def hash_sets(frame: pd.DataFrame) -> str:
    """Return 16 hexadecimal digits that change with any name or value of a table of parameter sets."""
    digest = hashlib.sha256("|".join(map(str, frame.columns)).encode())
    for name in frame:
        column = frame[name]
        data = column.to_numpy(np.float64).tobytes() if pd.api.types.is_numeric_dtype(column) else json.dumps(list(column)).encode()
        digest.update(data)
    return digest.hexdigest()[:16]


def plan_sweep(
    scenario: Scenario,
    vary: Sequence[str] = (),
    sampling: str = "sobol:64",
    *,
    random: str = "common",
    chunk: int | None = None,
    broken_down: bool = False,
) -> Plan:
    """Return the plan of a sweep over ``vary`` (texts as ``--vary`` takes them; none: the scenario's uncertain parameters).

    Raises InputError for names, ranges or samplings that are not valid, and for sets that no scenario may have.
    """
    if random not in ("common", "independent"):
        raise InputError(f"--random {random}", "is not known", "allowed: common, independent")
    if sampling.startswith("table:"):
        if vary:
            raise InputError("--vary", "does not go with a table of sets", "allowed: --sample table:FILE alone")
        sets, notices = read_table(sampling.removeprefix("table:"), scenario)
        _check_size(scenario, {name: float(sets[name].max()) for name in WORLD_FIELDS if name in sets})
        told = None
    else:
        variables = chosen_variables(scenario, vary)
        sets = sample(sampling, variables, scenario.seed, scenario.correlation([variable.name for variable in variables]))
        told, notices = tuple(vary), ()
    _check_windows(scenario, sets)
    return Plan(scenario, sets, random, chunk or chunk_cells(scenario), sampling, broken_down=broken_down, vary=told, notices=notices)


def _check_windows(scenario: Scenario, sets: pd.DataFrame) -> None:
    """Raise InputError for the first set that ends the funding of a design before it begins."""
    for name, design in scenario.designs.items():
        months = []
        for field in ("first_month", "last_month"):
            given = getattr(design, field)
            fixed = getattr(scenario.programme, field) if given is None else given
            months.append(sets[f"{name}.{field}"].to_numpy(np.float64) if f"{name}.{field}" in sets else np.full(len(sets), float(fixed)))
        wrong = np.flatnonzero(months[1] < months[0])
        if len(wrong):
            first, last = (column[wrong[0]] for column in months)
            raise InputError(
                f"parameter set {wrong[0]}",
                f"{name} is funded from month {first:g} to month {last:g}",
                f"allowed: {name}.last_month not before {name}.first_month",
            )


def _check_size(scenario: Scenario, highest: Mapping[str, float]) -> None:
    """Raise InputError where the largest world of a sweep has more schools than a scenario may have."""
    world = scenario.world
    per_region = highest.get("world.schools_per_region", world.schools_per_region)
    per_country = highest.get("world.regions_per_country", world.regions_per_country)
    schools = int(per_region * sum(country.regions or per_country for country in world.countries))
    if world.schools is None and schools > MAX_SCHOOLS:
        raise InputError("the largest world", f"{schools:,} schools in all are too many", f"allowed: {MAX_SCHOOLS:,}")


def chosen_variables(scenario: Scenario, vary: Sequence[str]) -> list[Variable]:
    """Return the variables of ``--vary`` texts, or the scenario's uncertain parameters where there are none.

    Raises InputError for a name given twice, and where there is nothing to vary.
    """
    refuse_unknown(vary, scenario)
    chosen = [parse_variable(text, scenario) for text in vary] if vary else uncertain_variables(scenario)
    names = [variable.name for variable in chosen]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"--vary {name}", "is given twice", "allowed: each name once")
    if not chosen:
        raise InputError("--vary", "nothing is varied", "give --vary name=low:high, uncertain parameters in the scenario, or table:FILE")
    _check_size(scenario, {variable.name: variable.highest for variable in chosen if variable.name in WORLD_FIELDS})
    return chosen


def chunk_cells(scenario: Scenario) -> int:
    """Return the cells of a chunk: some seconds of work, and parts of some megabytes."""
    _, schools = Worlds(scenario).get(scenario.base_parameters(), 0)
    cell = len(schools) * scenario.months * len(scenario.designs)
    return max(1, min(CHUNK_RUNS // len(scenario.designs), CHUNK_SCHOOL_MONTHS // cell))


def read_plan(folder: Path) -> Plan:
    """Return the plan of a sweep's folder."""
    description = read_description(folder)
    return Plan.of(description, read_sets(folder, description).drop(columns="parameter_set"), str(folder / "study.json"))


def read_sets(folder: Path, description: Mapping[str, Any]) -> pd.DataFrame:
    """Return the parameter sets in a sweep's folder; raises InputError where they are not those that its description names."""
    path = folder / "parameters.parquet"
    try:
        sets = pd.read_parquet(path)
        numbered = sets["parameter_set"].to_list() == list(range(len(sets)))
        sound = numbered and hash_sets(sets.drop(columns="parameter_set")) == description["sweep"]["sets_hash"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # what readers of Parquet say of bytes that are none
        sound = False
    if not sound:
        raise InputError(str(path), "is damaged (not the parameter sets of this sweep)", "run the sweep again with --resume")
    return sets
