"""Recruitment: who becomes a mentor, and whose tie ends as planned. Rounds are in the first month of a programme and then each school year.

These are the compiled engine's loops over arrays; the rules they apply are in ``rules.py``, and ``track.py`` and ``agents.py`` tell the
same story school by school.
"""

import numpy as np

from school_mentoring.model.world.arrays import Index, Ints, Practices, Record, Records, World

from . import draws, rules
from .compiled import part, step
from .contacts import clusters_of, track_of
from .costs import post_new_mentor, post_survey
from .draws import Moment
from .matching import ASSIGNED, KEY, QUEUE, SCHOOLS, match, sort_queue
from .rules import NO_TIER
from .state import ALUMNUS, MENTEE, MENTOR, NO_ROLE, CountryCounts, Member, RunCounts, Spread, State, Tie, TrackCounts, TrackNumbers
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


@step
def phase_ends(des: Record, month: int) -> bool:
    """Tell whether another phase of a programme begins in a month."""
    return des.next >= 0 and month == des.end


@step
def changes_ties(des: Record, month: int) -> bool:
    """Tell whether a month is one in which schools are recruited, ties end as planned, or another phase begins."""
    return recruiting_month(des, month) or (des.tie_months > 0 and round_month(des, month)) or phase_ends(des, month)


@step
def of_track(now: Moment, des: Record, track: int) -> Moment:
    """Return a month of a run as a month of one of its tracks, in which a design is in force."""
    return Moment(now.seed, now.replicate, now.run, now.month, now.months, now.end_of_funding, track, is_funded(des, now.month))


@part
def recruitment_rounds(world: World, practices: Practices, par: Record, designs: Records, state: State, now: Moment) -> None:
    """Let phases begin that are due, and run the round of each track that has one."""
    nodes = state.tracks[now.run, TrackCounts.NODE]
    for track in range(state.runs[RunCounts.TRACKS, now.run]):
        if not changes_ties(designs[nodes[track]], now.month):
            continue
        schools = state.ints[SCHOOLS, : _list_schools(world, state, now.run, track)]
        if phase_ends(designs[nodes[track]], now.month):
            nodes[track] = _next_phase(world, practices, designs, state, of_track(now, designs[nodes[track]], track), schools, nodes[track])
        des = designs[nodes[track]]
        _recruitment_round(world, practices, par, des, state, of_track(now, des, track), schools)
    _list_roles(world, state, now.run)
    if world.teachers.size >= LAID_OUT:
        lay_out_members(state.ties[now.run], state.member[now.run], state.shared[now.run], state.ints[0])


@step
def _list_schools(world: World, state: State, run: int, track: int) -> int:
    """List the schools of a track in the order of the table; return how many."""
    schools, count = state.ints[SCHOOLS], 0
    for i in range(world.teachers.size):
        if track_of(world, state, run, i) == track:
            schools[count] = i
            count += 1
    return count


@step
def _next_phase(world: World, practices: Practices, designs: Records, state: State, now: Moment, schools: Ints, node: np.int64) -> np.int64:
    """Return the row of the designs that comes after one, going by what a survey of each gate on the way finds."""
    node = designs[node].next
    while designs[node].survey > 0:
        found = _found(world, practices, designs[node], state, now, schools)
        state.numbers[now.run, TrackNumbers.FOUND, now.track] = found
        if found >= designs[node].at_least:
            break
        node = designs[node].other
    return node


@step
def _found(world: World, practices: Practices, des: Record, state: State, now: Moment, schools: Ints) -> float:
    """Return which share of mentored teachers use the practices, as a survey of the schools that have or had a mentor finds; 0 of none.

    Of a school without a mentor the team is not known any more: as many of it are counted as users as are in the whole school.
    """
    ties, member, side = state.ties[now.run], state.member[now.run], state.ties.shape[0]
    key, queue, count = state.floats[KEY], state.ints[QUEUE], 0
    for position in range(schools.size):
        i = np.int64(schools[position])
        if ties[Tie.EXPERIENCE, i] == MENTEE:
            queue[count] = i
            key[i] = -draws.at(now, draws.GATE, i, 0, 0)
            count += 1
    sort_queue(state, count)
    users, teachers = 0.0, 0
    for position in range(min(count, des.survey)):
        i = np.int64(queue[position])
        row = ties[Tie.ROW, i]
        team, tied = member[row, Member.TEAM], ties[Tie.MENTOR, i] >= 0
        for p in range(practices.weight.size):
            found = float(member[row, Member.USERS + p]) if tied else team * state.spread[Spread.SHARE, p, i * side + now.run]
            users += practices.weight[p] * found
        teachers += team
        post_survey(state.ledger[now.run, world.country[i]], des.survey_cost)
    return users / teachers if teachers > 0 else 0.0


@step
def _recruitment_round(world: World, practices: Practices, par: Record, des: Record, state: State, now: Moment, schools: Ints) -> None:
    """Run the round of a track, if it is due: cascade, ties that end as planned, recruitment of mentors, matching of mentees.

    Where the world names mentors, as a pilot's data do, a programme that assigns takes exactly those in its first round, and no more.
    """
    recruiting = recruiting_month(des, now.month)
    if recruiting:
        _cascade(world, practices, par, des, state, now, schools)
    if round_month(des, now.month):
        _graduate(world, par, des, state, now)
    if recruiting:
        named = state.named and des.recruitment == ASSIGNED
        if not named or now.month == des.first_month:
            _recruit(world, practices, par, des, state, now, named)
        match(world, par, des, state, now, schools, named and now.month == des.first_month)


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
def _cascade(world: World, practices: Practices, par: Record, des: Record, state: State, now: Moment, schools: Ints) -> None:
    """Let mentees in whose team the practice is mainstreamed become mentors."""
    if des.cascade <= 0.0:
        return
    ties = state.ties[now.run]
    for position in range(schools.size):
        i = np.int64(schools[position])
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
        if track_of(world, state, now.run, i) != now.track:
            continue
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
        if state.track[now.run, region] != now.track:
            continue
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
    """List the schools that have a mentor and all that are or were one or had one, in the order of the table; mentors track by track."""
    ties, tracks, count = state.ties[run], state.tracks[run], state.countries[run, :, CountryCounts.MEMBERS]
    count[:] = 0
    mentors, tied, members = 0, 0, 0
    for i in range(ties.shape[1]):
        if ties[Tie.ROW, i] >= 0:
            ties[Tie.MEMBERS, members] = i
            members += 1
            count[track_of(world, state, run, i), world.country[i]] += 1
        if ties[Tie.ROLE, i] == MENTEE:
            ties[Tie.TIED, tied] = i
            tied += 1
    for track in range(state.runs[RunCounts.TRACKS, run]):
        tracks[TrackCounts.MENTORS, track] = mentors
        for position in range(members):
            i = ties[Tie.MEMBERS, position]
            if ties[Tie.ROLE, i] == MENTOR and track_of(world, state, run, i) == track:
                ties[Tie.MENTORS, mentors] = i
                mentors += 1
        tracks[TrackCounts.MENTORS_END, track] = mentors
    state.runs[RunCounts.MENTORS, run], state.runs[RunCounts.TIED, run] = mentors, tied
