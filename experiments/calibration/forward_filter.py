"""The exact likelihood of a survey where nothing ties schools together, by forward filtering of each school (Rabiner 1989).

A school alone is a Markov chain on its number of adopting teachers, whose months follow the very rules of the model, so the chance of its
answers is a sum over all that may have happened. This is used where there are no peers and no mentoring; elsewhere schools are no longer
independent, and the likelihood is a synthetic one.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import lgamma
from typing import NamedTuple

import numpy as np
import pandas as pd

from school_mentoring.experiments.sweep.chunks import parameter_rows
from school_mentoring.model import rules
from school_mentoring.model.compiled import allocating
from school_mentoring.model.engine import cpu_count
from school_mentoring.model.parameters import engine_tables
from school_mentoring.model.world.arrays import Counts, Floats, Record, Records, World
from school_mentoring.model.world.schools import Schools
from school_mentoring.scenarios import Scenario

from .survey import OVERDISPERSION, Survey, answering_share

COUNTS, SCALE, TIMES = range(3)
_answering = allocating(answering_share)
NEGLIGIBLE = 1e-13  # chance of a number of teachers that is left out
MOST_WORK = 3e8  # teachers cubed, summed over schools, that a month of one likelihood may take

Scratch = tuple[Floats, Floats, Floats, Floats]
"""Chances of numbers of adopting teachers of one school: as they stand, a month later, of gains, and of losses."""


def alone_obstacles(scenario: Scenario, world: World, schools: Schools, survey: Survey, fitted: tuple[str, ...]) -> list[str]:
    """Return what keeps a likelihood from being exact school by school: peers, mentoring, schools not fully known or too large."""
    base, found = scenario.base_parameters(), []
    if len(world.peer) and ("q_out" in fitted or base["q_out"] != 0.0):
        found.append(f"schools have peers, and q_out is {'fitted' if 'q_out' in fitted else base['q_out']}, not 0")
    found += tied_to_mentors(scenario, survey.horizon)
    found += drawn_of(schools, ("teachers", "digital_capacity", "openness"))
    if survey.discrepancy:
        found.append("the model is allowed an error (--discrepancy)")
    if alone_work(world) > MOST_WORK:
        found.append(f"schools are too large or too many (teachers cubed come to {alone_work(world):.1e}, at most {MOST_WORK:.0e})")
    return found


def alone_work(world: World) -> float:
    """Return the work of a month of one likelihood: teachers cubed, summed over schools."""
    return float((world.teachers.astype(np.float64) ** 3).sum())


def drawn_of(schools: Schools, needed: tuple[str, ...]) -> list[str]:
    """Return that some of the columns that are needed are drawn, if so."""
    drawn = [name for name in needed if name in {*schools.drawn, *(schools.partly_drawn or ())}]
    return [f"{', '.join(drawn)} of schools {'is' if len(drawn) == 1 else 'are'} drawn, not given"] if drawn else []


def tied_to_mentors(scenario: Scenario, horizon: int) -> list[str]:
    """Return that schools are mentored before the horizon, if so."""
    name = next(iter(scenario.designs))
    design = scenario.plain_design(name)
    first = scenario.programme.window(design)[0]
    unmentored = design.recruitment == "none" or first >= horizon - 1
    return [] if unmentored else [f"the design {name} mentors schools from month {first} (--design none does not)"]


class Setting(NamedTuple):
    """What likelihoods of schools need besides the world.

    ``parameters``: one row per point, (K,). ``outreach``: of the design, by month. ``practices``: of the survey, by number, each with its
    difficulty and its initial share. ``overdispersion``: at each point, (K,).
    """

    parameters: Records
    outreach: Floats
    practices: list[tuple[int, float, float]]
    overdispersion: Floats


def setting_of(scenario: Scenario, survey: Survey, names: tuple[str, ...], values: Floats, overdispersion: float = 0.0) -> Setting:
    """Return the setting of a survey's likelihood at parameters (K, d) called ``names``."""
    table, _ = engine_tables(parameter_rows(scenario.base_parameters(), pd.DataFrame(values, columns=list(names))), ())
    extra = values[:, names.index(OVERDISPERSION)] if OVERDISPERSION in names else np.full(len(values), overdispersion)
    design = scenario.plain_design(next(iter(scenario.designs)))
    first, last = scenario.programme.window(design)
    month = np.arange(survey.horizon)
    outreach = np.where((first <= month) & (month < last), design.outreach, 0.0)
    practices = scenario.practice_arrays()
    seen = [(p, float(practices.difficulty[p]), float(practices.initial_share[p])) for p in sorted(set(survey.practices))]
    return Setting(table, outreach, seen, extra)


def in_parallel(one: Callable[[int], float], count: int, threads: int | None) -> Floats:
    """Return ``one`` of every number below ``count``, (count,)."""
    with ThreadPoolExecutor(threads or cpu_count()) as pool:
        return np.array(list(pool.map(one, range(count))))


@allocating
def _chances(trials: int, chance: float, table: Floats) -> tuple[int, int]:
    """Write the chance of each number out of ``trials`` (binomial) into a table; return where it begins and ends to matter."""
    table[: trials + 1] = 0.0
    if chance <= 0.0:
        table[0] = 1.0
        return 0, 0
    if chance >= 1.0:
        table[trials] = 1.0
        return trials, trials
    odds = np.log(chance) - np.log1p(-chance)
    nothing = trials * np.log1p(-chance)
    low, high = trials, 0
    for j in range(trials + 1):
        value = np.exp(nothing + j * odds + lgamma(trials + 1.0) - lgamma(j + 1.0) - lgamma(trials - j + 1.0))
        table[j] = value
        if value > NEGLIGIBLE:
            low, high = min(low, j), max(high, j)
    return low, high


