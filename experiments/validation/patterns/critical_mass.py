"""Pattern 2: whole-school adoption below a share decays, above it holds.

One school without peers, innovation or mentoring moves by readiness q_in s**gamma (1 - s) - s loss(s); the roots of that balance, found
with the rules themselves, are its thresholds. 400 such schools give means with known errors; they have 200 teachers each, as in small
ones chance carries some over the threshold.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np

from school_mentoring.experiments.validation.checks import Curves, Pattern, Reading, Readings, above, below, between, curve, mean_se
from school_mentoring.experiments.validation.runs import lone_schools
from school_mentoring.model import rules
from school_mentoring.model.parameters import parameter_table

PATTERN = Pattern(
    2,
    "critical_mass",
    "Whole-school adoption decays below a share and holds above it",
    "complex contagion: Centola & Macy 2007",
    "Lone schools of 200 teachers without innovation or mentoring; 400 of each start.",
)
ALONE = {"p": 0.0, "q_out": 0.0}
SIMPLE = {"gamma": 1.0, "protection": 0.0}
MEAN, CAPABLE = 0.5, 0.75
TEACHERS = 200
YEARS = 6


def balance(share: float, capacity: float, **parameters: float) -> float:
    """Return the expected change of a lone school's adopting share in a month."""
    par = parameter_table([{**ALONE, **parameters}]).view(np.recarray)[0]
    gain = rules.adoption_chance(par, rules.readiness(par, capacity, 1.0), 0.5, 0.0, rules.social_influence(par, share), 0.0, 0.0)
    return float((1.0 - share) * gain - share * rules.loss_chance(par, share, 0.0))


@cache
def roots(capacity: float, **parameters: float) -> list[float]:
    """Return the shares above 0 at which a lone school stays, in ascending order."""
    shares = np.linspace(0.001, 0.999, 1997)
    return [float(shares[i]) for i in np.flatnonzero(np.diff(np.sign([balance(s, capacity, **parameters) for s in shares])))]


def changes(adopters: int, capacity: float, parameters: Mapping[str, float] = {}, *, years: int = YEARS) -> np.ndarray:
    """Return by how much the share of each of the lone schools has risen after some years, (schools,)."""
    found = lone_schools(adopters, {**ALONE, **parameters}, 12 * years + 1, teachers=TEACHERS, capacity=capacity, seed=1)
    return (found[-1] - adopters) / TEACHERS


@PATTERN.check("A school of mean capacity and a capable one have a threshold and a share that holds")
def _thresholds() -> Readings:
    for capacity in (MEAN, CAPABLE):
        low, high = roots(capacity)
        yield between(f"capacity {capacity}: threshold", low, 0.05, 0.3)
        yield between(f"capacity {capacity}: share that holds", high, 0.5, 0.8)


@PATTERN.check("The more capable a school, the lower its threshold")
def _by_capacity() -> Readings:
    lows = [roots(capacity)[0] for capacity in (MEAN, 0.6, CAPABLE, 0.9)]
    yield between("largest step of the threshold from capacity .5 to .6, .75, .9", np.diff(lows).max(), high=0.0)
    # A school of low capacity keeps the practice from no share, as long as it is alone.
    yield between("capacity 0.3: number of shares that hold or divide", len(roots(0.3)), high=0.5)


@PATTERN.check("Below the threshold adoption decays, above it holds, and from above it comes down to the share that holds")
def _decay() -> Readings:
    for capacity in (MEAN, CAPABLE):
        low, high = roots(capacity)
        starts = round(0.4 * low * TEACHERS), round(0.5 * (low + high) * TEACHERS)
        for start, moves in zip(starts, (below, above), strict=True):
            yield moves(f"capacity {capacity}: rise of the share in six years from {start / TEACHERS:.2f}", changes(start, capacity))
        fall = changes(TEACHERS, capacity, years=2 * YEARS)
        yield below(f"capacity {capacity}: rise of the share in twelve years from 1", fall)
        mean, error = mean_se(fall)
        held = abs(1.0 + mean - high)
        yield Reading(f"capacity {capacity}: distance from the share that holds", held, error, "< 0.1", held < 0.1)


@PATTERN.check("With simple contagion and no protection by colleagues there is no critical mass", contrast=True)
def _simple() -> Readings:
    for capacity in (MEAN, CAPABLE):
        yield between(f"capacity {capacity}: number of roots", len(roots(capacity, **SIMPLE)), 0.5, 1.5)
        start = round(0.4 * roots(capacity)[0] * TEACHERS)
        yield above(f"capacity {capacity}: rise of the share from {start / TEACHERS:.2f}", changes(start, capacity, SIMPLE))


@PATTERN.drawn
def _curves() -> Curves:
    shares = np.linspace(0.0, 1.0, 101)
    for series, capacity, simple in (("0.5", MEAN, {}), ("0.75", CAPABLE, {}), ("0.5, simple contagion", MEAN, SIMPLE)):
        change = [100.0 * balance(share, capacity, **simple) for share in shares]
        yield curve("Expected change in a month", ("share of teachers", "points of share"), f"capacity {series}", shares, change)
    months = np.arange(12 * YEARS + 1)
    for start in (0.1, 0.2, 0.3, 0.5, 0.8):
        found = lone_schools(round(start * TEACHERS), ALONE, len(months), teachers=TEACHERS, capacity=MEAN, seed=1) / TEACHERS
        error = found.std(axis=1, ddof=1) / np.sqrt(found.shape[1])
        axes = ("year", "share of teachers")
        yield curve("Capacity 0.5, from several shares", axes, f"from {start:g}", months / 12.0, found.mean(axis=1), error)
