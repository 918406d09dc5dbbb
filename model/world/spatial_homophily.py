"""Partners drawn by distance and likeness: the network ``spatial_homophily``, drawn exactly, without an N x N matrix."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from school_mentoring.model.compiled import allocating
from school_mentoring.model.draws import PEERS, uniform, uniform_pair
from school_mentoring.model.portable import exp

from .arrays import Bits, Counts, Floats, Ints
from .likeness import likeness_bits
from .rows import holds, total_of
from .schools import Schools
from .structure import Likeness

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


class _Law(NamedTuple):
    """What chances are made of: cost = distance in km x ``scale`` + ``penalty`` of the bits that differ, (8,); and what names the draws."""

    scale: float
    penalty: Floats
    seed: np.uint64
    world: int


class _Grid(NamedTuple):
    """A country's schools sorted into square cells (k schools, G cells that hold any).

    ``school``: their numbers, cell by cell, (k,); ``x``, ``y``, ``likeness``: theirs, (k,). ``start``: where each cell begins, (G + 1,).
    ``column``, ``row``: position of each cell, (G,). ``west``, ``south``: corner of the grid, km; ``side``: of a cell, km.
    """

    school: Ints
    x: Floats
    y: Floats
    likeness: Bits
    start: Counts
    column: Counts
    row: Counts
    west: float
    south: float
    side: float


Drawn = tuple[Counts, Ints]
"""Whom each school drew, in the order drawn: school i drew partner[start[i]:start[i + 1]] of (start, partner)."""


def by_country(schools: Schools) -> list[Ints]:
    """Return the schools of each country, in the order of the table."""
    order = np.argsort(schools.country, kind="stable").astype(np.int32)
    return np.split(order, np.cumsum(np.bincount(schools.country, minlength=len(schools.countries)))[:-1])


def start_of_draws(schools: Schools, parameters: Mapping[str, float], seed: int, index: int) -> Counts:
    """Return where each school's draws start, (n + 1,): it draws floor(peer_degree / 2 + u), at most all others of its country."""
    sizes = np.bincount(schools.country, minlength=len(schools.countries))
    return _starts(schools.country, sizes, parameters["peer_degree"], np.uint64(seed), index)


def draw_partners(
    schools: Schools,
    parameters: Mapping[str, float],
    seed: int,
    index: int,
    likeness: Likeness = "traits",
    *,
    direct_up_to: int = DIRECT_UP_TO,
) -> Drawn:
    """Return partners by distance and likeness.

    School i draws floor(peer_degree / 2 + u) partners of its country (at most all), u uniform, one after the other without
    replacement, with chances proportional to exp(-distance / peer_distance - homophily x unlikeness), unlikeness by the measure
    ``likeness`` (``likeness_bits``).

    The draw is exact for every input. Large countries are drawn by rejection: a cell by the chance of its nearest point, a
    school in the cell, accepted with the rest of its chance; a school that is refused too often is drawn from the list of all
    schools near enough to matter. ``direct_up_to`` moves the border between the two ways, which draw different networks.
    """
    start = start_of_draws(schools, parameters, seed, index)
    partner = np.empty(start[-1], np.int32)
    penalty = np.array([parameters["homophily"] * bits.bit_count() for bits in range(8)])
    law = _Law(1.0 / parameters["peer_distance"], penalty, np.uint64(seed), index)
    bits = likeness_bits(schools, likeness)
    for members in by_country(schools):
        draw = _draw_directly if len(members) <= direct_up_to else _draw_by_grid
        draw(members, schools.x, schools.y, bits, law, start, partner)
    return start, partner


@allocating
def _starts(country: Ints, sizes: Counts, degree: float, seed: np.uint64, index: int) -> Counts:
    start = np.zeros(len(country) + 1, np.int64)
    for i in range(len(country)):
        drawn = np.int64(0.5 * degree + uniform(seed, index, PEERS, i, _COUNT, 0, 0))
        start[i + 1] = start[i] + min(drawn, np.int64(sizes[country[i]]) - 1)
    return start


@allocating
def _draw_directly(members: Ints, x: Floats, y: Floats, likeness: Bits, law: _Law, start: Counts, partner: Ints) -> None:
    """Draw the partners of a small country's schools from the chances of all its schools; writes ``partner``."""
    size = len(members)
    px, py, bits = x[members], y[members], likeness[members]
    cost, chance = np.empty(size), np.empty(size)
    for here in range(size):
        i = members[here]
        for other in range(size):
            dx, dy = px[other] - px[here], py[other] - py[here]
            cost[other] = np.sqrt(dx * dx + dy * dy) * law.scale + law.penalty[bits[other] ^ bits[here]]
        cost[here] = np.inf
        _choose(members, cost, chance, size, partner[start[i] : start[i + 1]], 0, law, i)


@allocating
def _choose(candidates: Ints, cost: Floats, chance: Floats, size: int, chosen: Ints, filled: int, law: _Law, i: int) -> None:
    """Fill chosen[filled:] from the first ``size`` candidates without replacement, with chances proportional to exp(-cost).

    Costs of schools that cannot be chosen are inf. ``chance`` is working space. Chances are taken relative to the least cost
    that is left, and anew once what is left has all but vanished, so no input makes them all zero.
    """
    chance[:size] = 0.0
    for slot in range(filled, len(chosen)):
        total = total_of(chance, size)
        if total < _VANISHING:
            least = cost[:size].min()
            for j in range(size):
                chance[j] = exp(least - cost[j])
            total = total_of(chance, size)
        aim = uniform(law.seed, law.world, PEERS, i, _DIRECT, 0, slot) * total
        j, reached = 0, chance[0]
        while reached <= aim:
            j += 1
            reached += chance[j]
        chosen[slot] = candidates[j]
        cost[j], chance[j] = np.inf, 0.0


