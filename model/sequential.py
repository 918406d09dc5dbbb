"""A month of teachers in a sequential world: school after school, each seeing the shares that others have already changed.

``month.py`` has the default, in which all decide on the shares at the start of the month.
"""

import numpy as np

from school_mentoring.model.world.arrays import NO_CONTACTS, Floats, Index, Record, World

from . import draws, rules
from .compiled import part, step
from .contacts import clusters_of, exposure, see_cluster
from .draws import Moment
from .matching import KEY, QUEUE, sort_queue
from .month import team_chances
from .state import Member, Spread, State, Tie, TrackNumbers
from .ties import MONTHLY


@part
def take_turns(world: World, par: Record, state: State, now: Moment) -> None:
    """Let every school take its turn, in an order drawn for this month, of a run that is alone in its state."""
    key, queue = state.floats[KEY], state.ints[QUEUE]
    n = world.teachers.size
    state.gained[:] = 0
    for i in range(n):
        queue[i] = i
        key[i] = draws.at(now, draws.TURN, i, 0, 0)
    sort_queue(state, n)
    for position in range(n):
        for p in range(state.adopters.shape[0]):
            _take_turn(world, par, state, p, queue[position], now)


@step
def _take_turn(world: World, par: Record, state: State, p: int, school: Index, now: Moment) -> None:
    """Let the teachers of one school adopt and discontinue a practice, at once."""
    shares, row = state.spread[Spread.SHARE, p], state.ties[0, Tie.ROW, school]
    share, ready = shares[school], state.spread[Spread.READY, p, school]
    seen = _peers_share(world, shares, school)
    if row >= 0 and world.contacts != NO_CONTACTS:
        mentor = np.int64(state.ties[0, Tie.MENTOR, school] if state.ties[0, Tie.MENTOR, school] >= 0 else school)
        if state.ties[0, Tie.MENTEES, mentor] > 0:
            see_cluster(clusters_of(world, state, 0), shares, p, mentor)
        seen = exposure(world, par, state, 0, p, school, seen)
    peers = rules.social_influence(par, seen)
    own = rules.social_influence(par, share)
    state.spread[Spread.INFLUENCE, p, school] = own
    outreach = state.numbers[0, TrackNumbers.OUTREACH, state.track[0, world.region[school]]]
    gain = rules.adoption_chance(par, ready, world.openness[school], outreach, own, peers, 0.0)
    loss = rules.loss_chance(par, share, 0.0)
    adopters, teachers, team, using = state.adopters[p, school], world.teachers[school], 0, 0
    if state.ties[0, Tie.MENTOR, school] >= 0:
        team, using = state.member[0, row, Member.TEAM], state.member[0, row, Member.USERS + p]
    u, v = draws.uniform_pair(now.seed, now.replicate, draws.TEACHERS, school, p, now.month, 0)
    gained = draws.binomial(u, teachers - team - (adopters - using), gain)
    adopters += gained - draws.binomial(v, adopters - using, loss)
    if team > 0:
        gain, loss = team_chances(par, state, 0, p, school, peers, outreach)
        u, v = draws.uniform_pair(now.seed, now.replicate, draws.TEAM, school, p, now.month, MONTHLY)
        in_team = draws.binomial(u, team - using, gain)
        change = in_team - draws.binomial(v, using, loss)
        state.member[0, row, Member.USERS + p] = using + change
        gained += in_team
        adopters += change
    state.gained[0, 0, world.country[school]] += gained
    state.adopters[p, school] = adopters
    shares[school] = adopters / teachers


@step
def _peers_share(world: World, share: Floats, school: Index) -> float:
    """Return the weighted share of adopting teachers in a school's peer schools."""
    weighted = world.weight.size > 0
    total = 0.0
    for a in range(world.peer_start[school], world.peer_start[school + 1]):
        users = share[world.peer[a]]
        total += world.weight[a] * users if weighted else users
    return world.row_weight[school] * total
