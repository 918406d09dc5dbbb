"""The likelihood of adoption times where each school adopts once and stays, whatever its peers do: a guided particle filter.

A school of one decision maker who never gives up is described by its month of adoption, and a survey says in which interval that lies.
Where months are known, the likelihood is a product over schools and months. Where only years are, it is a sum over all months that may have
been, estimated without bias by particles (Gordon, Salmond & Smith 1993): each is a course of adoption made to agree with the intervals, by
letting a school that is known to adopt within r months do so now with the chance that its hazards now and at the end give (a guided
proposal; Doucet & Johansen 2011), and weighted by what the model's own rules say of it.
"""

import numpy as np
from scipy.sparse import csr_array

from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model import rules
from school_mentoring.model.compiled import allocating
from school_mentoring.model.draws import uniform
from school_mentoring.model.world.arrays import Counts, Flags, Floats, Index, Ints, Record, World
from school_mentoring.model.world.network import Peers
from school_mentoring.model.world.schools import Schools
from school_mentoring.scenarios import Scenario

from .forward_filter import drawn_of, in_parallel, setting_of, tied_to_mentors
from .survey import Survey

PARTICLES = 256
ALONE = 4  # particles that a single one takes as long as
EVENT = 255  # of draws that are no event of the model
NEVER = 2**31
MOST_WORK = 5e7  # schools x months x particles that one likelihood may take

Influence = tuple[Counts, Counts, Floats]
"""The exposure matrix in compressed columns: where each begins, whom a school influences, and how much."""


def once_obstacles(scenario: Scenario, world: World, schools: Schools, survey: Survey, fitted: tuple[str, ...]) -> list[str]:
    """Return what keeps adoption times from this likelihood; none where single teachers, all known, decide at once and never give up."""
    base = scenario.base_parameters()
    if survey.kind != "times":
        return ["the observations are not times of adoption"]
    alike = base["readiness_floor"] == 1.0 and "readiness_floor" not in fitted  # whatever the capacity
    needed = ("teachers", "openness") if alike else ("teachers", "openness", "digital_capacity")
    found = [
        f"{name} is {'fitted' if name in fitted else f'{base[name]:g}'}, not 0"
        for name in ("d", "turnover")
        if name in fitted or base[name]
    ]
    if scenario.worlds > 1:
        found += drawn_of(schools, needed)
        if len(world.peer) and not np.array_equal(Worlds(scenario).get(base, 1)[0].peer, world.peer):
            found.append("ties are drawn")
    if not (world.adopters_at_start[list(set(survey.practices))] >= 0).all():
        found.append("adopters_at_start is not given for all schools")
    if not (world.teachers == 1).all():
        found.append("schools have more than one teacher")
    if world.sequential:
        found.append("schools take turns")
    found += tied_to_mentors(scenario, survey.horizon)
    if (work := once_work(world, survey)) > MOST_WORK:
        found.append(f"it would take {work / MOST_WORK:.0f} times the work that is allowed (schools x months x particles)")
    return found


def once_work(world: World, survey: Survey) -> float:
    """Return the work of one likelihood: schools x months x particles, of which one is enough where months are known."""
    known = all(_certain(world, survey, practice) for practice in set(survey.practices))
    return float(len(world.teachers)) * survey.horizon * (ALONE if known else PARTICLES)


def _certain(world: World, survey: Survey, practice: int) -> bool:
    """Tell whether it is known of each school in which month it adopted, so that there is one course only."""
    earliest, latest = intervals(survey, practice)
    earliest = np.where(world.adopters_at_start[practice] > 0, earliest, np.maximum(earliest, 1))
    return bool((earliest >= np.minimum(latest, survey.horizon)).all())


def intervals(survey: Survey, practice: int) -> tuple[Counts, Counts]:
    """Return the first and the last month in which each school may have adopted, (n,) each; NEVER where it may not have by the end."""
    earliest, latest = np.zeros(survey.shares.shape[1], np.int64), np.full(survey.shares.shape[1], NEVER)
    for month, of, seen, adopted in zip(survey.months, survey.practices, survey.seen, survey.shares > 0.5, strict=True):
        if of == practice:
            earliest = np.where(seen & ~adopted, np.maximum(earliest, month + 1), earliest)
            latest = np.where(seen & adopted, np.minimum(latest, month), latest)
    return earliest, latest


