"""Recruitment: who becomes a mentor. A round takes place in the first month of the programme and then each school year.

These are the compiled engine's loops over arrays; the rules they apply are in ``rules.py``, and ``agents.py`` tells the same story school
by school.
"""

from school_mentoring.model.world.arrays import Practices, Record, World

from . import draws, rules
from .compiled import part, step
from .costs import post_new_mentor
from .draws import Moment
from .matching import ASSIGNED, KEY, NO_TIER, QUEUE, match, sort_queue
from .state import MENTEE, MENTOR, NO_ROLE, RunCounts, Spread, State, Tie


@step
def is_funded(des: Record, month: int) -> int:
    """Return 1 in the months of a design's programme, else 0."""
    return 1 if des.first_month <= month < des.last_month else 0


@step
def recruiting_month(des: Record, month: int) -> bool:
    """Tell whether a round of recruitment takes place: yearly while funded, and for ever where nobody coordinates."""
    if des.recruitment == 0 or month < des.first_month or (month - des.first_month) % 12 != 0:
        return False
    return month < des.last_month or des.tier == NO_TIER


@part
def recruitment_round(world: World, practices: Practices, par: Record, des: Record, state: State, now: Moment) -> None:
    """Run one round: cascade, recruitment of mentors, matching of mentees.

    Where the world names mentors, as a pilot's data do, a programme that assigns takes exactly those in its first round.
    """
    named = state.named and des.recruitment == ASSIGNED and now.month == des.first_month
    _cascade(world, practices, par, des, state, now)
    _recruit(world, practices, par, des, state, now, named)
    match(world, par, des, state, now, named)
    _list_roles(state, now.run)


@step
def quota(mentor_share: float, schools_before: int, schools_here: int) -> int:
    """Return the funded mentors of a region, given the schools of all regions listed before it.

    Rounding runs on from region to region, so that all regions together get the rounded quota of all their schools.
    """
    upto = int(mentor_share * (schools_before + schools_here) + 0.5)
    return upto - int(mentor_share * schools_before + 0.5)


@step
def _own_share(practices: Practices, state: State, now: Moment, school: int) -> float:
    """Return a school's adopting share over its practices, weighted as mentoring time is."""
    place = school * state.ties.shape[0] + now.run
    total = 0.0
    for p in range(practices.weight.size):
        total += practices.weight[p] * state.spread[Spread.SHARE, p, place]
    return total


@step
def _become_mentor(world: World, par: Record, state: State, now: Moment, school: int) -> None:
    ties = state.ties[now.run]
    ties[Tie.ROLE, school] = MENTOR
    ties[Tie.EXPERIENCE, school] = MENTOR
    post_new_mentor(state.ledger[now.run, world.country[school]], par, now.funded)


@step
def _cascade(world: World, practices: Practices, par: Record, des: Record, state: State, now: Moment) -> None:
    """Let mentees in which the practice is mainstreamed become mentors."""
    if des.cascade <= 0.0:
        return
    ties, side = state.ties[now.run], state.ties.shape[0]
    for i in range(world.teachers.size):
        if ties[Tie.ROLE, i] != MENTEE or _own_share(practices, state, now, i) < par.mainstream_threshold:
            continue
        if draws.at(now, draws.CASCADE, i, 0, 0) < des.cascade:
            ties[Tie.MENTEES, ties[Tie.MENTOR, i]] -= 1
            ties[Tie.MENTOR, i] = -1
            for p in range(practices.weight.size):
                state.spread[Spread.SATURATION, p, i * side + now.run] = 0.0
            _become_mentor(world, par, state, now, i)


@step
def _candidates(world: World, practices: Practices, par: Record, des: Record, state: State, now: Moment, region: int, named: bool) -> int:
    """Queue the schools of a region that may become mentors this round, with capacity + share as key; return how many."""
    ties, key, queue = state.ties[now.run], state.floats[KEY], state.ints[QUEUE]
    count = 0
    for position in range(world.region_start[region], world.region_start[region + 1]):
        i = world.by_region[position]
        if ties[Tie.ROLE, i] != NO_ROLE:
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
    """Make mentors: the assigned ones in the first round, volunteers in every round."""
    if des.recruitment == ASSIGNED and now.month != des.first_month:
        return
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
            _become_mentor(world, par, state, now, state.ints[QUEUE, position])


@step
def _list_roles(state: State, run: int) -> None:
    """List the mentors and the schools that have one, in the order of the table."""
    ties = state.ties[run]
    mentors, tied = 0, 0
    for i in range(ties.shape[1]):
        if ties[Tie.ROLE, i] == MENTOR:
            ties[Tie.MENTORS, mentors] = i
            mentors += 1
        elif ties[Tie.ROLE, i] == MENTEE:
            ties[Tie.TIED, tied] = i
            tied += 1
    state.runs[RunCounts.MENTORS, run], state.runs[RunCounts.TIED, run] = mentors, tied
