"""A sweep: many parameter sets x designs x replicates, described once, cut into chunks by content alone.

A cell is one parameter set in one replicate, under every design. Cells are numbered; a chunk is a range of cells. What a chunk holds
depends on the plan only, never on who computes it (``chunks.py``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.experiments.folder.description import hash_inputs, read_description
from school_mentoring.experiments.folder.model_1 import scenario_of
from school_mentoring.experiments.notes import fixed_note, notes_on_draws
from school_mentoring.experiments.variables import chosen_variables, read_table, sample
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.errors import InputError
from school_mentoring.model.fingerprint import result_fingerprint
from school_mentoring.model.state import LASTING
from school_mentoring.scenarios import Scenario, resolved

from .store import hash_sets, read_sets

MOST_BYTES = 64_000_000  # of the months of all schools that are held at a time
CHUNK_SCHOOL_MONTHS = 150_000_000
CHUNK_RUNS = 200_000


@dataclass(frozen=True)
class SchoolRecord:
    """W waves, each a month in which one practice (by its number) is looked at, of n ``schools``.

    ``ever``: instead of adopting teachers, record whether (1 or 0) a school has by then ever reached the mainstream threshold, with one
    teacher at least, which is its time of adoption as classic diffusion studies know it.
    """

    months: tuple[int, ...]
    practices: tuple[int, ...]
    schools: int
    ever: bool = False

    @property
    def cells(self) -> int:
        """Numbers recorded of a run: wave by wave, school by school."""
        return len(self.months) * self.schools

    def runs_at_a_time(self, months: int, practices: int) -> int:
        """Return how many runs may hold all their schools and months in memory together."""
        numbers = months * (2 * practices + 2) + 6 * LASTING  # of a school, in units of 4 bytes, as ``model.observe.Results`` has them
        return max(1, MOST_BYTES // (4 * numbers * self.schools))

    def read(self, schools: NDArray[np.int32], threshold: NDArray[np.float64], teachers: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return what is recorded of runs, (B, W, n).

        ``schools``: as in ``model.engine.Results``, (B, months, P + 2, n); ``threshold``: the runs' mainstream threshold, (B,);
        ``teachers``: of the schools in each run's world, (B, n).
        """
        waves = list(zip(self.months, self.practices, strict=True))
        if not self.ever:
            return np.stack([schools[:, month, practice] for month, practice in waves], axis=1)
        needed = np.maximum(1, np.ceil(threshold[:, None] * teachers - 1e-9)).astype(np.int32)
        reached = {practice: schools[:, :, practice] >= needed[:, None] for practice in set(self.practices)}
        return np.stack([reached[practice][:, : month + 1].any(axis=1) for month, practice in waves], axis=1).astype(np.int32)


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

    @property
    def notes(self) -> list[str]:
        """What is said of how the parameter sets vary; of sets of the user's own, or of a study, what the scenario fixes besides."""
        if self.vary is None:
            return fixed_note(self.scenario, self.sets)
        return notes_on_draws(self.scenario, chosen_variables(self.scenario, self.vary), len(self.sets))

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
                **{name: True for name in ("monthly", "broken_down") if getattr(self, name)},
                **({"schools": asdict(self.schools)} if self.schools is not None else {}),
            },
        }

    @staticmethod
    def of(description: Mapping[str, Any], sets: pd.DataFrame, source: str) -> "Plan":
        """Return the plan that ``describe`` described."""
        sweep = description["sweep"]
        scenario = scenario_of(description, source)
        records = sweep.get("monthly", False), sweep.get("broken_down", False)
        told = sweep.get("schools")
        schools = told and SchoolRecord(tuple(told["months"]), tuple(told["practices"]), told["schools"], told["ever"])
        return Plan(scenario, sets, sweep["random"], sweep["chunk"], sweep["sample"], *records, schools)


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
        first, last = (
            sets.get(f"{name}.{field}", pd.Series(float(month), sets.index)).to_numpy(np.float64)
            for field, month in zip(("first_month", "last_month"), scenario.programme.window(design), strict=True)
        )
        for at in np.flatnonzero(last < first)[:1]:
            problem = f"{name} is funded from month {first[at]:g} to month {last[at]:g}"
            raise InputError(f"parameter set {at}", problem, f"allowed: {name}.last_month not before {name}.first_month")


def chunk_cells(scenario: Scenario) -> int:
    """Return the cells of a chunk: some seconds of work, and parts of some megabytes."""
    _, schools = Worlds(scenario).get(scenario.base_parameters(), 0)
    cell = len(schools) * scenario.months * len(scenario.designs)
    return max(1, min(CHUNK_RUNS // len(scenario.designs), CHUNK_SCHOOL_MONTHS // cell))


def read_plan(folder: Path) -> Plan:
    """Return the plan of a sweep's folder."""
    description = read_description(folder)
    return Plan.of(description, read_sets(folder, description).drop(columns="parameter_set"), str(folder / "study.json"))
