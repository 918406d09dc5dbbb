"""What a chunk of a sweep holds: its runs, made and recorded, and those that failed, found one by one."""

import itertools
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from school_mentoring.experiments.ensemble import BatchRunner, breakdown, breakdown_columns, design_rows, run_rows, runner, slices
from school_mentoring.experiments.variables import WORLD_FIELDS
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.designs import CHOICES, FIELDS, Design
from school_mentoring.model.engine import Batch, Results
from school_mentoring.model.errors import InputError
from school_mentoring.model.observe import GROUP_COUNTS, OUTCOMES
from school_mentoring.model.world.arrays import Ints
from school_mentoring.model.world.structure import WORLD_WORDS
from school_mentoring.scenarios import Scenario

from .plan import Plan
from .store import FAILURES, Store, write_atomically

KEPT_SIZES = 4


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
        return self._bisect(rows)

    def _bisect(self, rows: pd.DataFrame) -> tuple[pa.Table, list[dict[str, Any]]]:
        try:
            return self._table(rows, self.outcomes(rows)), []
        except Exception as error:
            if len(rows) == 1:
                cell, design = rows[["cell", "design"]].iloc[0].tolist()
                parameter_set, replicate = divmod(cell, self.plan.scenario.replicates)
                failed = {"design": self.designs[design], "parameter_set": parameter_set, "replicate": replicate}
                values = {str(k): v for k, v in self.plan.sets.iloc[parameter_set].to_dict().items()}
                failed |= {"parameters": values, "error": f"{type(error).__name__}: {error}"}
                return self._table(rows.iloc[:0], np.empty((0, len(self._columns)))), [failed]
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
            (designs, tracks), parameters, record = self._designs(scenario, sets, worlds), parameter_rows(self._base, sets), plan.schools
            kept: dict[str, Any] = {"monthly": plan.monthly or plan.broken_down, "per_school": record is not None, "tracks": tracks}
            parts = [slice(None)]
            if record is not None:
                step = record.runs_at_a_time(scenario.months, len(scenario.practices))
                parts = [slice(low, low + step) for low in range(0, len(mine), step)]
                teachers = np.stack([worlds.get(self._base, index)[0].teachers for index in range(scenario.worlds)])
            elif plan.broken_down:
                parts = list(slices(len(mine), scenario, len(self._countries)))
            for part in parts:
                now = mine[part]
                batch = Batch(position[now] * (len(designs) // len(sets)) + rows["design"].to_numpy()[now], position[now], draw[now])
                results = run_rows(scenario, parameters, designs, batch, worlds=worlds, **kept, engine=self.engine, threads=self.threads)
                given = parameters[position[now]]
                if record is not None:
                    seen = record.read(results.schools, given["mainstream_threshold"], teachers[draw[now] % scenario.worlds])
                    outcomes[now] = seen.reshape(-1, record.cells)
                else:
                    outcomes[now] = self._record(results, given)
        return outcomes

    def _record(self, results: Results, parameters: NDArray[np.void]) -> NDArray[np.float64]:
        """Return what is kept of runs, shape (runs, columns); ``parameters``: the set of each run."""
        parts = [results.outcomes]
        if self.plan.monthly:  # the share of all teachers who use a practice (mean over practices)
            everyone = results.groups[:, :, 0].sum(axis=2)
            parts.append(everyone[..., GROUP_COUNTS.index("adopters")] / everyone[..., GROUP_COUNTS.index("teachers")])
        if self.plan.broken_down:
            parts.append(breakdown(results, parameters, self._countries))
        return np.concatenate(parts, axis=1)

    def _variant(self, values: tuple[int | str, ...], varied: Sequence[str]) -> tuple[Scenario, Worlds]:
        """Return the scenario with other numbers of schools and regions, or other structural choices, and its worlds."""
        if values not in self._worlds:
            if len(self._worlds) >= KEPT_SIZES:
                self._worlds.clear()
            update = {name.partition(".")[2]: value for name, value in zip(varied, values, strict=True)}
            scenario = self.plan.scenario.model_copy(update={"world": self.plan.scenario.world.model_copy(update=update)})
            self._worlds[values] = (scenario, Worlds(scenario))
        return self._worlds[values]

    @cached_property
    def _base(self) -> dict[str, float]:
        return self.plan.scenario.base_parameters()

    def _designs(self, scenario: Scenario, sets: pd.DataFrame, worlds: Worlds) -> tuple[NDArray[np.void], Ints]:
        """Return the rows of every set, one set after the other, and with which a design begins in each region: set x rows + design."""
        designs = list(scenario.designs.values())
        one, tracks = design_rows(scenario, designs, worlds)
        for row, way in enumerate(designs):
            one["mandate"][row] = way.mandate if isinstance(way, Design) else one["mandate"][row]
        table = np.tile(one, (len(sets), 1))
        first = len(one) * np.arange(len(sets))[:, None]
        for link in ("next", "other"):
            table[link] += np.where(table[link] >= 0, first, 0)
        # Rows of later phases and other tracks begin nothing.
        padded = np.zeros((len(one) if tracks.size else 0, tracks.shape[1]), np.int32)
        padded[: len(tracks)] = tracks
        of_sets = (padded[None] + first[:, :, None]).astype(np.int32).reshape(len(sets) * len(padded), tracks.shape[1])
        for (position, design), field in itertools.product(enumerate(self.designs), FIELDS):
            if (name := f"{design}.{field}") in sets:
                words = CHOICES.get(field)
                table[field][:, position] = sets[name].map(words.index) if words else sets[name].to_numpy(np.float64)
        # As in design_table: a mandate binds the schools that a design assigns, whichever of its sets assigns them.
        table["mandate"][table["recruitment"] != CHOICES["recruitment"].index("assigned")] = 0.0
        return table.reshape(-1), of_sets


def compute(sweep: Sweep, store: Store, folder: Path, chunk: int) -> int:
    """Compute one chunk, write its part and what failed in it; return the number of failed runs."""
    table, failures = sweep.chunk(chunk)
    if failures:
        (folder / FAILURES).mkdir(exist_ok=True)
        write_atomically(folder / FAILURES / f"chunk-{chunk:08d}.json", json.dumps(failures, indent=1, ensure_ascii=False).encode())
    store.write(chunk, table)
    return len(failures)


def parameter_rows(base: Mapping[str, float], sets: pd.DataFrame) -> NDArray[np.void]:
    """Return a record of parameters per row of a table of sets; what it has no column of has its base value."""
    table = np.empty(len(sets), [(name, np.float64) for name in base])
    for name in base:
        table[name] = sets[name].to_numpy(np.float64) if name in sets else base[name]
    return table