@allocating
def _mean(weight: Floats) -> float:
    """Return the logarithm of the mean of exp(weight)."""
    most = weight.max()
    return most + np.log(np.exp(weight - most).mean())


@allocating
def _resampled(share: Floats, u: float) -> Counts:
    """Return which particles go on, each as often as its share of the weights says (systematic resampling)."""
    share = share / share.sum()
    chosen = np.empty(share.size, np.int64)
    total, at = share[0], 0
    for m in range(share.size):
        while total < (m + u) / share.size and at < share.size - 1:
            at += 1
            total += share[at]
        chosen[m] = at
    return chosen


@allocating
def _settled(month: int, start: Ints, earliest: Counts, latest: Counts) -> bool:
    """Tell whether it is known of every school if it has the practice in a month."""
    return not ((start == 0) & (earliest <= month) & (month < latest)).any()


@allocating
def _join(i: Index, state: Flags, exposure: Floats, stale: Flags, ties: Influence) -> None:
    """Let a school have the practice from now on."""
    column_start, row, tie = ties
    state[i] = True
    for k in range(column_start[i], column_start[i + 1]):
        exposure[row[k]] += tie[k]
        stale[row[k]] = True


@allocating
def _within(chance: float, end: float, left: int) -> float:
    """Return the chance to adopt within ``left`` months of a school whose chance is ``chance`` now and ``end`` in the last of them."""
    return 1.0 - (1.0 - chance) * (1.0 - 0.5 * (chance + end)) ** (left - 1)


@allocating
def _ahead(state: Flags, chance: Floats, end: Floats, earliest: Counts, latest: Counts, month: int) -> float:
    """Return the logarithm of the chance, as it stands, that schools which are known to adopt and have not do so in time.

    Particles go on by it too, or those in which schools wait, whose chances are still to come, would seem the better ones.
    """
    total = 0.0
    for i in range(state.size):
        if not state[i] and earliest[i] <= month < latest[i] < NEVER and chance[i] > 0.0:
            total += np.log(_within(chance[i], end[i], latest[i] - month))
    return total


@allocating
def _last_chances(par: Record, ready: Floats, openness: Floats, outreach: Floats, start: Ints, latest: Counts, ties: Influence) -> Floats:
    """Return each school's chance to adopt in the last month in which it may have, by what is known of its peers then, (n,)."""
    n = start.size
    end, exposure, stale, state = np.zeros(n), np.zeros(n), np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for last in np.unique(latest):
        if last < NEVER:
            for j in range(n):
                if not state[j] and (start[j] > 0 or latest[j] <= last):
                    _join(j, state, exposure, stale, ties)
            for i in range(n):
                if latest[i] == last:
                    peers = rules.social_influence(par, min(1.0, exposure[i]))
                    end[i] = rules.adoption_chance(par, ready[i], openness[i], outreach[max(0, last - 1)], 0.0, peers, 0.0)
    return end


@allocating
def _month(
    par: Record, key: tuple[np.uint64, int, int], ready: Floats, openness: Floats, outreach: float, earliest: Counts, latest: Counts,
    end: Floats, month: int, ties: Influence, state: Flags, exposure: Floats, chance: Floats, stays: Floats, stale: Flags, joined: Counts,
) -> float:  # fmt: skip
    """Move one particle on by a month; return the logarithm of its weight. ``key``: seed, particle, and practice of its draws."""
    seed, particle, practice = key
    weight, count = 0.0, 0
    for i in range(state.size):
        if state[i]:
            continue
        if stale[i]:
            peers = rules.social_influence(par, min(1.0, exposure[i]))
            chance[i] = rules.adoption_chance(par, ready[i], openness[i], outreach, 0.0, peers, 0.0)
            stays[i] = np.log(max(1.0 - chance[i], 1e-300))
            stale[i] = False
        if month + 1 < earliest[i]:
            weight += stays[i]
            continue
        now = month + 1 >= latest[i]
        if now:
            weight += np.log(max(chance[i], 1e-300))
        else:
            ask = chance[i]
            if latest[i] < NEVER and 0.0 < ask < 1.0:
                ask /= _within(ask, end[i], latest[i] - month)
            now = uniform(seed, particle, EVENT, i, practice, month, 0) < ask
            if ask != chance[i]:
                weight += np.log(chance[i] / ask) if now else stays[i] - np.log(1.0 - ask)
        if now:
            joined[count] = i
            count += 1
    for j in range(count):  # after all, as schools decide at the same time
        _join(joined[j], state, exposure, stale, ties)
    return weight


