"""Pattern 8: central schools of the peer network adopt earlier than peripheral ones.

Nobody mentors; eigenvector centrality within each country's network; Spearman's correlation of centrality with the month in which half of
the teachers have adopted (12 years where they have not), over schools that start below 0.35. It is partial for capacity, and then for
level, type and country too, so that central schools lead by their place and not by who they are.
"""

from functools import cache

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from school_mentoring.experiments.validation.checks import Curves, Pattern, Readings, below, between, over_worlds, vanishes
from school_mentoring.experiments.validation.runs import RunsByWorld, network_of, study
from school_mentoring.model.world.arrays import World

PATTERN = Pattern(
    8,
    "centrality",
    "Central schools of the peer network adopt earlier",
    "Carlson 1965, Adoption of Educational Innovations",
    "Nobody mentors; 12 years, 100 worlds; partial rank correlations over schools.",
)
MONTHS = 144
WORLDS = 100
AMONG = {False: "at equal capacity", True: "among schools of one kind too"}


@cache
def unmentored(**parameters: float) -> RunsByWorld:
    """Return the runs of no programme."""
    return study({}, parameters=parameters, worlds=WORLDS, months=MONTHS, per_school=True)


@cache
def centralities(index: int) -> NDArray[np.float64]:
    """Return the eigenvector centrality of each school within the connected network it belongs to, (n,)."""
    graph = network_of(unmentored().world(index))
    central = np.zeros(len(graph))
    for part in nx.connected_components(graph):
        if len(part) > 2:
            values = nx.eigenvector_centrality_numpy(graph.subgraph(part))
            central[list(values)] = np.abs(list(values.values()))
    return central


def partial_rank_correlation(x: NDArray[np.float64], y: NDArray[np.float64], given: list[NDArray[np.float64]]) -> float:
    """Return the correlation of the ranks of x and y after linear regression of both on the ranks of ``given``."""
    known = np.column_stack([np.ones(len(x)), *(rankdata(z) for z in given)])
    rest = [rankdata(v) - known @ np.linalg.lstsq(known, rankdata(v), rcond=None)[0] for v in (x, y)]
    return float(np.corrcoef(*rest)[0, 1])


def kind(world: World) -> list[NDArray[np.float64]]:
    """Return level, rural and disadvantaged of each school, and its country, as 0 and 1."""
    traits = [((world.traits >> bit) & 1).astype(float) for bit in range(3)]
    return traits + [(world.country == c).astype(float) for c in range(1, len(world.salary))]


@cache
def earliness(*, alike: bool = False, **parameters: float) -> NDArray[np.float64]:
    """Return the partial correlation of centrality with the month of adoption in each world; ``alike``: among schools of one kind too."""
    runs = unmentored(**parameters)
    found = []
    for index in range(WORLDS):
        world = runs.world(index)
        share = runs.adopters("none")[index] / world.teachers
        reached = share >= 0.5
        month = np.where(reached.any(axis=0), reached.argmax(axis=0), MONTHS).astype(float)
        rest = share[0] < 0.35
        given = [world.capacity, *(kind(world) if alike else [])]
        found.append(partial_rank_correlation(centralities(index)[rest], month[rest], [z[rest] for z in given]))
    return np.array(found)


@PATTERN.check("Central schools adopt earlier than peripheral ones")
def _earlier() -> Readings:
    for alike, among in AMONG.items():
        yield below(f"rank correlation of centrality and month of adoption, {among}", earliness(alike=alike))
        yield between(f"the same, its mean, {among}", earliness(alike=alike).mean(), high=-0.1)


@PATTERN.check("Without influence between schools they do not", contrast=True)
def _no_influence() -> Readings:
    for alike, among in AMONG.items():
        without = earliness(alike=alike, q_out=0.0)
        yield vanishes(f"rank correlation of centrality and month of adoption, {among}", without)
        yield below(f"with influence less without, {among}", earliness(alike=alike) - without)


@PATTERN.drawn
def _curves() -> Curves:
    axes = ("", "rank correlation with the month of adoption")
    for alike, among in AMONG.items():
        values = np.column_stack([earliness(alike=alike), earliness(alike=alike, q_out=0.0)])
        yield over_worlds("Centrality, given capacity", axes, among, ("as the model is", "no influence between schools"), values)
    years, runs = np.arange(0, MONTHS, 6), unmentored()
    lines: list[list[NDArray[np.float64]]] = [[], [], [], []]
    for index in range(WORLDS):
        world = runs.world(index)
        share = runs.adopters("none")[index][years] / world.teachers
        quarter = np.minimum(4 * (rankdata(centralities(index)) - 1) // len(world.teachers), 3).astype(int)
        for q, line in enumerate(lines):
            line.append(100.0 * (share[:, quarter == q] >= 0.5).mean(axis=1))
    axes = ("year", "% of schools with half their teachers")
    for q, name in enumerate(("least central quarter", "second", "third", "most central quarter")):
        yield over_worlds("Whatever their capacity", axes, name, years / 12.0, lines[q])
