"""What was held out, predicted by the model and by its rivals, and scored: log score, CRPS, and curves of clusters with their intervals.

A forecast starts from the state that was seen. Where schools adopt once, they go on from it by the model's own rules. Elsewhere a school's
course is drawn from runs under the same parameters, each as often as it agrees with what the school had answered before: so its state is
kept, and what parameters leave open is the same for all schools.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from school_mentoring.experiments.ensemble import BatchRunner
from school_mentoring.model.world.arrays import Counts, Flags, Floats

from .adoption_times import courses, once_obstacles
from .effects import readiness_factors
from .findings import PREDICTED, Predicted, chances, log_scores, predict, ranked_scores
from .hold_out import Split
from .posterior import Posterior, Problem
from .rivals import RIVALS, course_of, fit_rival, forecast_rival
from .survey import EFFECTS, OVERDISPERSION, Survey

SETS, RUNS_EACH = 100, 32  # parameter sets of a forecast, and runs under each from which schools take their courses
MOST_NUMBERS = 30_000_000  # of simulated schools in waves, which are held in memory
FIRST = 1_000_000_007  # number of the first run of a prediction
LEVELS = (0.05, 0.95)
MODEL = "posterior"


@dataclass(frozen=True)
class FittedModel:
    """A fit of one problem without what a split holds out."""

    problem: Problem
    posterior: Posterior


class Forecast(NamedTuple):
    """Simulated schools and the answers (D, W, n) they would give; ``overdispersion``: of these, (D,)."""

    predicted: Predicted
    answers: Floats
    overdispersion: Floats


def forecast(
    problem: Problem, values: Floats, countries: Floats | None, held: Flags, *, engine: BatchRunner, threads: int | None
) -> Forecast:
    """Return what parameters (D, d) lead to from what was seen, where ``countries`` (D, C, d) say so each country by its own."""
    survey, seed, names = problem.survey, problem.scenario.seed, problem.prior.names
    kept = survey.seen & ~held
    at = (problem.scenario, problem.world, problem.schools, survey, names)
    if countries is None and not once_obstacles(*at):
        points, factor = problem.prior.sets(values).to_numpy(), None
        if set(EFFECTS) & set(names):
            factor = readiness_factors(problem.scenario, problem.world, survey.only(kept), names, points, survey.horizon, seed)
        adopters = courses(problem.scenario, problem.world, survey, kept, names, points, seed, threads, factor=factor)
        predicted = Predicted(adopters, np.ones((len(values), len(problem.schools)), np.int32), np.zeros(0))
        return Forecast(predicted, adopters.astype(np.float64), np.zeros(len(values)))
    earlier = _before(survey, held)
    each = max(1, min(RUNS_EACH, MOST_NUMBERS // (SETS * survey.respondents.size))) if earlier.any() else 1
    if each > 1:
        chosen = np.linspace(0, len(values) - 1, min(SETS, len(values))).astype(int)
        values, countries = values[chosen], None if countries is None else countries[chosen]
    sets = problem.prior.sets(np.repeat(values, each, axis=0))
    tables = () if countries is None else tuple(problem.prior.sets(np.repeat(of, each, axis=0)) for of in countries.swapaxes(0, 1))
    predicted = predict(problem.scenario, sets, tables, survey, [], first_replicate=FIRST, engine=engine, threads=threads)
    extra = sets[OVERDISPERSION].to_numpy() if OVERDISPERSION in sets else np.full(len(sets), problem.overdispersion)
    if each > 1:
        predicted, extra = _agreeing(survey, earlier, predicted, extra, each, seed)
    answers = survey.answers(predicted.adopters, predicted.teachers, FIRST + np.arange(len(extra)), seed, extra)
    return Forecast(predicted, answers, extra)


def _before(survey: Survey, held: Flags) -> Flags:
    """Return the cells (W, n) that were seen of a school before the first that is held out of it in the same practice."""
    months, practices = np.array(survey.months), np.array(survey.practices)
    first = np.full((practices.max() + 1, held.shape[1]), np.iinfo(np.int64).max)
    for w in range(len(months)):
        first[practices[w]] = np.where(held[w], np.minimum(first[practices[w]], months[w]), first[practices[w]])
    begun = held.any(axis=0)
    return np.asarray(survey.seen & ~held & (months[:, None] < first[practices]) & begun)


def _agreeing(survey: Survey, earlier: Flags, predicted: Predicted, extra: Floats, each: int, seed: int) -> tuple[Predicted, Floats]:
    """Return runs in which each school's course is one of those under a parameter set, drawn by the chance of its ``earlier`` answers."""
    rng, sets = np.random.default_rng(seed + 2), len(extra) // each
    wave, school = np.nonzero(survey.seen)
    chance = np.log(np.maximum(chances(survey, predicted, extra), 1e-12))
    mine = earlier[wave, school]
    weight = np.zeros((sets * each, predicted.teachers.shape[1]))
    np.add.at(weight.T, school[mine], chance[:, mine].T)
    of_run = weight.reshape(sets, each, -1)
    share = np.cumsum(np.exp(of_run - of_run.max(axis=1, keepdims=True)), axis=1)
    again = PREDICTED // sets
    adopters = []
    for _ in range(again):
        run = (share < rng.random((sets, 1, share.shape[2])) * share[:, -1:]).sum(axis=1)  # (sets, n)
        row = np.arange(sets)[:, None] * each + run
        adopters.append(predicted.adopters[row[:, None], np.arange(len(survey.months))[None, :, None], np.arange(row.shape[1])[None, None]])
    first = np.tile(np.arange(sets) * each, again)
    return Predicted(np.concatenate(adopters), predicted.teachers[first], np.zeros(0)), extra[first]


