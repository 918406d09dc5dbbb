"""A month of teachers, as steps over the arrays of a world and a state; ``mentoring.py`` has what comes before it in a month.

``mesa_model.py`` tells the same month school by school.
"""

from typing import NamedTuple

import numpy as np

from school_mentoring.model.world.arrays import NO_CONTACTS, Counts, Floats, Index, Ints, Record, Replicates, World

from . import draws, rules
from .compiled import part, step
from .contacts import ask_ahead, exposure, first_from
from .state import BLOCK, SIDE, Member, RunCounts, Shared, Spread, State, Tie, TrackNumbers
from .ties import MONTHLY
from .vectors import fetch, weighted_sum_8

_SHIFT = 3  # SIDE = 2**3
# How many schools ahead memory is asked for their rows, and for their shares, which schools before them may be exposed to.
_ROWS_AHEAD, _SHARES_AHEAD = 128, 4096

PeerRows = tuple[Counts, Ints, Floats, Floats]
"""``peer_start``, ``peer``, ``row_weight`` and ``weight`` of a world."""


class BlockOfSchools(NamedTuple):
    """Schools begin..end that go through the steps of a month of practice p together.

    ``here``: their places, ``room``: their scratch space; ``number`` of the block in the world.
    """

    p: int
    begin: int
    end: int
    here: slice
    room: slice
    number: int


# Loops over all schools are small functions over whole arrays (or slices of a range of schools), one step each: the compiler
# turns such loops into vector instructions. Loops over ties and mentors are plain.


@step
def _influences(par: Record, share: Floats, influence: Floats) -> None:
    for i in range(share.size):
        influence[i] = rules.social_influence(par, share[i])


@step
def _influence(par: Record, share: Floats, influence: Floats) -> Floats:
    """Return share**gamma, in ``influence``, but where gamma is 1 the share itself, without the work of a power."""
    if par.gamma == 1.0:
        return share
    _influences(par, share, influence)
    return influence


@part
def _set_shares(adopters: Ints, teachers: Ints, share: Floats) -> None:
    for i in range(adopters.size):
        share[i] = adopters[i] / teachers[i]


@step
def _expose(peers: PeerRows, by_degree: Ints, share: Floats, low: int, exposure: Floats) -> None:
    """Set E, the weighted share of adopting teachers in each school's peer schools.

    Schools with as many peers come one after the other, so that the processor can tell where a sum ends; their order keeps it from
    telling what is read next, so that is said.
    """
    peer_start, peer, row_weight, weight = peers
    weighted = weight.size > 0
    last = share.size - 1
    for position in range(exposure.size):
        i = np.uint32(by_degree[position])
        soon = min(low + position + _ROWS_AHEAD, last)
        fetch(peer, peer_start[soon])
        if position % 8 == 0:  # eight float64 fill a line of memory
            fetch(row_weight, soon)
            fetch(share, min(low + position + _SHARES_AHEAD, last))
        total = 0.0
        for a in range(peer_start[i], peer_start[i + 1]):
            users = share[np.uint32(peer[a])]
            total += weight[a] * users if weighted else users
        exposure[i - np.uint32(low)] = row_weight[i] * total


