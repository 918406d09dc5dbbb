"""One month of the compiled engine, as steps over the arrays of a world and a state.

``mesa_model.py`` tells the same month school by school.
"""

import numpy as np

from school_mentoring.model.world.arrays import Counts, Floats, Ints, Practices, Record, Replicates, World

from . import draws, rules
from .compiled import part, step
from .costs import post_coordination, post_mentee, post_mentor, post_programme
from .draws import Moment
from .matching import HUB, MINISTRY, NO_TIER, pair
from .recruitment import recruiting_month, recruitment_round
from .state import BLOCK, NO_ROLE, SIDE, CountryCounts, RunCounts, Spread, State, Tie, UnitCounts
from .vectors import fetch, weighted_sum_8

_SHIFT = 3  # SIDE = 2**3
# How many schools ahead memory is asked for their rows, and for their shares, which schools before them may be exposed to.
_ROWS_AHEAD, _SHARES_AHEAD = 128, 4096

PeerRows = tuple[Counts, Ints, Floats, Floats]
"""``peer_start``, ``peer``, ``row_weight`` and ``weight`` of a world."""

# Loops over all schools are small functions over whole arrays (or slices of a range of schools), one step each: the compiler
# turns such loops into vector instructions. Loops over ties and mentors are plain.


@part
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


@part
def start(world: World, practices: Practices, par: Record, des: Record, state: State, now: Moment) -> None:
    """Set every school to its state before month 0, but for its share, and the counts that hold for the whole run."""
    n, side = world.teachers.size, state.ties.shape[0]
    ties, countries = state.ties[now.run], state.countries[now.run]
    state.replicate[now.run :: side] = now.replicate
    ties[:] = 0
    ties[Tie.ROLE], ties[Tie.EXPERIENCE] = NO_ROLE, NO_ROLE
    ties[Tie.MENTOR], ties[Tie.TIE_START] = -1, -1
    state.runs[:, now.run] = 0
    state.ledger[now.run] = 0
    for p in range(practices.weight.size):
        initial = practices.initial_share[p] if practices.initial_share[p] >= 0.0 else par.initial_share
        for i in range(n):
            place = i * side + now.run
            state.spread[Spread.SATURATION, p, place] = 0.0
            state.spread[Spread.READY, p, place] = rules.readiness(par, world.capacity[i], practices.difficulty[p])
            adopters = world.adopters_at_start[p, i]
            if adopters < 0:
                share = rules.start_share(par, world.capacity[i], initial)
                if rules.advanced(par, world.capacity_rank[i], n):
                    share = par.advanced_share
                adopters = draws.binomial(draws.at(now, draws.START, i, p, 0), world.teachers[i], share)
            state.adopters[p, place] = adopters
    countries[:] = 0
    for region in range(world.region_country.size):
        country = world.region_country[region]
        countries[CountryCounts.SCHOOLS, country] += world.region_start[region + 1] - world.region_start[region]
        if des.tier == HUB:
            countries[CountryCounts.HUBS, country] += 1


@step
def _unit_of(world: World, des: Record, school: int) -> int:
    """Return the number of the coordinating unit that a school belongs to."""
    if des.tier == HUB:
        return world.region[school]
    if des.tier == MINISTRY:
        return world.country[school]
    return 0


@step
def _coordinate(world: World, par: Record, des: Record, state: State, now: Moment) -> None:
    """Set the coordination quality of each unit from the clusters active now."""
    fte = des.fte * now.funded if des.tier != NO_TIER else 0.0
    ties, clusters = state.ties[now.run], state.units[UnitCounts.CLUSTERS]
    clusters[:] = 0
    for position in range(state.runs[RunCounts.MENTORS, now.run]):
        m = ties[Tie.MENTORS, position]
        if ties[Tie.MENTEES, m] > 0:
            clusters[_unit_of(world, des, m)] += 1
    for u in range(clusters.size):
        if clusters[u] > 0:
            state.quality[u] = rules.coordination_quality(par, fte, float(clusters[u]))


@part
def _draw_ties(now: Moment, tied: Ints, u: Floats) -> None:
    for position in range(tied.size):
        u[position] = draws.at(now, draws.RETAIN, tied[position], 0, 0)


@step
def _retain(world: World, par: Record, des: Record, state: State, now: Moment) -> None:
    """End the mentoring ties that do not survive the month; all ties are judged before any ends."""
    incentive = (des.stipend + des.mentee_grant) * now.funded
    ties, saturation = state.ties[now.run], state.spread[Spread.SATURATION, :, now.run :: state.ties.shape[0]]
    chance = state.floats[0]
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
        i = tied[position]
        m = ties[Tie.MENTOR, i]
        if u[position] < chance[m]:
            ties[Tie.MENTEES, m] -= 1
            ties[Tie.MENTOR, i] = -1
            ties[Tie.ROLE, i] = NO_ROLE
            for p in range(saturation.shape[0]):
                saturation[p, i] = 0.0
        else:
            tied[kept] = i
            kept += 1
    state.runs[RunCounts.TIED, now.run] = kept


