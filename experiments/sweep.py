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
from model.engine import Batch
from model.errors import InputError
from model.observe import OUTCOMES
from model.parameters import PARAMETER_DTYPE, PARAMETERS
from scenarios import Scenario, resolved, scenario_from

from .ensemble import BatchRunner, run_rows, runner
from .sampling import sample
from .variables import WORLD_FIELDS, Variable, parse_variable, uncertain_variables
from .worlds import Worlds

__all__ = ["Plan", "Sweep", "chosen_variables", "plan_sweep", "read_plan", "read_table"]

CHUNK_SCHOOL_MONTHS = 150_000_000
CHUNK_RUNS = 200_000


@dataclass(frozen=True)
class Plan:
    """All that decides the bytes of a sweep.

    ``sets``: one row per parameter set, a column per variable. ``random``: ``common`` (a replicate has the same random numbers under every
    parameter set) or ``independent``. ``chunk``: cells per chunk. ``sample``: how the sets came about, for the record.
    """

    scenario: Scenario
    sets: pd.DataFrame
    random: str
    chunk: int
    sample: str

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
                "sets_hash": _hash_frame(self.sets),
                "random": self.random,
                "chunk": self.chunk,
                "runs": self.runs,
            },
        }

    @staticmethod
    def of(description: Mapping[str, Any], sets: pd.DataFrame, source: str) -> "Plan":
        """Return the plan that ``describe`` described."""
        sweep = description["sweep"]
        scenario = scenario_from(description["scenario"], source)
        return Plan(scenario, sets, sweep["random"], sweep["chunk"], sweep["sample"])


def _hash_frame(frame: pd.DataFrame) -> str:
    digest = hashlib.sha256("|".join(map(str, frame.columns)).encode())
    for name in frame:
        column = frame[name]
        data = column.to_numpy(np.float64).tobytes() if pd.api.types.is_numeric_dtype(column) else json.dumps(list(column)).encode()
        digest.update(data)
    return digest.hexdigest()[:16]


def plan_sweep(
    scenario: Scenario, vary: Sequence[str] = (), sampling: str = "sobol:64", *, random: str = "common", chunk: int | None = None
) -> Plan:
    """Return the plan of a sweep over ``vary`` (texts as ``--vary`` takes them; none: the scenario's uncertain parameters).

    Raises InputError for names, ranges or samplings that are not valid.
    """
    if random not in ("common", "independent"):
        raise InputError(f"--random {random}", "is not known", "allowed: common, independent")
    if sampling.startswith("table:"):
        if vary:
            raise InputError("--vary", "does not go with a table of sets", "allowed: --sample table:FILE alone")
        sets = read_table(sampling.removeprefix("table:"), scenario)
    else:
        sets = sample(sampling, chosen_variables(scenario, vary), scenario.seed)
    return Plan(scenario, sets, random, chunk or _chunk_cells(scenario), sampling)


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
    return chosen


