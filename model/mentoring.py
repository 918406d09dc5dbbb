"""A month of mentoring: coordinators, ties that end, sessions and meetings, and what all of it costs.

``agents.py`` tells the same story school by school.
"""

import numpy as np

from school_mentoring.model.world.arrays import NO_CONTACTS, Counts, Floats, Index, Ints, Practices, Record, Records, World

from . import draws, rules
from .compiled import step
from .contacts import Clusters, age_contacts, clusters_of, see_cluster, set_community, track_of
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
from .matching import HUB, MINISTRY, PLATFORM
from .recruitment import changes_ties, is_funded, of_track, recruitment_rounds
from .rules import NO_TIER
from .state import CountryCounts, Member, RunCounts, Shared, Spread, State, Tie, TrackCounts, TrackNumbers, UnitCounts
from .ties import end_tie

_TOGETHER = 64  # mentors whose clusters go through the steps of a month together


@step
def _unit_of(world: World, des: Record, state: State, now: Moment, school: Index) -> int:
    """Return the number of the coordinating unit that a school of a track belongs to.

    First the hubs of all regions, then a ministry of each country for each track; last the platform that all funded tracks share.
    """
    if des.tier == HUB:
        return world.region[school]
    if des.tier == PLATFORM and now.funded > 0:
        return state.quality.size - 1
    first = world.region_country.size + now.track * world.salary.size
    return first + world.country[school] if des.tier == MINISTRY else first


@step
def _coordinate(world: World, par: Record, designs: Records, state: State, now: Moment, platform: float) -> None:
    """Set the coordination quality of each unit from the clusters active now; ``platform``: how many coordinators that has."""
    ties, tracks, clusters = state.ties[now.run], state.tracks[now.run], state.units[UnitCounts.CLUSTERS]
    clusters[:] = 0
    for track in range(state.runs[RunCounts.TRACKS, now.run]):
        des = designs[tracks[TrackCounts.NODE, track]]
        here = of_track(now, des, track)
        for position in range(tracks[TrackCounts.MENTORS, track], tracks[TrackCounts.MENTORS_END, track]):
            m = ties[Tie.MENTORS, position]
            if ties[Tie.MENTEES, m] > 0:
                clusters[_unit_of(world, des, state, here, m)] += 1
    for u in range(clusters.size):
        if clusters[u] == 0:
            continue
        tier, fte = PLATFORM, platform
        if u < clusters.size - 1:
            regions = world.region_country.size
            track = state.track[now.run, u] if u < regions else (u - regions) // world.salary.size
            des = designs[tracks[TrackCounts.NODE, track]]
            tier, fte = des.tier, des.fte * is_funded(des, now.month)
        state.quality[u] = rules.coordination_quality(par, tier, fte, float(clusters[u]))


@step
def _platform(designs: Records, state: State, now: Moment) -> tuple[float, int]:
    """Return how many coordinators the platform has, the most that a funded track asks for, and how many countries use it."""
    fte, users = 0.0, 0
    for country in range(state.ledger.shape[1]):
        uses = 0
        for track in range(state.runs[RunCounts.TRACKS, now.run]):
            des = designs[state.tracks[now.run, TrackCounts.NODE, track]]
            here = state.countries[now.run, track, CountryCounts.REGIONS, country] > 0
            if des.tier == PLATFORM and is_funded(des, now.month) > 0 and here:
                fte, uses = max(fte, des.fte), 1
        users += uses
    return fte, users


@step
def _draw_ties(now: Moment, tied: Ints, u: Floats) -> None:
    for position in range(tied.size):
        u[position] = draws.at(now, draws.RETAIN, tied[position], 0, 0)


