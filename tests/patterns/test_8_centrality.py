"""Pattern 8: central schools of the peer network adopt earlier than peripheral ones.

Nobody mentors; eigenvector centrality within each country's network; Spearman's correlation of centrality with the month in which half of
the teachers have adopted (12 years where they have not), over schools that start below 0.35; 100 worlds. It is partial for capacity, and
then for level, type and country too, so that central schools lead by their place and not by who they are.
"""

from functools import cache

import networkx as nx
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import rankdata

from model.world import World

from .runs import MARGIN, Study, mean_se, study

MONTHS = 144
WORLDS = 100


@cache
def unmentored(**parameters: float) -> Study:
    return study({}, parameters=parameters, worlds=WORLDS, months=MONTHS, per_school=True)


@cache
def centralities(index: int) -> NDArray[np.float64]:
    """Return the eigenvector centrality of each school within the connected network it belongs to, (n,)."""
    world = unmentored().world(index)
    n = len(world.teachers)
    here = np.repeat(np.arange(n), np.diff(world.peer_start))
    graph = nx.Graph(zip(here.tolist(), world.peer.tolist(), strict=True))
    graph.add_nodes_from(range(n))
    central = np.zeros(n)
    for part in nx.connected_components(graph):
        if len(part) > 2:
            values = nx.eigenvector_centrality_numpy(graph.subgraph(part))
            central[list(values)] = np.abs(list(values.values()))
    return central


def partial_rank_correlation(x: NDArray, y: NDArray, given: list[NDArray]) -> float:
    """Return the correlation of the ranks of x and y after linear regression of both on the ranks of ``given``."""
    known = np.column_stack([np.ones(len(x)), *(rankdata(z) for z in given)])
    rest = [rankdata(v) - known @ np.linalg.lstsq(known, rankdata(v), rcond=None)[0] for v in (x, y)]
    return float(np.corrcoef(*rest)[0, 1])


def kind(world: World) -> list[NDArray]:
    """Return level, rural and disadvantaged of each school, and its country, as 0 and 1."""
    return [(world.traits >> bit) & 1 for bit in range(3)] + [world.country == c for c in range(1, len(world.salary))]


@cache
def earliness(*, alike: bool = False, **parameters: float) -> NDArray[np.float64]:
    """Return the partial correlation of centrality with the month of adoption in each world; ``alike``: among schools of one kind too."""
    runs = unmentored(**parameters)
    found = []
    for index in range(WORLDS):
        world = runs.world(index)
        share = runs.adopters("none")[index] / world.teachers
        reached = share >= 0.5
        month = np.where(reached.any(axis=0), reached.argmax(axis=0), MONTHS)
        rest = share[0] < 0.35
        given = [world.capacity, *(kind(world) if alike else [])]
        found.append(partial_rank_correlation(centralities(index)[rest], month[rest], [z[rest] for z in given]))
    return np.array(found)


@pytest.mark.parametrize("alike", [False, True], ids=["of_equal_capacity", "of_the_same_kind"])
def test_central_schools_adopt_earlier_than_peripheral_ones(alike):
    correlation, error = mean_se(earliness(alike=alike))
    assert correlation < -MARGIN * error
    assert correlation < -0.1  # a clear pattern, not only a certain one


@pytest.mark.parametrize("alike", [False, True], ids=["of_equal_capacity", "of_the_same_kind"])
def test_without_influence_between_schools_they_do_not(alike):
    correlation, error = mean_se(earliness(alike=alike, q_out=0.0))
    assert abs(correlation) < MARGIN * error
    difference, error = mean_se(earliness(alike=alike) - earliness(alike=alike, q_out=0.0))
    assert difference < -MARGIN * error