def _chunk_cells(scenario: Scenario) -> int:
    """Return the cells of a chunk: some seconds of work, and parts of some megabytes."""
    _, schools = Worlds(scenario).get(scenario.base_parameters(), 0)
    cell = len(schools) * scenario.months * len(scenario.designs)
    return max(1, min(CHUNK_RUNS // len(scenario.designs), CHUNK_SCHOOL_MONTHS // cell))


def read_table(path: str, scenario: Scenario) -> pd.DataFrame:
    """Return a user's own parameter sets: a CSV with one column per variable and one row per set."""
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise InputError(
            path, f"cannot be read ({getattr(error, 'strerror', None) or error})", "allowed: a CSV with one column per variable"
        ) from None
    if not len(frame) or not len(frame.columns):
        raise InputError(path, "holds no parameter sets", "allowed: a header of names and one row per set")
    columns: dict[str, Any] = {}
    for name in frame:
        values = []
        for row, word in enumerate(frame[name], start=2):
            try:
                values.append(parse_variable(f"{name}={word}", scenario).choices[0])
            except InputError as error:
                raise InputError(f"{path}, row {row}, column {name}", error.problem, error.allowed) from None
            except IndexError:
                raise InputError(f"{path}, row {row}, column {name}", f"{word!r} is not one value", "allowed: one value") from None
        columns[str(name)] = values
    return pd.DataFrame(columns)


class Sweep:
    """Computes the chunks of a plan."""

    def __init__(self, plan: Plan, *, engine: str = "compiled", threads: int | None = None) -> None:
        self.plan, self.threads = plan, threads
        self.engine: BatchRunner = runner(engine)
        self.designs = list(plan.scenario.designs)
        self._worlds: dict[tuple[int, ...], tuple[Scenario, Worlds]] = {}

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
                return self._table(rows.iloc[:0], np.empty((0, len(OUTCOMES)))), [
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
        columns |= {name: pa.array(outcomes[:, k]) for k, name in enumerate(OUTCOMES)}
        return pa.table(columns)

    def outcomes(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the outcomes of the runs of some rows (cell, design), shape (rows, outcomes)."""
        plan, replicates = self.plan, self.plan.scenario.replicates
        parameter_set, replicate = np.divmod(rows["cell"].to_numpy(), replicates)
        used, position = np.unique(parameter_set, return_inverse=True)
        sets = plan.sets.iloc[used]
        draw = replicate if plan.random == "common" else parameter_set * replicates + replicate
        outcomes = np.empty((len(rows), len(OUTCOMES)))
        sizes = [name for name in WORLD_FIELDS if name in sets]
        size = sets[sizes].to_numpy(np.int64) if sizes else np.zeros((len(sets), 1), np.int64)
        for values in np.unique(size, axis=0):
            scenario, worlds = self._variant(tuple(int(v) for v in values) if sizes else (), sizes)
            mine = np.flatnonzero((size[position] == values).all(axis=1))
            designs = self._designs(scenario, sets)
            batch = Batch(position[mine] * len(self.designs) + rows["design"].to_numpy()[mine], position[mine], draw[mine])
            results = run_rows(scenario, self._parameters(sets), designs, batch, worlds=worlds, engine=self.engine, threads=self.threads)
            outcomes[mine] = results.outcomes
        return outcomes

    def _variant(self, values: tuple[int, ...], sizes: Sequence[str]) -> tuple[Scenario, Worlds]:
        """Return the scenario with other numbers of schools and regions, and its worlds."""
        if values not in self._worlds:
            update = {name.partition(".")[2]: value for name, value in zip(sizes, values, strict=True)}
            world = self.plan.scenario.world.model_copy(update=update)
            scenario = self.plan.scenario.model_copy(update={"world": world})
            self._worlds[values] = (scenario, Worlds(scenario))
        return self._worlds[values]

    @cached_property
    def _base(self) -> dict[str, float]:
        return self.plan.scenario.base_parameters()

    def _parameters(self, sets: pd.DataFrame) -> NDArray[np.void]:
        table = np.empty(len(sets), PARAMETER_DTYPE)
        for name in PARAMETERS:
            table[name] = sets[name].to_numpy(np.float64) if name in sets else self._base[name]
        return table

    def _designs(self, scenario: Scenario, sets: pd.DataFrame) -> NDArray[np.void]:
        """Return the designs of every set, one after the other: row set x designs + design."""
        window = scenario.programme
        one = design_table(list(scenario.designs.values()), window.first_month, window.last_month)
        table = np.tile(one, len(sets)).astype(DESIGN_DTYPE).reshape(len(sets), len(one))
        for position, design in enumerate(self.designs):
            for field in FIELDS:
                name = f"{design}.{field}"
                if name in sets:
                    words = CHOICES.get(field)
                    column = sets[name]
                    table[field][:, position] = column.map(words.index) if words else column.to_numpy(np.float64)
        return table.reshape(-1)


def read_plan(folder: Path) -> Plan:
    """Return the plan of a sweep's folder."""
    description = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    return Plan.of(description, pd.read_parquet(folder / "parameters.parquet").drop(columns="parameter_set"), str(folder / "study.json"))
