"""The compiled engine: many runs of designs x parameter sets x replicates in one call.

One run is a loop over months on arrays; runs share nothing but the world, so batches of them go to threads. ``agents.py`` is the same model for
people; a property test holds the two equal to the last bit.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import draws, rules
from .compiled import compiled
from .costs import CATEGORIES, PAYERS, post_coordination, post_mentee, post_mentor, post_programme
from .matching import HUB, MINISTRY, NO_TIER, PLATFORM, pair, recruiting_month, recruitment_round
from .observe import CELLS, GROUPS, OUTCOMES, observe
from .state import MENTOR, NO_ROLE, allocate
from .world import Practices, World

__all__ = ["Batch", "Results", "cpu_count", "empty_results", "run_batch"]


class Batch(NamedTuple):
    """Runs to make: row r is design ``design[r]`` under parameter set ``parameter_set[r]`` in replicate ``replicate[r]``; int64 arrays."""

    design: NDArray[np.int64]
    parameter_set: NDArray[np.int64]
    replicate: NDArray[np.int64]


class Results(NamedTuple):
    """What a batch of B runs gave.

    ``outcomes``: float64 (B, len(OUTCOMES)). ``groups``: int64 (B, months, groups, practices, 4): schools, teachers, adopters, mainstreamed schools.
    ``ties``: active mentoring ties, int64 (B, months). ``costs``: cents, int64 (B, months, categories, payers).
    ``schools``: per school and month adopters by practice, then role, then mentor, int32 (B, months, P + 2, n).
    What was not asked for has length 0 on its first axis.
    """

    outcomes: NDArray[np.float64]
    groups: NDArray[np.int64]
    ties: NDArray[np.int64]
    costs: NDArray[np.int64]
    schools: NDArray[np.int32]


def cpu_count() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# --- one month -------------------------------------------------------------------------------------------------------


@compiled
def _set_school(par, world, state, p, i, adopters):
    state.adopters[p, i] = adopters
    share = adopters / world.teachers[i]
    state.share[p, i] = share
    state.influence[p, i] = rules.social_influence(par, share)


@compiled
def _start(world, practices, par, state, seed, replicate):
    """Set every school to its state before month 0."""
    n = world.teachers.size
    state.role[:] = NO_ROLE
    state.experience[:] = NO_ROLE
    state.mentor[:] = -1
    state.mentees[:] = 0
    state.past_mentees[:] = 0
    state.tie_start[:] = -1
    state.saturation[:] = 0.0
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
            _set_school(par, world, state, p, i, adopters)


@compiled
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
    for i in range(world.teachers.size):
        if state.mentees[i] > 0:
            state.clusters[_unit_of(world, des, i)] += 1
    for u in range(state.quality.size):
        state.quality[u] = rules.coordination_quality(par, fte, float(state.clusters[u]))


@compiled
def _retain(world, par, des, state, seed, replicate, month, funded):
    """End the mentoring ties that do not survive the month; all ties are judged before any ends."""
    incentive = (des.stipend + des.mentee_grant) * funded
    ended = 0
    for i in range(world.teachers.size):
        m = state.mentor[i]
        if m < 0:
            continue
        load = state.mentees[m] / des.places
        quality = state.quality[_unit_of(world, des, m)]
        chance = rules.attrition_chance(par, quality, des.virtual_share, incentive, des.recognition * funded, load, des.mandate * funded)
        if draws.uniform(seed, replicate, draws.RETAIN, i, 0, month, 0) < chance:
            state.queue[ended] = i
            ended += 1
    for position in range(ended):
        i = state.queue[position]
        state.mentees[state.mentor[i]] -= 1
        state.mentor[i] = -1
        state.role[i] = NO_ROLE
        state.saturation[:, i] = 0.0


@compiled
def _deliver(world, practices, par, des, state, funded):
    """Give each mentee its month of mentoring and post what ties and mentors cost; return the active ties."""
    release = des.release_hours * funded
    ties = 0
    for i in range(world.teachers.size):
        if state.mentees[i] > 0:
            country = world.country[i]
            post_mentor(state.ledger[country], par, des, world.salary[country], funded)
        m = state.mentor[i]
        if m < 0:
            continue
        ties += 1
        distance, unlike, abroad = pair(world, i, m, par.abroad_km)
        hours = rules.hours_per_mentee(par, release, state.mentees[m])
        visits = rules.visits(par, hours, des.virtual_share, abroad)
        travel = rules.travel_hours(par, visits, distance)
        face_to_face = rules.face_to_face_hours(par, visits, travel)
        effective = rules.effective_hours(par, face_to_face, hours, des.virtual_share)
        quality = state.quality[_unit_of(world, des, m)]
        for p in range(practices.weight.size):
            dose = practices.weight[p] * rules.dose(par, effective, unlike, quality, des.mandate, state.share[p, m])
            state.saturation[p, i] = rules.saturation(par, dose)
        session_hours = face_to_face + des.virtual_share * hours
        country = world.country[i]
        post_mentee(state.ledger[country], par, des, world.salary[country], funded, session_hours, visits * 2.0 * distance)
    return ties


@compiled
def _post_country_costs(world, par, des, state, funded):
    """Post coordination, platform and outreach, country by country; ``state.clusters`` counts its schools and active ones."""
    countries = world.salary.size
    n = world.teachers.size
    state.clusters[:] = 0
    for i in range(n):
        if state.mentees[i] > 0 or state.mentor[i] >= 0:
            state.clusters[world.country[i]] += 1
    for country in range(countries):
        schools = 0
        units = 1.0 if des.tier == MINISTRY else 1.0 / countries
        if des.tier == HUB:
            units = 0.0
        for region in range(world.region_country.size):
            if world.region_country[region] == country:
                schools += world.region_start[region + 1] - world.region_start[region]
                if des.tier == HUB:
                    units += 1.0
        ledger = state.ledger[country]
        if funded > 0 and des.tier != NO_TIER:
            post_coordination(ledger, par, des, world.salary[country], units)
        post_programme(ledger, par, des, schools, state.clusters[country], schools / n, funded)


@compiled
def _exposure(world, state, p, i):
    """Return E, the weighted share of adopting teachers in a school's peer schools."""
    total = 0.0
    for a in range(world.peer_start[i], world.peer_start[i + 1]):
        total += world.weight[a] * state.share[p, world.peer[a]]
    return total


