"""Recruitment: who becomes a mentor, and whose tie ends as planned. Rounds are in the first month of a programme and then each school year.

These are the compiled engine's loops over arrays; the rules they apply are in ``rules.py``, and ``agents.py`` tells the same story school
by school.
"""

import numpy as np

from school_mentoring.model.world.arrays import Index, Ints, Practices, Record, World

from . import draws, rules
from .compiled import part, step
from .contacts import clusters_of
from .costs import post_new_mentor
from .draws import Moment
from .matching import ASSIGNED, KEY, QUEUE, match, sort_queue
from .rules import NO_TIER
from .state import ALUMNUS, MENTEE, MENTOR, NO_ROLE, CountryCounts, Member, RunCounts, Spread, State, Tie
from .ties import end_tie, join_members, lay_out_members

SHORTEST = 6
"""Funded months that are left at least where a coordinated programme recruits."""

LAID_OUT = 2_000
"""From so many schools on members are laid out anew after each round: what is kept of fewer stays in the cache anyhow."""


@step
def is_funded(des: Record, month: int) -> int:
    """Return 1 in the months of a design's programme, else 0."""
    return 1 if des.first_month <= month < des.last_month else 0


@step
def round_month(des: Record, month: int) -> bool:
    """Tell whether a month is that of a yearly round, in which ties end as planned."""
    return des.recruitment > 0 and month >= des.first_month and (month - des.first_month) % 12 == 0


@step
def recruiting_month(des: Record, month: int) -> bool:
    """Tell whether schools are recruited: yearly while funding lasts for half a year more, and for ever where nobody coordinates."""
    return round_month(des, month) and (month + SHORTEST <= des.last_month or des.tier == NO_TIER)


@part
def recruitment_round(world: World, practices: Practices, par: Record, des: Record, state: State, now: Moment) -> None:
    """Run one round: cascade, ties that end as planned, recruitment of mentors, matching of mentees.

    Where the world names mentors, as a pilot's data do, a programme that assigns takes exactly those in its first round, and no more.
    """
    recruiting = recruiting_month(des, now.month)
    if recruiting:
        _cascade(world, practices, par, des, state, now)
    _graduate(world, par, des, state, now)
    if recruiting:
        named = state.named and des.recruitment == ASSIGNED
        if not named or now.month == des.first_month:
            _recruit(world, practices, par, des, state, now, named)
        match(world, par, des, state, now, named and now.month == des.first_month)
    _list_roles(world, state, now.run)
    if world.teachers.size >= LAID_OUT:
        lay_out_members(state.ties[now.run], state.member[now.run], state.shared[now.run], state.ints[0])


@step
def quota(mentor_share: float, schools_before: int, schools_here: int) -> int:
    """Return the funded mentors of a region, given the schools of all regions listed before it.

    Rounding runs on from region to region, so that all regions together get the rounded quota of all their schools.
    """
    upto = int(mentor_share * (schools_before + schools_here) + 0.5)
    return upto - int(mentor_share * schools_before + 0.5)


@step
def _own_share(practices: Practices, state: State, now: Moment, school: Index) -> float:
    """Return a school's adopting share over its practices, weighted as mentoring time is."""
    place = school * state.ties.shape[0] + now.run
    total = 0.0
    for p in range(practices.weight.size):
        total += practices.weight[p] * state.spread[Spread.SHARE, p, place]
    return total


@step
def _become_mentor(world: World, par: Record, des: Record, state: State, now: Moment, school: Index) -> None:
    ties = state.ties[now.run]
    join_members(world, par, des, state, now.run, school)
    ties[Tie.ROLE, school] = MENTOR
    ties[Tie.EXPERIENCE, school] = MENTOR
    post_new_mentor(state.ledger[now.run, world.country[school]], par, now.funded)


@step
def _cascade(world: World, practices: Practices, par: Record, des: Record, state: State, now: Moment) -> None:
    """Let mentees in whose team the practice is mainstreamed become mentors."""
    if des.cascade <= 0.0:
        return
    ties = state.ties[now.run]
    for i in range(world.teachers.size):
        if ties[Tie.ROLE, i] != MENTEE or _team_share(practices, state.member[now.run, ties[Tie.ROW, i]]) < par.mainstream_threshold:
            continue
        if draws.at(now, draws.CASCADE, i, 0, 0) < des.cascade:
            end_tie(clusters_of(world, state, now.run), par, now, world.contacts, i)
            _become_mentor(world, par, des, state, now, i)


