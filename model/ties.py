"""Mentoring ties: how one begins, with a team of the mentee's teachers, and how it ends.

``agents.py`` tells the same story school by school.
"""

import numpy as np

from school_mentoring.model.world.arrays import NO_CONTACTS, Floats, Index, Ints, Record, World

from . import draws, rules
from .compiled import part, step
from .contacts import Clusters, are_peers, clusters_of, may_last
from .draws import Moment
from .state import MENTEE, NO_ROLE, Member, RunCounts, Shared, State, Tie

MONTHLY, FORMED = 0, 1
"""What the slot ``other`` of a draw of the event ``team`` holds: a month of its teachers, or its forming."""


@step
def pair(world: World, mentee: Index, mentor: Index, abroad_km: float) -> tuple[float, float, int]:
    """Return (distance in km, unlikeness, 1 if abroad else 0) of two schools."""
    if world.country[mentee] != world.country[mentor]:
        return abroad_km, rules.unlikeness(world.likeness[mentee], world.likeness[mentor], 1), 1
    dx = world.x[mentee] - world.x[mentor]
    dy = world.y[mentee] - world.y[mentor]
    return np.sqrt(dx * dx + dy * dy), rules.unlikeness(world.likeness[mentee], world.likeness[mentor], 0), 0


@step
def join_members(world: World, par: Record, des: Record, state: State, run: int, school: Index) -> None:
    """Form the team of a school that becomes a mentor or a mentee, which has a row in the arrays of members from the first time on."""
    ties, row = state.ties[run], state.runs[RunCounts.MEMBERS, run]
    if ties[Tie.ROW, school] < 0:
        state.runs[RunCounts.MEMBERS, run] = row + 1
        ties[Tie.ROW, school] = row
        state.member[run, row] = 0
        state.shared[run, row] = 0.0
        state.member[run, row, Member.SCHOOL] = school
        state.member[run, row, Member.FIRST], state.member[run, row, Member.NEXT] = -1, -1
    row = ties[Tie.ROW, school]
    team = rules.team_size(des.team, world.teachers[school], world.whole_staff)
    state.member[run, row, Member.TEAM], state.shared[run, row, Shared.DILUTION] = team, rules.dilution(par, team)
    state.shared[run, row, Shared.PER_HOUR] = rules.contact_per_hour(par, team, world.teachers[school])


@part
def lay_out_members(ties: Ints, member: Ints, shared: Floats, place: Ints) -> None:
    """Lay the rows of members out in the order of the table, mentees after their mentor: what is read together then lies together.

    ``place``: scratch space, a number for each school.
    """
    count = np.int64(0)
    for i in range(ties.shape[1]):
        at, link = np.int64(ties[Tie.ROW, i]), Member.FIRST
        while at >= 0 and ties[Tie.MENTOR, i] < 0:
            place[at] = count
            count += 1
            at, link = np.int64(member[at, link]), Member.NEXT
    for row in range(count):
        for of in (Member.FIRST, Member.NEXT):
            if member[row, of] >= 0:
                member[row, of] = place[member[row, of]]
    for row in range(count):
        while place[row] != row:
            to = np.int64(place[row])
            for column in range(member.shape[1]):
                member[row, column], member[to, column] = member[to, column], member[row, column]
            for column in range(shared.shape[1]):
                shared[row, column], shared[to, column] = shared[to, column], shared[row, column]
            place[row], place[to] = place[to], to
        ties[Tie.ROW, member[row, Member.SCHOOL]] = row


