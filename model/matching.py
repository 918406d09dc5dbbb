"""Recruitment and matching: who becomes a mentor, who is mentored by whom.

A round takes place in the first month of the programme and then each school year. These are the compiled engine's loops over arrays; the
rules they apply are in ``rules.py``, and ``agents.py`` tells the same story school by school.
"""

import numpy as np

from . import draws, rules
from .compiled import compiled, inlined
from .costs import post_new_mentor
from .state import MENTEE, MENTOR, NO_ROLE

__all__ = ["own_share", "pair", "quota", "recruiting_month", "recruitment_round", "sort_queue"]

ASSIGNED, VOLUNTEER = 1, 2
COUNTRY, REGION, ANYWHERE, PEERS = range(4)
NEED, PROXIMITY, MOTIVATION = range(3)
NO_TIER, PLATFORM, HUB, MINISTRY = range(4)
LAST = -1e9  # a queueing key below every other


@inlined
def recruiting_month(des, month):
    """Tell whether a round of recruitment takes place: yearly while funded, and for ever where nobody coordinates."""
    if des.recruitment == 0 or month < des.first_month or (month - des.first_month) % 12 != 0:
        return False
    return month < des.last_month or des.tier == NO_TIER


@inlined
def quota(mentor_share, schools_before, schools_here):
    """Return the funded mentors of a region, given the schools of all regions listed before it.

    Rounding runs on from region to region, so that all regions together get the rounded quota of all their schools.
    """
    upto = int(mentor_share * (schools_before + schools_here) + 0.5)
    return upto - int(mentor_share * schools_before + 0.5)


@inlined
def own_share(world, practices, state, school):
    """Return a school's adopting share over its practices, weighted as mentoring time is."""
    total = 0.0
    for p in range(practices.weight.size):
        total += practices.weight[p] * state.share[p, school]
    return total


@inlined
def pair(world, mentee, mentor, abroad_km):
    """Return (distance in km, unlikeness, 1 if abroad else 0) of two schools."""
    if world.country[mentee] != world.country[mentor]:
        return abroad_km, rules.unlikeness(world.likeness[mentee], world.likeness[mentor], 1), 1
    dx = world.x[mentee] - world.x[mentor]
    dy = world.y[mentee] - world.y[mentor]
    return np.sqrt(dx * dx + dy * dy), rules.unlikeness(world.likeness[mentee], world.likeness[mentor], 0), 0


@compiled
def _merge(key, queue, key_to, queue_to, low, middle, high):
    """Merge two neighbouring sorted stretches; where keys are equal the left one goes first."""
    left, right = low, middle
    for at in range(low, high):
        if left < middle and (right >= high or key[left] >= key[right]):
            key_to[at], queue_to[at] = key[left], queue[left]
            left += 1
        else:
            key_to[at], queue_to[at] = key[right], queue[right]
            right += 1


@compiled
def sort_queue(state, count):
    """Sort the first ``count`` schools of the queue by falling key, equal ones in their present order.

    A merge sort on contiguous copies of the keys, in scratch arrays: the stretches it reads and writes are sequential, which a national
    system's queue needs.
    """
    key, key_to = state.first, state.second
    queue, queue_to = state.queue, state.slot
    for position in range(count):
        key[position] = state.key[queue[position]]
    width = 1
    while width < count:
        for low in range(0, count, 2 * width):
            _merge(key, queue, key_to, queue_to, low, min(low + width, count), min(low + 2 * width, count))
        key, key_to = key_to, key
        queue, queue_to = queue_to, queue
        width *= 2
    for position in range(count):
        state.queue[position] = queue[position]


@inlined
def _become_mentor(world, par, state, school, funded):
    state.role[school] = MENTOR
    state.experience[school] = MENTOR
    post_new_mentor(state.ledger[world.country[school]], par, funded)


@compiled
def _cascade(world, practices, par, des, state, seed, replicate, month, funded):
    """Let mentees in which the practice is mainstreamed become mentors."""
    if des.cascade <= 0.0:
        return
    for i in range(world.teachers.size):
        if state.role[i] != MENTEE or own_share(world, practices, state, i) < par.mainstream_threshold:
            continue
        if draws.uniform(seed, replicate, draws.CASCADE, i, 0, month, 0) < des.cascade:
            state.mentees[state.mentor[i]] -= 1
            state.mentor[i] = -1
            state.saturation[:, i] = 0.0
            _become_mentor(world, par, state, i, funded)


@compiled
def _candidates(world, practices, par, des, state, region, named, chance_inputs, seed, replicate, month):
    """Queue the schools of a region that may become mentors this round, with capacity + share as key; return how many."""
    stipend, release_hours, recognition = chance_inputs
    count = 0
    for position in range(world.region_start[region], world.region_start[region + 1]):
        i = world.by_region[position]
        if state.role[i] != NO_ROLE:
            continue
        share = own_share(world, practices, state, i)
        state.key[i] = world.capacity[i] + share
        if des.recruitment == ASSIGNED:
            if named and world.named_role[i] != MENTOR:
                continue
        else:
            if state.key[i] < par.advanced_threshold:
                continue
            chance = rules.volunteer_chance(par, share, stipend, release_hours, recognition)
            if draws.uniform(seed, replicate, draws.VOLUNTEER, i, 0, month, 0) >= chance:
                continue
        state.queue[count] = i
        count += 1
    return count


