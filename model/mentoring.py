"""A month of mentoring: coordinators, ties that end, sessions and meetings, and what all of it costs.

``agents.py`` tells the same story school by school.
"""

import numpy as np

from school_mentoring.model.world.arrays import NO_CONTACTS, Floats, Index, Ints, Practices, Record, World

from . import draws, rules
from .compiled import part, step
from .contacts import Clusters, age_contacts, clusters_of, see_cluster, set_community
from .costs import (
    TieMonth,
    community_runs,
    post_community,
    post_coordination,
    post_learning,
    post_mentee,
    post_mentor,
    post_outreach,
)
from .draws import Moment
from .matching import HUB, MINISTRY
from .recruitment import recruiting_month, recruitment_round, round_month
from .rules import NO_TIER
from .state import CountryCounts, CountryMoney, Member, RunCounts, Shared, Spread, State, Tie, UnitCounts
from .ties import end_tie

_TOGETHER = 64  # mentors whose clusters go through the steps of a month together


@step
def _unit_of(world: World, des: Record, school: Index) -> int:
    """Return the number of the coordinating unit that a school belongs to."""
    if des.tier == HUB:
        return world.region[school]
    if des.tier == MINISTRY:
        return world.country[school]
    return 0


@step
def _coordinate(world: World, par: Record, des: Record, state: State, now: Moment) -> None:
    """Set the coordination quality of each unit from the clusters active now."""
    fte = des.fte * now.funded
    ties, clusters = state.ties[now.run], state.units[UnitCounts.CLUSTERS]
    clusters[:] = 0
    for position in range(state.runs[RunCounts.MENTORS, now.run]):
        m = ties[Tie.MENTORS, position]
        if ties[Tie.MENTEES, m] > 0:
            clusters[_unit_of(world, des, m)] += 1
    for u in range(clusters.size):
        if clusters[u] > 0:
            state.quality[u] = rules.coordination_quality(par, des.tier, fte, float(clusters[u]))


@part
def _draw_ties(now: Moment, tied: Ints, u: Floats) -> None:
    for position in range(tied.size):
        u[position] = draws.at(now, draws.RETAIN, tied[position], 0, 0)


@step
def _retain(world: World, par: Record, des: Record, state: State, now: Moment) -> None:
    """End the mentoring ties that do not survive the month; all ties are judged before any ends."""
    incentive = (des.stipend + des.mentee_grant) * now.funded
    met, ties, chance = clusters_of(world, state, now.run), state.ties[now.run], state.floats[0]
    for position in range(state.runs[RunCounts.MENTORS, now.run]):
        m = ties[Tie.MENTORS, position]
        load = ties[Tie.MENTEES, m] / des.places
        quality = state.quality[_unit_of(world, des, m)]
        chance[m] = rules.attrition_chance(
            par, quality, des.virtual_share, incentive, des.recognition * now.funded, load, des.mandate * now.funded
        )
    count = state.runs[RunCounts.TIED, now.run]
    tied, u = ties[Tie.TIED, :count], state.floats[1, :count]
    _draw_ties(now, tied, u)
    kept = 0
    for position in range(count):
        i = np.int64(tied[position])
        if u[position] < chance[ties[Tie.MENTOR, i]]:
            end_tie(met, par, now, world.contacts, i)
        else:
            tied[kept] = i
            kept += 1
    state.runs[RunCounts.TIED, now.run] = kept


@part
def _teach_all(par: Record, des: Record, weight: float, tie: tuple[Floats, Floats, Floats], share: Floats, raised: Floats) -> None:
    hours, unlike, quality = tie
    for position in range(share.size):
        dose = weight * rules.dose(par, hours[position], unlike[position], quality[position], des.mandate, share[position])
        raised[position] = rules.raised(par, dose)