@compiled
def _adopt_chances(world, par, des, state, p, seed, replicate, month, funded, low, high):
    """Set draws and chances of schools low..high for one practice, from the state of this month alone."""
    outreach = des.outreach * funded
    for i in range(low, high):
        state.gain[i] = _exposure(world, state, p, i)
    for i in range(low, high):
        state.first[i], state.second[i] = draws.uniform_pair(seed, replicate, draws.TEACHERS, i, p, month, 0)
    for i in range(low, high):
        mentoring = state.saturation[p, i]
        state.loss[i] = rules.loss_chance(par, state.share[p, i], mentoring)
        state.gain[i] = rules.adoption_chance(
            par,
            state.ready[p, i],
            world.openness[i],
            outreach,
            state.influence[p, i],
            rules.social_influence(par, state.gain[i]),
            mentoring,
        )


@compiled
def _adopt_counts(world, par, state, p, low, high):
    """Draw the gains and losses of schools low..high and set their new state."""
    for i in range(low, high):
        adopters = state.adopters[p, i]
        gained = draws.binomial(state.first[i], world.teachers[i] - adopters, state.gain[i])
        lost = draws.binomial(state.second[i], adopters, state.loss[i])
        if gained != lost:
            _set_school(par, world, state, p, i, adopters + gained - lost)


# --- runs ------------------------------------------------------------------------------------------------------------


@compiled
def _open_month(world, practices, par, des, state, seed, replicate, month, has_named):
    """Do everything of a month but adoption: recruit and match, coordinate, retain, deliver, account; return the active ties."""
    funded = 1 if des.first_month <= month < des.last_month else 0
    state.ledger[:] = 0
    if recruiting_month(des, month):
        recruitment_round(world, practices, par, des, state, has_named, seed, replicate, month, funded)
    ties = 0
    if des.recruitment > 0 and month >= des.first_month:
        _coordinate(world, par, des, state, funded)
        _retain(world, par, des, state, seed, replicate, month, funded)
        ties = _deliver(world, practices, par, des, state, funded)
    _post_country_costs(world, par, des, state, funded)
    return ties


