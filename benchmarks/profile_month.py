"""What a school-month is made of: its steps as loops of their own, over the engine's rules and draws, on the state of a pilot run.

The loops stand here and not in the engine, so the shares are of the steps themselves and do not add up to the engine's time.
"""

import numpy as np

from school_mentoring.model import draws, rules
from school_mentoring.model.compiled import compiled
from school_mentoring.model.engine import run_batch
from school_mentoring.model.parameters import parameter_table

from . import cases
from .timing import alternate, table

__all__ = ["section"]

INNER = 200


@compiled
def _exposure(times, start, peer, weight, share, out):
    for _ in range(times):
        for i in range(out.size):
            total = 0.0
            for a in range(start[i], start[i + 1]):
                total += weight[a] * share[np.uint32(peer[a])]
            out[i] = total


@compiled
def _powers(times, par, share, out):
    for _ in range(times):
        for i in range(out.size):
            out[i] = rules.social_influence(par, share[i])


@compiled
def _chances(times, par, ready, openness, own, peers, mentoring, share, gain, loss):
    for _ in range(times):
        for i in range(gain.size):
            gain[i] = rules.adoption_chance(par, ready[i], openness[i], 0.0, own[i], peers[i], mentoring[i])
        for i in range(gain.size):
            loss[i] = rules.loss_chance(par, share[i], mentoring[i])


@compiled
def _draws(times, seed, first, second):
    for month in range(times):
        for i in range(first.size):
            first[i], second[i] = draws.uniform_pair(seed, 0, draws.TEACHERS, i, 0, month, 0)


@compiled
def _counts(times, firsts, seconds, teachers, adopters, gain, loss, out):
    for month in range(times):
        for i in range(out.size):
            k = adopters[i]
            gained = draws.binomial(firsts[month, i], teachers[i] - k, gain[i])
            out[i] = k + gained - draws.binomial(seconds[month, i], k, loss[i])


@compiled
def _shares(times, adopters, teachers, share):
    for _ in range(times):
        for i in range(share.size):
            share[i] = adopters[i] / teachers[i]


def section(quick: bool) -> str:
    """Return what the steps of a school-month cost, as Markdown."""
    work = cases.pilot(20, ("none",))
    world = work.arguments[0]
    n = world.teachers.size
    par = parameter_table([{}]).view(np.recarray)[0]
    one = work._replace(arguments=(*work.arguments[:4], cases.replicates_of(1, 1, 1)))
    schools = run_batch(*one.arguments, **one.options, per_school=True).schools
    adopters = schools[0, 34, 0].astype(np.int32)
    share = adopters / world.teachers
    own, peers, exposure, gain, loss, mentoring, ready = (np.zeros(n) for _ in range(7))
    ready[:] = par.readiness_floor + (1.0 - par.readiness_floor) * world.capacity
    rng = np.random.default_rng(1)
    unused = np.zeros(n)
    firsts, seconds, out, spare = rng.random((INNER, n)), rng.random((INNER, n)), np.zeros(n, np.int32), np.zeros(n)
    seed = np.uint64(1)
    steps = {
        f"exposure: gather {world.peer.size / n:.1f} peers' shares on average": lambda: _exposure(
            INNER, world.peer_start, world.peer, world.weight, share, exposure
        ),
        "two powers: s**gamma, E**gamma": lambda: (_powers(INNER, par, share, own), _powers(INNER, par, exposure, peers)),
        "chances of gain and loss": lambda: _chances(INNER, par, ready, world.openness, own, peers, mentoring, share, gain, loss),
        "a pair of uniforms": lambda: _draws(INNER, seed, spare, unused),
        "two binomial counts": lambda: _counts(INNER, firsts, seconds, world.teachers, adopters, gain, loss, out),
        "new share": lambda: _shares(INNER, adopters, world.teachers, spare),
    }
    turns = 5 if quick else 15
    best = alternate({**steps, "engine": lambda: run_batch(*work.arguments, **work.options, threads=1)}, turns)
    whole = best.pop("engine") / work.school_months * 1e9
    each = {name: seconds / INNER / n * 1e9 for name, seconds in best.items()}
    rows: list[list[object]] = [[name, value, value / sum(each.values())] for name, value in each.items()]
    rows.append(["sum of the steps", sum(each.values()), 1.0])
    rows.append(["the whole engine, design none", whole, whole / sum(each.values())])
    return (
        "## What a school-month is made of\n\n480 schools at month 34 of the pilot, design `none`; each step is a loop of its own.\n\n"
        + table(["step", "ns per school", "share"], rows)
    )