@step
def _teach(practices: Practices, par: Record, des: Record, state: State, now: Moment, tie: tuple[Floats, Floats, Floats]) -> None:
    """Set the effect on each team from effective hours per teacher, unlikeness and coordination quality of each tie."""
    ties, side, count = state.ties[now.run], state.ties.shape[0], tie[0].size
    rows, share, raised = state.ints[0, :count], state.floats[3, :count], state.floats[4, :count]
    dose_half, shield_half = rules.raised(par, par.dose_half), rules.raised(par, par.shield_half)
    for p in range(practices.weight.size):
        shares, effect = state.spread[Spread.SHARE, p, now.run :: side], state.shared[now.run, :, Shared.EFFECT + 4 * p :]
        for position in range(count):
            share[position] = shares[ties[Tie.MENTOR, state.member[now.run, rows[position], Member.SCHOOL]]]
        _teach_all(par, des, practices.weight[p], tie, share, raised)
        for position in range(count):
            effect[rows[position], 0] = rules.saturation(raised[position], dose_half)
            effect[rows[position], 1] = rules.saturation(raised[position], shield_half)


@step
def spend(par: Record, des: Record, funded: int, mentees: int, distance: float, abroad: int, worth: float) -> tuple[float, TieMonth]:
    """Return effective hours of a tie's month, and the time it takes.

    Sessions are split over the ``mentees`` of the mentor. The cluster meets at the mentor's school, online across borders; its
    face-to-face part takes trips, which do not shorten it.
    """
    hours = rules.hours_per_mentee(par, des.release_hours * funded, mentees)
    visits = rules.visits(par, hours, des.virtual_share, abroad)
    travel = rules.travel_hours(par, visits, distance)
    face_to_face = rules.face_to_face_hours(par, visits, travel)
    effective = rules.effective_hours(face_to_face, hours, des.virtual_share, worth)
    meeting = rules.meeting_hours(des, funded)
    trips = rules.visits(par, meeting, des.virtual_share, abroad)
    on_the_road = travel + rules.travel_hours(par, trips, distance)
    return effective, TieMonth(face_to_face + des.virtual_share * hours, meeting, on_the_road, (visits + trips) * 2.0 * distance)


@step
def _deliver_all(world: World, practices: Practices, par: Record, des: Record, state: State, now: Moment) -> None:
    """Give all clusters their month of mentoring, some at a time, so that what one step leaves is still in the cache for the next."""
    mentors = state.runs[RunCounts.MENTORS, now.run]
    for low in range(0, mentors, _TOGETHER):
        _deliver(world, practices, par, des, state, now, low, min(low + _TOGETHER, mentors))


@step
def _deliver(world: World, practices: Practices, par: Record, des: Record, state: State, now: Moment, low: int, high: int) -> None:
    """Give each team of some mentors its month, add up the hours that schools share, and post what mentors and ties cost."""
    ties, member, shared, ledger = state.ties[now.run], state.member[now.run], state.shared[now.run], state.ledger[now.run]
    meeting, position = rules.meeting_hours(des, now.funded), 0
    for of_mentors in range(low, high):
        m = np.int64(ties[Tie.MENTORS, of_mentors])
        mentees, mentors_row = ties[Tie.MENTEES, m], ties[Tie.ROW, m]
        if mentees == 0:
            continue
        country, quality = world.country[m], state.quality[_unit_of(world, des, m)]
        post_mentor(ledger[country], state.money[country], par, des, member[mentors_row, Member.TEAM], meeting, now.funded)
        row = np.int64(member[mentors_row, Member.FIRST])
        while row >= 0:
            i = np.int64(member[row, Member.SCHOOL])
            worth = rules.online_worth(par, world.fading, now.month - ties[Tie.TIE_START, i])
            effective, spent = spend(par, des, now.funded, mentees, shared[row, Shared.DISTANCE], member[row, Member.ABROAD], worth)
            state.ints[0, position] = row
            state.floats[0, position] = effective * shared[row, Shared.DILUTION]
            state.floats[1, position] = shared[row, Shared.UNLIKE]
            state.floats[2, position] = quality
            shared[row, Shared.MET] += spent.meeting / mentees
            shared[row, Shared.HOURS] += spent.session + spent.meeting / mentees
            country = world.country[i]
            post_mentee(ledger[country], state.money[country], par, des, member[row, Member.TEAM], spent, now.funded)
            row = np.int64(member[row, Member.NEXT])
            position += 1
    _teach(practices, par, des, state, now, (state.floats[0, :position], state.floats[1, :position], state.floats[2, :position]))
    if world.contacts != NO_CONTACTS:
        _see_clusters(clusters_of(world, state, now.run), state.spread[Spread.SHARE, :, now.run :: state.ties.shape[0]], low, high)


