"""The state of a run before month 0, and the tracks of its programme."""

import numpy as np

from school_mentoring.model.world.arrays import Floats, Ints, Practices, Record, World

from . import draws, rules
from .compiled import part, step
from .costs import set_prices
from .draws import Moment
from .state import NO_ROLE, CountryCounts, RunCounts, Spread, State, Tie, TrackCounts, TrackNumbers


@part
def start(world: World, practices: Practices, par: Record, factors: Floats, state: State, now: Moment) -> None:
    """Set every school to its state before month 0, but for its share, and the counts that hold for the whole run.

    ``state.track`` has the row of the designs with which the programme begins in each region, and then the number of its track.
    """
    n, side = world.teachers.size, state.ties.shape[0]
    ties = state.ties[now.run]
    state.replicate[now.run :: side] = now.replicate
    ties[:] = 0
    ties[Tie.ROLE], ties[Tie.EXPERIENCE] = NO_ROLE, NO_ROLE
    ties[Tie.MENTOR], ties[Tie.TIE_START], ties[Tie.ROW] = -1, -1, -1
    state.runs[:, now.run] = 0
    state.gained[:, now.run] = 0
    set_prices(par, factors, world.salary, world.taught_hours, world.working_hours, state.money)
    state.ledger[now.run] = 0
    for p in range(practices.weight.size):
        initial = practices.initial_share[p] if practices.initial_share[p] >= 0.0 else par.initial_share
        for i in range(n):
            place = i * side + now.run
            state.spread[Spread.READY, p, place] = rules.readiness(par, world.capacity[i], practices.difficulty[p])
            adopters = world.adopters_at_start[p, i]
            if adopters < 0:
                share = rules.start_share(par, world.capacity[i], initial)
                if rules.advanced(par, world.capacity_rank[i], n):
                    share = par.advanced_share
                adopters = draws.binomial(draws.at(now, draws.START, i, p, 0), world.teachers[i], share)
            state.adopters[p, place] = adopters
    _start_tracks(world, state.track[now.run], state, now.run)


@step
def _start_tracks(world: World, tracks: Ints, state: State, run: int) -> None:
    """Set the number of each region's track, where ``tracks`` had the row with which it begins; numbers are in the order of regions."""
    nodes, countries = state.tracks[run, TrackCounts.NODE], state.countries[run]
    countries[:] = 0
    state.numbers[run, TrackNumbers.FOUND] = np.nan
    count = 0
    for region in range(world.region_country.size):
        track = 0
        while track < count and nodes[track] != tracks[region]:
            track += 1
        if track == count:
            nodes[count] = tracks[region]
            count += 1
        tracks[region] = track
        of_country = countries[track, :, world.region_country[region]]
        of_country[CountryCounts.SCHOOLS] += world.region_start[region + 1] - world.region_start[region]
        of_country[CountryCounts.REGIONS] += 1
    state.runs[RunCounts.TRACKS, run] = count
