"""Worlds, practices and batches given as arrays: small worlds whose behaviour is known, for validation and tests."""

from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike, NDArray

from school_mentoring.model.designs import PRESETS, design_table
from school_mentoring.model.engine import Batch, Task, run_batch
from school_mentoring.model.parameters import parameter_table
from school_mentoring.model.world.arrays import Practices, World


def complete(schools: int) -> NDArray[np.float64]:
    """Return the weights of the network in which every school is a peer of every other."""
    return 1.0 - np.eye(schools)


def build_world(
    teachers: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    region: ArrayLike | None = None,
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
    likeness: ArrayLike | None = None,
    sequential: bool = False,
) -> World:
    """Return a world of schools given as arrays or single values.

    ``weights`` is an n x n matrix of peer weights, made to sum to 1 in each row that has any; None means no peers. ``likeness``: the bits
    by which schools are compared, their traits where None.
    """
    size = np.asarray(teachers, np.int32).ravel()
    n = size.size

    def column(values: ArrayLike, dtype: type) -> NDArray[Any]:
        return np.array(np.broadcast_to(np.asarray(values, dtype), (n,)))  # a copy: numba compiles read-only arrays apart

    where = column(0 if region is None else region, np.int32)
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
    pay = np.asarray(salary, np.float64)
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
        salary=np.array(np.broadcast_to(pay, (countries.max() + 1,))),
        likeness=column(traits if likeness is None else likeness, np.uint8),
        sequential=sequential,
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
    adopters: int,
    parameters: Mapping[str, float],
    months: int,
    *,
    teachers: int,
    seed: int,
    capacity: float = 0.5,
) -> NDArray[np.int32]:
    """Return the adopters of 400 schools that nothing ties together, (months, schools)."""
    world = build_world(np.full(400, teachers), capacity=capacity, adopters_at_start=adopters)
    return simulate(world, parameters, 1, months, seed)[0]
