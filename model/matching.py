"""Matching: which schools want a mentor, in which order they are served, and whom each takes.

``track.py`` and ``agents.py`` tell the same story school by school.
"""

import numpy as np

from school_mentoring.model.world.arrays import DISADVANTAGED, RURAL, Floats, Index, Ints, Record, World

from . import draws, rules
from .compiled import part, step
from .contacts import track_of
from .draws import Moment
from .rules import NO_TIER
from .state import MENTEE, MENTOR, NO_ROLE, State, Tie, UnitCounts
from .ties import begin_tie, pair

ASSIGNED, VOLUNTEER = 1, 2
COUNTRY, REGION, ANYWHERE, PEERS = range(4)
NEED, PROXIMITY, MOTIVATION, CENTRALITY = range(4)
PLATFORM, HUB, MINISTRY = range(NO_TIER + 1, NO_TIER + 4)
NO_TARGET, TO_DISADVANTAGED, TO_RURAL, TO_SMALL, TO_RURAL_OR_DISADVANTAGED = range(5)
LAST = -1e9  # a queueing key below every other

KEY, NOISE = 0, 3  # rows of State.floats: how early each school is served, and noise of the mentors considered
QUEUE, POOL, SLOT, FREE, SCHOOLS = range(5)
"""Rows of State.ints: schools in the order served; mentors with free places, the place of each in that list; free places of each; the
schools of the track that has its round, in the order of the table."""


@step
def match(world: World, par: Record, des: Record, state: State, now: Moment, schools: Ints, named: bool) -> None:
    """Tie mentees to mentors of a track: first the pairs a pilot named, then the queue, each taking the best mentor left.

    Where places are reserved, schools out of the target that find only such ones have to wait until the end of the queue.
    """
    ties = state.ties[now.run]
    if named:
        for position in range(schools.size):
            i = np.int64(schools[position])
            m = np.int64(world.named_mentor[i])
            if m >= 0 and ties[Tie.ROLE, i] == NO_ROLE and _is_free(des, ties, m) and track_of(world, state, now.run, m) == now.track:
                begin_tie(world, par, des, state, now, i, m)
    count = _queue_mentees(world, par, des, state, now, schools, named)
    if des.scope == PEERS:
        state.ints[FREE, : world.teachers.size] = 0
        for position in range(schools.size):
            i = schools[position]
            state.ints[FREE, i] = des.places - ties[Tie.MENTEES, i] if ties[Tie.ROLE, i] == MENTOR else 0
    else:
        _fill_pools(world, des, state, now, schools)
    queue, waiting, position = state.ints[QUEUE], 0, 0
    places = open_places(des, _free_places(des, ties, schools))
    while position < count + waiting:  # one loop, as serving a school is much code
        at_the_end = position >= count
        school = np.int64(queue[position - count if at_the_end else position])
        position += 1
        meant = des.target == NO_TARGET or is_target(par, des.target, world.traits[school], world.teachers[school])
        if not meant and not at_the_end and places <= 0:
            queue[waiting] = school
            waiting += 1
            continue
        served = _serve(world, par, des, state, now, school)
        if not meant:
            places -= served


@step
def _serve(world: World, par: Record, des: Record, state: State, now: Moment, school: Index) -> int:
    """Let a school choose its mentor; return 1 if it has one now, else 0."""
    m = np.int64(_choose(world, par, des, state, now, school))
    if m < 0:
        return 0
    begin_tie(world, par, des, state, now, school, m)
    if des.scope == PEERS:
        state.ints[FREE, m] -= 1
    elif state.ties[now.run, Tie.MENTEES, m] == des.places:
        _leave_pool(world, des, state, m)
    return 1


@step
def open_places(des: Record, free: int) -> int:
    """Return how many of the free places of a round are not reserved for the target."""
    return free - int(des.reserve * free + 0.5)


@step
def _free_places(des: Record, ties: Ints, schools: Ints) -> int:
    free = 0
    for position in range(schools.size):
        i = schools[position]
        if ties[Tie.ROLE, i] == MENTOR:
            free += max(0, des.places - ties[Tie.MENTEES, i])
    return free


@step
def is_target(par: Record, target: int, traits: int, teachers: int) -> bool:
    """Tell whether a school is one of those that places are reserved for."""
    rural, disadvantaged = (traits & RURAL) != 0, (traits & DISADVANTAGED) != 0
    if target == TO_DISADVANTAGED:
        return disadvantaged
    if target == TO_RURAL:
        return rural
    if target == TO_SMALL:
        return rules.is_small(par, teachers)
    return rural or disadvantaged