@step
def _set_attrition(world: World, par: Record, des: Record, state: State, now: Moment) -> None:
    """Set the chance that a tie ends of each mentor of a track, row 0 of ``floats``."""
    incentive = (des.stipend + des.mentee_grant) * now.funded
    ties, tracks, chance = state.ties[now.run], state.tracks[now.run], state.floats[0]
    for position in range(tracks[TrackCounts.MENTORS, now.track], tracks[TrackCounts.MENTORS_END, now.track]):
        m = ties[Tie.MENTORS, position]
        load = ties[Tie.MENTEES, m] / des.places
        quality = state.quality[_unit_of(world, des, state, now, m)]
        chance[m] = rules.attrition_chance(
            par, quality, des.virtual_share, incentive, des.recognition * now.funded, load, des.mandate * now.funded
        )


@step
def _retain(world: World, par: Record, designs: Records, state: State, now: Moment) -> None:
    """End the mentoring ties that do not survive the month; all ties are judged before any ends."""
    met, ties, chance = clusters_of(world, state, now.run), state.ties[now.run], state.floats[0]
    for track in range(state.runs[RunCounts.TRACKS, now.run]):
        des = designs[state.tracks[now.run, TrackCounts.NODE, track]]
        _set_attrition(world, par, des, state, of_track(now, des, track))
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


@step
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
def _deliver_all(world: World, practices: Practices, par: Record, designs: Records, state: State, now: Moment) -> None:
    """Give all clusters their month of mentoring, some at a time, so that what one step leaves is still in the cache for the next."""
    tracks = state.tracks[now.run]
    for track in range(state.runs[RunCounts.TRACKS, now.run]):
        des, end = designs[tracks[TrackCounts.NODE, track]], tracks[TrackCounts.MENTORS_END, track]
        for low in range(tracks[TrackCounts.MENTORS, track], end, _TOGETHER):
            _deliver(world, practices, par, des, state, of_track(now, des, track), low, min(low + _TOGETHER, end))


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
        country, quality = world.country[m], state.quality[_unit_of(world, des, state, now, m)]
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
def _post_programme(world: World, par: Record, designs: Records, state: State, now: Moment, platform: tuple[float, int]) -> None:
    """Post coordination, community and outreach, country by country and track by track; ``platform``: its coordinators and countries."""
    tracks, numbers = state.runs[RunCounts.TRACKS, now.run], state.numbers[now.run]
    schools_in_it, largest, outreach = np.int64(0), 0.0, 0.0
    for track in range(tracks):
        outreach = max(outreach, numbers[TrackNumbers.OUTREACH, track])
        if numbers[TrackNumbers.COMMUNITY, track] > 0.0:
            largest = max(largest, numbers[TrackNumbers.COMMUNITY, track])
            schools_in_it += _total(state.countries[now.run, track, CountryCounts.SCHOOLS])
    if outreach > 0.0:
        _set_reached(world, state, now.run)
    for country in range(world.salary.size):
        ledger, prices = state.ledger[now.run, country], state.money[country]
        on_platform = False
        for track in range(tracks):
            des = designs[state.tracks[now.run, TrackCounts.NODE, track]]
            counts, funded = state.countries[now.run, track, :, country], is_funded(des, now.month)
            regions, schools = counts[CountryCounts.REGIONS], counts[CountryCounts.SCHOOLS]
            intensity = numbers[TrackNumbers.COMMUNITY, track]
            if funded > 0 and regions > 0 and des.tier != NO_TIER and not (des.tier == PLATFORM and on_platform):
                fte, units = des.fte, float(regions) if des.tier == HUB else 1.0
                if des.tier == PLATFORM:
                    on_platform, fte, units = True, platform[0], 1.0 / platform[1]
                post_coordination(ledger, prices, par, fte, units)
            if intensity > 0.0:
                post_community(ledger, par, intensity, largest, counts[CountryCounts.MEMBERS], schools / max(schools_in_it, 1), funded)
            if numbers[TrackNumbers.OUTREACH, track] > 0.0:
                post_outreach(ledger, prices, par, des, schools, numbers[TrackNumbers.REACHED + country, track])


@step
def _total(counts: Counts) -> np.int64:
    total = np.int64(0)
    for k in range(counts.size):
        total += counts[k]
    return total


