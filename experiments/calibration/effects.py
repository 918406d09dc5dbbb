"""Chances that differ between regions and change in time, of schools whose months of adoption are known.

All that is not in the model (prices, advisers, a good year) moves the chances of a whole region, or of all schools in a month. A school's
readiness is multiplied by exp(b + d): b of its region, normal with the standard deviation ``between_regions``; d of the month, a level that
moves from month to month by ``drift`` and deviates from it by ``shocks`` (a local level model; Harvey 1989). What the level will be is
drawn on from where it stands, so that forecasts grow uncertain and do not explode. Effects are summed over by the Laplace approximation
(Tierney & Kadane 1986); without them the likelihood is exact, a product over schools and months.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from school_mentoring.model import rules
from school_mentoring.model.compiled import allocating
from school_mentoring.model.world.arrays import Counts, Flags, Floats, Ints, Record, World
from school_mentoring.scenarios import Scenario

from .adoption_times import NEVER, Influence, influence_of, intervals
from .forward_filter import in_parallel, setting_of
from .survey import EFFECTS, Survey

LEAST = 1e-3  # a standard deviation below which there is as good as none
MOST = 0.999  # that a chance may come to
STEPS = 40  # of Newton's method, at most


class AdoptionCourse(NamedTuple):
    """What is known of schools in one practice: the month of adoption (NEVER: not by ``until``) and until when each was seen, (n,) each."""

    joined: Counts
    until: Counts


def course_of(survey: Survey, world: World, practice: int) -> AdoptionCourse | None:
    """Return the course of adoption in a practice; None where months are not known, or those of a school that a seen one looks at."""
    start = world.adopters_at_start[practice]
    earliest, latest = intervals(survey, practice)
    months, of = np.array(survey.months), np.array(survey.practices)
    last = np.where(survey.seen, np.where(of == practice, months, -1)[:, None], -1).max(axis=0)
    joined = np.where(start > 0, 0, np.where(latest < NEVER, latest, NEVER))
    earliest = np.where(start > 0, 0, np.maximum(earliest, 1))
    until = np.where((joined < NEVER) & (last >= 0), survey.horizon - 1, last)
    certain = (until < 0) | np.where(joined < NEVER, earliest >= joined, earliest > last)
    row = np.repeat(np.arange(len(start)), np.diff(world.peer_start))
    blind = until[world.peer] < np.minimum(until[row], np.where(joined[row] < NEVER, joined[row], until[row])) - 1
    return AdoptionCourse(joined, until) if certain.all() and not blind.any() else None


@allocating
def _cells(
    par: Record, difficulty: float, capacity: Floats, openness: Floats, outreach: Floats, joined: Counts, until: Counts, region: Ints,
    ties: Influence,
) -> tuple[Floats, Counts, Counts, Flags]:  # fmt: skip
    """Return of every school and month in which it may have adopted the chance, its region, the month, and whether it did."""
    n, months = joined.size, outreach.size - 1
    column_start, row, tie = ties
    ready = np.array([rules.readiness(par, one, difficulty) for one in capacity])
    exposure, chance, did = np.zeros(n), np.empty(n * months), np.empty(n * months, np.bool_)
    where, when, count = np.empty(n * months, np.int64), np.empty(n * months, np.int64), 0
    for month in range(months):
        for j in np.flatnonzero(joined == month):
            for k in range(column_start[j], column_start[j + 1]):
                exposure[row[k]] += tie[k]
        for i in range(n):
            if joined[i] > month and until[i] > month:
                peers = rules.social_influence(par, min(1.0, exposure[i]))
                chance[count] = rules.adoption_chance(par, ready[i], openness[i], outreach[month], 0.0, peers, 0.0)
                where[count], when[count], did[count] = region[i], month, joined[i] == month + 1
                count += 1
    return chance[:count], where[:count], when[:count], did[:count]


@allocating
def _slope(
    effects: Floats, regions: int, chance: Floats, where: Counts, when: Counts, did: Flags, precision: Floats
) -> tuple[float, Floats, Floats]:
    """Return the log density of cells and effects (E,), up to a constant, its gradient (E,) and minus its curvature (E, E)."""
    gradient, curvature = -precision @ effects, precision.copy()
    total = 0.5 * float((gradient * effects).sum())
    factor = np.exp(effects)
    for k in range(chance.size):
        r, t = where[k], regions + when[k]
        now = min(MOST, max(1e-12, chance[k]) * factor[r] * factor[t])
        if did[k]:
            total += np.log(now)
            slope, bend = 1.0, 0.0
        else:
            total += np.log1p(-now)
            slope = -now / (1.0 - now)
            bend = now / (1.0 - now) ** 2
        gradient[r] += slope
        gradient[t] += slope
        curvature[r, r] += bend
        curvature[t, t] += bend
        curvature[r, t] += bend
        curvature[t, r] += bend
    return total, gradient, curvature


@allocating
def _mode(
    regions: int, chance: Floats, where: Counts, when: Counts, did: Flags, precision: Floats
) -> tuple[float, Floats, Floats]:  # fmt: skip
    """Return the log density at the most likely effects, these (E,), and minus the curvature there (E, E), by Newton's method."""
    effects = np.zeros(precision.shape[0])
    total, gradient, curvature = _slope(effects, regions, chance, where, when, did, precision)
    for _ in range(STEPS):
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while size > 1e-4:
            tried = effects + size * step
            found, slope, bend = _slope(tried, regions, chance, where, when, did, precision)
            if found >= total:
                break
            size *= 0.5
        if size <= 1e-4 or found - total < 1e-8:
            break
        effects, total, gradient, curvature = tried, found, slope, bend
    return total, effects, curvature


