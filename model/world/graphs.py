"""The peer network as graphs that people exchange: networkx and GraphML, out and in."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from school_mentoring.model.compiled import allocating
from school_mentoring.model.errors import InputError, nearest

from .arrays import DISADVANTAGED, RURAL, SECONDARY, Counts, Floats, Ints, World
from .network import Peers
from .own_data import Ties
from .schools import LEVELS, ROLES, Schools

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["graph_ties", "read_graphml", "to_networkx", "write_graphml"]


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


def read_graphml(path: str | Path, schools: Schools) -> Ties:
    """Return the peer ties of a GraphML file whose nodes are school_ids. Raises InputError."""
    import warnings
    from xml.etree.ElementTree import ParseError

    import networkx as nx

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of types it guesses; what is no number is refused below
            graph = nx.read_graphml(str(path))
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror})", "give the path of a GraphML file") from None
    except (ParseError, nx.NetworkXError, KeyError, ValueError) as error:
        raise InputError(Path(path).name, f"is not a GraphML graph ({error})") from None
    return graph_ties(graph, schools, where=Path(path).name)


def graph_ties(graph: "nx.Graph", schools: Schools, where: str = "graph") -> Ties:
    """Return the edges of a networkx graph as peer ties: undirected, ``weight`` 1 where an edge has none, parallel edges summed.

    Raises InputError, which names the graph by ``where``, for a node that is no school_id, an edge from a school to itself, and
    a weight that is not above 0.
    """
    number = {label: i for i, label in enumerate(schools.school_id.tolist())}
    for node in graph.nodes:
        if str(node) not in number:
            raise InputError(f"{where}, node {node}", "no school has this school_id", nearest(str(node), list(number)[:5000]))
    ties: dict[tuple[int, int], float] = {}
    for one, other, data in graph.edges(data=True):
        at = f"{where}, edge {one} - {other}"
        if one == other:
            raise InputError(at, "a school is tied to itself", "a tie joins two schools")
        weight = data.get("weight", 1.0)
        if not isinstance(weight, int | float) or not 0.0 < weight < float("inf"):
            raise InputError(at, f"found weight {weight!r}", "give a number above 0")
        ends = sorted((number[str(one)], number[str(other)]))
        key = (ends[0], ends[1])
        ties[key] = ties.get(key, 0.0) + float(weight)
    pairs = np.array(list(ties), dtype=np.int32).reshape(len(ties), 2)
    none = np.empty(0, np.int32)
    return Ties(pairs[:, 0].copy(), pairs[:, 1].copy(), np.array(list(ties.values()), dtype=np.float64), none, none)
