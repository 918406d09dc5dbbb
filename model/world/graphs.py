"""The peer network as graphs that people exchange: networkx and GraphML; ``own_ties.py`` reads them."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from school_mentoring.model.compiled import allocating

from .arrays import DISADVANTAGED, RURAL, SECONDARY, Counts, Floats, Ints, World
from .network import Peers
from .schools import LEVELS, ROLES, Schools

if TYPE_CHECKING:
    import networkx as nx


def to_networkx(schools: Schools, world: World) -> "nx.Graph":
    """Return the peer network as an undirected graph whose nodes are school_ids with the attributes of the table.

    The ``weight`` of an edge is that of the tie relative to the heaviest tie of its connected component, which gives a user's own
    ties the same rows again. A generated network read back has rows that sum to 1, so its schools with few peers are exposed more
    than they were. A school with a mentor names it in the attribute ``mentor``.
    """
    import networkx as nx

    graph = nx.Graph()
    labels = schools.school_id.tolist()
    for i, label in enumerate(labels):
        traits, mentor = int(world.traits[i]), int(world.named_mentor[i])
        graph.add_node(
            label,
            country=schools.country_codes[world.country[i]],
            region=schools.region_names[world.region[i]],
            x_km=float(world.x[i]),
            y_km=float(world.y[i]),
            level=LEVELS[int(traits & SECONDARY > 0)],
            teachers=int(world.teachers[i]),
            pupils=int(world.pupils[i]),
            rural=bool(traits & RURAL),
            disadvantaged=bool(traits & DISADVANTAGED),
            digital_capacity=float(world.capacity[i]),
            openness=float(world.openness[i]),
            role=ROLES[int(world.named_role[i])],
            mentor=labels[mentor] if mentor >= 0 else "",
        )
    row = np.repeat(np.arange(len(labels)), np.diff(world.peer_start))
    peers = Peers(world.peer_start, world.peer, world.row_weight, world.weight)
    weight = _tie_weights(world.peer_start, world.peer, peers.full_weights())
    for k in np.flatnonzero(row < world.peer).tolist():
        graph.add_edge(labels[row[k]], labels[world.peer[k]], weight=float(weight[k]))
    return graph


@allocating
def _tie_weights(start: Counts, peer: Ints, weight: Floats) -> Floats:
    """Return the symmetric weights behind row-normalised ones, the largest of a connected component at 1, to 12 decimals.

    Rows are w_ij = v_ij / s_i with v symmetric, so s_j = s_i w_ij / w_ji: from one school the sums s of its component follow.
    """
    n = len(start) - 1
    total = np.zeros(n)
    tie = np.empty(len(peer))
    queue = np.empty(n, np.int64)
    for root in range(n):
        if total[root] > 0.0:
            continue
        total[root], queue[0], done, waiting, largest = 1.0, root, 0, 1, 0.0
        while done < waiting:
            i = queue[done]
            done += 1
            for k in range(start[i], start[i + 1]):
                j = peer[k]
                if total[j] == 0.0:
                    back = start[j] + np.searchsorted(peer[start[j] : start[j + 1]], i)
                    total[j] = total[i] * weight[k] / weight[back]
                    queue[waiting] = j
                    waiting += 1
                tie[k] = total[i] * weight[k]
                largest = max(largest, tie[k])
        for step in range(waiting):
            for k in range(start[queue[step]], start[queue[step] + 1]):
                tie[k] = np.rint(tie[k] / largest * 1e12) / 1e12
    return tie


def write_graphml(path: str | Path, schools: Schools, world: World) -> None:
    """Write the graph of ``to_networkx`` as GraphML, which Gephi, igraph, Cytoscape and networkx read."""
    import networkx as nx

    nx.write_graphml(to_networkx(schools, world), str(path))