def _covariance(regions: int, months: int, between: float, drift: float, shocks: float) -> Floats:
    """Return the prior covariance of the effects of regions and months."""
    time = np.arange(1.0, months + 1.0)
    found = np.zeros((regions + months, regions + months))
    found[:regions, :regions] = max(between, LEAST) ** 2 * np.eye(regions)
    found[regions:, regions:] = max(drift, LEAST) ** 2 * np.minimum.outer(time, time) + max(shocks, LEAST) ** 2 * np.eye(months)
    return found


def courses_of(survey: Survey, world: World) -> dict[int, AdoptionCourse] | None:
    """Return the course of each practice that was seen, None where one is not known."""
    found = {practice: course_of(survey, world, practice) for practice in sorted(set(survey.practices))}
    return {practice: course for practice, course in found.items() if course} if all(found.values()) else None


class _Setting(NamedTuple):
    """What is known of the cells and of the spread of effects at each of K parameter sets; ``regions``: how many."""

    cells: Callable[[int], tuple[Floats, Counts, Counts, Flags]]
    spread: Floats
    regions: int
    months: int

    def covariance(self, k: int) -> Floats:
        """Return the prior covariance of effects."""
        return _covariance(self.regions, self.months, *self.spread[k])


def _setting(scenario: Scenario, world: World, survey: Survey, names: tuple[str, ...], values: Floats) -> _Setting:
    courses = courses_of(survey, world)
    assert courses is not None, "months of adoption are not known"
    setting, ties, region = setting_of(scenario, survey, names, values), influence_of(world), world.region
    spread = np.stack([values[:, names.index(name)] if name in names else np.zeros(len(values)) for name in EFFECTS], axis=1)

    def cells(k: int) -> tuple[Floats, Counts, Counts, Flags]:
        known = world.capacity, world.openness, setting.outreach
        parts = [_cells(setting.parameters[k], hard, *known, *courses[p], region, ties) for p, hard, _ in setting.practices]
        chance, where, when, did = (np.concatenate(column) for column in zip(*parts, strict=True))
        return chance, where, when, did

    return _Setting(cells, spread, int(region.max()) + 1, survey.horizon - 1)


def known_log_likelihood(
    scenario: Scenario, world: World, survey: Survey, names: tuple[str, ...], values: Floats, threads: int | None = None
) -> Floats:
    """Return the log-likelihood of known months of adoption at parameters (K, d) called ``names``, (K,); see ``courses_of``."""
    setting = _setting(scenario, world, survey, names, values)

    def one(k: int) -> float:
        chance, where, when, did = setting.cells(k)
        if not setting.spread[k].any():
            return float(np.log(np.where(did, np.maximum(chance, 1e-300), np.maximum(1.0 - chance, 1e-300))).sum())
        precision: Floats = np.linalg.inv(setting.covariance(k)).astype(np.float64)
        found, _, curvature = _mode(setting.regions, chance, where, when, did, precision)
        return found + 0.5 * float(np.linalg.slogdet(precision)[1] - np.linalg.slogdet(curvature)[1])

    return in_parallel(one, len(values), threads)


def readiness_factors(
    scenario: Scenario, world: World, survey: Survey, names: tuple[str, ...], values: Floats, months: int, seed: int
) -> Floats:
    """Return what readiness is multiplied by in each of so many ``months``, (K, months, n): draws of effects given a survey.

    Regions and months that were not seen have draws from what is believed of them given the others.
    """
    setting, rng = _setting(scenario, world, survey, names, values), np.random.default_rng(seed)
    seen, regions = setting.regions + setting.months, setting.regions
    factors = np.empty((len(values), months, len(world.region)))
    for k in range(len(values)):
        whole = _covariance(regions, max(months, setting.months), *setting.spread[k])
        _, mode, curvature = _mode(regions, *setting.cells(k), np.linalg.inv(whole[:seen, :seen]).astype(np.float64))
        drawn = mode + np.linalg.solve(np.linalg.cholesky(curvature).T, rng.standard_normal(seen))
        if len(whole) > seen:
            pull = np.linalg.solve(whole[:seen, :seen], whole[:seen, seen:]).T
            left = whole[seen:, seen:] - pull @ whole[:seen, seen:]
            later = pull @ drawn + np.linalg.cholesky(left) @ rng.standard_normal(len(left))
            drawn = np.concatenate([drawn, later])
        factors[k] = np.exp(drawn[regions : regions + months, None] + drawn[None, :regions][:, world.region])
    return factors
