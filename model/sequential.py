"""A month of teachers in a sequential world: school after school, each seeing the shares that others have already changed.

``month.py`` has the default, in which all decide on the shares at the start of the month.
"""

from . import draws, rules
from .compiled import compiled, inlined
from .matching import sort_queue

__all__ = ["take_turns"]


@inlined
def _exposure(world, share, school):
    """Return E, the weighted share of adopting teachers in a school's peer schools."""
    weighted = world.weight.size > 0
    total = 0.0
    for a in range(world.peer_start[school], world.peer_start[school + 1]):
        users = share[world.peer[a]]
        total += world.weight[a] * users if weighted else users
    return world.row_weight[school] * total


@inlined
def _take_turn(world, par, state, p, school, seed, replicate, month):
    """Let the teachers of one school adopt and discontinue a practice, at once."""
    share, saturation = state.share[p, school], state.saturation[p, school]
    peers = rules.social_influence(par, _exposure(world, state.share[p], school))
    own = rules.social_influence(par, share)
    gain = rules.adoption_chance(par, state.ready[p, school], world.openness[school], state.outreach[0], own, peers, saturation)
    loss = rules.loss_chance(par, share, saturation)
    u, v = draws.uniform_pair(seed, replicate, draws.TEACHERS, school, p, month, 0)
    adopters, teachers = state.adopters[p, school], world.teachers[school]
    adopters += draws.binomial(u, teachers - adopters, gain) - draws.binomial(v, adopters, loss)
    state.adopters[p, school] = adopters
    state.share[p, school] = adopters / teachers


@compiled
def take_turns(world, par, state, seed, replicate, month):
    """Let every school take its turn, in an order drawn for this month, of a run that is alone in its state."""
    n = world.teachers.size
    for i in range(n):
        state.queue[i] = i
        state.key[i] = draws.uniform(seed, replicate, draws.TURN, i, 0, month, 0)
    sort_queue(state, n)
    for position in range(n):
        for p in range(state.adopters.shape[0]):
            _take_turn(world, par, state, p, state.queue[position], seed, replicate, month)
