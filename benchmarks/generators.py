"""Which generator names the draws: speed and quality of Philox4x32-10 against what could stand in its place.

All are compiled alike and make pairs of uniforms for consecutive schools of one event, as the engine does. Known answers are those of
Random123 (Salmon, Moraes, Dror & Shaw 2011) and of Vigna's splitmix64.c.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from school_mentoring.model.compiled import compiled, inlined
from school_mentoring.model.draws import philox4x32, uniform_pair

from .timing import alternate, table

__all__ = ["check_known_answers", "section"]

_LOW, _32, _12 = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(12)
_ONE_BITS = np.uint64(0x3FF0000000000000)


@inlined
def _unit(bits):
    return np.uint64((bits >> _12) | _ONE_BITS).view(np.float64) - 1.0


@inlined
def _multiply(a, b):
    """Return the high and low 64 bits of a product, from four products of 32 bits: the only way that vector units have."""
    a0, a1, b0, b1 = a & _LOW, a >> _32, b & _LOW, b >> _32
    p00, p01, p10, p11 = a0 * b0, a0 * b1, a1 * b0, a1 * b1
    middle = (p00 >> _32) + (p01 & _LOW) + (p10 & _LOW)
    return p11 + (p01 >> _32) + (p10 >> _32) + (middle >> _32), a * b


@inlined
def philox2x64(c0, c1, k):
    """Return the words of Philox2x64-10."""
    for _ in range(10):
        high, low = _multiply(c0, np.uint64(0xD2B74407B1CE6E93))
        c0, c1 = high ^ k ^ c1, low
        k += np.uint64(0x9E3779B97F4A7C15)
    return c0, c1


@inlined
def _mix(c0, c1, rotation):
    c0 += c1
    c1 = ((c1 << np.uint64(rotation)) | (c1 >> np.uint64(64 - rotation))) ^ c0
    return c0, c1


@inlined
def threefry2x64(c0, c1, k0, k1):
    """Return the words of Threefry2x64-20."""
    k2 = np.uint64(0x1BD11BDAA9FC1A22) ^ k0 ^ k1
    c0, c1 = c0 + k0, c1 + k1
    for four in range(5):
        if four % 2 == 0:
            c0, c1 = _mix(c0, c1, 16)
            c0, c1 = _mix(c0, c1, 42)
            c0, c1 = _mix(c0, c1, 12)
            c0, c1 = _mix(c0, c1, 31)
        else:
            c0, c1 = _mix(c0, c1, 16)
            c0, c1 = _mix(c0, c1, 32)
            c0, c1 = _mix(c0, c1, 24)
            c0, c1 = _mix(c0, c1, 21)
        injected = four + 1
        add0 = k0 if injected % 3 == 0 else (k1 if injected % 3 == 1 else k2)
        add1 = k1 if injected % 3 == 0 else (k2 if injected % 3 == 1 else k0)
        c0, c1 = c0 + add0, c1 + add1 + np.uint64(injected)
    return c0, c1


@inlined
def splitmix(z):
    """Return splitmix64's output for the state z."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled
def _philox4x32_pairs(seed, month, first, second):
    for i in range(first.size):
        first[i], second[i] = uniform_pair(seed, 0, 1, i, 0, month, 0)


@compiled
def _philox2x64_pairs(seed, month, first, second):
    for i in range(first.size):
        a, b = philox2x64(np.uint64(i), np.uint64(month), seed)
        first[i], second[i] = _unit(a), _unit(b)


@compiled
def _threefry_pairs(seed, month, first, second):
    for i in range(first.size):
        a, b = threefry2x64(np.uint64(i), np.uint64(month), seed, np.uint64(0))
        first[i], second[i] = _unit(a), _unit(b)


@compiled
def _splitmix_pairs(seed, month, first, second):
    start = splitmix(seed + np.uint64(month) * np.uint64(0x9E3779B97F4A7C15))
    for i in range(first.size):
        z = start + np.uint64(2 * i) * np.uint64(0x9E3779B97F4A7C15)
        first[i], second[i] = _unit(splitmix(z)), _unit(splitmix(z + np.uint64(0x9E3779B97F4A7C15)))


PAIRS = {
    "Philox4x32-10 (in use)": _philox4x32_pairs,
    "Philox2x64-10": _philox2x64_pairs,
    "Threefry2x64-20": _threefry_pairs,
    "splitmix64 as a hash": _splitmix_pairs,
}