@allocating
def _course(
    par: Record, seed: np.uint64, practice: int, difficulty: float, outreach: Floats, capacity: Floats, openness: Floats, start: Ints,
    earliest: Counts, latest: Counts, ties: Influence, particles: int,
) -> float:  # fmt: skip
    """Return the log-likelihood of intervals of adoption (n,) in one practice, estimated with so many particles."""
    n = start.size
    ready = np.array([rules.readiness(par, one, difficulty) for one in capacity])
    state, stale = np.zeros((particles, n), np.bool_), np.ones((particles, n), np.bool_)
    exposure, chance, stays = np.zeros((particles, n)), np.zeros((particles, n)), np.zeros((particles, n))
    end = _last_chances(par, ready, openness, outreach, start, latest, ties)
    weight, joined, total = np.zeros(particles), np.empty(n, np.int64), 0.0
    for m in range(particles):
        for i in range(n):
            if start[i] > 0:
                _join(i, state[m], exposure[m], stale[m], ties)
    for month in range(outreach.size - 1):
        known = _settled(month, start, earliest, latest)
        if known:
            total += _mean(weight)
            weight[:] = 0.0
        else:
            hope = np.array([weight[m] + _ahead(state[m], chance[m], end, earliest, latest, month) for m in range(particles)])
            share = np.exp(hope - hope.max())
            if share.sum() ** 2 < 0.5 * particles * (share**2).sum():
                on = _resampled(share, uniform(seed, 0, EVENT, n, practice, month, 1))
                state, exposure, chance, stays, stale = state[on], exposure[on], chance[on], stays[on], stale[on]
                weight = (weight - hope)[on] + _mean(hope)
        if month > 0 and outreach[month] != outreach[month - 1]:
            stale[:] = True
        only = known and _settled(month + 1, start, earliest, latest)  # one course is possible, which all particles take
        for m in range(1 if only else particles):
            weight[m] += _month(
                par, (seed, m, practice), ready, openness, outreach[month], earliest, latest, end, month, ties, state[m], exposure[m],
                chance[m], stays[m], stale[m], joined,
            )  # fmt: skip
        if only:
            state[:], exposure[:], chance[:], stays[:], stale[:] = state[0], exposure[0], chance[0], stays[0], stale[0]
            weight[:] = weight[0]
    return total + _mean(weight)


def influence_of(world: World) -> Influence:
    """Return whom each school of a world influences, and how much."""
    tie = Peers(world.peer_start, world.peer, world.row_weight, world.weight).full_weights()
    ties = csr_array((tie, world.peer, world.peer_start), shape=(len(world.teachers),) * 2).tocsc()
    return ties.indptr.astype(np.int64), ties.indices.astype(np.int64), ties.data