@part
def _merge(key: Floats, queue: Ints, key_to: Floats, queue_to: Ints, low: int, middle: int, high: int) -> None:
    """Merge two neighbouring sorted stretches; where keys are equal the left one goes first."""
    left, right = low, middle
    for at in range(low, high):
        if left < middle and (right >= high or key[left] >= key[right]):
            key_to[at], queue_to[at] = key[left], queue[left]
            left += 1
        else:
            key_to[at], queue_to[at] = key[right], queue[right]
            right += 1


@part
def sort_queue(state: State, count: int) -> None:
    """Sort the first ``count`` schools of QUEUE by falling KEY, equal ones in their present order.

    A merge sort on contiguous copies of the keys, in rows that nothing else uses: the stretches it reads and writes are sequential, which a
    national system's queue needs.
    """
    key, key_to = state.floats[1], state.floats[2]
    queue, queue_to = state.ints[QUEUE], state.ints[3]
    for position in range(count):
        key[position] = state.floats[KEY, queue[position]]
    width = 1
    while width < count:
        for low in range(0, count, 2 * width):
            _merge(key, queue, key_to, queue_to, low, min(low + width, count), min(low + 2 * width, count))
        key, key_to = key_to, key
        queue, queue_to = queue_to, queue
        width *= 2
    for position in range(count):
        state.ints[QUEUE, position] = queue[position]


@step
def _pool_of(world: World, des: Record, school: Index) -> int:
    """Return the pool that holds the mentors in a school's scope."""
    if des.scope == COUNTRY:
        return world.country[school]
    if des.scope == REGION:
        return world.region[school]
    return 0


@step
def _is_free(des: Record, ties: Ints, school: Index) -> bool:
    """Tell whether a school is a mentor with a free place."""
    return ties[Tie.ROLE, school] == MENTOR and ties[Tie.MENTEES, school] < des.places


@step
def _fill_pools(world: World, des: Record, state: State, now: Moment, schools: Ints) -> None:
    """List the mentors that have free places, pool by pool, each in the order of the table."""
    ties, pool, slot = state.ties[now.run], state.ints[POOL], state.ints[SLOT]
    pool_start, pool_count = state.units[UnitCounts.POOL_START], state.units[UnitCounts.POOL_COUNT]
    pool_count[:] = 0
    for position in range(schools.size):
        i = np.int64(schools[position])
        if _is_free(des, ties, i):
            pool_count[_pool_of(world, des, i)] += 1
    start = 0
    for u in range(pool_count.size):
        pool_start[u] = start
        start += pool_count[u]
        pool_count[u] = 0
    for position in range(schools.size):
        i = np.int64(schools[position])
        if _is_free(des, ties, i):
            u = _pool_of(world, des, i)
            slot[i] = pool_start[u] + pool_count[u]
            pool[slot[i]] = i
            pool_count[u] += 1


@step
def _leave_pool(world: World, des: Record, state: State, mentor: Index) -> None:
    """Take a mentor without free places off its list; the last of the list fills the gap."""
    pool, slot = state.ints[POOL], state.ints[SLOT]
    u = _pool_of(world, des, mentor)
    last = state.units[UnitCounts.POOL_START, u] + state.units[UnitCounts.POOL_COUNT, u] - 1
    moved = pool[last]
    gap = slot[mentor]
    pool[gap], pool[last] = moved, mentor
    slot[moved], slot[mentor] = gap, last
    state.units[UnitCounts.POOL_COUNT, u] -= 1


@step
def _set_proximity(world: World, des: Record, state: State, now: Moment) -> None:
    """Set as key of each school minus the distance to the nearest mentor of its region with a free place.

    Schools of a region without one come last, in random order.
    """
    ties, key, pool = state.ties[now.run], state.floats[KEY], state.ints[POOL]
    for region in range(world.region_country.size):
        if state.track[now.run, region] != now.track:
            continue
        start, end = world.region_start[region], world.region_start[region + 1]
        mentors = 0
        for position in range(start, end):
            m = world.by_region[position]
            if _is_free(des, ties, m):
                pool[mentors] = m
                mentors += 1
        for position in range(start, end):
            i = world.by_region[position]
            if ties[Tie.ROLE, i] != NO_ROLE:
                continue
            if mentors == 0:
                key[i] = LAST - draws.at(now, draws.QUEUE, i, 0, 0)
                continue
            nearest = LAST
            for j in range(mentors):
                nearest = max(nearest, -pair(world, i, pool[j], 0.0)[0])
            key[i] = nearest


