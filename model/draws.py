"""Random numbers as a pure function of what they are for.

A draw is named by (seed, replicate, event, school, practice, month, other) and by nothing else: there is no state, so a result
does not depend on threads, order, chunking or engine, and two designs under one seed share every draw they both make.

The generator is Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", SC'11): a
keyed bijection of 128-bit counters. The seed is the key, the event's name is written into the counter without hashing, so
different events of one seed can never share a counter. Why this generator: ``benchmarks/generators.py``.
"""

from typing import NamedTuple

import numpy as np

from school_mentoring.model.world.arrays import Floats, Index, Ints

from .compiled import compiled, inlined, step
from .portable import log

EVENTS = (
    "start",
    "teachers",
    "volunteer",
    "seek",
    "queue",
    "consider",
    "choose",
    "retain",
    "cascade",
    "population",
    "peers",
    "turn",
    "team",
    "contact",
    "gate",
)
"""The kinds of event; the position of a kind in this tuple is its number, so new kinds go to the end."""

START, TEACHERS, VOLUNTEER, SEEK, QUEUE, CONSIDER, CHOOSE, RETAIN, CASCADE, POPULATION, PEERS, TURN, TEAM, CONTACT, GATE = range(
    len(EVENTS)
)

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW, _32, _12, _16, _24 = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(12), np.uint64(16), np.uint64(24)
_ONE_BITS = np.uint64(0x3FF0000000000000)


@inlined
def philox4x32(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64, k1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Return the four 32-bit words of Philox4x32-10 for a counter of four words and a key of two, all as uint64."""
    for _ in range(10):
        high = c0 * _M0
        low = c2 * _M1
        c0, c1, c2, c3 = ((low >> _32) ^ c1 ^ k0) & _LOW, low & _LOW, ((high >> _32) ^ c3 ^ k1) & _LOW, high & _LOW
        k0 = (k0 + _W0) & _LOW
        k1 = (k1 + _W1) & _LOW
    return c0, c1, c2, c3


@inlined
def _unit(first: np.uint64, second: np.uint64) -> float:
    """Return a uniform in [0, 1) with 52 random bits from two 32-bit words."""
    bits = ((first << _32) | second) >> _12
    return np.uint64(bits | _ONE_BITS).view(np.float64) - 1.0


@inlined
def uniform_pair(
    seed: np.uint64, replicate: int, event: int, school: Index, practice: int, month: int, other: Index
) -> tuple[float, float]:
    """Return two independent uniforms in [0, 1) for one event.

    ``seed`` is a uint64; ``event`` and ``practice`` are below 256, ``month`` below 65,536, ``school``, ``replicate`` and ``other``
    (a second school, or a position in a list) below 2**32.
    """
    seed = np.uint64(seed)
    named = np.uint64(month) | (np.uint64(practice) << _16) | (np.uint64(event) << _24)
    w0, w1, w2, w3 = philox4x32(np.uint64(school), named, np.uint64(replicate), np.uint64(other), seed & _LOW, seed >> _32)
    return _unit(w0, w1), _unit(w2, w3)


@step
def uniform(seed: np.uint64, replicate: int, event: int, school: Index, practice: int, month: int, other: Index) -> float:
    """Return the first uniform of ``uniform_pair``."""
    return uniform_pair(seed, replicate, event, school, practice, month, other)[0]


class Moment(NamedTuple):
    """A month of a run, or of one of its tracks: what names its random numbers, and where it stands.

    ``run``: the run's number among those side by side. ``months``: of the run, of which ``end_of_funding`` is the one whose state counts as
    the end of funding. Of a track its number, and ``funded``: 1 while its programme runs, else 0.
    """

    seed: np.uint64
    replicate: int
    run: int
    month: int
    months: int
    end_of_funding: int
    track: int = 0
    funded: int = 0


@step
def at(now: Moment, event: int, school: Index, practice: int, other: Index) -> float:
    """Return a school's uniform of one event at a moment."""
    return uniform(now.seed, now.replicate, event, school, practice, now.month, other)


@inlined
def gumbel(u: float) -> float:
    """Return a standard Gumbel variate by inversion of a uniform in [0, 1)."""
    inside = max(u, 1e-16)
    return -log(max(-log(inside), 1e-300))


@compiled
def _successes(u: float, trials: int, chance: float) -> int:
    """Return the smallest count whose cumulative binomial probability exceeds u, for chance <= 1/2."""
    if u < 1.0 - trials * chance:
        return 0  # Bernoulli: (1 - q)**n >= 1 - n q, so no power is needed for the commonest answer
    failure = 1.0 - chance
    mass, square, exponent = 1.0, failure, trials
    while exponent > 0:
        if exponent & 1:
            mass *= square
        square *= square
        exponent >>= 1
    odds = chance / failure
    count, cumulative = 0, mass
    while u >= cumulative and count < trials:
        mass *= odds * (trials - count) / (count + 1)
        count += 1
        if count > trials * chance and cumulative + mass == cumulative:
            break  # the sum has stopped growing, a little short of 1
        cumulative += mass
    return count


@compiled
def binomial(u: float, trials: int, chance: float) -> int:
    """Return a Binomial(trials, chance) count by inversion of one uniform u in [0, 1).

    The count never falls when the chance rises under the same u, which keeps designs coupled. Exact for trials <= 1000:
    the smallest starting mass, 0.5**1000, is still a normal number.
    """
    if chance <= 0.5:
        return _successes(u, trials, max(chance, 0.0))
    return trials - _successes(1.0 - u, trials, max(1.0 - chance, 0.0))


@inlined
def _bits_of(trials: Ints) -> np.int32:
    """Return a number that has every bit that any of the trials has."""
    bits = np.int32(0)
    for i in range(trials.size):
        bits |= trials[i]
    return bits


@inlined
def _at_most_two(u: Floats, trials: Ints, chance: Floats, bits: int, count: Ints, more: Ints) -> np.int32:
    """Set counts to 0, 1 or 2, and ``more`` to 1 where they are larger or the chance is above 1/2; return how many are.

    The operations of ``_successes`` in its order, without its branches, so that they vectorise; for trials below 2**bits.
    """
    total = np.int32(0)
    for i in range(u.size):
        q = max(chance[i], 0.0)
        n = np.int64(trials[i])
        failure = 1.0 - q
        mass, square = 1.0, failure
        for bit in range(bits):
            times = mass * square
            mass = times if (n >> bit) & 1 else mass
            square *= square
        odds = q / failure
        once = mass * (odds * n)
        one = mass + once
        two = one + once * (odds * (n - 1) / 2)
        count[i] = np.int32(u[i] >= max(1.0 - n * q, mass)) + np.int32(u[i] >= one)
        more[i] = np.int32(u[i] >= two) | np.int32(q > 0.5)
        total += more[i]
    return total


@compiled
def binomials(u: Floats, trials: Ints, chance: Floats, more: Ints, count: Ints) -> None:
    """Set ``count[i]`` to ``binomial(u[i], trials[i], chance[i])`` for arrays, to the last bit and several times faster.

    Most counts are at most 2, which comparisons tell; the others go through the inversion. No trials exceed 1,000; ``more``: scratch space
    of the same length.
    """
    bits = _bits_of(trials)
    if bits < 16:
        left = _at_most_two(u, trials, chance, 4, count, more)
    elif bits < 256:
        left = _at_most_two(u, trials, chance, 8, count, more)
    else:
        left = _at_most_two(u, trials, chance, 10, count, more)
    i = 0
    while left > 0:
        if more[i] > 0:
            count[i] = binomial(u[i], trials[i], chance[i])
            left -= 1
        i += 1
