"""The peer network: which schools look at each other, drawn or given by the user, as compressed rows; and its exchange as graphs.

``generate_peers`` draws it exactly, without an N x N matrix; ``make_world`` joins it to the school table.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compiled import allocating
from .countries import Country
from .draws import PEERS, uniform, uniform_pair
from .errors import InputError, nearest
from .imports import Ties
from .portable import exp
from .schools import LEVELS, ROLES, Schools, generate_schools
from .world import DISADVANTAGED, RURAL, SECONDARY, World

if TYPE_CHECKING:
    import networkx as nx

__all__ = [
    "Peers",
    "draw_partners",
    "generate_peers",
    "generate_world",
    "graph_ties",
    "make_world",
    "peers_from_ties",
    "read_graphml",
    "to_networkx",
    "write_graphml",
]

DIRECT_UP_TO = 256
"""Countries of at most this many schools are drawn from the full list of chances, larger ones through a grid."""

MOST_CELLS = 4096  # a grid costs cells**2 exponentials per country
SCHOOLS_PER_CELL = 16
MOST_ATTEMPTS = 4096  # below 65,536, the months that a draw can be named by

# What a draw of the event PEERS is for, in its slot ``practice``.
_COUNT, _DIRECT, _REJECTION = range(3)

# A list may leave out schools whose chances together are below e**-38 = 3e-17 of the rest: less than the 2**-52 by which
# uniforms differ. For up to 2**31 schools, whose logarithm is 21.5, that is reached by leaving out costs 60 above the least.
_NEGLIGIBLE = 60.0
_VANISHING = 1e-200


class Peers(NamedTuple):
    """The exposure matrix in compressed rows: the ``peer_start``, ``peer``, ``row_weight`` and ``weight`` of ``World``."""

    peer_start: NDArray[np.int64]
    peer: NDArray[np.int32]
    row_weight: NDArray[np.float64]
    weight: NDArray[np.float64]

    def full_weights(self) -> NDArray[np.float64]:
        """Return the weight of every entry of the matrix, (m,)."""
        rows = np.repeat(self.row_weight, np.diff(self.peer_start))
        return rows * self.weight if self.weight.size else rows


class _Grid(NamedTuple):
    """A country's schools sorted into square cells (k schools, G cells that hold any).

    ``school``: their numbers, cell by cell, (k,); ``x``, ``y``, ``traits``: theirs, (k,). ``start``: where each cell begins, (G + 1,).
    ``column``, ``row``: position of each cell, (G,). ``west``, ``south``: corner of the grid, km; ``side``: of a cell, km.
    """

    school: NDArray[np.int32]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    traits: NDArray[np.uint8]
    start: NDArray[np.int64]
    column: NDArray[np.int64]
    row: NDArray[np.int64]
    west: float
    south: float
    side: float


def generate_peers(schools: Schools, parameters: Mapping[str, float], seed: int, index: int, *, direct_up_to: int = DIRECT_UP_TO) -> Peers:
    """Return a random peer network: the same function of (schools, parameters, seed, index) on every machine.

    Two schools are peers where either drew the other (``draw_partners``), so the mean degree is peer_degree less twice the pairs
    that drew each other over the schools. A peer of school i weighs 1 / max(degree of i, peer_degree), or 1 / (schools of the country - 1)
    where there are fewer: a school with fewer peers than is usual sees less of what others do, one with more sees it of more of them.
    """
    others = np.maximum(np.bincount(schools.country) - 1, 1)
    usual = np.minimum(float(parameters["peer_degree"]), others.astype(np.float64))[schools.country]
    both_ways = _symmetric(*draw_partners(schools, parameters, seed, index, direct_up_to=direct_up_to))
    start, peer, row_weight = _equal_rows(*both_ways, usual)
    return Peers(start, peer, row_weight, np.empty(0))


def draw_partners(
    schools: Schools, parameters: Mapping[str, float], seed: int, index: int, *, direct_up_to: int = DIRECT_UP_TO
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return whom each school drew, in the order drawn: school i drew partner[start[i]:start[i + 1]].

    School i draws floor(peer_degree / 2 + u) partners of its country (at most all), u uniform, one after the other without
    replacement, with chances proportional to exp(-distance / peer_distance - homophily x unlikeness), unlikeness = differing
    traits among level, rural and disadvantaged.

    The draw is exact for every input. Large countries are drawn by rejection: a cell by the chance of its nearest point, a
    school in the cell, accepted with the rest of its chance; a school that is refused too often is drawn from the list of all
    schools near enough to matter. ``direct_up_to`` moves the border between the two ways, which draw different networks.
    """
    order = np.argsort(schools.country, kind="stable").astype(np.int32)
    sizes = np.bincount(schools.country, minlength=len(schools.countries))
    country_start = np.concatenate(([0], np.cumsum(sizes)))
    start = _partner_counts(schools.country, sizes, parameters["peer_degree"], np.uint64(seed), np.uint64(index))
    partner = np.empty(start[-1], np.int32)
    scale = 1.0 / parameters["peer_distance"]
    penalty = np.array([parameters["homophily"] * bits.bit_count() for bits in range(8)])
    for c, size in enumerate(sizes.tolist()):
        members = order[country_start[c] : country_start[c + 1]]
        draw = _draw_directly if size <= direct_up_to else _draw_by_grid
        draw(members, schools.x, schools.y, schools.traits, scale, penalty, start, np.uint64(seed), np.uint64(index), partner)
    return start, partner


