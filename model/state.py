"""What changes in a run: the arrays of one world under one design, allocated once and reused by every run."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .world import World

__all__ = ["MENTEE", "MENTOR", "NO_ROLE", "State", "allocate"]

NO_ROLE, MENTOR, MENTEE = 0, 1, 2
"""Roles; also the values of ``State.experience``."""


class State(NamedTuple):
    """Schools' changing variables and scratch space (n schools, P practices, R regions, C countries).

    Of schools: ``adopters``: adopting teachers, int32 (P, n). ``share``: adopters / teachers, ``influence``: share**gamma, ``ready``:
    readiness, ``saturation``: D of the mentoring received, float64 (P, n). ``role``: now, ``experience``: the furthest role ever held,
    mentee or mentor, int8 (n,). ``mentor``: its mentor or -1, ``mentees``, ``past_mentees``: of a mentor now and ever, ``tie_start``: month
    in which the present tie began, int32 (n,).

    Lists: ``tied``: schools that have a mentor, ``mentors``: schools that are one, in ascending order after a round of recruitment, int32
    (n,); ``lengths[MENTEE]`` and ``lengths[MENTOR]`` are their lengths.

    Of units and countries: ``quality``: coordination quality of each unit with active clusters, float64 (R + C + 2,); ``active``: mentors
    with mentees, and mentees, ``country_schools``: schools, int64 (C,); ``country_units``: coordinating units, float64 (C,); ``ledger``:
    cents of this month, int64 (C, categories, payers).

    ``largest``: the teachers of the largest school, int32 (1,).

    Scratch: ``first``, ``second``, ``gain``, ``loss``, ``key``, ``none``, ``one`` float64 (n,); ``queue``, ``pool``, ``slot``, ``todo``,
    ``others``, ``gained``, ``lost`` int32 (n,); ``pool_start``, ``pool_count``, ``clusters`` int64 (R + C + 2,).
    """

    adopters: NDArray[np.int32]
    share: NDArray[np.float64]
    influence: NDArray[np.float64]
    ready: NDArray[np.float64]
    saturation: NDArray[np.float64]
    role: NDArray[np.int8]
    experience: NDArray[np.int8]
    mentor: NDArray[np.int32]
    mentees: NDArray[np.int32]
    past_mentees: NDArray[np.int32]
    tie_start: NDArray[np.int32]
    tied: NDArray[np.int32]
    mentors: NDArray[np.int32]
    lengths: NDArray[np.int64]
    active: NDArray[np.int64]
    country_schools: NDArray[np.int64]
    country_units: NDArray[np.float64]
    quality: NDArray[np.float64]
    ledger: NDArray[np.int64]
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    gain: NDArray[np.float64]
    loss: NDArray[np.float64]
    key: NDArray[np.float64]
    queue: NDArray[np.int32]
    pool: NDArray[np.int32]
    slot: NDArray[np.int32]
    pool_start: NDArray[np.int64]
    pool_count: NDArray[np.int64]
    clusters: NDArray[np.int64]
    none: NDArray[np.float64]
    one: NDArray[np.float64]
    todo: NDArray[np.int32]
    others: NDArray[np.int32]
    gained: NDArray[np.int32]
    lost: NDArray[np.int32]
    largest: NDArray[np.int32]


def allocate(world: World, practices: int, categories: int, payers: int) -> State:
    """Return a state for runs in a world; a run sets every value that it reads."""
    n, regions, countries = world.teachers.size, world.region_country.size, world.salary.size
    units = regions + countries + 2

    def floats(*shape: int) -> NDArray[np.float64]:
        return np.zeros(shape)

    def whole(*shape: int) -> NDArray[np.int32]:
        return np.zeros(shape, np.int32)

    return State(
        adopters=whole(practices, n),
        share=floats(practices, n),
        influence=floats(practices, n),
        ready=floats(practices, n),
        saturation=floats(practices, n),
        role=np.zeros(n, np.int8),
        experience=np.zeros(n, np.int8),
        mentor=whole(n),
        mentees=whole(n),
        past_mentees=whole(n),
        tie_start=whole(n),
        tied=whole(n),
        mentors=whole(n),
        lengths=np.zeros(3, np.int64),
        active=np.zeros(countries, np.int64),
        country_schools=np.zeros(countries, np.int64),
        country_units=floats(countries),
        quality=floats(units),
        ledger=np.zeros((countries, categories, payers), np.int64),
        first=floats(n),
        second=floats(n),
        gain=floats(n),
        loss=floats(n),
        key=floats(n),
        queue=whole(n),
        pool=whole(n),
        slot=whole(n),
        pool_start=np.zeros(units, np.int64),
        pool_count=np.zeros(units, np.int64),
        clusters=np.zeros(units, np.int64),
        none=floats(n),
        one=floats(n),
        todo=whole(n),
        others=whole(n),
        gained=whole(n),
        lost=whole(n),
        largest=whole(1),
    )
