"""Who draws whom in a peer network, by the generator that a world's structure names.

``spatial_homophily`` is the model's own (``spatial_homophily.py``); the others keep its number of ties and change who is tied to whom.
"""

from collections.abc import Mapping

import numpy as np

from school_mentoring.model.compiled import allocating
from school_mentoring.model.draws import PEERS, uniform, uniform_pair

from .arrays import Counts, Floats, Ints
from .rows import equal_rows, holds, symmetric
from .schools import Schools
from .spatial_homophily import DIRECT_UP_TO, Drawn, by_country, draw_partners, start_of_draws
from .structure import Structure

REWIRED = 0.1
"""Chance that a tie of a small world leads to a school anywhere in the country: the middle of the small-world range of Watts & Strogatz."""

SWAPS = 10
"""Swaps tried per tie of a configuration network."""

_ATTEMPTS = 100  # to rewire a tie to a school that is not tied yet

# What a draw of the event PEERS is for, in its slot ``practice``; 0 to 2 are those of ``spatial_homophily.py``.
_TURN, _REWIRE, _SWAP = 3, 4, 5


def draw(
    schools: Schools, parameters: Mapping[str, float], seed: int, index: int, structure: Structure, *, direct_up_to: int = DIRECT_UP_TO
) -> Drawn:
    """Return whom each school drew, floor(peer_degree / 2 + u) of its country; two schools are peers where either drew the other."""
    if structure.network == "nearest":
        return _nearest(schools, parameters, seed, index)
    if structure.network == "small_world":
        return _small_world(schools, parameters, seed, index)
    drawn = draw_partners(schools, parameters, seed, index, structure.likeness, direct_up_to=direct_up_to)
    return _same_degrees(schools, drawn, seed, index) if structure.network == "configuration" else drawn


def _nearest(schools: Schools, parameters: Mapping[str, float], seed: int, index: int) -> Drawn:
    """Return the nearest schools: each school, in random order, draws those that it is not tied to yet.

    So no tie is drawn twice, and there are as many as draws. Where a country has no such school left, a repeated tie stands for none.
    """
    start = start_of_draws(schools, parameters, seed, index)
    partner = np.full(start[-1], -1, np.int32)
    for members in by_country(schools):
        order = np.argsort(_turns(members, np.uint64(seed), index), kind="stable")
        _draw_nearest(members, order, schools.x[members], schools.y[members], start, partner)
    return start, partner


def _small_world(schools: Schools, parameters: Mapping[str, float], seed: int, index: int) -> Drawn:
    """Return ``nearest`` with each tie, with chance ``REWIRED``, led to a school anywhere in the country (Watts & Strogatz 1998)."""
    start, partner = _nearest(schools, parameters, seed, index)
    for members in by_country(schools):
        _rewire(members, start, np.uint64(seed), index, partner)
    return start, partner


def _same_degrees(schools: Schools, drawn: Drawn, seed: int, index: int) -> Drawn:
    """Return a network in which every school has as many peers as in the one drawn, and who is tied to whom is random.

    Two ties a-b and c-d become a-d and c-b, where neither is there yet, ``SWAPS`` times as often as there are ties (Maslov & Sneppen
    2002): a configuration model without loops and double ties.
    """
    start, column, _ = equal_rows(*symmetric(*drawn), np.ones(len(schools)))
    for country, members in enumerate(by_country(schools)):
        _swap(members, start, column, np.uint64(seed), index, country)
    row = np.repeat(np.arange(len(schools), dtype=np.int32), np.diff(start))
    once = row < column
    return np.concatenate(([0], np.cumsum(np.bincount(row[once], minlength=len(schools))))), column[once]


@allocating
def _tied(start: Counts, partner: Ints, i: int, j: int) -> bool:
    """Tell whether one of two schools has drawn the other."""
    return holds(partner[start[i] : start[i + 1]], j) or holds(partner[start[j] : start[j + 1]], i)


@allocating
def _turns(members: Ints, seed: np.uint64, index: int) -> Floats:
    """Return numbers in whose ascending order a country's schools take their turns."""
    turn = np.empty(len(members))
    for here in range(len(members)):
        turn[here] = uniform(seed, index, PEERS, members[here], _TURN, 0, 0)
    return turn


@allocating
def _draw_nearest(members: Ints, order: Counts, x: Floats, y: Floats, start: Counts, partner: Ints) -> None:
    """Draw the nearest schools of a country's ``members``, at ``x`` and ``y``, each of which takes its turn, in ``order``.

    Writes ``partner``, -1 where nothing is drawn yet.
    """
    size = len(members)
    distance = np.empty(size)
    for here in order:
        i = members[here]
        for other in range(size):
            dx, dy = x[other] - x[here], y[other] - y[here]
            distance[other] = dx * dx + dy * dy
        distance[here] = np.inf
        slot, end = start[i], start[i + 1]
        while slot < end:
            near = np.argmin(distance)
            if distance[near] == np.inf:
                break
            distance[near] = np.inf
            if not _tied(start, partner, i, members[near]):
                partner[slot] = members[near]
                slot += 1
        while slot < end:
            partner[slot] = members[0] if here > 0 else members[1]  # it is tied to all: a repeat
            slot += 1


@allocating
def _rewire(members: Ints, start: Counts, seed: np.uint64, index: int, partner: Ints) -> None:
    """Lead some of the ties of a country's schools to any of its schools; writes ``partner``."""
    for i in members:
        for slot in range(start[i], start[i + 1]):
            if uniform(seed, index, PEERS, i, _REWIRE, 0, slot - start[i]) >= REWIRED:
                continue
            for attempt in range(1, _ATTEMPTS):
                other = members[np.int64(uniform(seed, index, PEERS, i, _REWIRE, attempt, slot - start[i]) * len(members))]
                if other != i and not _tied(start, partner, i, other):
                    partner[slot] = other
                    break


@allocating
def _swap(members: Ints, start: Counts, column: Ints, seed: np.uint64, index: int, country: int) -> None:
    """Swap the ends of random pairs of a country's ties; writes ``column``, whose rows do not stay sorted."""
    ties = 0
    for i in members:
        ties += start[i + 1] - start[i]
    tail, head = np.empty(ties // 2, np.int32), np.empty(ties // 2, np.int32)
    ties = 0
    for i in members:
        for k in range(start[i], start[i + 1]):
            if column[k] > i:
                tail[ties], head[ties] = i, column[k]
                ties += 1
    for attempt in range(SWAPS * ties):
        u, v = uniform_pair(seed, index, PEERS, country, _SWAP, 0, attempt)
        one, end = np.int64(u * ties), np.int64(v * 2 * ties)
        other = end >> 1
        a, b = tail[one], head[one]
        c, d = (tail[other], head[other]) if end & 1 else (head[other], tail[other])
        apart = a not in (c, d) and b not in (c, d)
        if not apart or holds(column[start[a] : start[a + 1]], d) or holds(column[start[c] : start[c + 1]], b):
            continue
        for school, old, new in ((a, b, d), (b, a, c), (c, d, b), (d, c, a)):
            for k in range(start[school], start[school + 1]):
                if column[k] == old:
                    column[k] = new
        tail[one], head[one], tail[other], head[other] = a, d, c, b
