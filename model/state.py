"""What changes in a run: the arrays of one world under one design, allocated once and reused by every run.

To add something, add one line here. What each school has goes into ``Tie``, run by run, or into ``Spread`` where the loops over all
teachers read it; what only members have, schools that are or were mentors or mentees, into ``Member`` or ``Shared``; what a run, a track
of its programme, a track in a country, a country or a unit has, into ``RunCounts``, ``TrackCounts`` or ``TrackNumbers``,
``CountryCounts``, ``CountryMoney`` or ``UnitCounts``. Those list the rows of an array, which grows by itself. What is none of these is an
array of its own: a line in ``State`` with its kind and its axes.
"""

from collections.abc import Mapping
from enum import IntEnum, auto
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

import numpy as np

from school_mentoring.model.world.arrays import Counts, Floats, Ints, Replicates, World

from .costs import CATEGORIES, PAYERS

NO_ROLE, MENTOR, MENTEE, ALUMNUS = range(4)
"""Roles; the first three are also the values of ``Tie.EXPERIENCE``. An alumnus was mentored for as long as was planned."""

LASTING = 8
"""Contacts that a school keeps at most when the ties that made them have ended."""

BLOCK = 512
"""Schools, times runs side by side, that go through the steps of a month together."""

SIDE = 8
"""So many runs of small worlds are made side by side."""

CELLS = 24
"""Cells in which the schools of a country are counted: rural x disadvantaged x small x experience."""

_STRETCH = 64  # schools; long enough to have several of each number of peers, short enough to stay in the first cache


class _Rows(IntEnum):
    """The rows of an array, numbered from 0 as they stand."""

    @staticmethod
    def _generate_next_value_(_name: str, _start: int, count: int, _last: list[Any]) -> int:
        return count


class Spread(_Rows):
    """What a school has of each practice."""

    SHARE = auto()  # adopters / teachers
    INFLUENCE = auto()  # share**gamma, kept only where gamma is not 1
    READY = auto()  # readiness


class Tie(_Rows):
    """A school's part in mentoring, and three lists of schools, in ascending order after a round of recruitment."""

    ROLE = auto()  # now
    EXPERIENCE = auto()  # the furthest role ever held, mentee or mentor
    MENTOR = auto()  # its mentor, or -1
    MENTEES = auto()  # of a mentor, now
    PAST_MENTEES = auto()  # of a mentor, ever
    TIE_START = auto()  # month in which its last tie began, -1 of a school that has never been a mentee
    ROW = auto()  # where arrays of members keep it, or -1
    TIED = auto()  # list of the schools that have a mentor, as many as RunCounts.TIED
    MENTORS = auto()  # list of the schools that are one, as many as RunCounts.MENTORS, track by track
    MEMBERS = auto()  # list of the schools that are or were mentor or mentee, as many as RunCounts.MEMBERS


class Member(_Rows):
    """Whole numbers of members: schools that are or were mentor or mentee, in the order in which they became that."""

    SCHOOL = auto()  # which one it is
    TEAM = auto()  # T, teachers of its team
    FIRST = auto()  # of a mentor, the row of its first mentee, or -1
    NEXT = auto()  # of a mentee, the row of the next one of its mentor, or -1
    NEAR = auto()  # of a mentee, 1 where a school that came into its cluster is a peer of it, who needs no contact
    ABROAD = auto()  # of a mentee, 1 where its mentor is in another country
    CONTACTS = auto()  # lasting ones, the oldest first:
    PARTNER = auto()  # the other school of each of LASTING
    END = PARTNER + LASTING  # type: ignore[operator]  # the month in which it is there no more, of each of LASTING
    USERS = END + LASTING  # k_T, adopters in the team, of each practice


class Shared(_Rows):
    """Numbers of members."""

    HOURS = auto()  # that a mentee has shared with its mentor since its tie began, in sessions and meetings; -inf where they are peers
    MET = auto()  # that it has met those who were in its cluster all the time
    DILUTION = auto()  # T**-dilution
    PER_HOUR = auto()  # T / (n contact_hours), of a contact
    DISTANCE = auto()  # of a mentee, km to its mentor
    UNLIKE = auto()  # of a mentee, unlikeness to its mentor
    WEIGHT = auto()  # c for the school itself of each of LASTING contacts
    EFFECT = WEIGHT + LASTING  # type: ignore[operator]  # of each practice: this month's D and K; sum of c s and of c over its cluster


class RunCounts(_Rows):
    """What a run has, this month."""

    ADOPTERS = auto()  # adopting teachers, over practices
    TIED = auto()  # schools that have a mentor, which is the number of active ties
    MENTORS = auto()  # schools that are one
    MEMBERS = auto()  # schools that are or were mentor or mentee
    CONTACTS = auto()  # lasting ones, each counted by both schools
    TRACKS = auto()  # of its programme; 1 of a plain design
    APART = auto()  # 1 where outreach differs between tracks this month


class TrackCounts(_Rows):
    """What a track of a programme has."""

    NODE = auto()  # the row of the designs that is in force
    MENTORS = auto()  # where its mentors begin in the list of mentors
    MENTORS_END = auto()  # and where they end