@step
def _expose_side(peers: PeerRows, share: Floats, low: int, exposure: Floats) -> None:
    """Set E as ``_expose`` does, of runs side by side: those of a school are one vector."""
    for i in range(exposure.size // SIDE):
        weighted_sum_8(exposure, i * SIDE, share, peers, low + i)


@step
def _expose_members(world: World, par: Record, state: State, block: BlockOfSchools, seen: Floats) -> None:
    """Set E of those schools that have met others through mentoring, of which ``seen`` is what all see in their peers."""
    side = state.ties.shape[0]
    for run in range(side):
        count = state.runs[RunCounts.MEMBERS, run]
        if count == 0:
            continue
        members = state.ties[run, Tie.MEMBERS]
        for position in range(first_from(members, count, block.begin), count):
            i = np.int64(members[position])
            if i >= block.end:
                break
            ask_ahead(state, run, members, position, count)
            at = (i - block.begin) * side + run
            seen[at] = exposure(world, par, state, run, block.p, i, seen[at])


@step
def _gain_chances(par: Record, seen: tuple[Floats, Floats, Floats, Floats, Floats], chance: Floats) -> None:
    ready, openness, outreach, colleagues, peers = seen
    for i in range(chance.size):
        chance[i] = rules.adoption_chance(par, ready[i], openness[i], outreach[i], colleagues[i], peers[i], 0.0)


@step
def _loss_chances(par: Record, share: Floats, chance: Floats) -> None:
    for i in range(chance.size):
        chance[i] = rules.loss_chance(par, share[i], 0.0)


@step
def _set_exposure(world: World, par: Record, state: State, block: BlockOfSchools, seen: Floats) -> None:
    """Set E, what each school sees of the practice in others."""
    p, rows = block.p, (world.peer_start, world.peer, world.row_weight, world.weight)
    if state.ties.shape[0] == 1:
        _expose(rows, state.by_degree[block.here], state.spread[Spread.SHARE, p], block.begin, seen)
    else:
        _expose_side(rows, state.spread[Spread.SHARE, p], block.begin, seen)
    if world.contacts != NO_CONTACTS:
        _expose_members(world, par, state, block, seen)


@step
def _set_chances(par: Record, state: State, block: BlockOfSchools, peers: Floats, outreach: Floats) -> None:
    """Set the chances to adopt and to discontinue of teachers in no team, rows 2 and 3 of ``floats``."""
    p, here, room = block.p, block.here, block.room
    share = state.spread[Spread.SHARE, p, here]
    own = share if par.gamma == 1.0 else state.spread[Spread.INFLUENCE, p, here]
    _gain_chances(par, (state.spread[Spread.READY, p, here], state.openness[here], outreach, own, peers), state.floats[2, room])
    _loss_chances(par, share, state.floats[3, room])


@step
def _outreach(world: World, state: State, block: BlockOfSchools, shift: int, alike: Floats, outreach: Floats) -> Floats:
    """Return the outreach that reaches each school of a block, in ``outreach``, but ``alike`` where all tracks of a run have the same."""
    apart = np.int64(0)
    for run in range(state.ties.shape[0]):
        apart += state.runs[RunCounts.APART, run]
    if apart == 0:
        return alike
    for at in range(outreach.size):
        run, school = at & (state.ties.shape[0] - 1), block.begin + (at >> shift)
        outreach[at] = state.numbers[run, TrackNumbers.OUTREACH, state.track[run, world.region[school]]]
    return outreach


# --- teams: all those of a block at once, before the other teachers, who need the same scratch space ------------------


@step
def team_chances(par: Record, state: State, run: int, p: int, school: Index, peers: float, outreach: float) -> tuple[float, float]:
    """Return a team teacher's chances to adopt and to discontinue; ``peers``: E**gamma of the school."""
    place, row = school * state.ties.shape[0] + run, state.ties[run, Tie.ROW, school]
    effect, kept = state.shared[run, row, Shared.EFFECT + 4 * p], state.shared[run, row, Shared.EFFECT + 4 * p + 1]
    share = state.spread[Spread.SHARE, p, place]
    own = share if par.gamma == 1.0 else state.spread[Spread.INFLUENCE, p, place]
    ready, openness = state.spread[Spread.READY, p, place], state.openness[place]
    return rules.adoption_chance(par, ready, openness, outreach, own, peers, effect), rules.loss_chance(par, share, kept)


@step
def _list_teams(state: State, block: BlockOfSchools, where: Ints) -> int:
    """List the places within the block of the schools that have a team; return how many."""
    side, listed = state.ties.shape[0], 0
    for run in range(side):
        count = state.runs[RunCounts.TIED, run]
        tied = state.ties[run, Tie.TIED]
        for position in range(first_from(tied, count, block.begin) if count > 0 else 0, count):
            if tied[position] >= block.end:
                break
            where[listed] = (tied[position] - block.begin) * side + run
            listed += 1
    return listed


@step
def _draw_teams(names: tuple[np.uint64, int, int], school: Ints, first: Floats, second: Floats) -> None:
    """Set two uniforms of each team; ``first`` holds its replicate."""
    seed, p, month = names
    for k in range(school.size):
        first[k], second[k] = draws.uniform_pair(seed, int(first[k]), draws.TEAM, school[k], p, month, MONTHLY)


@step
def _decide_teams(
    world: World, par: Record, state: State, block: BlockOfSchools, names: tuple[np.uint64, int, int], seen: tuple[Floats, Floats]
) -> int:
    """Draw next month's adopters of the block's teams, take those of now off ``adopters``, and return how many teams there are.

    Row 4 of ``ints`` keeps where they are; ``names``: seed and month of the draws, and how far a place is shifted to a school; ``seen``:
    E**gamma and outreach.
    """
    (seed, month, shift), (peers, outreach) = names, seen
    p, side, room = block.p, state.ties.shape[0], block.room
    where = state.ints[4, room]
    count = _list_teams(state, block, where)
    where = where[:count]
    trials, users, gained = state.ints[0, room][:count], state.ints[1, room][:count], state.ints[2, room][:count]
    first, second = state.floats[1 if par.gamma == 1.0 else 0, room][:count], state.floats[4, room][:count]
    gain, loss = state.floats[2, room][:count], state.floats[3, room][:count]
    scratch = state.ints[3, room][:count]
    schools = scratch  # which needs that space later
    for k in range(count):
        at = where[k]
        run, school = at & (side - 1), block.begin + (at >> shift)
        schools[k], first[k] = school, state.replicate[at]
        member = state.member[run, state.ties[run, Tie.ROW, school]]
        users[k] = member[Member.USERS + p]
        trials[k] = member[Member.TEAM] - users[k]
        gain[k], loss[k] = team_chances(par, state, run, p, school, peers[at], outreach[at])
    _draw_teams((seed, p, month), schools, first, second)
    draws.binomials(first, trials, gain, scratch, gained)
    draws.binomials(second, users, loss, scratch, trials)
    adopters = state.adopters[p, block.here]
    for k in range(count):
        at = where[k]
        run, school = at & (side - 1), block.begin + (at >> shift)
        state.member[run, state.ties[run, Tie.ROW, school], Member.USERS + p] = users[k] + gained[k] - trials[k]
        state.gained[block.number, run, world.country[school]] += gained[k]
        adopters[at] -= users[k]
    return count


@step
def _set_others(state: State, block: BlockOfSchools, shift: int, teams: int) -> None:
    """Set the teachers in no team who do not use the practice, row 0 of ``ints``."""
    side, teachers, adopters = state.ties.shape[0], state.teachers[block.here], state.adopters[block.p, block.here]
    others, where = state.ints[0, block.room], state.ints[4, block.room]
    for i in range(adopters.size):
        others[i] = teachers[i] - adopters[i]
    for k in range(teams):
        run, school = where[k] & (side - 1), block.begin + (where[k] >> shift)
        others[where[k]] -= state.member[run, state.ties[run, Tie.ROW, school], Member.TEAM]


@step
def _join_teams(state: State, block: BlockOfSchools, shift: int, teams: int) -> None:
    """Count the teams among the teachers of their schools again."""
    side, adopters, where = state.ties.shape[0], state.adopters[block.p, block.here], state.ints[4, block.room]
    for k in range(teams):
        run, school = where[k] & (side - 1), block.begin + (where[k] >> shift)
        adopters[where[k]] += state.member[run, state.ties[run, Tie.ROW, school], Member.USERS + block.p]


@part
def _draw(seed: np.uint64, replicate: Replicates, p: int, month: int, low: int, shift: int, uniforms: tuple[Floats, Floats]) -> None:
    first, second = uniforms
    for at in range(first.size):
        first[at], second[at] = draws.uniform_pair(seed, replicate[at], draws.TEACHERS, low + (at >> shift), p, month, 0)


@step
def _count(world: World, state: State, block: BlockOfSchools) -> None:
    """Let as many teachers adopt and discontinue as uniforms and chances say, rows 0 to 3 of ``floats``."""
    room = block.room
    first, second, gain, loss = state.floats[0, room], state.floats[1, room], state.floats[2, room], state.floats[3, room]
    others, gained, lost = state.ints[0, room], state.ints[1, room], state.ints[2, room]
    adopters = state.adopters[block.p, block.here]
    draws.binomials(first, others, gain, state.ints[3, room], gained)
    draws.binomials(second, adopters, loss, state.ints[3, room], lost)
    for i in range(adopters.size):
        adopters[i] += gained[i] - lost[i]
    _add_gained(world.country[block.begin : block.end], gained, state.gained[block.number])


@part
def _add_gained(country: Ints, gained: Ints, totals: Counts) -> None:
    """Add the teachers who have taken a practice up, by run and country."""
    side, alike = totals.shape[0], True
    for i in range(country.size):
        alike &= country[i] == country[0]
    if not alike:
        for i in range(country.size):
            for run in range(side):
                totals[run, country[i]] += gained[i * side + run]
    else:
        for run in range(side):
            total = np.int64(0)
            for at in range(run, gained.size, side):
                total += gained[at]
            totals[run, country[0]] += total


@part
def decide(world: World, par: Record, state: State, p: int, seed: np.uint64, month: int, low: int, high: int) -> None:
    """Draw next month's adopters of schools low..high for one practice; shares stay as they are, for others to be exposed to.

    ``low`` is a multiple of ``BLOCK``, and so is ``high`` if it is not the number of schools.

    Schools go through the steps in blocks that share their scratch space, so that what one step leaves is still in the first cache when
    the next one reads it.
    """
    side = state.ties.shape[0]
    size = BLOCK // side
    for begin in range(low, high, size):
        end = min(begin + size, high)
        here, room = slice(begin * side, end * side), slice(low * side, (low + end - begin) * side)
        block = BlockOfSchools(p, begin, end, here, room, begin // size)
        if p == 0:
            state.gained[block.number] = 0
        shift = _SHIFT if side == SIDE else 0
        # E and E**gamma: the row that the second does not need is free.
        seen, raised = state.floats[0, room], state.floats[1, room]
        _set_exposure(world, par, state, block, seen)
        peers = _influence(par, seen, raised)
        outreach = _outreach(world, state, block, shift, state.outreach, state.floats[5, room])
        teams = _decide_teams(world, par, state, block, (seed, month, shift), (peers, outreach))
        _set_chances(par, state, block, peers, outreach)
        _set_others(state, block, shift, teams)
        _draw(seed, state.replicate, p, month, begin, shift, (state.floats[0, room], state.floats[1, room]))
        _count(world, state, block)
        _join_teams(state, block, shift, teams)


@part
def commit(par: Record, state: State, p: int, low: int, high: int) -> None:
    """Let the drawn changes of schools low..high happen, after every school has drawn."""
    side = state.ties.shape[0]
    here = slice(low * side, high * side)
    share = state.spread[Spread.SHARE, p, here]
    _set_shares(state.adopters[p, here], state.teachers[here], share)
    _influence(par, share, state.spread[Spread.INFLUENCE, p, here])