@compiled
def _recruit(world, practices, par, des, state, named, seed, replicate, month, funded):
    """Make mentors: the assigned ones in the first round, volunteers in every round."""
    if des.recruitment == ASSIGNED and month != des.first_month:
        return
    chance_inputs = (des.stipend * funded, des.release_hours * funded, des.recognition * funded)
    for region in range(world.region_country.size):
        start, end = world.region_start[region], world.region_start[region + 1]
        count = _candidates(world, practices, par, des, state, region, named, chance_inputs, seed, replicate, month)
        wanted = count
        if des.mentor_share >= 0.0 and not named:
            present = 0
            for position in range(start, end):
                if state.role[world.by_region[position]] == MENTOR:
                    present += 1
            wanted = min(count, max(0, quota(des.mentor_share, start, end - start) - present))
        if wanted < count:
            sort_queue(state, count)
        for position in range(wanted):
            _become_mentor(world, par, state, state.queue[position], funded)


@inlined
def _pool_of(world, des, school):
    """Return the pool that holds the mentors in a school's scope."""
    if des.scope == COUNTRY:
        return world.country[school]
    if des.scope == REGION:
        return world.region[school]
    return 0


@compiled
def _fill_pools(world, des, state):
    """List the mentors that have free places, pool by pool, each in the order of the table."""
    state.pool_count[:] = 0
    for i in range(world.teachers.size):
        if state.role[i] == MENTOR and state.mentees[i] < des.places:
            state.pool_count[_pool_of(world, des, i)] += 1
    start = 0
    for u in range(state.pool_count.size):
        state.pool_start[u] = start
        start += state.pool_count[u]
        state.pool_count[u] = 0
    for i in range(world.teachers.size):
        if state.role[i] == MENTOR and state.mentees[i] < des.places:
            u = _pool_of(world, des, i)
            state.slot[i] = state.pool_start[u] + state.pool_count[u]
            state.pool[state.slot[i]] = i
            state.pool_count[u] += 1


@inlined
def _leave_pool(world, des, state, mentor):
    """Take a mentor without free places off its list; the last of the list fills the gap."""
    u = _pool_of(world, des, mentor)
    last = state.pool_start[u] + state.pool_count[u] - 1
    moved = state.pool[last]
    gap = state.slot[mentor]
    state.pool[gap], state.pool[last] = moved, mentor
    state.slot[moved], state.slot[mentor] = gap, last
    state.pool_count[u] -= 1


@compiled
def _set_proximity(world, des, state, seed, replicate, month):
    """Set as key of each school minus the distance to the nearest mentor of its region with a free place.

    Schools of a region without one come last, in random order.
    """
    for region in range(world.region_country.size):
        start, end = world.region_start[region], world.region_start[region + 1]
        mentors = 0
        for position in range(start, end):
            m = world.by_region[position]
            if state.role[m] == MENTOR and state.mentees[m] < des.places:
                state.pool[mentors] = m
                mentors += 1
        for position in range(start, end):
            i = world.by_region[position]
            if state.role[i] != NO_ROLE:
                continue
            if mentors == 0:
                state.key[i] = LAST - draws.uniform(seed, replicate, draws.QUEUE, i, 0, month, 0)
                continue
            nearest = LAST
            for j in range(mentors):
                nearest = max(nearest, -pair(world, i, state.pool[j], 0.0)[0])
            state.key[i] = nearest


@compiled
def _queue_mentees(world, par, des, state, named_round, seed, replicate, month, funded):
    """Queue the schools that want a mentor, in the order of the design's priority; return how many."""
    if des.priority == PROXIMITY:
        _set_proximity(world, des, state, seed, replicate, month)
    count = 0
    for i in range(world.teachers.size):
        if state.role[i] != NO_ROLE or (named_round and world.named_role[i] != MENTEE):
            continue
        if des.recruitment == VOLUNTEER:
            chance = rules.seek_chance(par, world.openness[i], world.capacity[i], des.mentee_grant * funded)
            if draws.uniform(seed, replicate, draws.SEEK, i, 0, month, 0) >= chance:
                continue
        if des.priority == NEED:
            needy = ((world.traits[i] >> 1) & 1) + ((world.traits[i] >> 2) & 1)
            state.key[i] = needy + draws.uniform(seed, replicate, draws.QUEUE, i, 0, month, 0)
        elif des.priority == MOTIVATION:
            state.key[i] = world.openness[i]
        state.queue[count] = i
        count += 1
    sort_queue(state, count)
    return count