@part
def _saturate(par: Record, des: Record, weight: float, tie: tuple[Floats, Floats, Floats], share: Floats, saturation: Floats) -> None:
    hours, unlike, quality = tie
    for position in range(share.size):
        dose = weight * rules.dose(par, hours[position], unlike[position], quality[position], des.mandate, share[position])
        saturation[position] = rules.saturation(par, dose)


@step
def _teach(practices: Practices, par: Record, des: Record, state: State, now: Moment, tie: tuple[Floats, Floats, Floats]) -> None:
    """Set the saturation of each mentee from effective hours, unlikeness and coordination quality of each tie."""
    ties, side, count = state.ties[now.run], state.ties.shape[0], state.runs[RunCounts.TIED, now.run]
    share, saturation = state.floats[3, :count], state.floats[4, :count]
    for p in range(practices.weight.size):
        shares, saturations = state.spread[Spread.SHARE, p, now.run :: side], state.spread[Spread.SATURATION, p, now.run :: side]
        for position in range(count):
            share[position] = shares[ties[Tie.MENTOR, ties[Tie.TIED, position]]]
        _saturate(par, des, practices.weight[p], tie, share, saturation)
        for position in range(count):
            saturations[ties[Tie.TIED, position]] = saturation[position]


@step
def _deliver(world: World, practices: Practices, par: Record, des: Record, state: State, now: Moment) -> None:
    """Give each mentee its month of mentoring, and post what mentors and ties cost."""
    ties, ledger = state.ties[now.run], state.ledger[now.run]
    active, count = state.countries[now.run, CountryCounts.ACTIVE], state.runs[RunCounts.TIED, now.run]
    for position in range(state.runs[RunCounts.MENTORS, now.run]):
        m = ties[Tie.MENTORS, position]
        if ties[Tie.MENTEES, m] > 0:
            country = world.country[m]
            active[country] += 1
            post_mentor(ledger[country], par, des, world.salary[country], now.funded)
    hours_of, unlike_of, quality_of = state.floats[0, :count], state.floats[1, :count], state.floats[2, :count]
    for position in range(count):
        i = ties[Tie.TIED, position]
        m = ties[Tie.MENTOR, i]
        distance, unlike, abroad = pair(world, i, m, par.abroad_km)
        hours = rules.hours_per_mentee(par, des.release_hours * now.funded, ties[Tie.MENTEES, m])
        visits = rules.visits(par, hours, des.virtual_share, abroad)
        travel = rules.travel_hours(par, visits, distance)
        face_to_face = rules.face_to_face_hours(par, visits, travel)
        hours_of[position] = rules.effective_hours(par, face_to_face, hours, des.virtual_share)
        unlike_of[position] = unlike
        quality_of[position] = state.quality[_unit_of(world, des, m)]
        session_hours = face_to_face + des.virtual_share * hours
        country = world.country[i]
        active[country] += 1
        amounts = session_hours, travel, visits * 2.0 * distance
        post_mentee(ledger[country], par, des, world.salary[country], now.funded, *amounts)
    _teach(practices, par, des, state, now, (hours_of, unlike_of, quality_of))


@step
def _post_country_costs(world: World, par: Record, des: Record, state: State, now: Moment) -> None:
    """Post coordination, platform and outreach, country by country."""
    countries = state.countries[now.run]
    for country in range(world.salary.size):
        ledger = state.ledger[now.run, country]
        schools, active = countries[CountryCounts.SCHOOLS, country], countries[CountryCounts.ACTIVE, country]
        if now.funded > 0 and des.tier != NO_TIER:
            units = 1.0 if des.tier == MINISTRY else 1.0 / world.salary.size
            if des.tier == HUB:
                units = float(countries[CountryCounts.HUBS, country])
            post_coordination(ledger, par, des, world.salary[country], units)
        post_programme(ledger, par, des, schools, active, schools / world.teachers.size, now.funded)


@part
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