@step
def _set_reached(world: World, state: State, run: int) -> None:
    """Set the sum of openness over teachers who do not use a practice, by country and track."""
    side, reached = state.ties.shape[0], state.numbers[run, TrackNumbers.REACHED :]
    reached[:] = 0.0
    for p in range(state.adopters.shape[0]):
        for i in range(world.teachers.size):
            idle = world.teachers[i] - state.adopters[p, i * side + run]
            reached[world.country[i], track_of(world, state, run, i)] += world.openness[i] * idle


@step
def _post_learning(par: Record, state: State, now: Moment) -> None:
    """Post what the teachers who have taken a practice up since last month spend on learning it."""
    for country in range(state.ledger.shape[1]):
        gained = np.int64(0)
        for block in range(state.gained.shape[0]):
            gained += state.gained[block, now.run, country]
        post_learning(state.ledger[now.run, country], state.money[country], par, gained)


@step
def open_month(world: World, practices: Practices, par: Record, designs: Records, state: State, now: Moment) -> None:
    """Do everything of a month but adoption: begin phases, recruit and match, coordinate, retain, deliver, account."""
    run, nodes, tracks = now.run, state.tracks[now.run, TrackCounts.NODE], state.runs[RunCounts.TRACKS, now.run]
    state.ledger[run] = 0
    _post_learning(par, state, now)
    due = False
    for track in range(tracks):
        due |= changes_ties(designs[nodes[track]], now.month)
    if due:
        recruitment_rounds(world, practices, par, designs, state, now)
    platform = _platform(designs, state, now)
    if state.runs[RunCounts.TIED, run] > 0:
        _coordinate(world, par, designs, state, now, platform[0])
        _retain(world, par, designs, state, now)
        _deliver_all(world, practices, par, designs, state, now)
    if state.runs[RunCounts.MEMBERS, run] > 0:
        age_contacts(clusters_of(world, state, run), now.month)
    if _reach_schools(world, designs, state, now):
        _post_programme(world, par, designs, state, now, platform)


@step
def _reach_schools(world: World, designs: Records, state: State, now: Moment) -> bool:
    """Set what each track brings to its schools this month, outreach and community; tell whether any has costs of its own."""
    run, side, numbers, costs = now.run, state.ties.shape[0], state.numbers[now.run], False
    members = state.ties[run, Tie.MEMBERS, : state.runs[RunCounts.MEMBERS, run]]
    state.runs[RunCounts.APART, run], state.community[run, 0] = 0, 0.0
    runs = False  # whether a track that has a community is funded or has members: then there is one
    for track in range(state.runs[RunCounts.TRACKS, run]):
        des = designs[state.tracks[run, TrackCounts.NODE, track]]
        funded = is_funded(des, now.month)
        numbers[TrackNumbers.OUTREACH, track], numbers[TrackNumbers.COMMUNITY, track] = des.outreach * funded, 0.0
        if numbers[TrackNumbers.OUTREACH, track] != numbers[TrackNumbers.OUTREACH, 0]:
            state.runs[RunCounts.APART, run] = 1
        if community_runs(des, now.month, funded):
            numbers[TrackNumbers.COMMUNITY, track] = des.community
            runs = runs or funded > 0 or bool(_total(state.countries[run, track, CountryCounts.MEMBERS]) > 0)
        costs |= funded > 0 and (des.tier != NO_TIER or des.outreach > 0.0)
    if runs:
        places = world.region, state.track[run], numbers[TrackNumbers.COMMUNITY]
        set_community(members, places, state.spread[Spread.SHARE, :, run::side], state.community[run])
    else:
        numbers[TrackNumbers.COMMUNITY] = 0.0
    if state.outreach[run] != numbers[TrackNumbers.OUTREACH, 0]:
        state.outreach[run::side] = numbers[TrackNumbers.OUTREACH, 0]
    return costs or runs