def check_known_answers() -> int:
    """Return the number of published answers that the implementations give; raise where one is not given."""
    full32, full64 = np.uint64(0xFFFFFFFF), np.uint64(2**64 - 1)
    zero = np.uint64(0)
    wanted = [
        (philox4x32(*[zero] * 6), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        (philox4x32(*[full32] * 6), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (philox2x64(*[zero] * 3), (0xCA00A0459843D731, 0x66C24222C9A845B5)),
        (philox2x64(*[full64] * 3), (0x65B021D60CD8310F, 0x4D02F3222F86DF20)),
        (threefry2x64(*[zero] * 4), (0xC2B6E3A8C2C69865, 0x6F81ED42F350084D)),
        (threefry2x64(*[full64] * 4), (0xE02CB7C4D95D277A, 0xD06633D0893B8B68)),
        ((splitmix(np.uint64(0x9E3779B97F4A7C15)),), (0xE220A8397B1DCDAF,)),
    ]
    for answer, known in wanted:
        if tuple(int(word) for word in answer) != known:
            raise AssertionError(f"{[hex(int(w)) for w in answer]} instead of {[hex(w) for w in known]}")
    return len(wanted)


def _neighbours(pairs, months: int, schools: int) -> list[NDArray[np.float64]]:  # type: ignore[no-untyped-def]
    """Return uniforms of consecutive schools (columns), months (rows): first of each pair, second, and the first under the next seed."""
    grids = [np.empty((months, schools)) for _ in range(3)]
    spare = np.empty(schools)
    for month in range(months):
        pairs(np.uint64(1), month, grids[0][month], grids[1][month])
        pairs(np.uint64(2), month, grids[2][month], spare)
    return grids


def _quality(pairs, months: int, schools: int) -> list[object]:  # type: ignore[no-untyped-def]
    """Return the largest correlation of neighbours in standard errors, and p values of chi-square tests on single draws and pairs."""
    first, second, other_seed = _neighbours(pairs, months, schools)
    couples = {
        "the pair": (first, second),
        "next school": (first[:, :-1], first[:, 1:]),
        "next month": (first[:-1], first[1:]),
        "next seed": (first, other_seed),
    }
    worst = max((abs(float(np.corrcoef(a.ravel(), b.ravel())[0, 1])) * math.sqrt(a.size) for a, b in couples.values()))
    single = stats.chisquare(np.bincount((first.ravel() * 4096).astype(int), minlength=4096)).pvalue
    least = 1.0
    for a, b in couples.values():
        cells = (a.ravel() * 64).astype(int) * 64 + (b.ravel() * 64).astype(int)
        least = min(least, float(stats.chisquare(np.bincount(cells, minlength=4096)).pvalue))
    return [worst, float(single), least]


def section(quick: bool) -> str:
    """Return speed and quality of the generators as Markdown."""
    known = check_known_answers()
    size = 480
    first, second = np.empty(size), np.empty(size)
    rng, both = np.random.Generator(np.random.Philox(1)), np.empty(2 * size)
    inner = 200

    def repeat(pairs):  # type: ignore[no-untyped-def]
        def call() -> None:
            for month in range(inner):
                pairs(np.uint64(1), month, first, second)

        return call

    def numpy_philox() -> None:
        for _ in range(inner):
            rng.random(out=both)

    best = alternate({**{name: repeat(pairs) for name, pairs in PAIRS.items()}, "numpy.random.Philox, a stream": numpy_philox}, 20)
    base = best["Philox4x32-10 (in use)"]
    rows = []
    for name, seconds in best.items():
        quality = _quality(PAIRS[name], 64 if quick else 512, 16_384) if name in PAIRS else ["", "", ""]
        rows.append([name, seconds / inner / size * 1e9, seconds / base, *quality])
    head = [
        "generator",
        "ns per pair",
        "relative",
        "largest correlation of neighbours, standard errors",
        "p of chi-square",
        "least p, pairs of neighbours (4 tests)",
    ]
    return (
        "## Generators\n\nPairs of uniforms for 480 schools of one event; neighbours: of a pair, the next school, month, seed. "
        f"{known} published answers were given first. splitmix64 hashes 64 bits, into which names of different events may fold alike; the "
        "others take 128 bits of name besides the seed.\n\n" + table(head, rows)
    )