@part
def _expose_side(peers: PeerRows, share: Floats, low: int, exposure: Floats) -> None:
    """Set E as ``_expose`` does, of runs side by side: those of a school are one vector."""
    for i in range(exposure.size // SIDE):
        weighted_sum_8(exposure, i * SIDE, share, peers, low + i)


@part
def _gain_chances(par: Record, seen: tuple[Floats, Floats, Floats, Floats, Floats, Floats], chance: Floats) -> None:
    ready, openness, outreach, colleagues, peers, mentoring = seen
    for i in range(chance.size):
        chance[i] = rules.adoption_chance(par, ready[i], openness[i], outreach[i], colleagues[i], peers[i], mentoring[i])


@part
def _loss_chances(par: Record, share: Floats, mentoring: Floats, chance: Floats) -> None:
    for i in range(chance.size):
        chance[i] = rules.loss_chance(par, share[i], mentoring[i])


@step
def _has_ties(tied: Counts) -> bool:
    ties = 0
    for run in range(tied.size):
        ties += tied[run]
    return ties > 0


@step
def _set_chances(world: World, par: Record, state: State, p: int, low: int, here: slice, room: slice) -> None:
    """Set chances to adopt and to discontinue, rows 2 and 3 of ``floats``, of the schools ``here``, the first of which is ``low``."""
    side, share = state.ties.shape[0], state.spread[Spread.SHARE, p, here]
    exposure, raised, gain, loss = state.floats[0, room], state.floats[1, room], state.floats[2, room], state.floats[3, room]
    rows = world.peer_start, world.peer, world.row_weight, world.weight
    if side == 1:
        _expose(rows, state.by_degree[here], state.spread[Spread.SHARE, p], low, exposure)
    else:
        _expose_side(rows, state.spread[Spread.SHARE, p], low, exposure)
    peers = _influence(par, exposure, raised)
    own = share if par.gamma == 1.0 else state.spread[Spread.INFLUENCE, p, here]
    # Zeros without ties: of a block that stays in the first cache.
    mentoring = state.spread[Spread.SATURATION, p, here] if _has_ties(state.runs[RunCounts.TIED]) else state.zero[: share.size]
    _gain_chances(par, (state.spread[Spread.READY, p, here], state.openness[here], state.outreach, own, peers, mentoring), gain)
    _loss_chances(par, share, mentoring, loss)


@part
def _draw(seed: np.uint64, replicate: Replicates, p: int, month: int, low: int, shift: int, uniforms: tuple[Floats, Floats]) -> None:
    first, second = uniforms
    for at in range(first.size):
        first[at], second[at] = draws.uniform_pair(seed, replicate[at], draws.TEACHERS, low + (at >> shift), p, month, 0)


@step
def _count(state: State, p: int, here: slice, room: slice) -> None:
    """Let as many teachers adopt and discontinue as uniforms and chances say, rows 0 to 3 of ``floats``."""
    first, second, gain, loss = state.floats[0, room], state.floats[1, room], state.floats[2, room], state.floats[3, room]
    others, gained, lost = state.ints[0, room], state.ints[1, room], state.ints[2, room]
    scratch = state.floats[4, room], state.floats[5, room], state.ints[3, room]
    teachers, adopters = state.teachers[here], state.adopters[p, here]
    for i in range(adopters.size):
        others[i] = teachers[i] - adopters[i]
    draws.binomials(state.largest, first, others, gain, scratch, gained)
    draws.binomials(state.largest, second, adopters, loss, scratch, lost)
    for i in range(adopters.size):
        adopters[i] += gained[i] - lost[i]


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
        _set_chances(world, par, state, p, begin, here, room)
        uniforms = state.floats[0, room], state.floats[1, room]
        _draw(seed, state.replicate, p, month, begin, _SHIFT if side == SIDE else 0, uniforms)
        _count(state, p, here, room)


@part
def commit(par: Record, state: State, p: int, low: int, high: int) -> None:
    """Let the drawn changes of schools low..high happen, after every school has drawn."""
    side = state.ties.shape[0]
    here = slice(low * side, high * side)
    share = state.spread[Spread.SHARE, p, here]
    _set_shares(state.adopters[p, here], state.teachers[here], share)
    _influence(par, share, state.spread[Spread.INFLUENCE, p, here])


@step
def open_month(world: World, practices: Practices, par: Record, des: Record, state: State, now: Moment) -> None:
    """Do everything of a month but adoption: recruit and match, coordinate, retain, deliver, account."""
    run, side = now.run, state.ties.shape[0]
    outreach = des.outreach * now.funded
    if state.outreach[run] != outreach:
        state.outreach[run::side] = outreach
    if state.runs[RunCounts.POSTED, run] > 0:
        state.ledger[run] = 0
    state.countries[run, CountryCounts.ACTIVE] = 0
    running = now.funded > 0 and (des.recruitment > 0 or des.tier != NO_TIER or des.outreach > 0.0)
    recruiting = recruiting_month(des, now.month)
    state.runs[RunCounts.POSTED, run] = running or recruiting or state.runs[RunCounts.TIED, run] > 0
    if recruiting:
        recruitment_round(world, practices, par, des, state, now)
    if state.runs[RunCounts.TIED, run] > 0:
        _coordinate(world, par, des, state, now)
        _retain(world, par, des, state, now)
        _deliver(world, practices, par, des, state, now)
    if running or state.runs[RunCounts.TIED, run] > 0:
        _post_country_costs(world, par, des, state, now)
