"""Runs that a validation looks at: designs side by side on common random numbers, one world per replicate; and small worlds by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike, NDArray

from school_mentoring.experiments.ensemble import Ensemble, run_ensemble
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.designs import PRESETS, Design, design_table
from school_mentoring.model.engine import Batch, Task, run_batch
from school_mentoring.model.observe import GROUPS
from school_mentoring.model.parameters import parameter_table
from school_mentoring.model.state import MENTEE, MENTOR
from school_mentoring.model.world.arrays import ADD, Practices, World
from school_mentoring.scenarios import Scenario, load_scenario

_worlds: dict[tuple[str, int | None, int], Worlds] = {}


def preset(base: str, **changes: object) -> Design:
    """Return a preset with some of its fields changed."""
    return Design.model_validate({**PRESETS[base].model_dump(), **changes})


@dataclass(frozen=True)
class RunsByWorld:
    """Runs of some designs, one replicate in each of ``worlds`` worlds; arrays have the worlds on their first axis."""

    ensemble: Ensemble
    scenario: Scenario
    homes: Worlds
    parameters: Mapping[str, float]
    worlds: int

    def _rows(self, design: str) -> slice:
        first = self.ensemble.designs.index(design) * self.worlds
        return slice(first, first + self.worlds)

    def outcome(self, design: str, name: str) -> NDArray[np.float64]:
        """Return an outcome of each run, (worlds,)."""
        return self.ensemble.runs[name].to_numpy()[self._rows(design)]

    def added(self, design: str) -> NDArray[np.float64]:
        """Return the adopter-years that a design adds to ``none``, (worlds,)."""
        return self.outcome(design, "effect_adopter_years") - self.outcome("none", "effect_adopter_years")

    def per_mentored(self, design: str, name: str = "") -> NDArray[np.float64]:
        """Return an outcome, or the added adopter-years, over the schools ever mentored, (worlds,)."""
        return (self.outcome(design, name) if name else self.added(design)) / self.outcome(design, "mentee_schools")

    def share(self, design: str, group: str = "all") -> NDArray[np.float64]:
        """Return the adopting share of a group's teachers, (worlds, months)."""
        counts = self.ensemble.results.groups[self._rows(design), :, GROUPS.index(group), 0]
        return counts[..., 2] / counts[..., 1]

    def adopters(self, design: str) -> NDArray[np.int32]:
        """Return the adopting teachers of every school, (worlds, months, n)."""
        return self.ensemble.results.schools[self._rows(design), :, 0]

    def mentored(self, design: str) -> NDArray[np.bool_]:
        """Return where a school has a mentor, (worlds, months, n)."""
        return self.ensemble.results.schools[self._rows(design), :, -2] == MENTEE

    def mentors(self, design: str) -> NDArray[np.bool_]:
        """Return where a school is a mentor, (worlds, months, n)."""
        return self.ensemble.results.schools[self._rows(design), :, -2] == MENTOR

    def world(self, index: int) -> World:
        """Return a world of the study."""
        return self.homes.get({**self.scenario.base_parameters(), **self.parameters}, index)[0]


def study(
    designs: Mapping[str, Design],
    *,
    scenario: str = "mensi-pilot",
    parameters: Mapping[str, float] | None = None,
    worlds: int = 40,
    months: int = 72,
    schools_per_region: int | None = None,
    monthly: bool = False,
    per_school: bool = False,
) -> RunsByWorld:
    """Run designs, and ``none`` first, in a shipped scenario at its base parameters but for those given."""
    described = load_scenario(scenario)
    changes: dict[str, object] = {"designs": {"none": PRESETS["none"], **designs}, "worlds": worlds, "months": months}
    if schools_per_region:
        changes["world"] = described.world.model_copy(update={"schools_per_region": schools_per_region})
    described = described.model_copy(update=changes)
    homes = _worlds.setdefault((scenario, schools_per_region, worlds), Worlds(described))
    ensemble = run_ensemble(described, [parameters or {}], worlds, worlds=homes, monthly=monthly, per_school=per_school, threads=1)
    return RunsByWorld(ensemble, described, homes, parameters or {}, worlds)


# --- worlds, practices and batches given as arrays: small worlds whose behaviour is known ----------------------------


def complete(schools: int) -> NDArray[np.float64]:
    """Return the weights of the network in which every school is a peer of every other."""
    return 1.0 - np.eye(schools)


