"""A sweep: many parameter sets x designs x replicates, described once, cut into chunks by content alone.

A cell is one parameter set in one replicate, under every design. Cells are numbered; a chunk is a range of cells. What a chunk holds
depends on the plan only, never on who computes it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from model.compiled import source_fingerprint
from model.designs import CHOICES, DESIGN_DTYPE, FIELDS, design_table
from model.engine import Batch, Results
from model.errors import InputError, nearest
from model.observe import GROUP_COUNTS, OUTCOMES
from model.parameters import PARAMETER_DTYPE, PARAMETERS
from model.tables import Table
from scenarios import Scenario, resolved, scenario_from
from scenarios.schema import MAX_SCHOOLS

from .breakdown import breakdown, breakdown_columns, slices
from .description import read_description
from .ensemble import BatchRunner, run_rows, runner
from .sampling import sample
from .school_record import SchoolRecord
from .study import hash_inputs
from .variables import WORLD_FIELDS, WORLD_WORDS, Variable, domain_of, parse_value, parse_variable, uncertain_variables, variable_names
from .worlds import Worlds

__all__ = [
    "Plan",
    "Sweep",
    "chosen_variables",
    "chunk_cells",
    "hash_sets",
    "parameter_rows",
    "plan_sweep",
    "read_plan",
    "read_sets",
    "read_table",
]

CHUNK_SCHOOL_MONTHS = 150_000_000
CHUNK_RUNS = 200_000
KEPT_SIZES = 4


@dataclass(frozen=True)
class Plan:
    """All that decides the bytes of a sweep.

    ``sets``: one row per parameter set, a column per variable. ``random``: ``common`` (a replicate has the same random numbers under every
    parameter set) or ``independent``. ``chunk``: cells per chunk. ``sample``: how the sets came about, for the record. ``monthly``: whether
    each run also records the share of teachers who use a practice, month by month (columns ``share_000`` and so on).
    ``broken_down``: whether it records what ``breakdown`` breaks effects and costs down into. ``schools``: record of each run what this
    says of its schools (a list in the column ``adopters``) and nothing else. ``vary``: the texts of ``--vary`` from which, with ``sample``,
    the sets follow; None where they do not.
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
            "model": source_fingerprint(),
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
        scenario = scenario_from(description["scenario"], source)
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
        sets = read_table(sampling.removeprefix("table:"), scenario)
        told = None
    else:
        variables = chosen_variables(scenario, vary)
        sets = sample(sampling, variables, scenario.seed, scenario.correlation([variable.name for variable in variables]))
        told = tuple(vary)
    _check_windows(scenario, sets)
    return Plan(scenario, sets, random, chunk or chunk_cells(scenario), sampling, broken_down=broken_down, vary=told)


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


def read_table(path: str, scenario: Scenario) -> pd.DataFrame:
    """Return a user's own parameter sets: a CSV with one column per variable and one row per set."""
    known = variable_names(scenario)
    table = Table(path, lambda name: None if name in known else nearest(name, known), required=())
    columns: dict[str, list[float | str]] = {}
    for name, cells in table.columns.items():
        domain = domain_of(name, scenario)
        columns[name] = []
        for at, cell in enumerate(cells):
            word = cell.replace(",", ".") if table.decimal_comma else cell
            try:
                columns[name].append(parse_value("", name, word, domain))
            except InputError as error:
                table.complain(at, name, error.allowed, error.problem)
    table.settle()
    sets = pd.DataFrame(columns)
    _check_size(scenario, {name: float(sets[name].max()) for name in WORLD_FIELDS if name in sets})
    return sets


