"""Contacts: the network that mentoring makes. Schools of a cluster are in contact by the hours they share, and some stay so afterwards.

``agents.py`` tells the same story school by school.
"""

from typing import NamedTuple

import numpy as np

from school_mentoring.model.world.arrays import Counts, Floats, Index, Ints, Record, World

from . import draws, rules
from .compiled import part, step
from .draws import Moment
from .state import LASTING, MENTEE, Member, RunCounts, Shared, Spread, State, Tie
from .vectors import fetch

_AHEAD = 8  # how many members ahead memory is asked for what is kept of them, which lies in the order in which they joined


class Clusters(NamedTuple):
    """What one run has of ties and contacts, and what of the world they need; as in ``State`` and ``World``.

    Handed on instead of those, as each array that is handed on takes time to compile.
    """

    ties: Ints
    member: Ints
    shared: Floats
    counts: Counts
    teachers: Ints
    peer_start: Counts
    peer: Ints
    side: int
    run: int


@step
def clusters_of(world: World, state: State, run: int) -> Clusters:
    """Return the clusters of a run."""
    mine = state.ties[run], state.member[run], state.shared[run], state.runs[:, run]
    return Clusters(*mine, world.teachers, world.peer_start, world.peer, state.ties.shape[0], run)


@step
def ask_ahead(state: State, run: int, schools: Ints, position: int, count: int) -> None:
    """Ask memory for what is kept of a member that stands a little later in a list of schools."""
    member, shared = state.member[run], state.shared[run]
    row = np.int64(state.ties[run, Tie.ROW, schools[min(position + _AHEAD, count - 1)]])
    for line in range(2):
        fetch(member, row * member.shape[1] + 16 * line)
        fetch(shared, row * shared.shape[1] + 8 * line)


# --- a school's lasting contacts -------------------------------------------------------------------------------------


@step
def are_peers(met: Clusters, school: Index, other: Index) -> bool:
    """Tell whether two schools are peers."""
    found = False
    for a in range(met.peer_start[school], met.peer_start[school + 1]):
        found |= met.peer[np.uint64(a)] == other  # without a branch, eight at once
    return found


@step
def _slot_of(member: Ints, row: int, other: Index) -> int:
    """Return where a member keeps its lasting contact to another school, or -1."""
    for slot in range(member[row, Member.CONTACTS]):
        if member[row, Member.PARTNER + slot] == other:
            return slot
    return -1


@part
def _drop(met: Clusters, row: int, slot: int) -> None:
    """Take a lasting contact off a member's list; later ones move up, so that the list stays in the order of age."""
    mine, last = met.member[row], met.member[row, Member.CONTACTS] - 1
    for at in range(slot, last):
        mine[Member.PARTNER + at] = mine[Member.PARTNER + at + 1]
        mine[Member.END + at] = mine[Member.END + at + 1]
        met.shared[row, Shared.WEIGHT + at] = met.shared[row, Shared.WEIGHT + at + 1]
    mine[Member.CONTACTS] = last
    met.counts[RunCounts.CONTACTS] -= 1


@part
def _make_room(met: Clusters, school: Index) -> None:
    """Where a school has all the lasting contacts it can, end the one that weighs least to it, of equal ones the oldest, on both sides."""
    row = met.ties[Tie.ROW, school]
    if met.member[row, Member.CONTACTS] < LASTING:
        return
    least = 0
    for slot in range(1, LASTING):
        if met.shared[row, Shared.WEIGHT + slot] < met.shared[row, Shared.WEIGHT + least]:
            least = slot
    other = met.ties[Tie.ROW, met.member[row, Member.PARTNER + least]]
    _drop(met, other, _slot_of(met.member, other, school))
    _drop(met, row, least)


@step
def _weight(met: Clusters, par: Record, school: Index, hours: float) -> float:
    return rules.contact_weight(par, hours, met.member[met.ties[Tie.ROW, school], Member.TEAM], met.teachers[school])


@part
def _keep(met: Clusters, par: Record, school: Index, other: Index, hours: float, end: int) -> None:
    """Write a lasting contact to one side's list; where it is there already the larger weight holds."""
    row, weight = met.ties[Tie.ROW, school], _weight(met, par, school, hours)
    slot = _slot_of(met.member, row, other)
    if slot < 0:
        slot = met.member[row, Member.CONTACTS]
        met.member[row, Member.CONTACTS] = slot + 1
        met.counts[RunCounts.CONTACTS] += 1
        met.member[row, Member.PARTNER + slot] = other
        met.shared[row, Shared.WEIGHT + slot] = weight
    met.shared[row, Shared.WEIGHT + slot] = max(weight, met.shared[row, Shared.WEIGHT + slot])
    met.member[row, Member.END + slot] = end


@part
def may_last(met: Clusters, par: Record, now: Moment, school: Index, other: Index, hours: float) -> None:
    """Let the contact of two schools outlast the tie that made it, or not: one draw, named by both, decides."""
    if hours <= 0.0 or are_peers(met, school, other):
        return
    first, second = min(school, other), max(school, other)
    u, v = draws.uniform_pair(now.seed, now.replicate, draws.CONTACT, first, 0, now.month, second)
    if u >= par.contact_lasts:
        return
    if _slot_of(met.member, met.ties[Tie.ROW, school], other) < 0:
        _make_room(met, school)
        _make_room(met, other)
    end = now.month + 1 + rules.contact_months(par, v)
    _keep(met, par, school, other, hours, end)
    _keep(met, par, other, school, hours, end)