@allocating
def _draw_by_grid(members: Ints, x: Floats, y: Floats, likeness: Bits, law: _Law, start: Counts, partner: Ints) -> None:
    """Draw the partners of a large country's schools cell by cell; writes ``partner``."""
    grid = _make_grid(members, x, y, likeness)
    size, cells = len(members), len(grid.start) - 1
    nearest_cost, reached = np.empty(cells), np.empty(cells)
    candidates, cost, chance = np.empty(size, np.int32), np.empty(size), np.empty(size)
    attempts = min(max(size // 8, 64), MOST_ATTEMPTS)  # about as dear as the list that follows them
    for cell in range(cells):
        total = 0.0
        for other in range(cells):
            columns = max(abs(grid.column[other] - grid.column[cell]) - 1, 0)
            rows = max(abs(grid.row[other] - grid.row[cell]) - 1, 0)
            nearest_cost[other] = np.sqrt(np.float64(columns * columns + rows * rows)) * grid.side * law.scale
            total += (grid.start[other + 1] - grid.start[other]) * exp(-nearest_cost[other])
            reached[other] = total
        for here in range(grid.start[cell], grid.start[cell + 1]):
            i = grid.school[here]
            chosen = partner[start[i] : start[i + 1]]
            filled = _reject(grid, nearest_cost, reached, here, law, attempts, chosen)
            if filled < len(chosen):
                found = _list_near(grid, here, law, chosen, filled, candidates, cost)
                _choose(candidates, cost, chance, found, chosen, filled, law, i)


@allocating
def _make_grid(members: Ints, x: Floats, y: Floats, likeness: Bits) -> _Grid:
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
    return _Grid(school, px[listed], py[listed], likeness[school], start, occupied % columns, occupied // columns, west, south, side)


@allocating
def _reject(grid: _Grid, nearest_cost: Floats, reached: Floats, here: int, law: _Law, attempts: int, chosen: Ints) -> int:
    """Draw partners by rejection, and return how many were found before a slot used up its attempts.

    A cell is proposed with chance proportional to count x exp(-nearest cost), a school of it uniformly, and accepted with
    exp(-(cost - nearest cost)): together proportional to exp(-cost). One uniform gives the cell, the second the school and,
    in what is left of it, the acceptance.
    """
    i, x, y, likeness = grid.school[here], grid.x[here], grid.y[here], grid.likeness[here]
    for slot in range(len(chosen)):
        found = False
        for attempt in range(attempts):
            u, v = uniform_pair(law.seed, law.world, PEERS, i, _REJECTION, attempt, slot)
            cell = np.searchsorted(reached, u * reached[-1], side="right")
            place = v * (grid.start[cell + 1] - grid.start[cell])
            other = grid.start[cell] + np.int64(place)
            if other == here:
                continue
            dx, dy = grid.x[other] - x, grid.y[other] - y
            cost = np.sqrt(dx * dx + dy * dy) * law.scale + law.penalty[grid.likeness[other] ^ likeness]
            if place - np.floor(place) < exp(nearest_cost[cell] - cost) and not holds(chosen[:slot], grid.school[other]):
                chosen[slot] = grid.school[other]
                found = True
                break
        if not found:
            return slot
    return len(chosen)


@allocating
def _list_near(grid: _Grid, here: int, law: _Law, chosen: Ints, filled: int, candidates: Ints, cost: Floats) -> int:
    """List the schools near enough to be chosen with their costs (inf for the school itself and those chosen); return their number.

    A circle of radius r that holds more schools than are to be chosen bounds the least cost that is ever left by
    r scale + the largest penalty; whoever costs ``_NEGLIGIBLE`` more has no chance that a uniform could show.
    """
    x, y, likeness = grid.x[here], grid.y[here], grid.likeness[here]
    radius = grid.side
    while _count_within(grid, x, y, radius) <= len(chosen):
        radius *= 2.0
    reach = radius + (law.penalty[7] + _NEGLIGIBLE) / law.scale
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
            cost[found] = np.sqrt(dx * dx + dy * dy) * law.scale + law.penalty[grid.likeness[other] ^ likeness]
            if other == here or holds(chosen[:filled], grid.school[other]):
                cost[found] = np.inf
            found += 1
    return found


@allocating
def _count_within(grid: _Grid, x: float, y: float, radius: float) -> int:
    """Return the number of schools in cells that lie wholly within a radius of a point, up to rounding."""
    count = 0
    for cell in range(len(grid.start) - 1):
        west, south = grid.west + grid.column[cell] * grid.side, grid.south + grid.row[cell] * grid.side
        dx = max(west + grid.side - x, x - west)
        dy = max(south + grid.side - y, y - south)
        if dx * dx + dy * dy <= radius * radius:
            count += grid.start[cell + 1] - grid.start[cell]
    return count