@inlined
def _peers_pool(world, des, state, school):
    """List, after the pools, the free mentors among a school's peers and their peers; return (start, count)."""
    start = state.pool_start[state.pool_start.size - 1]
    count = 0
    for a in range(world.peer_start[school], world.peer_start[school + 1]):
        near = world.peer[a]
        for b in range(-1, world.peer_start[near + 1] - world.peer_start[near]):
            m = near if b < 0 else world.peer[world.peer_start[near] + b]
            if m == school or state.role[m] != MENTOR or state.mentees[m] >= des.places:
                continue
            known = False
            for c in range(start, start + count):
                known = known or state.pool[c] == m
            if not known:
                state.pool[start + count] = m
                count += 1
    return start, count


@compiled
def _draw_sample(seed, replicate, school, month, u):
    for j in range(u.size):
        u[j] = draws.uniform(seed, replicate, draws.CONSIDER, school, 0, month, j)


@compiled
def _draw_noise(seed, replicate, school, month, mentors, noise):
    for j in range(noise.size):
        noise[j] = draws.uniform(seed, replicate, draws.CHOOSE, school, 0, month, mentors[j])
    for j in range(noise.size):
        noise[j] = draws.gumbel(noise[j])


@inlined
def _choose(world, par, des, state, school, seed, replicate, month):
    """Return the best mentor among those a school considers, or -1 where its scope holds none or, unassigned, none that it wants."""
    if des.scope == PEERS:
        start, count = _peers_pool(world, des, state, school)
    else:
        u = _pool_of(world, des, school)
        start, count = state.pool_start[u], state.pool_count[u]
    considered = min(count, int(par.consideration_set + 0.5))
    best, best_score = -1, -np.inf
    if des.recruitment == VOLUNTEER:
        # The school itself stands for going without, so that its noise is that of no mentor.
        best_score = rules.outside_score(par, draws.gumbel(draws.uniform(seed, replicate, draws.CHOOSE, school, 0, month, school)))
    noise = state.first[:considered]
    if considered < count:
        _draw_sample(seed, replicate, school, month, noise)
        for j in range(considered):
            # The first steps of a Fisher-Yates shuffle: a random sample without replacement, in place.
            other = start + j + int(noise[j] * (count - j))
            a, b = state.pool[start + j], state.pool[other]
            state.pool[start + j], state.pool[other] = b, a
            state.slot[b], state.slot[a] = start + j, other
    _draw_noise(seed, replicate, school, month, state.pool[start : start + considered], noise)
    for j in range(considered):
        m = state.pool[start + j]
        distance, unlike, _ = pair(world, school, m, par.abroad_km)
        score = rules.mentor_score(par, distance, unlike, state.past_mentees[m], noise[j])
        if score > best_score or (score == best_score and m < best):
            best, best_score = m, score
    return best


@inlined
def _tie(state, mentee, mentor, month):
    state.role[mentee] = MENTEE
    if state.experience[mentee] == NO_ROLE:
        state.experience[mentee] = MENTEE
    state.mentor[mentee] = mentor
    state.mentees[mentor] += 1
    state.past_mentees[mentor] += 1
    state.tie_start[mentee] = month


@compiled
def _match(world, par, des, state, named_round, seed, replicate, month, funded):
    """Tie mentees to mentors: first the pairs a pilot named, then the queue, each taking the best mentor left."""
    if named_round:
        for i in range(world.teachers.size):
            m = world.named_mentor[i]
            if m >= 0 and state.role[i] == NO_ROLE and state.role[m] == MENTOR and state.mentees[m] < des.places:
                _tie(state, i, m, month)
    count = _queue_mentees(world, par, des, state, named_round, seed, replicate, month, funded)
    if des.scope == PEERS:
        state.pool_start[:] = 0
    else:
        _fill_pools(world, des, state)
    for position in range(count):
        i = state.queue[position]
        m = _choose(world, par, des, state, i, seed, replicate, month)
        if m >= 0:
            _tie(state, i, m, month)
            if des.scope != PEERS and state.mentees[m] == des.places:
                _leave_pool(world, des, state, m)


@compiled
def _list_roles(state):
    """List the mentors and the schools that have one, in the order of the table."""
    state.lengths[:] = 0
    for i in range(state.role.size):
        if state.role[i] == MENTOR:
            state.mentors[state.lengths[MENTOR]] = i
            state.lengths[MENTOR] += 1
        elif state.role[i] == MENTEE:
            state.tied[state.lengths[MENTEE]] = i
            state.lengths[MENTEE] += 1


@compiled
def recruitment_round(world, practices, par, des, state, has_named, seed, replicate, month, funded):
    """Run one round: cascade, recruitment of mentors, matching of mentees.

    ``has_named``: whether the world names mentors, as a pilot's data do; a programme that assigns then takes exactly those in its first
    round.
    """
    named = has_named and des.recruitment == ASSIGNED and month == des.first_month
    _cascade(world, practices, par, des, state, seed, replicate, month, funded)
    _recruit(world, practices, par, des, state, named, seed, replicate, month, funded)
    _match(world, par, des, state, named, seed, replicate, month, funded)
    _list_roles(state)
