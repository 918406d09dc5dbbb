"""Contacts: the network that mentoring makes. Schools of a cluster are in contact by the hours they share, and some stay so afterwards.

``agents.py`` tells the same story school by school.
"""

from typing import NamedTuple

import numpy as np

from school_mentoring.model.world.arrays import Counts, Floats, Index, Ints, Record, World

from . import draws, rules
from .compiled import step
from .draws import Moment
from .state import LASTING, Member, RunCounts, Shared, Spread, State, Tie, TrackNumbers
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
    peer_start: Counts
    peer: Ints


@step
def clusters_of(world: World, state: State, run: int) -> Clusters:
    """Return the clusters of a run."""
    mine = state.ties[run], state.member[run], state.shared[run], state.runs[:, run]
    return Clusters(*mine, world.peer_start, world.peer)


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
def _slot_of(member: Ints, row: Index, other: Index) -> int:
    """Return where a member keeps its lasting contact to another school, or -1."""
    for slot in range(member[row, Member.CONTACTS]):
        if member[row, Member.PARTNER + slot] == other:
            return slot
    return -1


@step
def _drop(met: Clusters, row: int, slot: int) -> None:
    """Take a lasting contact off a member's list; later ones move up, so that the list stays in the order of age."""
    mine, last = met.member[row], met.member[row, Member.CONTACTS] - 1
    for at in range(slot, last):
        mine[Member.PARTNER + at] = mine[Member.PARTNER + at + 1]
        mine[Member.END + at] = mine[Member.END + at + 1]
        met.shared[row, Shared.WEIGHT + at] = met.shared[row, Shared.WEIGHT + at + 1]
    mine[Member.CONTACTS] = last
    met.counts[RunCounts.CONTACTS] -= 1


@step
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
def _keep(met: Clusters, school: Index, other: Index, hours: float, end: int) -> None:
    """Write a lasting contact to one side's list; where it is there already the larger weight holds."""
    row = met.ties[Tie.ROW, school]
    weight = rules.contact_weight(hours, met.shared[row, Shared.PER_HOUR])
    slot = _slot_of(met.member, row, other)
    if slot < 0:
        slot = met.member[row, Member.CONTACTS]
        met.member[row, Member.CONTACTS] = slot + 1
        met.counts[RunCounts.CONTACTS] += 1
        met.member[row, Member.PARTNER + slot] = other
        met.shared[row, Shared.WEIGHT + slot] = weight
    met.shared[row, Shared.WEIGHT + slot] = max(weight, met.shared[row, Shared.WEIGHT + slot])
    met.member[row, Member.END + slot] = end


@step
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
    _keep(met, school, other, hours, end)
    _keep(met, other, school, hours, end)


@step
def _are_tied(ties: Ints, school: Index, other: Index) -> bool:
    """Tell whether two schools are in one cluster now."""
    mentor = ties[Tie.MENTOR]
    return mentor[school] == other or mentor[other] == school or (mentor[school] >= 0 and mentor[school] == mentor[other])


@step
def _in_cluster(ties: Ints, school: Index) -> bool:
    return ties[Tie.MENTOR, school] >= 0 or ties[Tie.MENTEES, school] > 0


@step
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
def _running(met: Clusters, row: Index, other: Index, hours: float) -> float:
    """Return what the contact with another school of the cluster weighs: by the hours of this tie, or of one before if those were more."""
    weight = rules.contact_weight(hours, met.shared[row, Shared.PER_HOUR])
    slot = _slot_of(met.member, row, other)
    return max(weight, met.shared[row, Shared.WEIGHT + slot]) if slot >= 0 else weight