def peers_from_ties(n: int, source: NDArray[np.int32], target: NDArray[np.int32], weight: NDArray[np.float64] | None = None) -> Peers:
    """Return the rows of n schools for undirected ties given once each; a row's weights are the ties' (1 where None) over their sum."""
    weight = np.ones(len(source)) if weight is None else np.asarray(weight, np.float64)
    start, peer, value = _weighted_rows(n, np.asarray(source, np.int32), np.asarray(target, np.int32), weight)
    if np.any(weight != weight[:1]):
        return Peers(start, peer, np.ones(n), value)
    return Peers(start, peer, 1.0 / np.maximum(np.diff(start), 1), np.empty(0))


def make_world(schools: Schools, peers: Peers, salaries: Sequence[float] | None = None) -> World:
    """Return the world of a school table and a network; ``salaries`` (EUR per year, (C,)) stand in for the countries' own."""
    own = [country.teacher_salary_eur_per_year for country in schools.countries]
    rank = np.empty(len(schools), np.int32)
    rank[np.argsort(-schools.capacity, kind="stable")] = np.arange(len(schools), dtype=np.int32)
    sizes = np.bincount(schools.region, minlength=len(schools.region_names))
    return World(
        country=schools.country,
        region=schools.region,
        region_country=schools.region_country,
        by_region=np.argsort(schools.region, kind="stable").astype(np.int32),
        region_start=np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        x=schools.x,
        y=schools.y,
        traits=schools.traits,
        teachers=schools.teachers,
        pupils=schools.pupils,
        capacity=schools.capacity,
        openness=schools.openness,
        capacity_rank=rank,
        peer_start=peers.peer_start,
        peer=peers.peer,
        row_weight=peers.row_weight,
        weight=peers.weight,
        adopters_at_start=schools.adopters_at_start,
        named_role=schools.named_role,
        named_mentor=schools.named_mentor,
        salary=np.array(own if salaries is None else salaries, dtype=np.float64),
    )


def generate_world(
    countries: Sequence[Country],
    regions: Sequence[int],
    schools_per_region: int,
    parameters: Mapping[str, float],
    seed: int,
    index: int,
    practices: int = 1,
) -> tuple[World, Schools]:
    """Return a synthetic world and its school table; arguments as in ``generate_schools``."""
    schools = generate_schools(countries, regions, schools_per_region, parameters, seed, index, practices)
    return make_world(schools, generate_peers(schools, parameters, seed, index)), schools


# ----------------------------------------------------------------------------------------------------- drawing partners


