"""A month of teachers in a sequential world: school after school, each seeing the shares that others have already changed.

``month.py`` has the default, in which all decide on the shares at the start of the month.
"""

from school_mentoring.model.world.arrays import Floats, Record, World

from . import draws, rules
from .compiled import part, step
from .draws import Moment
from .matching import KEY, QUEUE, sort_queue
from .state import Spread, State


@part
def take_turns(world: World, par: Record, state: State, now: Moment) -> None:
    """Let every school take its turn, in an order drawn for this month, of a run that is alone in its state."""
    key, queue = state.floats[KEY], state.ints[QUEUE]
    n = world.teachers.size
    for i in range(n):
        queue[i] = i
        key[i] = draws.at(now, draws.TURN, i, 0, 0)
    sort_queue(state, n)
    for position in range(n):
        for p in range(state.adopters.shape[0]):
            _take_turn(world, par, state, p, queue[position], now)


@step
def _take_turn(world: World, par: Record, state: State, p: int, school: int, now: Moment) -> None:
    """Let the teachers of one school adopt and discontinue a practice, at once."""
    shares, mentoring = state.spread[Spread.SHARE, p], state.spread[Spread.SATURATION, p, school]
    share, ready = shares[school], state.spread[Spread.READY, p, school]
    peers = rules.social_influence(par, _exposure(world, shares, school))
    own = rules.social_influence(par, share)
    gain = rules.adoption_chance(par, ready, world.openness[school], state.outreach[0], own, peers, mentoring)
    loss = rules.loss_chance(par, share, mentoring)
    u, v = draws.uniform_pair(now.seed, now.replicate, draws.TEACHERS, school, p, now.month, 0)
    adopters, teachers = state.adopters[p, school], world.teachers[school]
    adopters += draws.binomial(u, teachers - adopters, gain) - draws.binomial(v, adopters, loss)
    state.adopters[p, school] = adopters
    shares[school] = adopters / teachers


@step
def _exposure(world: World, share: Floats, school: int) -> float:
    """Return E, the weighted share of adopting teachers in a school's peer schools."""
    weighted = world.weight.size > 0
    total = 0.0
    for a in range(world.peer_start[school], world.peer_start[school + 1]):
        users = share[world.peer[a]]
        total += world.weight[a] * users if weighted else users
    return world.row_weight[school] * total
