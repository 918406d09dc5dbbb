"""One month of the compiled engine, as steps over the arrays of a world and a state.

``mesa_model.py`` tells the same month school by school.
"""

import numpy as np

from . import draws, rules
from .compiled import compiled, inlined
from .costs import post_coordination, post_mentee, post_mentor, post_programme
from .matching import HUB, MINISTRY, NO_TIER, pair, recruiting_month, recruitment_round
from .state import BLOCK, MENTEE, MENTOR, NO_ROLE, SIDE
from .vectors import fetch, weighted_sum_8

__all__ = ["commit", "decide", "is_funded", "open_month", "start"]

_SHIFT = 3  # SIDE = 2**3
# How many schools ahead memory is asked for their rows, and for their shares, which schools before them may be exposed to.
_ROWS_AHEAD, _SHARES_AHEAD = 128, 4096

# Loops over all schools are small functions over whole arrays (or slices of a range of schools), one step each: the compiler
# turns such loops into vector instructions. Loops over ties and mentors are plain.


@inlined
def is_funded(des, month):
    """Return 1 in the months of a design's programme, else 0."""
    return 1 if des.first_month <= month < des.last_month else 0


@compiled
def _influences(par, share, influence):
    for i in range(share.size):
        influence[i] = rules.social_influence(par, share[i])


@inlined
def _influence(par, share, influence):
    """Return share**gamma, in ``influence``, but where gamma is 1 the share itself, without the work of a power."""
    if par.gamma == 1.0:
        return share
    _influences(par, share, influence)
    return influence


@compiled
def _set_shares(adopters, teachers, share):
    for i in range(adopters.size):
        share[i] = adopters[i] / teachers[i]


@compiled
def start(world, practices, par, des, state, seed, replicate):
    """Set every school to its state before month 0, but for its share, and the counts that hold for the whole run."""
    n = world.teachers.size
    state.replicate[:] = replicate
    state.role[:] = NO_ROLE
    state.experience[:] = NO_ROLE
    state.mentor[:] = -1
    state.mentees[:] = 0
    state.past_mentees[:] = 0
    state.tie_start[:] = -1
    for p in range(practices.weight.size):
        for i in range(n):
            state.saturation[p, i] = 0.0
    state.lengths[:] = 0
    state.active[:] = 0
    state.ledger[:] = 0
    for p in range(practices.weight.size):
        initial = practices.initial_share[p] if practices.initial_share[p] >= 0.0 else par.initial_share
        for i in range(n):
            state.ready[p, i] = rules.readiness(par, world.capacity[i], practices.difficulty[p])
            adopters = world.adopters_at_start[p, i]
            if adopters < 0:
                share = rules.start_share(par, world.capacity[i], initial)
                if rules.advanced(par, world.capacity_rank[i], n):
                    share = par.advanced_share
                u = draws.uniform(seed, replicate, draws.START, i, p, 0, 0)
                adopters = draws.binomial(u, world.teachers[i], share)
            state.adopters[p, i] = adopters
    countries = world.salary.size
    state.country_schools[:] = 0
    state.country_units[:] = 1.0 if des.tier == MINISTRY else 1.0 / countries
    if des.tier == HUB:
        state.country_units[:] = 0.0
    for region in range(world.region_country.size):
        country = world.region_country[region]
        state.country_schools[country] += world.region_start[region + 1] - world.region_start[region]
        if des.tier == HUB:
            state.country_units[country] += 1.0


@inlined
def _unit_of(world, des, school):
    """Return the index of the coordinating unit in ``state.quality`` that a school belongs to."""
    if des.tier == HUB:
        return world.region[school]
    if des.tier == MINISTRY:
        return world.country[school]
    return 0


@compiled
def _coordinate(world, par, des, state, funded):
    """Set the coordination quality of each unit from the clusters active now."""
    fte = des.fte * funded if des.tier != NO_TIER else 0.0
    state.clusters[:] = 0
    for position in range(state.lengths[MENTOR]):
        m = state.mentors[position]
        if state.mentees[m] > 0:
            state.clusters[_unit_of(world, des, m)] += 1
    for u in range(state.quality.size):
        if state.clusters[u] > 0:
            state.quality[u] = rules.coordination_quality(par, fte, float(state.clusters[u]))


@compiled
def _draw_ties(seed, replicate, month, tied, u):
    for position in range(tied.size):
        u[position] = draws.uniform(seed, replicate, draws.RETAIN, tied[position], 0, month, 0)