@compiled
def _run(world, practices, par, des, seed, replicate, months, end_of_funding, has_named, state, cells, outcomes, record):
    """Make one run; see ``run_batch`` for the arguments."""
    outcomes[:] = 0.0
    _start(world, practices, par, state, seed, replicate)
    for month in range(months):
        ties = _open_month(world, practices, par, des, state, seed, replicate, month, has_named)
        observe(world, practices, par, state, ties, month, months, end_of_funding, cells, outcomes, record)
        if month == months - 1:
            break
        funded = 1 if des.first_month <= month < des.last_month else 0
        n = world.teachers.size
        for p in range(practices.weight.size):
            _adopt_chances(world, par, des, state, p, seed, replicate, month, funded, 0, n)
            _adopt_counts(world, par, state, p, 0, n)


@compiled
def _run_rows(world, practices, pars, dess, batch, seed, months, end_of_funding, has_named, state, cells, results, low, high):
    """Make the runs low..high of a batch, one after the other, in one state."""
    for r in range(low, high):
        record = (
            results.groups[r : r + 1],
            results.ties[r : r + 1],
            results.costs[r : r + 1],
            results.schools[r : r + 1],
        )
        par, des = pars[batch.parameter_set[r]], dess[batch.design[r]]
        outcomes = results.outcomes[r]
        replicate = batch.replicate[r]
        _run(world, practices, par, des, seed, replicate, months, end_of_funding, has_named, state, cells, outcomes, record)


def empty_results(world: World, practices: Practices, runs: int, months: int, monthly: bool, per_school: bool) -> Results:
    recorded = runs if monthly else 0
    schools = runs if per_school else 0
    n, p = world.teachers.size, practices.weight.size
    groups = len(GROUPS) + world.salary.size
    return Results(
        outcomes=np.zeros((runs, len(OUTCOMES))),
        groups=np.zeros((recorded, months, groups, p, 4), np.int64),
        ties=np.zeros((recorded, months), np.int64),
        costs=np.zeros((recorded, months, len(CATEGORIES), len(PAYERS)), np.int64),
        schools=np.zeros((schools, months, p + 2, n), np.int32),
    )


def run_batch(
    world: World,
    practices: Practices,
    parameters: NDArray[np.void],
    designs: NDArray[np.void],
    batch: Batch,
    *,
    seed: int,
    months: int,
    end_of_funding: int,
    monthly: bool = False,
    per_school: bool = False,
    threads: int | None = None,
) -> Results:
    """Make every run of a batch in one world.

    ``parameters`` and ``designs`` are tables of ``parameter_table`` and ``design_table``; ``seed`` from 0 to 2**64 - 1 names the random numbers;
    ``end_of_funding`` is the month whose state counts as the end of funding (at most months - 1). ``monthly`` records groups, ties
    and costs of each month, ``per_school`` each school too. ``threads`` (default: all processors) never changes the results.
    """
    runs = batch.design.size
    results = empty_results(world, practices, runs, months, monthly, per_school)
    threads = min(threads or cpu_count(), max(1, runs))
    end_of_funding = min(end_of_funding, months - 1)
    has_named = bool((world.named_role == MENTOR).any())

    def work(low: int, high: int) -> None:
        state = allocate(world, practices.weight.size, len(CATEGORIES), len(PAYERS))
        cells = np.zeros((2, world.salary.size * CELLS, 5), np.int64)
        _run_rows(
            world, practices, parameters, designs, batch, np.uint64(seed), months, end_of_funding, has_named,
            state, cells, results, low, high,
        )  # fmt: skip

    if threads == 1:
        work(0, runs)
        return results
    # More pieces than threads, so that a thread with short runs (no mentoring) takes on more.
    cuts = np.linspace(0, runs, min(runs, 8 * threads) + 1).astype(int)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, cuts[:-1], cuts[1:]))
    return results
