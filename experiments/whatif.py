"""What-if: what ``compare`` finds, design by design, keeping what was found: a change of one design costs the runs of that design alone.

A run depends on its scenario, design, parameter set and replicate, on no other design; so the tables are those of ``compare``, row by row,
without the breakdown by country and year.
"""

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd

from school_mentoring.model.engine import run_batch
from school_mentoring.scenarios import Scenario, resolved, written

from .compare import DRAW_REPLICATES, Snapshot, drawn_sets, refuse_too_large, snapshot, with_comparator
from .ensemble import BatchRunner, run_ensemble
from .worlds import Worlds

KEPT_BYTES = 200_000_000
KEPT_SCHOOLS = 200_000
KEPT_POPULATIONS = 4
"""Populations (scenarios that differ in their schools, peers or seed) whose worlds are kept."""

T = TypeVar("T")
Stop = Callable[[], bool]
"""Asked between pieces of work whether the answer is still wanted."""


class SupersededError(Exception):
    """Nobody wants the answer any more: a newer question has been asked."""


@dataclass(frozen=True, eq=False)
class DesignRuns:
    """What the runs of one design gave.

    ``runs``: one row per run, columns ``parameter_set, replicate`` and the outcomes. At the base parameters also ``monthly``: the rows of
    all schools, as in ``Ensemble.monthly``; and ``costs``: ``month, category, payer, cost``, EUR summed over runs and countries, not
    discounted.
    """

    runs: pd.DataFrame
    monthly: pd.DataFrame | None = None
    costs: pd.DataFrame | None = None

    @cached_property
    def size(self) -> int:
        """Bytes in memory."""
        return sum(int(table.memory_usage().sum()) for table in (self.runs, self.monthly, self.costs) if table is not None)


class WhatIf:
    """Answers questions about scenarios and keeps the answers, the least lately used ones last; safe to call from several threads."""

    def __init__(self, engine: BatchRunner = run_batch, kept_bytes: int = KEPT_BYTES) -> None:
        self._engine = engine
        self._runs: Kept[DesignRuns] = Kept(lambda kept: sum(runs.size for runs in kept) > kept_bytes)
        self._sets: Kept[list[dict[Any, Any]]] = Kept(lambda kept: len(kept) > KEPT_POPULATIONS)
        self._worlds: Kept[Worlds] = Kept(lambda kept: len(kept) > KEPT_POPULATIONS)

    def base(self, scenario: Scenario, *, threads: int | None = None, stop: Stop = lambda: False) -> dict[str, DesignRuns]:
        """Return the replicates at the base parameters, by design, ``none`` first.

        Raises SupersededError when ``stop`` says so, InputError where the scenario's files are faulty or its records fill too much memory.
        """

        def run(one: Scenario, worlds: Worlds) -> DesignRuns:
            how: dict[str, Any] = {"engine": self._engine, "threads": threads, "progress": partial(_check, stop)}
            found = run_ensemble(one, [{}], one.replicates, worlds=worlds, monthly=True, **how)
            every, whole = found.results.groups[:, :, :1], found.results.costs.sum(axis=(0, 2), keepdims=True)  # cents: no error
            monthly = replace(found, results=found.results._replace(groups=every)).monthly()
            costs = replace(found, runs=found.runs.iloc[:1], results=found.results._replace(costs=whole)).costs()
            tables = monthly.drop(columns="design"), costs[["month", "category", "payer", "cost"]]
            return DesignRuns(found.runs.drop(columns="design"), *tables)

        scenario = with_comparator(scenario)
        worlds = self.worlds(scenario)
        refuse_too_large(scenario, len(worlds.get(scenario.base_parameters(), 0)[1].countries))
        return self._by_design(scenario, "base", worlds, run, stop)

    def uncertain(self, scenario: Scenario, *, threads: int | None = None, stop: Stop = lambda: False) -> dict[str, DesignRuns]:
        """Return the runs under drawn parameter sets, by design, ``none`` first; nothing where nothing is uncertain."""
        scenario = with_comparator(scenario)
        sets = self._sets.get(_shared(scenario), lambda: drawn_sets(scenario).to_dict("records"))
        if not sets:
            return {}
        replicates = min(DRAW_REPLICATES, scenario.replicates)

        def run(one: Scenario, worlds: Worlds) -> DesignRuns:
            how: dict[str, Any] = {"engine": self._engine, "threads": threads, "progress": partial(_check, stop)}
            return DesignRuns(run_ensemble(one, sets, replicates, worlds=worlds, first_set=1, **how).runs.drop(columns="design"))

        return self._by_design(scenario, "uncertain", self.worlds(scenario), run, stop)

    def film(self, scenario: Scenario, design: str, country: int = 0) -> Snapshot | None:
        """Return every month of one design in one country; None where the design has no mentors or there are too many schools."""
        one = scenario.model_copy(update={"designs": {design: scenario.designs[design]}})
        return snapshot(one, self.worlds(scenario), engine=self._engine, country=country, months=range(scenario.months))

    def worlds(self, scenario: Scenario) -> Worlds:
        """Return the worlds of a scenario, shared with all scenarios of the same schools, peers and seed."""
        described = resolved(scenario)
        key = _digest({name: described[name] for name in ("world", "seed", "worlds", "practices")})
        return self._worlds.get(key, lambda: Worlds(scenario, keep=KEPT_SCHOOLS))

    def _by_design(
        self, scenario: Scenario, what: str, worlds: Worlds, run: Callable[[Scenario, Worlds], DesignRuns], stop: Stop
    ) -> dict[str, DesignRuns]:
        key = _shared(scenario)
        found = {}
        for name, design in scenario.designs.items():
            _check(stop)
            one = scenario.model_copy(update={"designs": {name: design}})
            found[name] = self._runs.get((what, key, _digest(written(design))), partial(run, one, worlds))
        return found


class Kept(Generic[T]):
    """What was made before, by key; the least lately used goes first when it is ``too_much``."""

    def __init__(self, too_much: Callable[[Collection[T]], bool]) -> None:
        self._too_much = too_much
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is kept under a key, or make it; two threads may both make it, alike."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > 1 and self._too_much(self._kept.values()):
                self._kept.popitem(last=False)
        return made


def stacked(found: dict[str, DesignRuns], what: str = "runs") -> pd.DataFrame:
    """Return the tables ``runs``, ``monthly`` or ``costs`` of all designs as one, the column ``design`` first, as ``compare`` has it."""
    parts = [getattr(runs, what) for runs in found.values()]
    table = pd.concat(parts, ignore_index=True)
    codes = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    table.insert(0, "design", pd.Categorical.from_codes(codes, categories=list(found)))
    return table


def _check(stop: Stop, _done: int = 0, _total: int = 0) -> None:
    if stop():
        raise SupersededError


def _shared(scenario: Scenario) -> str:
    """Return a key of all that a run depends on besides its design."""
    return _digest({key: value for key, value in resolved(scenario).items() if key not in ("name", "title", "description", "designs")})


def _digest(described: object) -> str:
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