@compiled
def _saturate(par, des, weight, effective, unlike, quality, share, saturation):
    for position in range(share.size):
        dose = weight * rules.dose(par, effective[position], unlike[position], quality[position], des.mandate, share[position])
        saturation[position] = rules.saturation(par, dose)


@compiled
def _retain(world, par, des, state, seed, replicate, month, funded):
    """End the mentoring ties that do not survive the month; all ties are judged before any ends."""
    incentive = (des.stipend + des.mentee_grant) * funded
    chance = state.key
    for position in range(state.lengths[MENTOR]):
        m = state.mentors[position]
        load = state.mentees[m] / des.places
        quality = state.quality[_unit_of(world, des, m)]
        chance[m] = rules.attrition_chance(par, quality, des.virtual_share, incentive, des.recognition * funded, load, des.mandate * funded)
    count = state.lengths[MENTEE]
    u = state.first[:count]
    _draw_ties(seed, replicate, month, state.tied[:count], u)
    kept = 0
    for position in range(count):
        i = state.tied[position]
        m = state.mentor[i]
        if u[position] < chance[m]:
            state.mentees[m] -= 1
            state.mentor[i] = -1
            state.role[i] = NO_ROLE
            for p in range(state.saturation.shape[0]):
                state.saturation[p, i] = 0.0
        else:
            state.tied[kept] = i
            kept += 1
    state.lengths[MENTEE] = kept


@compiled
def _deliver(world, practices, par, des, state, funded):
    """Give each mentee its month of mentoring, and post what mentors and ties cost."""
    release = des.release_hours * funded
    for position in range(state.lengths[MENTOR]):
        m = state.mentors[position]
        if state.mentees[m] > 0:
            country = world.country[m]
            state.active[country] += 1
            post_mentor(state.ledger[country], par, des, world.salary[country], funded)
    for position in range(state.lengths[MENTEE]):
        i = state.tied[position]
        m = state.mentor[i]
        distance, unlike, abroad = pair(world, i, m, par.abroad_km)
        hours = rules.hours_per_mentee(par, release, state.mentees[m])
        visits = rules.visits(par, hours, des.virtual_share, abroad)
        travel = rules.travel_hours(par, visits, distance)
        face_to_face = rules.face_to_face_hours(par, visits, travel)
        state.gain[position] = rules.effective_hours(par, face_to_face, hours, des.virtual_share)
        state.loss[position] = unlike
        state.first[position] = state.quality[_unit_of(world, des, m)]
        session_hours = face_to_face + des.virtual_share * hours
        kilometres = visits * 2.0 * distance
        country = world.country[i]
        state.active[country] += 1
        post_mentee(state.ledger[country], par, des, world.salary[country], funded, session_hours, travel, kilometres)
    count = state.lengths[MENTEE]
    share, saturation = state.second[:count], state.none[:count]
    for p in range(practices.weight.size):
        for position in range(count):
            share[position] = state.share[p, state.mentor[state.tied[position]]]
        _saturate(par, des, practices.weight[p], state.gain[:count], state.loss[:count], state.first[:count], share, saturation)
        for position in range(count):
            state.saturation[p, state.tied[position]] = saturation[position]


@compiled
def _post_country_costs(world, par, des, state, funded):
    """Post coordination, platform and outreach, country by country."""
    for country in range(world.salary.size):
        ledger = state.ledger[country]
        if funded > 0 and des.tier != NO_TIER:
            post_coordination(ledger, par, des, world.salary[country], state.country_units[country])
        schools = state.country_schools[country]
        post_programme(ledger, par, des, schools, state.active[country], schools / world.teachers.size, funded)


@compiled
def _expose(peer_start, peer, row_weight, weight, by_degree, share, low, exposure):
    """Set E, the weighted share of adopting teachers in each school's peer schools.

    Schools with as many peers come one after the other, so that the processor can tell where a sum ends; their order keeps it from
    telling what is read next, so that is said.
    """
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