class Sweep:
    """Computes the chunks of a plan."""

    def __init__(self, plan: Plan, *, engine: str = "compiled", threads: int | None = None) -> None:
        self.plan, self.threads = plan, threads
        self.engine: BatchRunner = runner(engine)
        self.designs = list(plan.scenario.designs)
        self._worlds: dict[tuple[int | str, ...], tuple[Scenario, Worlds]] = {}
        self._shares = [f"share_{month:03d}" for month in range(plan.scenario.months if plan.monthly else 0)]
        self._columns = [*OUTCOMES, *self._shares]
        if plan.broken_down:
            _, schools = self._variant((), ())[1].get(self._base, 0)
            self._countries = schools.country_codes
            self._columns += breakdown_columns(self._countries, plan.scenario.months)
        if plan.schools is not None:
            self._columns = [f"adopters_{cell}" for cell in range(plan.schools.cells)]

    def chunk(self, number: int) -> tuple[pa.Table, list[dict[str, Any]]]:
        """Return the rows of a chunk, and what failed: runs that could not be made, with their parameters and the error."""
        low = number * self.plan.chunk
        cells = np.arange(low, min(low + self.plan.chunk, self.plan.cells))
        designs = len(self.designs)
        rows = pd.DataFrame({"cell": np.repeat(cells, designs), "design": np.tile(np.arange(designs), len(cells))})
        for _ in range(2):
            try:
                return self._table(rows, self.outcomes(rows)), []
            except InputError:
                raise
            except Exception:  # whatever fails is found run by run below
                continue
        good, failures = self._bisect(rows)
        return good, failures

    def _bisect(self, rows: pd.DataFrame) -> tuple[pa.Table, list[dict[str, Any]]]:
        try:
            return self._table(rows, self.outcomes(rows)), []
        except Exception as error:
            if len(rows) == 1:
                cell = int(rows["cell"].iloc[0])
                parameter_set, replicate = divmod(cell, self.plan.scenario.replicates)
                return self._table(rows.iloc[:0], np.empty((0, len(self._columns)))), [
                    {
                        "design": self.designs[int(rows["design"].iloc[0])],
                        "parameter_set": parameter_set,
                        "replicate": replicate,
                        "parameters": {str(k): v for k, v in self.plan.sets.iloc[parameter_set].to_dict().items()},
                        "error": f"{type(error).__name__}: {error}",
                    }
                ]
        middle = len(rows) // 2
        left, right = self._bisect(rows.iloc[:middle]), self._bisect(rows.iloc[middle:])
        return pa.concat_tables([left[0], right[0]]).combine_chunks(), left[1] + right[1]

    def _table(self, rows: pd.DataFrame, outcomes: NDArray[np.float64]) -> pa.Table:
        parameter_set, replicate = np.divmod(rows["cell"].to_numpy(), self.plan.scenario.replicates)
        design = pa.DictionaryArray.from_arrays(pa.array(rows["design"].to_numpy(np.int16)), pa.array(self.designs))
        columns = {"design": design, "parameter_set": pa.array(parameter_set), "replicate": pa.array(replicate.astype(np.int32))}
        if self.plan.schools is not None:
            counts = pa.array(outcomes.astype(np.uint16).ravel())
            return pa.table(columns | {"adopters": pa.FixedSizeListArray.from_arrays(counts, self.plan.schools.cells)})
        # Shares need no more than 7 digits, and a study holds millions of them.
        types = [pa.float32() if name in self._shares else pa.float64() for name in self._columns]
        columns |= {name: pa.array(outcomes[:, k], types[k]) for k, name in enumerate(self._columns)}
        return pa.table(columns)

    def outcomes(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the outcomes of the runs of some rows (cell, design) and what else each run records, shape (rows, columns)."""
        plan, replicates = self.plan, self.plan.scenario.replicates
        parameter_set, replicate = np.divmod(rows["cell"].to_numpy(), replicates)
        used, position = np.unique(parameter_set, return_inverse=True)
        sets = plan.sets.iloc[used]
        draw = replicate if plan.random == "common" else parameter_set * replicates + replicate
        outcomes = np.empty((len(rows), len(self._columns)))
        varied = [name for name in (*WORLD_FIELDS, *WORLD_WORDS) if name in sets]
        columns = [sets[name].astype(int if name in WORLD_FIELDS else str).tolist() for name in varied]
        kinds = list(zip(*columns, strict=True)) if varied else [()] * len(sets)
        for values in sorted(set(kinds)):
            scenario, worlds = self._variant(values, varied)
            mine = np.flatnonzero(np.array([kind == values for kind in kinds])[position])
            designs = self._designs(scenario, sets)
            parameters = parameter_rows(self._base, sets)
            if plan.schools is not None:
                batch = Batch(position[mine] * len(self.designs) + rows["design"].to_numpy()[mine], position[mine], draw[mine])
                outcomes[mine] = self._schools(scenario, worlds, parameters, designs, batch)
                continue
            for part in slices(len(mine), scenario, len(self._countries)) if plan.broken_down else [slice(None)]:
                now = mine[part]
                batch = Batch(position[now] * len(self.designs) + rows["design"].to_numpy()[now], position[now], draw[now])
                results = run_rows(
                    scenario, parameters, designs, batch,
                    worlds=worlds, monthly=plan.monthly or plan.broken_down, engine=self.engine, threads=self.threads,
                )  # fmt: skip
                outcomes[now] = self._record(results, parameters["discount_rate"][position[now]])
        return outcomes

    def _record(self, results: Results, discount_rates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what is kept of runs, shape (runs, columns)."""
        parts = [results.outcomes]
        if self.plan.monthly:
            parts.append(_shares(results))
        if self.plan.broken_down:
            parts.append(breakdown(results, discount_rates, self._countries))
        return np.concatenate(parts, axis=1)

    def _schools(
        self, scenario: Scenario, worlds: Worlds, parameters: NDArray[np.void], designs: NDArray[np.void], batch: Batch
    ) -> NDArray[np.int32]:
        """Return what is recorded of the schools of each run, (B, cells), a few runs at a time."""
        record = self.plan.schools
        assert record is not None
        found = np.empty((len(batch.design), record.cells), np.int32)
        step = record.runs_at_a_time(scenario.months, len(scenario.practices))
        teachers = np.stack([worlds.get(self._base, index)[0].teachers for index in range(scenario.worlds)])
        for low in range(0, len(found), step):
            here = slice(low, low + step)
            part = Batch(*(column[here] for column in batch))
            results = run_rows(
                scenario, parameters, designs, part, worlds=worlds, per_school=True, engine=self.engine, threads=self.threads
            )
            threshold = parameters["mainstream_threshold"][part.parameter_set]
            found[here] = record.read(results.schools, threshold, teachers[part.replicate % scenario.worlds]).reshape(-1, record.cells)
        return found

    def _variant(self, values: tuple[int | str, ...], varied: Sequence[str]) -> tuple[Scenario, Worlds]:
        """Return the scenario with other numbers of schools and regions, or other structural choices, and its worlds."""
        if values not in self._worlds:
            if len(self._worlds) >= KEPT_SIZES:
                self._worlds.clear()
            update = {name.partition(".")[2]: value for name, value in zip(varied, values, strict=True)}
            world = self.plan.scenario.world.model_copy(update=update)
            scenario = self.plan.scenario.model_copy(update={"world": world})
            self._worlds[values] = (scenario, Worlds(scenario))
        return self._worlds[values]

    @cached_property
    def _base(self) -> dict[str, float]:
        return self.plan.scenario.base_parameters()

    def _designs(self, scenario: Scenario, sets: pd.DataFrame) -> NDArray[np.void]:
        """Return the designs of every set, one after the other: row set x designs + design."""
        window = scenario.programme
        one = design_table(list(scenario.designs.values()), window.first_month, window.last_month)
        one["mandate"] = [design.mandate for design in scenario.designs.values()]
        table = np.tile(one, len(sets)).astype(DESIGN_DTYPE).reshape(len(sets), len(one))
        for position, design in enumerate(self.designs):
            for field in FIELDS:
                name = f"{design}.{field}"
                if name in sets:
                    words = CHOICES.get(field)
                    column = sets[name]
                    table[field][:, position] = column.map(words.index) if words else column.to_numpy(np.float64)
        # As in design_table: a mandate binds the schools that a design assigns, whichever of its sets assigns them.
        table["mandate"][table["recruitment"] != CHOICES["recruitment"].index("assigned")] = 0.0
        return table.reshape(-1)


def parameter_rows(base: Mapping[str, float], sets: pd.DataFrame) -> NDArray[np.void]:
    """Return a record of parameters per row of a table of sets; what it has no column of has its base value."""
    table = np.empty(len(sets), PARAMETER_DTYPE)
    for name in PARAMETERS:
        table[name] = sets[name].to_numpy(np.float64) if name in sets else base[name]
    return table


def _shares(results: Results) -> NDArray[np.float64]:
    """Return the share of all teachers who use a practice (mean over practices), by run and month."""
    everyone = results.groups[:, :, 0].sum(axis=2)
    return np.asarray(everyone[..., GROUP_COUNTS.index("adopters")] / everyone[..., GROUP_COUNTS.index("teachers")])


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