@allocating
def _partner_counts(country, sizes, degree, seed, index):
    """Return where each school's draws start, (n + 1,): it draws floor(degree / 2 + u), at most all others of its country."""
    start = np.zeros(len(country) + 1, np.int64)
    for i in range(len(country)):
        drawn = np.int64(0.5 * degree + uniform(seed, index, PEERS, i, _COUNT, 0, 0))
        start[i + 1] = start[i] + min(drawn, np.int64(sizes[country[i]]) - 1)
    return start


@allocating
def _draw_directly(members, x, y, traits, scale, penalty, start, seed, index, partner):
    """Draw the partners of a small country's schools from the chances of all its schools; writes ``partner``."""
    size = len(members)
    px, py, pt = x[members], y[members], traits[members]
    cost, chance = np.empty(size), np.empty(size)
    for here in range(size):
        i = members[here]
        for other in range(size):
            dx, dy = px[other] - px[here], py[other] - py[here]
            cost[other] = np.sqrt(dx * dx + dy * dy) * scale + penalty[pt[other] ^ pt[here]]
        cost[here] = np.inf
        _choose(members, cost, chance, size, partner[start[i] : start[i + 1]], 0, seed, index, i)


@allocating
def _choose(candidates, cost, chance, size, chosen, filled, seed, index, i):
    """Fill chosen[filled:] from the first ``size`` candidates without replacement, with chances proportional to exp(-cost).

    Costs of schools that cannot be chosen are inf. ``chance`` is working space. Chances are taken relative to the least cost
    that is left, and anew once what is left has all but vanished, so no input makes them all zero.
    """
    chance[:size] = 0.0
    for slot in range(filled, len(chosen)):
        total = _sum(chance, size)
        if total < _VANISHING:
            least = cost[:size].min()
            for j in range(size):
                chance[j] = exp(least - cost[j])
            total = _sum(chance, size)
        aim = uniform(seed, index, PEERS, i, _DIRECT, 0, slot) * total
        j, reached = 0, chance[0]
        while reached <= aim:
            j += 1
            reached += chance[j]
        chosen[slot] = candidates[j]
        cost[j], chance[j] = np.inf, 0.0


@allocating
def _sum(values, size):
    """Return the sum of the first values, from left to right: numpy's order of addition depends on the processor."""
    total = 0.0
    for j in range(size):
        total += values[j]
    return total