@allocating
def _next_month(par: Record, teachers: int, ready: float, openness: float, outreach: float, scratch: Scratch) -> None:
    belief, after, gains, losses = scratch
    after[: teachers + 1] = 0.0
    for k in range(teachers + 1):
        if belief[k] <= NEGLIGIBLE:
            continue
        share = k / teachers
        colleagues = rules.social_influence(par, share)
        gain_low, gain_high = _chances(teachers - k, rules.adoption_chance(par, ready, openness, outreach, colleagues, 0.0, 0.0), gains)
        loss_low, loss_high = _chances(k, rules.loss_chance(par, share, 0.0), losses)
        for lost in range(loss_low, loss_high + 1):
            weight = belief[k] * losses[lost]
            for gained in range(gain_low, gain_high + 1):
                after[k - lost + gained] += weight * gains[gained]
    belief[: teachers + 1] = after[: teachers + 1]


@allocating
def _answer(kind: int, share: float, respondents: int, seen: float, error: float, overdispersion: float) -> float:
    """Return the chance (or density) of what a school answered, given its share."""
    if kind == SCALE:
        distance = (seen - share) / error
        return np.exp(-0.5 * distance * distance) / error
    yes = np.rint(seen * respondents)
    no = respondents - yes
    ways = lgamma(respondents + 1.0) - lgamma(yes + 1.0) - lgamma(no + 1.0)
    if overdispersion > 0.0 and 0.0 < share < 1.0:
        size = 1.0 / overdispersion - 1.0
        a, b = share * size, (1.0 - share) * size
        return np.exp(ways + lgamma(yes + a) + lgamma(no + b) - lgamma(respondents + size) + lgamma(size) - lgamma(a) - lgamma(b))
    return np.exp(ways) * share**yes * (1.0 - share) ** no


@allocating
def _school(
    par: Record, kind: int, outreach: Floats, teachers: int, ready: float, openness: float, months: Counts, respondents: Counts,
    seen: Floats, errors: Floats, overdispersion: float, readily: float, scratch: Scratch,
) -> float:  # fmt: skip
    """Return the log-likelihood of one school's answers (W,) at ascending months (W,), from its chances at the start in ``scratch``."""
    belief = scratch[0]
    total, month, adopted = 0.0, 0, 0.0
    needed = max(1, int(np.ceil(par.mainstream_threshold * teachers - 1e-9))) if kind == TIMES else teachers + 1
    for w in range(months.size):
        while True:  # who reaches the threshold has adopted, and is followed no longer
            adopted += belief[needed : teachers + 1].sum()
            belief[needed : teachers + 1] = 0.0
            if month == months[w]:
                break
            _next_month(par, teachers, ready, openness, outreach[month], scratch)
            month += 1
        if respondents[w] == 0:
            continue
        if kind == TIMES:
            if seen[w] > 0.5:
                return total + np.log(max(adopted, 1e-300))  # it has adopted since it was last seen not to have
            adopted = 0.0
        else:
            for k in range(teachers + 1):
                share = _answering(k / teachers, readily, respondents[w] / teachers)
                belief[k] *= _answer(kind, share, respondents[w], seen[w], errors[w], overdispersion)
        chance = belief[: teachers + 1].sum()
        total += np.log(max(chance, 1e-300))
        belief[: teachers + 1] /= max(chance, 1e-300)
    return total


@allocating
def _survey(
    par: Record, kind: int, outreach: Floats, difficulty: float, initial: float, world: World, practice: int, months: Counts,
    respondents: Counts, seen: Floats, errors: Floats, overdispersion: float, readily: float,
) -> float:  # fmt: skip
    """Return the log-likelihood of all schools' answers (W, n) in one practice."""
    most = world.teachers.max() + 1
    scratch = np.zeros(most), np.zeros(most), np.zeros(most), np.zeros(most)
    start, total = scratch[0], 0.0
    for i in range(world.teachers.size):
        teachers = world.teachers[i]
        given = world.adopters_at_start[practice, i]
        if given >= 0:
            start[: teachers + 1] = 0.0
            start[given] = 1.0
        else:
            share = rules.start_share(par, world.capacity[i], initial if initial >= 0.0 else par.initial_share)
            if rules.advanced(par, world.capacity_rank[i], world.teachers.size):
                share = par.advanced_share
            _chances(teachers, share, start)
        ready = rules.readiness(par, world.capacity[i], difficulty)
        total += _school(
            par, kind, outreach, teachers, ready, world.openness[i], months, respondents[:, i], seen[:, i], errors[:, i],
            overdispersion, readily, scratch,
        )  # fmt: skip
    return total


def survey_log_likelihood(
    scenario: Scenario, world: World, survey: Survey, names: tuple[str, ...], values: Floats, overdispersion: float,
    threads: int | None = None,
) -> Floats:  # fmt: skip
    """Return the exact log-likelihood of a survey at parameters (K, d) called ``names``, (K,), where nothing keeps it."""
    table, outreach, practices, extra = setting_of(scenario, survey, names, values, overdispersion)
    kind = {"counts": COUNTS, "scale": SCALE, "times": TIMES}[survey.kind]
    months = np.array(survey.months)
    parts = []
    for practice, hard, first in practices:
        rows = [w for w in np.argsort(months, kind="stable").tolist() if survey.practices[w] == practice]
        parts.append((practice, hard, first, (months[rows], survey.respondents[rows], survey.shares[rows], survey.errors[rows])))

    def one(k: int) -> float:
        how = extra[k], survey.readily
        return float(sum(_survey(table[k], kind, outreach, hard, first, world, p, *data, *how) for p, hard, first, data in parts))

    return in_parallel(one, len(values), threads)
