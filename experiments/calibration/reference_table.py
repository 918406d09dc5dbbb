"""The reference table of a calibration: a sweep over the prior that records schools, and grows by a wave of runs where data are plausible.

It is a folder like that of any sweep, so it survives a kill, is completed by ``--resume``, and may be made on a cluster.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from school_mentoring.experiments.folder.description import read_description
from school_mentoring.experiments.progress import Stage
from school_mentoring.experiments.sweep.execution import carry_out, grow_sweep, open_sweep
from school_mentoring.experiments.sweep.plan import Plan, SchoolRecord
from school_mentoring.experiments.sweep.store import read_sets
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.errors import InputError
from school_mentoring.model.world.arrays import Floats
from school_mentoring.scenarios import Scenario

from .prior import Prior
from .survey import OVERDISPERSION, Survey

CHUNK = 2048  # parameter sets, one run each
CHUNK_BYTES = 256_000_000
BLOCK_BYTES = 32_000_000


@dataclass(frozen=True)
class Runs:
    """Simulated schools: parameters (N, d), adopting teachers (N, W, n) as recorded, the rows' numbers in the table, and their teachers.

    ``teachers``: of each world, (worlds, n); row r lives in world ``number[r]`` modulo their number.
    """

    values: Floats
    adopters: NDArray[np.uint16]
    number: NDArray[np.int64]
    teachers: NDArray[np.int32]

    def __len__(self) -> int:
        """Return the number of runs."""
        return len(self.values)

    def rows(self, chosen: NDArray[np.int64]) -> "Runs":
        """Return some of the runs."""
        return replace(self, values=self.values[chosen], adopters=self.adopters[chosen], number=self.number[chosen])

    def joined(self, other: "Runs") -> "Runs":
        """Return these runs followed by others."""
        both = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in ("values", "adopters", "number")}
        return replace(self, **both)

    def answers(
        self, survey: Survey, waves: NDArray[np.int64], names: tuple[str, ...], seed: int, overdispersion: float
    ) -> Iterator[Floats]:
        """Give the shares (B, W, n) that a survey of some of the recorded waves finds, block by block."""
        extra = self.values[:, names.index(OVERDISPERSION)] if OVERDISPERSION in names else np.full(len(self), overdispersion)
        step = max(1, BLOCK_BYTES // (8 * survey.respondents.size))
        for low in range(0, len(self), step):
            here = slice(low, low + step)
            teachers = self.teachers[self.number[here] % len(self.teachers)]
            yield survey.answers(self.adopters[here][:, waves], teachers, self.number[here], seed, extra[here])


class ReferenceTable:
    """The reference table in a folder: ``first`` runs over the prior, then ``second`` runs over the plausible region."""

    def __init__(
        self, folder: Path, scenario: Scenario, prior: Prior, record: SchoolRecord, *,
        engine: str = "compiled", threads: int | None = None, scheduler: str | None = None, stage: Stage = lambda *_: None,
        worlds: Worlds | None = None,
    ) -> None:  # fmt: skip
        self.folder, self.prior, self.record = folder, prior, record
        self.scenario = scenario.model_copy(update={"replicates": 1})
        self._worlds = worlds or Worlds(scenario)
        self._stage, self._how = stage, {"engine": engine, "threads": threads, "scheduler": scheduler}
        self.chunk = max(1, min(CHUNK, CHUNK_BYTES // (8 * record.cells)))

    def first_wave(self, runs: int, *, resume: bool) -> Runs:
        """Return the runs over the prior, a few more where chunks of one size need them; with ``resume`` those there already are kept.

        The first wave fills its chunks, as a sweep grows by whole ones only.
        """
        chunks = -(-runs // self.chunk)
        self.chunk = -(-runs // chunks)
        sets = self.prior.sets(self.prior.values(self.prior.sample(chunks * self.chunk, self.scenario.seed)))
        try:
            there = read_sets(self.folder, read_description(self.folder)).drop(columns="parameter_set")
            grown = len(there) > len(sets) and there.iloc[: len(sets)].equals(sets)
        except InputError:
            grown = False
        return self._make(there if grown else sets, resume=resume, wanted=len(sets))

    def second_wave(self, first: Runs, values: Floats) -> Runs:
        """Return the runs at parameters (K, d), added to a table that holds the first ones."""
        sets = pd.concat([self.prior.sets(first.values), self.prior.sets(values)], ignore_index=True)
        grow_sweep(self.folder, self._plan(sets))
        return self._make(sets, resume=True, wanted=len(sets)).rows(np.arange(len(first), len(sets)))

    def _plan(self, sets: pd.DataFrame) -> Plan:
        return Plan(self.scenario, sets, "independent", self.chunk, "calibration", schools=self.record)

    def _make(self, sets: pd.DataFrame, *, resume: bool, wanted: int) -> Runs:
        plan, record = self._plan(sets), self.record
        store = open_sweep(self.folder, plan, resume=resume)
        how: dict[str, Any] = {**self._how, "progress": lambda done, total: self._stage("simulations", done, total)}
        if failed := carry_out(self.folder, plan, store, **how):
            raise InputError(str(self.folder), f"{failed:,} runs failed; failures/ names them", "mend the cause, then --resume")
        adopters = np.empty((wanted, len(record.months), record.schools), np.uint16)
        for chunk, path in sorted(store.checked().items()):
            low = chunk * plan.chunk
            if low >= wanted:
                break
            column = pq.read_table(path, columns=["adopters"])["adopters"].combine_chunks()
            rows = column.flatten().to_numpy().reshape(-1, *adopters.shape[1:])[: wanted - low]
            adopters[low : low + len(rows)] = rows
        worlds, base = self._worlds, self.scenario.base_parameters()
        teachers = np.stack([worlds.get(base, index)[0].teachers for index in range(self.scenario.worlds)])
        return Runs(plan.sets.to_numpy(np.float64)[:wanted], adopters, np.arange(wanted), teachers)