def times_log_likelihood(
    scenario: Scenario, world: World, survey: Survey, names: tuple[str, ...], values: Floats, seed: int, threads: int | None = None, *,
    particles: int = PARTICLES,
) -> Floats:  # fmt: skip
    """Return the log-likelihood of adoption times at parameters (K, d) called ``names``, (K,), where nothing keeps it.

    Each point has random numbers of its own, so that their errors are independent.
    """
    setting = setting_of(scenario, survey, names, values)
    columns = influence_of(world)
    parts = []
    for practice, difficulty, _ in setting.practices:
        start = world.adopters_at_start[practice]
        earliest, latest = intervals(survey, practice)
        earliest = np.where(start > 0, earliest, np.maximum(earliest, 1))
        count = 1 if _certain(world, survey, practice) else particles
        parts.append((practice, difficulty, start, earliest, latest, columns, count))

    def one(k: int) -> float:
        known = setting.outreach, world.capacity, world.openness
        par, key = setting.parameters[k], np.uint64((seed + k * 0x9E3779B97F4A7C15) % 2**64)
        return float(sum(_course(par, key, p, hard, *known, *data) for p, hard, *data in parts))

    return in_parallel(one, len(values), threads)


# --- forecasts from what was seen -----------------------------------------------------------------------------------


@allocating
def _onward(
    par: Record, key: tuple[np.uint64, int, int], difficulty: float, factor: Floats, outreach: Floats, capacity: Floats, openness: Floats,
    start: Ints, ties: Influence, months: Counts, known: Flags, adopted: Flags, found: Ints,
) -> None:  # fmt: skip
    """Write which schools have the practice in ascending months (W,), (W, n); where that is ``known`` (W, n) they go on from it.

    ``factor``: times which schools are ready, by month, (months, n).
    """
    seed, course, practice = key
    n = start.size
    ready = np.array([rules.readiness(par, one, difficulty) for one in capacity])
    state, exposure, stale, joined = np.zeros(n, np.bool_), np.zeros(n), np.ones(n, np.bool_), np.empty(n, np.int64)
    for began in np.flatnonzero(start > 0):
        _join(began, state, exposure, stale, ties)
    month = 0
    for w in range(months.size):
        while month < months[w]:
            count = 0
            for i in range(n):
                if not state[i]:
                    peers = rules.social_influence(par, min(1.0, exposure[i]))
                    chance = rules.adoption_chance(
                        par, ready[i] * factor[month, i], openness[i], outreach[month], 0.0, peers, 0.0
                    )  # fmt: skip
                    if uniform(seed, course, EVENT, i, practice, month, 2) < chance:
                        joined[count] = i
                        count += 1
            for j in range(count):
                _join(joined[j], state, exposure, stale, ties)
            month += 1
        changed = known[w] & (state != adopted[w])
        if changed.any():
            state[:] = np.where(changed, adopted[w], state)
            exposure[:] = 0.0
            for has in np.flatnonzero(state):
                _join(has, state, exposure, stale, ties)
        found[w] = state


def courses(
    scenario: Scenario, world: World, survey: Survey, kept: Flags, names: tuple[str, ...], values: Floats, seed: int,
    threads: int | None = None, *, factor: Floats | None = None,
) -> Ints:  # fmt: skip
    """Return which schools have adopted in the survey's waves in one course under each of K parameter sets, (K, W, n).

    Schools go on from how they were seen in ``kept`` cells (W, n). ``factor``: times which they are ready, (K, months, n); 1 where None.
    Holds where ``once_obstacles`` finds none.
    """
    setting = setting_of(scenario, survey, names, values)
    columns = influence_of(world)
    found = np.zeros((len(values), *survey.shares.shape), np.int32)
    months = np.array(survey.months)
    parts = []
    for practice, difficulty, _ in setting.practices:
        waves = [w for w in np.argsort(months, kind="stable").tolist() if survey.practices[w] == practice]
        parts.append((practice, difficulty, waves, (months[waves], (survey.seen & kept)[waves], survey.shares[waves] > 0.5)))

    usual = np.ones((survey.horizon, len(world.capacity)))

    def one(k: int) -> float:
        for practice, difficulty, waves, seen in parts:
            mine = np.zeros((len(waves), len(world.capacity)), np.int32)
            key, start = (np.uint64(seed), k, practice), world.adopters_at_start[practice]
            known = difficulty, usual if factor is None else factor[k], setting.outreach, world.capacity, world.openness
            _onward(setting.parameters[k], key, *known, start, columns, *seen, mine)
            found[k, waves] = mine
        return 0.0

    in_parallel(one, len(values), threads)
    return found