@compiled
def _expose_side(peer_start, peer, row_weight, weight, share, low, exposure):
    """Set E as ``_expose`` does, of runs side by side: those of a school are one vector."""
    weighted = weight.size > 0
    for i in range(exposure.size // SIDE):
        ties = peer_start[low + i], peer_start[low + i + 1]
        weighted_sum_8(exposure, i * SIDE, row_weight[low + i], share, peer, weight, weighted, *ties)


@compiled
def _draw(seed, replicate, p, month, low, shift, first, second):
    for at in range(first.size):
        first[at], second[at] = draws.uniform_pair(seed, replicate[at], draws.TEACHERS, low + (at >> shift), p, month, 0)


@compiled
def _gain_chances(par, ready, openness, outreach, colleagues, peers, mentoring, chance):
    for i in range(chance.size):
        chance[i] = rules.adoption_chance(par, ready[i], openness[i], outreach[i], colleagues[i], peers[i], mentoring[i])


@compiled
def _loss_chances(par, share, mentoring, chance):
    for i in range(chance.size):
        chance[i] = rules.loss_chance(par, share[i], mentoring[i])


@compiled
def _count(largest, teachers, adopters, uniforms, chances, counts, scratch):
    first, second = uniforms
    gain, loss = chances
    others, gained, lost = counts
    for i in range(adopters.size):
        others[i] = teachers[i] - adopters[i]
    draws.binomials(largest, first, others, gain, scratch, gained)
    draws.binomials(largest, second, adopters, loss, scratch, lost)
    for i in range(adopters.size):
        adopters[i] += gained[i] - lost[i]


@inlined
def _has_ties(lengths):
    ties = np.int64(0)
    for run in range(lengths.shape[0]):
        ties += lengths[run, MENTEE]
    return ties > 0


@inlined
def _decide_block(world, par, state, p, seed, month, low, high, begin, end):
    """Decide for schools low..high with the scratch space begin..end."""
    side = state.lengths.shape[0]
    here, room = slice(low * side, high * side), slice(begin * side, end * side)
    first, second, gain, loss = state.first[room], state.second[room], state.gain[room], state.loss[room]
    # Zeros without ties: of a block that stays in the first cache.
    mentoring = state.saturation[p, here] if _has_ties(state.lengths) else state.zero[: (high - low) * side]
    own = state.share[p, here] if par.gamma == 1.0 else state.influence[p, here]
    rows = world.peer_start, world.peer, world.row_weight, world.weight
    if side == 1:
        _expose(*rows, state.by_degree[here], state.share[p], low, first)
    else:
        _expose_side(*rows, state.share[p], low, first)
    peers = _influence(par, first, second)
    _gain_chances(par, state.ready[p, here], state.openness[here], state.outreach, own, peers, mentoring, gain)
    _loss_chances(par, state.share[p, here], mentoring, loss)
    _draw(seed, state.replicate, p, month, low, _SHIFT if side == SIDE else 0, first, second)
    counts = state.others[room], state.gained[room], state.lost[room]
    scratch = state.none[room], state.one[room], state.todo[room]
    _count(state.largest[0], state.teachers[here], state.adopters[p, here], (first, second), (gain, loss), counts, scratch)


@compiled
def decide(world, par, state, p, seed, month, low, high):
    """Draw next month's adopters of schools low..high for one practice; shares stay as they are, for others to be exposed to.

    ``low`` is a multiple of ``BLOCK``, and so is ``high`` if it is not the number of schools.

    Schools go through the steps in blocks that share their scratch space, so that what one step leaves is still in the first cache when
    the next one reads it.
    """
    size = BLOCK // state.lengths.shape[0]
    for begin in range(low, high, size):
        end = min(begin + size, high)
        _decide_block(world, par, state, p, seed, month, begin, end, low, low + end - begin)


@compiled
def commit(par, state, p, low, high):
    """Let the drawn changes of schools low..high happen, after every school has drawn."""
    side = state.lengths.shape[0]
    here = slice(low * side, high * side)
    _set_shares(state.adopters[p, here], state.teachers[here], state.share[p, here])
    _influence(par, state.share[p, here], state.influence[p, here])


@inlined
def open_month(world, practices, par, des, state, seed, replicate, month, has_named):
    """Do everything of a month but adoption: recruit and match, coordinate, retain, deliver, account; return the active ties."""
    funded = is_funded(des, month)
    outreach = des.outreach * funded
    if state.outreach[0] != outreach:
        state.outreach[:] = outreach
    if state.posted[0]:
        state.ledger[:] = 0
    state.active[:] = 0
    running = funded > 0 and (des.recruitment > 0 or des.tier != NO_TIER or des.outreach > 0.0)
    state.posted[0] = running or recruiting_month(des, month) or state.lengths[MENTEE] > 0
    if recruiting_month(des, month):
        recruitment_round(world, practices, par, des, state, has_named, seed, replicate, month, funded)
    if state.lengths[MENTEE] > 0:
        _coordinate(world, par, des, state, funded)
        _retain(world, par, des, state, seed, replicate, month, funded)
        _deliver(world, practices, par, des, state, funded)
    if running or state.lengths[MENTEE] > 0:
        _post_country_costs(world, par, des, state, funded)
    return state.lengths[MENTEE]