@step
def _team_share(practices: Practices, member: Ints) -> float:
    """Return the adopting share of a team over its practices, weighted as mentoring time is."""
    total = 0.0
    for p in range(practices.weight.size):
        total += practices.weight[p] * (member[Member.USERS + p] / member[Member.TEAM])
    return total


@step
def _graduate(world: World, par: Record, des: Record, state: State, now: Moment) -> None:
    """End the ties that have lasted as long as was planned; their schools are alumni."""
    if des.tie_months <= 0:
        return
    ties = state.ties[now.run]
    for position in range(state.runs[RunCounts.TIED, now.run]):
        i = np.int64(ties[Tie.TIED, position])
        if ties[Tie.MENTOR, i] >= 0 and now.month - ties[Tie.TIE_START, i] >= des.tie_months:
            end_tie(clusters_of(world, state, now.run), par, now, world.contacts, i)
            ties[Tie.ROLE, i] = ALUMNUS


@step
def _candidates(world: World, practices: Practices, par: Record, des: Record, state: State, now: Moment, region: int, named: bool) -> int:
    """Queue the schools of a region that may become mentors this round, with capacity + share as key; return how many."""
    ties, key, queue = state.ties[now.run], state.floats[KEY], state.ints[QUEUE]
    count = 0
    for position in range(world.region_start[region], world.region_start[region + 1]):
        i = world.by_region[position]
        if ties[Tie.ROLE, i] != NO_ROLE and (ties[Tie.ROLE, i] != ALUMNUS or des.recruitment == ASSIGNED):
            continue
        share = _own_share(practices, state, now, i)
        key[i] = world.capacity[i] + share
        if des.recruitment == ASSIGNED:
            if named and world.named_role[i] != MENTOR:
                continue
        else:
            if key[i] < par.advanced_threshold:
                continue
            incentives = des.stipend * now.funded, des.release_hours * now.funded, des.recognition * now.funded
            if draws.at(now, draws.VOLUNTEER, i, 0, 0) >= rules.volunteer_chance(par, share, *incentives):
                continue
        queue[count] = i
        count += 1
    return count


@step
def _recruit(world: World, practices: Practices, par: Record, des: Record, state: State, now: Moment, named: bool) -> None:
    """Make mentors in every region: as many as are wanted, or who volunteer, beside those it has."""
    for region in range(world.region_country.size):
        start, end = world.region_start[region], world.region_start[region + 1]
        count = _candidates(world, practices, par, des, state, now, region, named)
        wanted = count
        if des.mentor_share >= 0.0 and not named:
            present = 0
            for position in range(start, end):
                if state.ties[now.run, Tie.ROLE, world.by_region[position]] == MENTOR:
                    present += 1
            wanted = min(count, max(0, quota(des.mentor_share, start, end - start) - present))
        if wanted < count:
            sort_queue(state, count)
        for position in range(wanted):
            _become_mentor(world, par, des, state, now, np.int64(state.ints[QUEUE, position]))


@step
def _list_roles(world: World, state: State, run: int) -> None:
    """List the mentors, the schools that have one, and all that are or were either, in the order of the table."""
    ties, count = state.ties[run], state.countries[run, CountryCounts.MEMBERS]
    count[:] = 0
    mentors, tied, members = 0, 0, 0
    for i in range(ties.shape[1]):
        if ties[Tie.ROW, i] >= 0:
            ties[Tie.MEMBERS, members] = i
            members += 1
            count[world.country[i]] += 1
        if ties[Tie.ROLE, i] == MENTOR:
            ties[Tie.MENTORS, mentors] = i
            mentors += 1
        elif ties[Tie.ROLE, i] == MENTEE:
            ties[Tie.TIED, tied] = i
            tied += 1
    state.runs[RunCounts.MENTORS, run], state.runs[RunCounts.TIED, run] = mentors, tied