@step
def _queue_mentees(world: World, par: Record, des: Record, state: State, now: Moment, schools: Ints, named: bool) -> int:
    """Queue the schools that want a mentor, in the order of the design's priority; return how many."""
    ties, key, queue = state.ties[now.run], state.floats[KEY], state.ints[QUEUE]
    if des.priority == PROXIMITY:
        _set_proximity(world, des, state, now)
    count = 0
    for position in range(schools.size):
        i = np.int64(schools[position])
        if ties[Tie.ROLE, i] != NO_ROLE or (named and world.named_role[i] != MENTEE):
            continue
        if des.recruitment == VOLUNTEER:
            chance = rules.seek_chance(par, world.openness[i], world.capacity[i], des.mentee_grant * now.funded)
            if draws.at(now, draws.SEEK, i, 0, 0) >= chance:
                continue
        if des.priority == NEED:
            needy = ((world.traits[i] >> 1) & 1) + ((world.traits[i] >> 2) & 1)
            key[i] = needy + draws.at(now, draws.QUEUE, i, 0, 0)
        elif des.priority == MOTIVATION:
            key[i] = world.openness[i]
        elif des.priority == CENTRALITY:
            key[i] = world.peer_start[i + 1] - world.peer_start[i]
        queue[count] = i
        count += 1
    sort_queue(state, count)
    return count


@step
def _peers_pool(world: World, free: Ints, pool: Ints, school: Index) -> int:
    """List the mentors with a free place among a school's peers and their peers; return how many."""
    count = 0
    for a in range(world.peer_start[school], world.peer_start[school + 1]):
        near = world.peer[a]
        for b in range(-1, world.peer_start[near + 1] - world.peer_start[near]):
            m = near if b < 0 else world.peer[world.peer_start[near] + b]
            if free[m] <= 0:
                continue
            known = False
            for c in range(count):
                known = known or pool[c] == m
            if not known:
                pool[count] = m
                count += 1
    return count


@step
def _draw_sample(now: Moment, school: Index, u: Floats) -> None:
    for j in range(u.size):
        u[j] = draws.at(now, draws.CONSIDER, school, 0, j)


@step
def _draw_noise(now: Moment, school: Index, mentors: Ints, noise: Floats) -> None:
    for j in range(noise.size):
        noise[j] = draws.at(now, draws.CHOOSE, school, 0, mentors[j])
    for j in range(noise.size):
        noise[j] = draws.gumbel(noise[j])


@step
def _choose(world: World, par: Record, des: Record, state: State, now: Moment, school: Index) -> int:
    """Return the best mentor among those a school considers, or -1 where its scope holds none or, unassigned, none that it wants."""
    ties, pool, slot = state.ties[now.run], state.ints[POOL], state.ints[SLOT]
    if des.scope == PEERS:
        start, count = np.int64(0), _peers_pool(world, state.ints[FREE], pool, school)
    else:
        u = _pool_of(world, des, school)
        start, count = state.units[UnitCounts.POOL_START, u], state.units[UnitCounts.POOL_COUNT, u]
    considered = min(count, int(par.consideration_set + 0.5))
    best, best_score = -1, -np.inf
    if des.recruitment == VOLUNTEER:
        # The school itself stands for going without, so that its noise is that of no mentor.
        best_score = rules.outside_score(par, draws.gumbel(draws.at(now, draws.CHOOSE, school, 0, school)))
    noise = state.floats[NOISE, :considered]
    if considered < count:
        _draw_sample(now, school, noise)
        for j in range(considered):
            # The first steps of a Fisher-Yates shuffle: a random sample without replacement, in place.
            other = start + j + int(noise[j] * (count - j))
            a, b = pool[start + j], pool[other]
            pool[start + j], pool[other] = b, a
            slot[b], slot[a] = start + j, other
    _draw_noise(now, school, pool[start : start + considered], noise)
    for j in range(considered):
        m = pool[start + j]
        distance, unlike, _ = pair(world, school, m, par.abroad_km)
        score = rules.mentor_score(par, distance, unlike, ties[Tie.PAST_MENTEES, m], noise[j])
        if score > best_score or (score == best_score and m < best):
            best, best_score = m, score
    return best