@allocating
def _draw_by_grid(members, x, y, traits, scale, penalty, start, seed, index, partner):
    """Draw the partners of a large country's schools cell by cell; writes ``partner``."""
    grid = _make_grid(members, x, y, traits)
    size, cells = len(members), len(grid.start) - 1
    nearest_cost, reached = np.empty(cells), np.empty(cells)
    candidates, cost, chance = np.empty(size, np.int32), np.empty(size), np.empty(size)
    attempts = min(max(size // 8, 64), MOST_ATTEMPTS)  # about as dear as the list that follows them
    for cell in range(cells):
        total = 0.0
        for other in range(cells):
            columns = max(abs(grid.column[other] - grid.column[cell]) - 1, 0)
            rows = max(abs(grid.row[other] - grid.row[cell]) - 1, 0)
            nearest_cost[other] = np.sqrt(np.float64(columns * columns + rows * rows)) * grid.side * scale
            total += (grid.start[other + 1] - grid.start[other]) * exp(-nearest_cost[other])
            reached[other] = total
        for here in range(grid.start[cell], grid.start[cell + 1]):
            i = grid.school[here]
            chosen = partner[start[i] : start[i + 1]]
            filled = _reject(grid, nearest_cost, reached, here, scale, penalty, attempts, chosen, seed, index)
            if filled < len(chosen):
                found = _list_near(grid, here, scale, penalty, chosen, filled, candidates, cost)
                _choose(candidates, cost, chance, found, chosen, filled, seed, index, i)


@allocating
def _make_grid(members, x, y, traits):
    """Return the grid of a country's schools, with about ``SCHOOLS_PER_CELL`` schools in a cell, at most about ``MOST_CELLS`` cells."""
    px, py = x[members], y[members]
    west, south = px.min(), py.min()
    width, height = px.max() - west, py.max() - south
    wanted = min(max(len(members) // SCHOOLS_PER_CELL, 1), MOST_CELLS)
    side = max(np.sqrt(width * height / wanted), max(width, height) / wanted)
    if side <= 0.0:
        side = 1.0  # all at one point
    columns = np.int64(width / side) + 1
    rows = np.int64(height / side) + 1
    of = np.empty(len(members), np.int64)
    first = np.zeros(columns * rows + 1, np.int64)
    for k in range(len(members)):
        of[k] = np.int64((py[k] - south) / side) * columns + np.int64((px[k] - west) / side)
        first[of[k] + 1] += 1
    occupied = np.flatnonzero(first[1:])
    first = np.cumsum(first)
    start = np.append(first[occupied], np.int64(len(members)))
    listed = np.empty(len(members), np.int64)
    for k in range(len(members)):
        listed[first[of[k]]] = k
        first[of[k]] += 1
    school = members[listed]
    return _Grid(school, px[listed], py[listed], traits[school], start, occupied % columns, occupied // columns, west, south, side)


@allocating
def _reject(grid, nearest_cost, reached, here, scale, penalty, attempts, chosen, seed, index):
    """Draw partners by rejection, and return how many were found before a slot used up its attempts.

    A cell is proposed with chance proportional to count x exp(-nearest cost), a school of it uniformly, and accepted with
    exp(-(cost - nearest cost)): together proportional to exp(-cost). One uniform gives the cell, the second the school and,
    in what is left of it, the acceptance.
    """
    i, x, y, traits = grid.school[here], grid.x[here], grid.y[here], grid.traits[here]
    for slot in range(len(chosen)):
        found = False
        for attempt in range(attempts):
            u, v = uniform_pair(seed, index, PEERS, i, _REJECTION, attempt, slot)
            cell = np.searchsorted(reached, u * reached[-1], side="right")
            place = v * (grid.start[cell + 1] - grid.start[cell])
            other = grid.start[cell] + np.int64(place)
            if other == here:
                continue
            dx, dy = grid.x[other] - x, grid.y[other] - y
            cost = np.sqrt(dx * dx + dy * dy) * scale + penalty[grid.traits[other] ^ traits]
            if place - np.floor(place) < exp(nearest_cost[cell] - cost) and not _holds(chosen[:slot], grid.school[other]):
                chosen[slot] = grid.school[other]
                found = True
                break
        if not found:
            return slot
    return len(chosen)


@allocating
def _holds(values, value):
    """Tell whether a short array holds a value."""
    for held in values:  # noqa: SIM110 - numba compiles no generator expression
        if held == value:
            return True
    return False


@allocating
def _list_near(grid, here, scale, penalty, chosen, filled, candidates, cost):
    """List the schools near enough to be chosen with their costs (inf for the school itself and those chosen); return their number.

    A circle of radius r that holds more schools than are to be chosen bounds the least cost that is ever left by
    r scale + the largest penalty; whoever costs ``_NEGLIGIBLE`` more has no chance that a uniform could show.
    """
    x, y, traits = grid.x[here], grid.y[here], grid.traits[here]
    radius = grid.side
    while _count_within(grid, x, y, radius) <= len(chosen):
        radius *= 2.0
    reach = radius + (penalty[7] + _NEGLIGIBLE) / scale
    found = 0
    for cell in range(len(grid.start) - 1):
        west, south = grid.west + grid.column[cell] * grid.side, grid.south + grid.row[cell] * grid.side
        dx = max(west - x, x - west - grid.side, 0.0)
        dy = max(south - y, y - south - grid.side, 0.0)
        if dx * dx + dy * dy > reach * reach:
            continue
        for other in range(grid.start[cell], grid.start[cell + 1]):
            dx, dy = grid.x[other] - x, grid.y[other] - y
            candidates[found] = grid.school[other]
            cost[found] = np.sqrt(dx * dx + dy * dy) * scale + penalty[grid.traits[other] ^ traits]
            if other == here or _holds(chosen[:filled], grid.school[other]):
                cost[found] = np.inf
            found += 1
    return found


@allocating
def _count_within(grid, x, y, radius):
    """Return the number of schools in cells that lie wholly within a radius of a point, up to rounding."""
    count = 0
    for cell in range(len(grid.start) - 1):
        west, south = grid.west + grid.column[cell] * grid.side, grid.south + grid.row[cell] * grid.side
        dx = max(west + grid.side - x, x - west)
        dy = max(south + grid.side - y, y - south)
        if dx * dx + dy * dy <= radius * radius:
            count += grid.start[cell + 1] - grid.start[cell]
    return count


# ------------------------------------------------------------------------------------------------------ compressed rows


@allocating
def _symmetric(start, partner):
    """Return rows (start, column) that hold j in row i and i in row j for each partner j of i, columns ascending, repeats kept.

    A counting sort by row, then one by column through the transposed rows: the matrix is symmetric, so its transpose is itself.
    """
    n = len(start) - 1
    row_start = np.zeros(n + 1, np.int64)
    for i in range(n):
        row_start[i + 1] += start[i + 1] - start[i]
        for k in range(start[i], start[i + 1]):
            row_start[partner[k] + 1] += 1
    row_start = np.cumsum(row_start)
    free = row_start[:-1].copy()
    unsorted = np.empty(row_start[-1], np.int32)
    for i in range(n):
        for k in range(start[i], start[i + 1]):
            j = partner[k]
            unsorted[free[i]], unsorted[free[j]] = j, i
            free[i] += 1
            free[j] += 1
    free[:] = row_start[:-1]
    column = np.empty(row_start[-1], np.int32)
    for i in range(n):
        for k in range(row_start[i], row_start[i + 1]):
            j = unsorted[k]
            column[free[j]] = i
            free[j] += 1
    return row_start, column


@allocating
def _equal_rows(start, column, usual):
    """Return rows without the repeats of sorted ones, and what each column of row i weighs, 1 / max(columns of the row, usual[i])."""
    n = len(start) - 1
    kept_start = np.zeros(n + 1, np.int64)
    for i in range(n):
        kept = 0
        for k in range(start[i], start[i + 1]):
            kept += k == start[i] or column[k] != column[k - 1]
        kept_start[i + 1] = kept_start[i] + kept
    kept_column = np.empty(kept_start[n], np.int32)
    row_weight = np.empty(n)
    for i in range(n):
        row_weight[i] = 1.0 / max(float(kept_start[i + 1] - kept_start[i]), usual[i], 1.0)
        at = kept_start[i]
        for k in range(start[i], start[i + 1]):
            if k == start[i] or column[k] != column[k - 1]:
                kept_column[at] = column[k]
                at += 1
    return kept_start, kept_column, row_weight


@allocating
def _weighted_rows(n, source, target, weight):
    """Return rows for undirected ties, columns ascending, the weights of a row over their sum."""
    start = np.zeros(n + 1, np.int64)
    for k in range(len(source)):
        start[source[k] + 1] += 1
        start[target[k] + 1] += 1
    start = np.cumsum(start)
    column, value = np.empty(start[n], np.int32), np.empty(start[n])
    free = start[:-1].copy()
    for k in range(len(source)):
        for i, j in ((source[k], target[k]), (target[k], source[k])):
            column[free[i]], value[free[i]] = j, weight[k]
            free[i] += 1
    for i in range(n):
        row = slice(start[i], start[i + 1])
        order = np.argsort(column[row])
        column[row] = column[row][order]
        value[row] = value[row][order]
        total = _sum(value[row], start[i + 1] - start[i])
        for k in range(start[i], start[i + 1]):
            value[k] /= total
    return start, column, value


# -------------------------------------------------------------------------------------------------------------- graphs


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
def _tie_weights(start, peer, weight):
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
    from xml.etree.ElementTree import ParseError

    import networkx as nx

    try:
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