# --- scores ----------------------------------------------------------------------------------------------------------


class _Scored(NamedTuple):
    """Scores of held cells by cluster, and of the curve of each cluster at each wave: its CRPS, and whether it lies in the 90 %."""

    log_score: Floats
    crps: Floats
    cluster: Counts
    curve_crps: Floats
    curve_within: Flags


def scores_of(
    fits: list[tuple[Split, dict[str, FittedModel]]], *, engine: BatchRunner, threads: int | None, stage: Callable[[str, int, int], None]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return mean scores of what was held out by prediction, and the same by cluster.

    ``fits``: of each split, by name, first of all the fitted model. Beside them stand the prior and four rivals, fitted to the same
    observations. Differences are from the fitted model, with standard errors over clusters (over schools where there are fewer than two).
    """
    scored: dict[str, list[_Scored]] = {}
    for done, (split, fitted) in enumerate(fits):
        stage("forecasts", done, len(fits))
        problem = fitted[MODEL].problem
        cluster = _clusters(problem)
        how: dict[str, Any] = {"engine": engine, "threads": threads}
        for name, one in fitted.items():
            chosen, each = one.posterior.some(PREDICTED), one.posterior.country_values
            found = forecast(one.problem, one.posterior.flat[chosen], None if each is None else each[chosen], split.held, **how)
            scored.setdefault(name, []).append(_scored(problem.survey, split.held, cluster, found))
        prior = problem.prior.values(problem.prior.sample(PREDICTED, problem.scenario.seed))
        before = forecast(problem, prior, None, split.held, **how)
        scored.setdefault("prior", []).append(_scored(problem.survey, split.held, cluster, before))
        for name, found in rival_forecasts(problem, split.held).items():
            scored.setdefault(name, []).append(_scored(problem.survey, split.held, cluster, found))
    all_of = {name: _Scored(*(np.concatenate(column) for column in zip(*parts, strict=True))) for name, parts in scored.items()}
    return _table(all_of), _by_cluster(all_of, list(problem.groups.clusters))


def rival_forecasts(problem: Problem, held: Flags) -> dict[str, Forecast]:
    """Return what each rival predicts of what was held out, fitted to the rest."""
    survey, seed = problem.survey, problem.scenario.seed
    course = course_of(survey, ~held, problem.world, problem.groups.clusters)
    found = {}
    for rival in RIVALS:
        draws = fit_rival(rival, course, seed)
        predicted, extra = forecast_rival(rival, course, draws, seed)
        answers = survey.answers(predicted.adopters, predicted.teachers, FIRST + np.arange(len(draws)), seed, extra)
        if survey.kind == "scale":  # the last parameter is the logarithm of the rival's own error
            noise = np.random.default_rng(seed + 3).standard_normal(answers.shape)
            answers = answers + np.exp(draws[:, -1])[:, None, None] * noise
        found[rival.name] = Forecast(predicted, answers, extra)
    return found


def _clusters(problem: Problem) -> Counts:
    """Return the cluster of each school by number, -1 of none; each school its own where there are fewer than two clusters."""
    clusters = list(problem.groups.clusters.values())
    if len(clusters) < 2:
        return np.arange(len(problem.schools))
    number = np.full(len(problem.schools), -1)
    for k, member in enumerate(clusters):
        number[member] = k
    return number


def _scored(survey: Survey, held: Flags, cluster: Counts, found: Forecast) -> _Scored:
    waves = np.flatnonzero((survey.seen & held).any(axis=1))
    cut = survey.only(held)
    predicted = found.predicted._replace(adopters=found.predicted.adopters[:, waves])
    answers = found.answers[:, waves]
    crps = ranked_scores(answers[:, cut.seen], cut.shares[cut.seen])
    weight = cut.respondents.astype(np.float64)
    units = np.unique(cluster) if len(np.unique(cluster)) < len(cluster) else [None]
    drawn, seen = [], []
    for unit in units:
        mine = weight if unit is None else weight * (cluster == unit)
        for w in np.flatnonzero(mine.sum(axis=1) > 0):
            drawn.append(answers[:, w] @ mine[w] / mine[w].sum())
            seen.append(float(cut.shares[w] @ mine[w] / mine[w].sum()))
    curves, curve = np.stack(drawn, axis=1), np.array(seen)
    low, high = np.quantile(curves, LEVELS, axis=0)
    within = (curve >= low - 1e-9) & (curve <= high + 1e-9)
    mine_of = cluster[np.nonzero(cut.seen)[1]]
    return _Scored(log_scores(cut, predicted, found.overdispersion), crps, mine_of, ranked_scores(curves, curve), within)


def _table(scored: dict[str, _Scored]) -> pd.DataFrame:
    """Return a row per prediction: mean scores, how many cells, and how far from the fitted model with what error."""
    rows, first = [], scored[MODEL]
    for name, one in scored.items():
        row: dict[str, Any] = {"prediction": name, "cells": len(one.log_score), "clusters": len(np.unique(one.cluster))}
        row |= {"log_score": one.log_score.mean(), "crps": one.crps.mean()}
        row |= {"curve_crps": one.curve_crps.mean(), "curve_within_90": float(one.curve_within.mean())}
        for what in ("log_score", "crps"):
            less = getattr(one, what) - getattr(first, what)
            row |= {f"{what}_less_posterior": less.mean(), f"{what}_less_posterior_se": error_of(less, one.cluster)}
        rows.append(row)
    return pd.DataFrame(rows)


def _by_cluster(scored: dict[str, _Scored], names: list[str]) -> pd.DataFrame:
    """Return mean scores by prediction and cluster; empty where schools stand for clusters."""
    rows = []
    for name, one in scored.items():
        for k in np.unique(one.cluster):
            if len(names) > 1:
                mine = one.cluster == k
                where = names[k] if k >= 0 else "no cluster"
                rows.append((name, where, int(mine.sum()), one.log_score[mine].mean(), one.crps[mine].mean()))
    return pd.DataFrame(rows, columns=["prediction", "cluster", "cells", "log_score", "crps"])


def error_of(differences: Floats, cluster: Counts) -> float:
    """Return the standard error of a mean of cells that go together within clusters."""
    sums = np.array([(differences[cluster == k] - differences.mean()).sum() for k in np.unique(cluster)])
    return float(np.sqrt((sums**2).sum() * len(sums) / max(1, len(sums) - 1)) / len(differences))