@step
def _see_clusters(met: Clusters, share: Floats, low: int, high: int) -> None:
    """Set what the schools of each cluster see of each practice in each other; ``share``: of users, (P, n)."""
    for p in range(share.shape[0]):
        for position in range(low, high):
            mentor = np.int64(met.ties[Tie.MENTORS, position])
            if met.ties[Tie.MENTEES, mentor] > 0:
                see_cluster(met, share[p], p, mentor)


@step
def _post_programme(world: World, par: Record, des: Record, state: State, now: Moment, community: bool) -> None:
    """Post coordination, community and outreach, country by country."""
    countries = state.countries[now.run]
    outreach = now.funded > 0 and des.outreach > 0.0
    if outreach:
        _set_reached(world, state, now.run)
    for country in range(world.salary.size):
        ledger, prices = state.ledger[now.run, country], state.money[country]
        schools, members = countries[CountryCounts.SCHOOLS, country], countries[CountryCounts.MEMBERS, country]
        if now.funded > 0 and des.tier != NO_TIER:
            units = 1.0 if des.tier == MINISTRY else 1.0 / world.salary.size
            if des.tier == HUB:
                units = float(countries[CountryCounts.HUBS, country])
            post_coordination(ledger, prices, par, des, units)
        if community:
            post_community(ledger, par, des, members, schools / world.teachers.size, now.funded)
        if outreach:
            post_outreach(ledger, prices, par, des, schools, prices[CountryMoney.REACHED])


@part
def _set_reached(world: World, state: State, run: int) -> None:
    """Set the sum of openness over teachers who do not use a practice, by country."""
    side, reached = state.ties.shape[0], state.money[:, CountryMoney.REACHED]
    reached[:] = 0.0
    for p in range(state.adopters.shape[0]):
        for i in range(world.teachers.size):
            reached[world.country[i]] += world.openness[i] * (world.teachers[i] - state.adopters[p, i * side + run])


@step
def _post_learning(par: Record, state: State, now: Moment) -> None:
    """Post what the teachers who have taken a practice up since last month spend on learning it."""
    for country in range(state.ledger.shape[1]):
        gained = np.int64(0)
        for block in range(state.gained.shape[0]):
            gained += state.gained[block, now.run, country]
        post_learning(state.ledger[now.run, country], state.money[country], par, gained)


@step
def open_month(world: World, practices: Practices, par: Record, des: Record, state: State, now: Moment) -> None:
    """Do everything of a month but adoption: recruit and match, coordinate, retain, deliver, account."""
    run, side = now.run, state.ties.shape[0]
    outreach = des.outreach * now.funded
    if state.outreach[run] != outreach:
        state.outreach[run::side] = outreach
    state.ledger[run] = 0
    _post_learning(par, state, now)
    if recruiting_month(des, now.month) or (des.tie_months > 0 and round_month(des, now.month)):
        recruitment_round(world, practices, par, des, state, now)
    if state.runs[RunCounts.TIED, run] > 0:
        _coordinate(world, par, des, state, now)
        _retain(world, par, des, state, now)
        _deliver_all(world, practices, par, des, state, now)
    members = state.ties[run, Tie.MEMBERS, : state.runs[RunCounts.MEMBERS, run]]
    community = community_runs(des, now.month, now.funded) and (now.funded > 0 or members.size > 0)
    if members.size > 0:
        age_contacts(clusters_of(world, state, run), now.month)
    set_community(members, state.spread[Spread.SHARE, :, run::side], state.community[run], des.community if community else 0.0)
    if community or (now.funded > 0 and (des.tier != NO_TIER or des.outreach > 0.0)):
        _post_programme(world, par, des, state, now, community)