@step
def see_cluster(met: Clusters, share: Floats, p: int, mentor: Index) -> None:
    """Set what each school of a cluster sees of a practice in the others, sum of c s and sum of c; ``share`` of users by school."""
    ties, member, shared, seen = met.ties, met.member, met.shared, Shared.EFFECT + 4 * p + 2
    mentors_row = ties[Tie.ROW, mentor]
    of_mentor = share[mentor]
    first = np.int64(member[mentors_row, Member.FIRST])
    row, mentors_total, mentors_weights = first, 0.0, 0.0
    while row >= 0:
        school, hours, total, weights = np.int64(member[row, Member.SCHOOL]), shared[row, Shared.HOURS], 0.0, 0.0
        if hours >= 0.0:
            weight = _running(met, mentors_row, school, hours)
            mentors_total += weight * share[school]
            mentors_weights += weight
            weights = _running(met, row, mentor, hours)
            total = weights * of_mentor
        # Schools that neither meet nor have met need not be looked at.
        at = first if shared[row, Shared.MET] > 0.0 or member[row, Member.CONTACTS] > 0 else np.int64(-1)
        while at >= 0:
            other = np.int64(member[at, Member.SCHOOL])
            if at != row and not (member[row, Member.NEAR] == 1 and are_peers(met, school, other)):
                weight = _running(met, row, other, min(shared[row, Shared.MET], shared[at, Shared.MET]))
                total += weight * share[other]
                weights += weight
            at = np.int64(member[at, Member.NEXT])
        shared[row, seen], shared[row, seen + 1] = total, weights
        row = np.int64(member[row, Member.NEXT])
    shared[mentors_row, seen], shared[mentors_row, seen + 1] = mentors_total, mentors_weights


@step
def exposure(world: World, par: Record, state: State, run: int, p: int, school: Index, peers: float) -> float:
    """Return E of a member, of which ``peers`` is what it sees in its peer schools.

    Its contacts are lasting ones, those of its cluster, which ``see_cluster`` has set, and the community.
    """
    ties, side, row = state.ties[run], state.ties.shape[0], state.ties[run, Tie.ROW, school]
    member, shared, share = state.member[run, row], state.shared[run, row], state.spread[Spread.SHARE, p]
    in_cluster, in_community = _in_cluster(ties, school), state.community[run, 0]
    total, weights = 0.0, 0.0
    for slot in range(member[Member.CONTACTS]):
        partner = np.int64(member[Member.PARTNER + slot])
        if in_cluster and _are_tied(ties, school, partner):
            continue
        weight = shared[Shared.WEIGHT + slot]
        total += weight * share[partner * side + run]
        weights += weight
    if in_cluster:
        seen = Shared.EFFECT + 4 * p + 2
        total += shared[seen]
        weights += shared[seen + 1]
    intensity = state.numbers[run, TrackNumbers.COMMUNITY, track_of(world, state, run, school)] if in_community > 1.0 else 0.0
    if intensity > 0.0:
        weight = rules.community_contact(par, intensity, member[Member.TEAM], world.teachers[school])
        total += weight * ((state.community[run, 1 + p] - share[school * side + run]) / (in_community - 1.0))
        weights += weight
    if weights == 0.0:
        return min(1.0, peers)
    number = world.peer_start[school + 1] - world.peer_start[school]
    # In weighted lists of a user's own a row sums to 1, and a contact weighs c times the mean of the row.
    peer_weight = world.row_weight[school] if world.weight.size == 0 else 1.0 / max(number, 1)
    return rules.exposure(world.contacts, peers, peer_weight, total, weights)


@step
def track_of(world: World, state: State, run: int, school: Index) -> int:
    """Return the number of a school's track."""
    return state.track[run, world.region[school]] if state.tracks.shape[2] > 1 else 0


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


@step
def set_community(members: Ints, of_track: tuple[Ints, Ints, Floats], share: Floats, community: Floats) -> None:
    """Set the community of a run this month: how many are in it, and the sums of their shares.

    ``of_track``: regions of schools, tracks of regions, intensity in each track, 0 where it has no part in it; ``share``: (P, n).
    """
    region, track, intensity = of_track
    for p in range(share.shape[0]):
        total, count = 0.0, 0.0
        for position in range(members.size):
            school = members[position]
            if intensity[track[region[school]] if intensity.size > 1 else 0] > 0.0:
                total += share[p, school]
                count += 1.0
        community[0], community[1 + p] = count, total
