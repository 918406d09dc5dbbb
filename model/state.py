"""What changes in a run: the arrays of one world under one design, allocated once and reused by every run."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.world.arrays import World

from .compiled import inlined

__all__ = ["BLOCK", "MENTEE", "MENTOR", "NO_ROLE", "SIDE", "State", "allocate", "of_run"]

NO_ROLE, MENTOR, MENTEE = 0, 1, 2
"""Roles; also the values of ``State.experience``."""


BLOCK = 512
"""Schools, times runs side by side, that go through the steps of a month together."""

SIDE = 8
"""So many runs of small worlds are made side by side."""

_STRETCH = 64  # schools; long enough to have several of each number of peers, short enough to stay in the first cache


class State(NamedTuple):
    """Schools' changing variables and scratch space (n schools, P practices, R regions, C countries), of one run or of S side by side.

    Runs side by side have one parameter set and one world. A month's work of all their teachers is done in one pass over arrays in
    which the S runs of a school lie beside each other; all else is done run by run, on the views that ``of_run`` gives, whose shapes
    are those of one run. Shapes of several:

    Of schools, (P, n S), school i of run r at i S + r: ``adopters``: adopting teachers, int32. ``share``: adopters / teachers,
    ``influence``: share**gamma, kept only where gamma is not 1, ``ready``: readiness, ``saturation``: D of the mentoring received,
    float64. The same in all months, (n S,): ``teachers`` int32, ``openness`` float64.

    Of schools, (S, n): ``role``: now, ``experience``: the furthest role ever held, mentee or mentor, int8. ``mentor``: its mentor or
    -1, ``mentees``, ``past_mentees``: of a mentor now and ever, ``tie_start``: month in which the present tie began, int32. Lists:
    ``tied``: schools that have a mentor, ``mentors``: schools that are one, in ascending order after a round of recruitment, int32;
    ``lengths[r, MENTEE]`` and ``lengths[r, MENTOR]`` are their lengths.

    Of runs: ``replicate`` uint32 and ``outreach``, this month's, float64, over and over as a block of schools needs them, (BLOCK,).
    ``country_schools``: schools, int64 (S, C); ``country_units``: coordinating units, float64 (S, C); ``ledger``: cents of this
    month, int64 (S, C, categories, payers); ``posted``: whether there may be any, bool (S,); ``total``: adopting teachers, over
    practices, int64 (S,).

    ``zero``: zeros, float64 (BLOCK,).

    Of the world: ``by_degree``: schools, those of each stretch of 64 by the number of their peers, int32 (n,). ``largest``: the
    teachers of the largest school, int32 (1,).

    Within a month, of the run under way: ``quality``: coordination quality of each unit with active clusters, float64 (R + C + 2,);
    ``active``: mentors with mentees, and mentees, int64 (C,). Scratch: ``first``, ``second``, ``gain``, ``loss``, ``none``, ``one``
    float64 and ``todo``, ``others``, ``gained``, ``lost`` int32 (n S,); ``key`` float64 and ``queue``, ``pool``, ``slot`` int32 (n,);
    ``pool_start``, ``pool_count``, ``clusters`` int64 (R + C + 2,).
    """

    adopters: NDArray[np.int32]
    share: NDArray[np.float64]
    influence: NDArray[np.float64]
    ready: NDArray[np.float64]
    saturation: NDArray[np.float64]
    teachers: NDArray[np.int32]
    openness: NDArray[np.float64]
    role: NDArray[np.int8]
    experience: NDArray[np.int8]
    mentor: NDArray[np.int32]
    mentees: NDArray[np.int32]
    past_mentees: NDArray[np.int32]
    tie_start: NDArray[np.int32]
    tied: NDArray[np.int32]
    mentors: NDArray[np.int32]
    lengths: NDArray[np.int64]
    replicate: NDArray[np.uint32]
    outreach: NDArray[np.float64]
    country_schools: NDArray[np.int64]
    country_units: NDArray[np.float64]
    ledger: NDArray[np.int64]
    posted: NDArray[np.bool_]
    total: NDArray[np.int64]
    zero: NDArray[np.float64]
    by_degree: NDArray[np.int32]
    largest: NDArray[np.int32]
    quality: NDArray[np.float64]
    active: NDArray[np.int64]
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    gain: NDArray[np.float64]
    loss: NDArray[np.float64]
    none: NDArray[np.float64]
    one: NDArray[np.float64]
    todo: NDArray[np.int32]
    others: NDArray[np.int32]
    gained: NDArray[np.int32]
    lost: NDArray[np.int32]
    key: NDArray[np.float64]
    queue: NDArray[np.int32]
    pool: NDArray[np.int32]
    slot: NDArray[np.int32]
    pool_start: NDArray[np.int64]
    pool_count: NDArray[np.int64]
    clusters: NDArray[np.int64]


def allocate(world: World, practices: int, categories: int, payers: int, side: int = 1) -> State:
    """Return a state for ``side`` runs side by side in a world; a run sets every value that it reads."""
    n, regions, countries = world.teachers.size, world.region_country.size, world.salary.size
    units = regions + countries + 2

    def floats(*shape: int) -> NDArray[np.float64]:
        return np.zeros(shape)

    def whole(*shape: int) -> NDArray[np.int32]:
        return np.zeros(shape, np.int32)

    return State(
        adopters=whole(practices, n * side),
        share=floats(practices, n * side),
        influence=floats(practices, n * side),
        ready=floats(practices, n * side),
        saturation=floats(practices, n * side),
        teachers=np.repeat(world.teachers, side),
        openness=np.repeat(world.openness, side),
        role=np.zeros((side, n), np.int8),
        experience=np.zeros((side, n), np.int8),
        mentor=whole(side, n),
        mentees=whole(side, n),
        past_mentees=whole(side, n),
        tie_start=whole(side, n),
        tied=whole(side, n),
        mentors=whole(side, n),
        lengths=np.zeros((side, 3), np.int64),
        replicate=np.zeros(BLOCK, np.uint32),
        outreach=floats(BLOCK),
        country_schools=np.zeros((side, countries), np.int64),
        country_units=floats(side, countries),
        ledger=np.zeros((side, countries, categories, payers), np.int64),
        posted=np.ones(side, np.bool_),
        total=np.zeros(side, np.int64),
        zero=floats(BLOCK),
        by_degree=np.lexsort((np.diff(world.peer_start), np.arange(n) // _STRETCH)).astype(np.int32),
        largest=np.array([world.teachers.max()], np.int32),
        quality=floats(units),
        active=np.zeros(countries, np.int64),
        first=floats(n * side),
        second=floats(n * side),
        gain=floats(n * side),
        loss=floats(n * side),
        none=floats(n * side),
        one=floats(n * side),
        todo=whole(n * side),
        others=whole(n * side),
        gained=whole(n * side),
        lost=whole(n * side),
        key=floats(n),
        queue=whole(n),
        pool=whole(n),
        slot=whole(n),
        pool_start=np.zeros(units, np.int64),
        pool_count=np.zeros(units, np.int64),
        clusters=np.zeros(units, np.int64),
    )


@inlined
def of_run(state: State, run: int) -> State:
    """Return the view of one of the runs side by side; of ``posted`` and ``total`` arrays of one value."""
    side = state.lengths.shape[0]
    return State(
        state.adopters[:, run::side],
        state.share[:, run::side],
        state.influence[:, run::side],
        state.ready[:, run::side],
        state.saturation[:, run::side],
        state.teachers,
        state.openness,
        state.role[run],
        state.experience[run],
        state.mentor[run],
        state.mentees[run],
        state.past_mentees[run],
        state.tie_start[run],
        state.tied[run],
        state.mentors[run],
        state.lengths[run],
        state.replicate[run::side],
        state.outreach[run::side],
        state.country_schools[run],
        state.country_units[run],
        state.ledger[run],
        state.posted[run : run + 1],
        state.total[run : run + 1],
        state.zero,
        state.by_degree,
        state.largest,
        state.quality,
        state.active,
        state.first,
        state.second,
        state.gain,
        state.loss,
        state.none,
        state.one,
        state.todo,
        state.others,
        state.gained,
        state.lost,
        state.key,
        state.queue,
        state.pool,
        state.slot,
        state.pool_start,
        state.pool_count,
        state.clusters,
    )