class TrackNumbers(_Rows):
    """What a track brings to its schools this month, and what it was told of them."""

    OUTREACH = auto()
    COMMUNITY = auto()  # intensity of the community, 0 where it has no part in it
    FOUND = auto()  # what the survey of its last gate found, nan before there was one
    REACHED = auto()  # in each country, while outreach goes on: sum of openness over teachers who do not use a practice


class CountryCounts(_Rows):
    """What a track has in a country."""

    SCHOOLS = auto()
    REGIONS = auto()
    MEMBERS = auto()  # schools that are or were mentor or mentee


class CountryMoney(_Rows):
    """What an hour costs in a country, in EUR."""

    YEAR = auto()  # of a teacher
    OWN = auto()  # hour of a teacher's own time
    PAID = auto()  # hour of the programme


class UnitCounts(_Rows):
    """What a unit has: one that coordinates, or one whose schools look for a mentor among its own."""

    CLUSTERS = auto()  # active ones, this month
    POOL_START = auto()  # where its list of mentors with free places begins
    POOL_COUNT = auto()  # how long that is


class State(NamedTuple):
    """Schools' changing variables and scratch space, of one run or of several side by side, which have one parameter set and one world.

    A month's work of all teachers is done in one pass over arrays in which the runs of a school lie beside each other: of S runs, run r of
    school i has place i S + r. All else is done run by run. A month of decisions needs all rows of ``floats`` and ``ints``, recruitment
    and delivery some; each names what it keeps there. Arrays of members are filled from their beginning, and memory that is never written
    is never taken.
    """

    adopters: Annotated[Ints, "practices", "places"]  # adopting teachers
    spread: Annotated[Floats, Spread, "practices", "places"]
    teachers: Annotated[Ints, "places"]  # as in the world
    openness: Annotated[Floats, "places"]  # as in the world
    ties: Annotated[Ints, "side", Tie, "schools"]
    member: Annotated[Ints, "side", "schools", "member"]
    shared: Annotated[Floats, "side", "schools", "shared"]
    runs: Annotated[Counts, RunCounts, "side"]
    track: Annotated[Ints, "side", "regions"]  # the number of the track of each region
    tracks: Annotated[Counts, "side", TrackCounts, "tracks"]
    numbers: Annotated[Floats, "side", "numbers", "tracks"]  # as in TrackNumbers
    countries: Annotated[Counts, "side", "tracks", CountryCounts, "countries"]
    money: Annotated[Floats, "countries", CountryMoney]
    gained: Annotated[Counts, "blocks", "side", "countries"]  # teachers who have taken a practice up since last month
    community: Annotated[Floats, "side", "community"]  # of practice: how many are in it this month, then sums of their shares
    ledger: Annotated[Counts, "side", "countries", "categories", "payers"]  # cents of this month
    units: Annotated[Counts, UnitCounts, "units"]  # of the run under way
    quality: Annotated[Floats, "units"]  # coordination quality of each unit with active clusters, of the run under way
    replicate: Annotated[Replicates, "block"]  # of the runs side by side, over and over, as a block of schools needs them
    outreach: Annotated[Floats, "block"]  # theirs, of this month, where it is the same for all tracks
    by_degree: Annotated[Ints, "schools"]  # schools, those of each stretch of 64 by the number of their peers
    cells: Annotated[Counts, 3, "cells", 5]  # scratch of ``observe``
    floats: Annotated[Floats, 6, "places"]
    ints: Annotated[Ints, 5, "places"]
    named: bool  # whether the world names mentors


def allocate(world: World, practices: int, side: int = 1, tracks: int = 1) -> State:
    """Return a state for ``side`` runs side by side in a world, of up to so many tracks; a run sets every value that it reads."""
    n, regions, countries = world.teachers.size, world.region_country.size, world.salary.size
    sizes = {
        "practices": practices,
        "side": side,
        "schools": n,
        "places": n * side,
        "countries": countries,
        "regions": regions,
        "tracks": tracks,
        "numbers": TrackNumbers.REACHED + countries,
        "units": regions + tracks * countries + 1,
        "cells": countries * CELLS,
        "categories": len(CATEGORIES),
        "payers": len(PAYERS),
        "member": Member.USERS + practices,
        "shared": Shared.EFFECT + 4 * practices,
        "community": 1 + practices,
        "block": BLOCK,
        "blocks": -(-n // (BLOCK // side)),
    }
    arrays: dict[str, Any] = {}
    for name, kind in get_type_hints(State, include_extras=True).items():
        if axes := getattr(kind, "__metadata__", ()):
            (dtype,) = get_args(get_args(kind.__origin__)[1])
            arrays[name] = np.zeros([_length(axis, sizes) for axis in axes], dtype)
    state = State(**arrays, named=bool((world.named_role == MENTOR).any()))
    state.teachers[:] = np.repeat(world.teachers, side)
    state.openness[:] = np.repeat(world.openness, side)
    state.by_degree[:] = np.lexsort((np.diff(world.peer_start), np.arange(n) // _STRETCH))
    return state


def _length(axis: str | int | type[_Rows], sizes: Mapping[str, int]) -> int:
    return sizes[axis] if isinstance(axis, str) else axis if isinstance(axis, int) else len(axis)