@step
def _are_tied(ties: Ints, school: Index, other: Index) -> bool:
    """Tell whether two schools are in one cluster now."""
    mentor = ties[Tie.MENTOR]
    return mentor[school] == other or mentor[other] == school or (mentor[school] >= 0 and mentor[school] == mentor[other])


@step
def _in_cluster(ties: Ints, school: Index) -> bool:
    return ties[Tie.MENTOR, school] >= 0 or ties[Tie.MENTEES, school] > 0


@part
def age_contacts(met: Clusters, month: int) -> None:
    """End the lasting contacts whose time is over; of schools that are tied again they rest, and stay as much longer."""
    for row in range(met.counts[RunCounts.MEMBERS] if met.counts[RunCounts.CONTACTS] > 0 else 0):
        if met.member[row, Member.CONTACTS] == 0:
            continue
        school = np.int64(met.member[row, Member.SCHOOL])
        in_cluster = _in_cluster(met.ties, school)
        for slot in range(met.member[row, Member.CONTACTS] - 1, -1, -1):
            if in_cluster and _are_tied(met.ties, school, met.member[row, Member.PARTNER + slot]):
                met.member[row, Member.END + slot] += 1
            elif met.member[row, Member.END + slot] <= month:
                _drop(met, row, slot)


# --- what a school sees ----------------------------------------------------------------------------------------------


@step
def _running(met: Clusters, par: Record, school: Index, other: Index, hours: float) -> float:
    """Return what the contact with another school of the cluster weighs: by the hours of this tie, or of one before if those were more."""
    row = met.ties[Tie.ROW, school]
    weight = _weight(met, par, school, hours)
    slot = _slot_of(met.member, row, other)
    return max(weight, met.shared[row, Shared.WEIGHT + slot]) if slot >= 0 else weight


@step
def _meet(met: Clusters, par: Record, share: Floats, community: tuple[float, float], school: Index) -> tuple[float, float]:
    """Return sum of c s and sum of c over a school's contacts: lasting ones, those of its cluster, and the community.

    ``share`` of users by place; ``community``: its intensity, and the sum of its members' shares.
    """
    row = met.ties[Tie.ROW, school]
    total, weights = 0.0, 0.0
    in_cluster = _in_cluster(met.ties, school)
    for slot in range(met.member[row, Member.CONTACTS]):
        partner = np.int64(met.member[row, Member.PARTNER + slot])
        if in_cluster and _are_tied(met.ties, school, partner):
            continue
        weight = met.shared[row, Shared.WEIGHT + slot]
        total += weight * share[partner * met.side + met.run]
        weights += weight
    mentored, at, hours = met.ties[Tie.ROLE, school] == MENTEE, met.member[row, Member.FIRST], met.shared[row, Shared.MET]
    near = met.member[row, Member.NEAR] == 1
    if mentored:
        mentor, with_mentor = np.int64(met.ties[Tie.MENTOR, school]), met.shared[row, Shared.HOURS]
        if with_mentor >= 0.0:
            weight = _running(met, par, school, mentor, with_mentor)
            total += weight * share[mentor * met.side + met.run]
            weights += weight
        # Schools that neither meet nor have met need not be looked at.
        at = met.member[met.ties[Tie.ROW, mentor], Member.FIRST] if hours > 0.0 or met.member[row, Member.CONTACTS] > 0 else np.int32(-1)
    while at >= 0:
        other, shared = np.int64(met.member[at, Member.SCHOOL]), met.shared[at, Shared.HOURS]
        if mentored:
            shared = min(hours, met.shared[at, Shared.MET])
        if at != row and shared >= 0.0 and not (mentored and near and are_peers(met, school, other)):
            weight = _running(met, par, school, other, shared)
            total += weight * share[other * met.side + met.run]
            weights += weight
        at = met.member[at, Member.NEXT]
    count = met.counts[RunCounts.MEMBERS]
    if community[0] > 0.0 and count > 1:
        weight = rules.community_contact(par, community[0], met.member[row, Member.TEAM], met.teachers[school])
        total += weight * ((community[1] - share[school * met.side + met.run]) / (count - 1))
        weights += weight
    return total, weights


@step
def exposure(world: World, par: Record, state: State, run: int, p: int, school: Index, peers: float) -> float:
    """Return E of a member, of which ``peers`` is what it sees in its peer schools."""
    community = state.community[run, 0], state.community[run, 1 + p]
    if (
        community[0] == 0.0
        and state.member[run, state.ties[run, Tie.ROW, school], Member.CONTACTS] == 0
        and not _in_cluster(state.ties[run], school)
    ):
        return min(1.0, peers)
    total, weights = _meet(clusters_of(world, state, run), par, state.spread[Spread.SHARE, p], community, school)
    ties = world.peer_start[school + 1] - world.peer_start[school]
    # In weighted lists of a user's own a row sums to 1, and a contact weighs c times the mean of the row.
    peer_weight = world.row_weight[school] if world.weight.size == 0 else 1.0 / max(ties, 1)
    return rules.exposure(world.contacts, peers, peer_weight, total, weights)


@step
def first_from(schools: Ints, count: int, school: Index) -> int:
    """Return the position in an ascending list of the first school that is not before one."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if schools[middle] < school:
            low = middle + 1
        else:
            high = middle
    return low


@part
def set_community(members: Ints, share: Floats, community: Floats, intensity: float) -> None:
    """Set the community of a run this month: its ``intensity``, and where it has one the sum of its ``members``' shares, (P, n)."""
    community[0] = intensity
    for p in range(share.shape[0] if intensity > 0.0 else 0):
        total = 0.0
        for position in range(members.size):
            total += share[p, members[position]]
        community[1 + p] = total