def build_world(
    teachers: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    region: ArrayLike = 0,
    region_country: ArrayLike = (0,),
    x: ArrayLike = 0.0,
    y: ArrayLike = 0.0,
    traits: ArrayLike = 0,
    pupils: ArrayLike | None = None,
    capacity: ArrayLike = 0.5,
    openness: ArrayLike = 0.5,
    adopters_at_start: ArrayLike = -1,
    practices: int = 1,
    named_role: ArrayLike = 0,
    named_mentor: ArrayLike = -1,
    salary: ArrayLike = 30000.0,
    taught_hours: ArrayLike = 700.0,
    working_hours: ArrayLike = 1600.0,
    likeness: ArrayLike | None = None,
    sequential: bool = False,
    contacts: int = ADD,
    whole_staff: bool = False,
    fading: bool = False,
) -> World:
    """Return a world of schools given as arrays or single values.

    ``weights`` is an n x n matrix of peer weights, made to sum to 1 in each row that has any; None means no peers. ``likeness``: the bits
    by which schools are compared, their traits where None.
    """
    size = np.asarray(teachers, np.int32).ravel()
    n = size.size

    def column(values: ArrayLike, dtype: type) -> NDArray[Any]:
        return np.array(np.broadcast_to(np.asarray(values, dtype), (n,)))  # a copy: numba compiles read-only arrays apart

    def by_country(values: ArrayLike) -> NDArray[np.float64]:
        return np.array(np.broadcast_to(np.asarray(values, np.float64), (countries.max() + 1,)))

    where = column(region, np.int32)
    countries = np.asarray(region_country, np.int32)
    by_region = np.argsort(where, kind="stable").astype(np.int32)
    ability = column(capacity, np.float64)
    rank = np.empty(n, np.int32)
    rank[np.argsort(-ability, kind="stable")] = np.arange(n, dtype=np.int32)
    matrix = np.zeros((n, n)) if weights is None else np.array(weights, float)
    rows = matrix.sum(axis=1, keepdims=True)
    matrix = np.divide(matrix, rows, out=np.zeros_like(matrix), where=rows > 0.0)
    present = matrix > 0.0
    alike = not np.any(matrix * present.sum(axis=1, keepdims=True) - present)
    return World(
        country=countries[where],
        region=where,
        region_country=countries,
        by_region=by_region,
        region_start=np.concatenate([[0], np.cumsum(np.bincount(where, minlength=countries.size))]).astype(np.int64),
        x=column(x, np.float64),
        y=column(y, np.float64),
        traits=column(traits, np.uint8),
        teachers=size.copy(),
        pupils=column(12 * size if pupils is None else pupils, np.int32),
        capacity=ability,
        openness=column(openness, np.float64),
        capacity_rank=rank,
        peer_start=np.concatenate([[0], np.cumsum(present.sum(axis=1))]).astype(np.int64),
        peer=np.nonzero(present)[1].astype(np.int32),
        row_weight=1.0 / np.maximum(present.sum(axis=1), 1) if alike else np.ones(n),
        weight=np.empty(0) if alike else matrix[present],
        adopters_at_start=np.array(np.broadcast_to(np.asarray(adopters_at_start, np.int32), (practices, n))),
        named_role=column(named_role, np.int8),
        named_mentor=column(named_mentor, np.int32),
        salary=by_country(salary),
        taught_hours=by_country(taught_hours),
        working_hours=by_country(working_hours),
        likeness=column(traits if likeness is None else likeness, np.uint8),
        sequential=sequential,
        contacts=contacts,
        whole_staff=whole_staff,
        fading=fading,
    )


def network_of(world: World) -> nx.Graph:
    """Return a world's peer network, nodes 0 to n - 1."""
    graph = nx.empty_graph(world.teachers.size)
    source = np.repeat(np.arange(world.teachers.size), np.diff(world.peer_start))
    graph.add_edges_from(zip(source.tolist(), world.peer.tolist(), strict=True))
    return graph


def build_practices(difficulty: Sequence[float] = (1.0,), weight: Sequence[float] | None = None, initial_share: float = -1.0) -> Practices:
    """Return practices with mentoring time split by ``weight`` (evenly where None)."""
    count = len(difficulty)
    split = np.asarray(weight if weight is not None else [1.0] * count, float)
    return Practices(np.asarray(difficulty, float), split / split.sum(), np.full(count, initial_share))


def batch_of(runs: int, design: int = 0, parameter_set: int = 0, first_replicate: int = 0) -> Batch:
    """Return a batch of replicates of one design under one parameter set."""
    replicates = np.arange(first_replicate, first_replicate + runs, dtype=np.int64)
    return Batch(np.full(runs, design, np.int64), np.full(runs, parameter_set, np.int64), replicates)


def simulate(world: World, parameters: Mapping[str, float], replicates: int, months: int, seed: int) -> NDArray[np.int32]:
    """Return the adopters of each school without a programme, (replicates, months, schools)."""
    inputs = world, build_practices(), parameter_table([parameters]), design_table([PRESETS["none"]], 0, 0), batch_of(replicates)
    return run_batch(Task(*inputs, seed, months, 0), per_school=True, threads=1).schools[:, :, 0]


def lone_schools(
    adopters: int, parameters: Mapping[str, float], months: int, *, teachers: int, seed: int, capacity: float = 0.5
) -> NDArray[np.int32]:
    """Return the adopters of 400 schools that nothing ties together, (months, schools)."""
    return simulate(build_world(np.full(400, teachers), capacity=capacity, adopters_at_start=adopters), parameters, 1, months, seed)[0]