@step
def begin_tie(world: World, par: Record, des: Record, state: State, now: Moment, mentee: Index, mentor: Index) -> None:
    """Tie a mentee to a mentor; a random part of its staff becomes its team."""
    run, side = now.run, state.ties.shape[0]
    ties, member = state.ties[run], state.member[run]
    join_members(world, par, des, state, run, mentee)
    ties[Tie.ROLE, mentee] = MENTEE
    if ties[Tie.EXPERIENCE, mentee] == NO_ROLE:
        ties[Tie.EXPERIENCE, mentee] = MENTEE
    ties[Tie.MENTOR, mentee] = mentor
    ties[Tie.MENTEES, mentor] += 1
    ties[Tie.PAST_MENTEES, mentor] += 1
    ties[Tie.TIE_START, mentee] = now.month
    row, met = ties[Tie.ROW, mentee], clusters_of(world, state, run)
    _meet_cluster(met, member[ties[Tie.ROW, mentor], Member.FIRST], mentee, row)
    _append(member, ties[Tie.ROW, mentor], row)
    peers = are_peers(met, mentee, mentor)
    state.shared[run, row, Shared.HOURS], state.shared[run, row, Shared.MET] = -np.inf if peers else 0.0, 0.0
    distance, unlike, abroad = pair(world, mentee, mentor, par.abroad_km)
    state.shared[run, row, Shared.DISTANCE], state.shared[run, row, Shared.UNLIKE], member[row, Member.ABROAD] = distance, unlike, abroad
    for p in range(state.adopters.shape[0]):
        u = draws.at(now, draws.TEAM, mentee, p, FORMED)
        adopters = state.adopters[p, mentee * side + run]
        member[row, Member.USERS + p] = rules.team_adopters(adopters, world.teachers[mentee], member[row, Member.TEAM], u)


@step
def _meet_cluster(met: Clusters, first: int, mentee: Index, row: int) -> None:
    """Note of a mentee and of those already in its cluster, whose rows begin with ``first``, which are peers."""
    met.member[row, Member.NEAR], at = 0, first
    while at >= 0:
        if are_peers(met, mentee, met.member[at, Member.SCHOOL]):
            met.member[row, Member.NEAR], met.member[at, Member.NEAR] = 1, 1
        at = met.member[at, Member.NEXT]


@step
def _append(member: Ints, mentors_row: int, row: int) -> None:
    """Put a mentee at the end of its mentor's list."""
    member[row, Member.NEXT] = -1
    last = member[mentors_row, Member.FIRST]
    if last < 0:
        member[mentors_row, Member.FIRST] = row
        return
    while member[last, Member.NEXT] >= 0:
        last = member[last, Member.NEXT]
    member[last, Member.NEXT] = row


@step
def _remove(member: Ints, mentors_row: int, row: int) -> None:
    """Take a mentee off its mentor's list."""
    before = member[mentors_row, Member.FIRST]
    if before == row:
        member[mentors_row, Member.FIRST] = member[row, Member.NEXT]
        return
    while member[before, Member.NEXT] != row:
        before = member[before, Member.NEXT]
    member[before, Member.NEXT] = member[row, Member.NEXT]


@step
def end_tie(met: Clusters, par: Record, now: Moment, contacts: int, mentee: Index) -> None:
    """End the tie of a mentee, which then has no role; its team's adopters are adopters of the school like any other.

    The contacts that it made, with the mentor and with the mentees it still has, may last; ``contacts`` as in ``World``.
    """
    ties, member, shared = met.ties, met.member, met.shared
    row, mentor = ties[Tie.ROW, mentee], np.int64(ties[Tie.MENTOR, mentee])
    mentors_row = ties[Tie.ROW, mentor]
    if contacts != NO_CONTACTS:
        may_last(met, par, now, mentee, mentor, shared[row, Shared.HOURS])
        at = member[mentors_row, Member.FIRST]
        while at >= 0:
            if at != row:
                hours = min(shared[row, Shared.MET], shared[at, Shared.MET])
                may_last(met, par, now, mentee, np.int64(member[at, Member.SCHOOL]), hours)
            at = member[at, Member.NEXT]
    _remove(member, mentors_row, row)
    ties[Tie.MENTEES, mentor] -= 1
    ties[Tie.MENTOR, mentee] = -1
    ties[Tie.ROLE, mentee] = NO_ROLE
    member[row, Member.USERS :] = 0
    met.shared[row, Shared.EFFECT :] = 0.0
