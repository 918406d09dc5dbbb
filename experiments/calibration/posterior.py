"""From observed answers to posterior draws: history matching, the likelihood, and the walk of the sampler over it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.experiments.progress import Stage
from school_mentoring.model.errors import InputError
from school_mentoring.model.world.arrays import Flags, Floats, World
from school_mentoring.model.world.schools import Schools
from school_mentoring.scenarios import Scenario

from .adoption_times import adopts_once, times_log_likelihood
from .forward_filter import is_independent, survey_log_likelihood
from .groups import Groups, feature_set
from .likelihood import Filtered, Likelihood, Synthetic, filtered, plausible_scores, synthetic
from .prior import Prior
from .reference_table import ReferenceTable, Runs
from .sampler import ENSEMBLES, Chains, sample_posterior
from .survey import Survey

SPREAD = 0.5
"""Scale of the half-normal prior of how far countries differ, in standard deviations of the parameter's prior (Gelman 2006)."""


@dataclass(frozen=True)
class Problem:
    """What is fitted: a scenario of one design, its world and schools, the prior, the whole survey, and the groups of schools.

    ``overdispersion``: where it is not fitted. ``pooled``: parameters that differ between countries, partially pooled.
    """

    scenario: Scenario
    world: World
    schools: Schools
    prior: Prior
    survey: Survey
    groups: Groups
    overdispersion: float = 0.0
    pooled: tuple[str, ...] = ()

    @property
    def countries(self) -> list[Flags]:
        """The schools of each country, for countries that are partially pooled."""
        count = len(self.schools.country_codes)
        return [self.world.country == country for country in range(count)] if self.pooled else []

    @property
    def parts(self) -> list[Flags | None]:
        """What has a likelihood of its own: each country that is pooled, or all schools (None)."""
        return [*self.countries] or [None]

    @property
    def funding(self) -> tuple[int, int] | None:
        """The funded months of the design, as far as they are simulated; None where it is never funded."""
        design = next(iter(self.scenario.designs.values()))
        first = self.scenario.programme.first_month if design.first_month is None else design.first_month
        last = self.scenario.programme.last_month if design.last_month is None else design.last_month
        last = min(last, self.scenario.months - 1)
        return None if first >= last or (design.recruitment == "none" and design.outreach == 0.0) else (first, last)

    def fitted_to(self, kept: Flags) -> tuple[Survey, NDArray[np.int64]]:
        """Return the survey of some cells, and which of the recorded waves it has."""
        return self.survey.only(kept), np.flatnonzero((self.survey.seen & kept).any(axis=1))


@dataclass(frozen=True)
class Posterior:
    """Draws of normal scores ``scores`` (chains, draws, d) and their values; of countries ``country_values`` (draws in all, C, d).

    ``spread``: how far countries differ, by pooled parameter, in standard deviations of its prior (draws in all, k). ``history``: of waves
    of runs. ``state``: how the fit came about. ``likelihoods``: one, or one for each country.
    """

    chains: Chains
    scores: Floats
    values: Floats
    history: list[dict[str, Any]]
    state: dict[str, Any]
    likelihoods: list[Synthetic] | list[Filtered]
    country_values: Floats | None = None
    spread: Floats | None = None
    names: tuple[str, ...] = field(default=())

    @property
    def flat(self) -> Floats:
        """Values of all draws, (draws, d)."""
        return self.values.reshape(-1, self.values.shape[-1])

    def frame(self) -> pd.DataFrame:
        """Return the draws as a table, a column per parameter."""
        return pd.DataFrame(self.flat, columns=list(self.names))


class Exact(NamedTuple):
    """A likelihood that needs no summaries: its name, and its logarithm by survey, parameters (K, d) and threads, (K,)."""

    name: str
    log_likelihood: Callable[[Survey, Floats, int | None], Floats]


def exact_of(problem: Problem) -> Exact | None:
    """Return the likelihood that needs no summaries, None where there is none."""
    scenario, world, schools, prior = problem.scenario, problem.world, problem.schools, problem.prior
    if is_independent(scenario, world, schools, problem.survey, prior.names):
        return Exact(
            "exact",
            lambda survey, values, threads: survey_log_likelihood(
                scenario, world, survey, prior.names, values, problem.overdispersion, threads
            ),
        )
    if adopts_once(scenario, world, schools, problem.survey, prior.names):
        return Exact(
            "particle filter",
            lambda survey, values, threads: times_log_likelihood(scenario, world, survey, prior.names, values, scenario.seed, threads),
        )
    return None


def exact_posterior(problem: Problem, kept: Flags, exact: Exact, seed: int, threads: int | None, stage: Stage) -> Posterior:
    """Return the posterior of a likelihood that needs no summaries."""
    survey, _ = problem.fitted_to(kept)
    prior = problem.prior
    likelihood = filtered(prior, lambda values: exact.log_likelihood(survey, values, threads), seed, stage=stage)
    scores = prior.sample(4096, seed)
    scores = np.concatenate([scores, likelihood.best_scores(prior)])
    chains = _walk(prior, [likelihood], scores, seed, stage)
    history = [{"wave": 1, "runs": 0, "exact_likelihoods": likelihood.evaluated, "plausible": float("nan")}]
    state = {"likelihood": exact.name, "emulator_error": likelihood.error, "degree": likelihood.degree, "rows": likelihood.points}
    return _posterior(prior, chains, history, state, [likelihood])


def synthetic_posterior(
    problem: Problem, kept: Flags, table: ReferenceTable, first: Runs, second_runs: int, seed: int, stage: Stage
) -> Posterior:
    """Return the posterior of the emulated synthetic likelihood: cut by the first wave of runs, fitted to a second one."""
    early = [_likelihood(problem, kept, first, who, None, seed).opened(first.values) for who in problem.parts]
    scores, share = plausible_scores(problem.prior, early, second_runs, seed)
    second = table.second_wave(first, problem.prior.values(scores))
    return fitted_posterior(problem, kept, first, second, early, share, seed, stage)


def fitted_posterior(
    problem: Problem, kept: Flags, first: Runs, second: Runs, early: list[Synthetic], share: float, seed: int, stage: Stage, *,
    ensembles: int = ENSEMBLES,
) -> Posterior:  # fmt: skip
    """Return the posterior that a second wave of runs gives, within the region that the first one left."""
    inside = np.zeros(len(first), bool)
    for one in early:
        inside |= one.inside(first.values)
    runs = second.joined(first.rows(np.flatnonzero(inside)))
    stage("emulator", 0, 1)
    likelihoods = [_likelihood(problem, kept, runs, who, before, seed) for who, before in zip(problem.parts, early, strict=True)]
    chains = _walk(problem.prior, likelihoods, problem.prior.scores(runs.values), seed, stage, _pooled(problem), ensembles)
    history = [
        {
            "wave": 1,
            "runs": len(first),
            "summaries": early[0].emulator.mean.shape[1],
            "degree": early[0].emulator.degree,
            "plausible": share,
        },
        {"wave": 2, "runs": len(second), "summaries": likelihoods[0].emulator.mean.shape[1], "degree": likelihoods[0].emulator.degree},
    ]
    history[1]["plausible"] = share * float(np.mean([np.mean(one.distance(second.values) <= one.limit) for one in likelihoods]))
    state = {"likelihood": "synthetic", **_fit_state(problem, likelihoods, chains)}
    return _posterior(problem.prior, chains, history, state, likelihoods, _pooled(problem), len(problem.countries))


def _likelihood(problem: Problem, kept: Flags, runs: Runs, who: Flags | None, before: Synthetic | None, seed: int) -> Synthetic:
    survey, waves = problem.fitted_to(kept if who is None else kept & who)
    features = feature_set(problem.scenario, problem.world, problem.schools, survey, problem.groups, who)

    def answers(rows: NDArray[np.int64]) -> Any:
        return runs.rows(rows).answers(survey, waves, problem.prior.names, seed, problem.overdispersion)

    return synthetic(runs.values, answers, features, survey.shares, before)


def _pooled(problem: Problem) -> list[int]:
    return [problem.prior.names.index(name) for name in problem.pooled]


def _walk(
    prior: Prior, likelihoods: Sequence[Likelihood], scores: Floats, seed: int, stage: Stage, pooled: list[int] | None = None,
    ensembles: int = ENSEMBLES,
) -> Chains:  # fmt: skip
    d, k, countries = scores.shape[1], len(pooled or []), len(likelihoods)

    def total(points: Floats) -> Floats:
        found = prior.log_density(points[:, :d])
        if not k:
            for one in likelihoods:
                good = np.isfinite(found)
                found[good] += one.log_likelihood(prior.values(points[good]))
            return found
        spread = points[:, d : d + k]  # logarithm of the scale of differences
        effects = points[:, d + k :].reshape(len(points), countries, k)
        found += (spread - 0.5 * (np.exp(spread) / SPREAD) ** 2).sum(axis=1) - 0.5 * (effects**2).sum(axis=(1, 2))
        found[~(np.abs(spread) < 12.0).all(axis=1)] = -np.inf
        for country, one in enumerate(likelihoods):
            good = np.isfinite(found)
            found[good] += one.log_likelihood(prior.values(country_scores(points[good], d, pooled or [], countries)[:, country]))
        return found

    points = scores
    if k:
        rng = np.random.default_rng(seed)
        extra = [np.full((len(scores), k), np.log(0.2)), 0.1 * rng.standard_normal((len(scores), countries * k))]
        points = np.concatenate([scores, *extra], axis=1)
    height = total(points)
    good = np.flatnonzero(np.isfinite(height))
    if not len(good):
        raise InputError("--observations", "no parameters within the priors come near the data", "widen the priors: --fit name=low:high")
    weight = np.exp(height[good] - height[good].max())
    rng = np.random.default_rng(seed + 1)
    chosen = rng.choice(good, size=256, p=(weight + 1e-9) / (weight + 1e-9).sum())
    return sample_posterior(total, points[chosen], seed, ensembles=ensembles, stage=stage)


def country_scores(points: Floats, d: int, pooled: list[int], countries: int) -> Floats:
    """Return the normal scores of each country's parameters, (K, C, d), of points (scores, log scales, effects)."""
    k = len(pooled)
    scores = np.repeat(points[:, None, :d], countries, axis=1)
    scale, effects = np.exp(points[:, d : d + k]), points[:, d + k :].reshape(len(points), countries, k)
    scores[:, :, pooled] += scale[:, None] * effects
    return np.clip(scores, -4.999, 4.999)


def _fit_state(problem: Problem, likelihoods: list[Synthetic], chains: Chains) -> dict[str, Any]:
    """Return how near the model comes to the data, and how normal the summaries are."""
    from scipy.stats import chi2

    d = len(problem.prior.names)
    draws = chains.flat[:: max(1, len(chains.flat) // 500)]
    if problem.pooled:
        scores = country_scores(draws, d, _pooled(problem), len(likelihoods))
        distance = sum(one.distance(problem.prior.values(scores[:, c])) for c, one in enumerate(likelihoods))
    else:
        distance = sum(one.distance(problem.prior.values(draws[:, :d])) for one in likelihoods)
    summaries = sum(len(one.observed) for one in likelihoods)
    nearest = float(np.min(distance))
    return {
        "distance": nearest, "summaries": summaries, "fit_probability": float(chi2.sf(nearest, summaries)),
        "kurtosis": float(np.mean(np.concatenate([one.emulator.kurtosis for one in likelihoods]))),
        "score_excess": float(np.mean([one.excess for one in likelihoods])),
        "rows": likelihoods[0].emulator.rows, "degree": likelihoods[0].emulator.degree,
    }  # fmt: skip


def _posterior(
    prior: Prior, chains: Chains, history: list[dict[str, Any]], state: dict[str, Any], likelihoods: Any,
    pooled: list[int] | None = None, countries: int = 0,
) -> Posterior:  # fmt: skip
    d = len(prior.names)
    scores = chains.draws[..., :d]
    values = prior.values(scores.reshape(-1, d)).reshape(scores.shape)
    country_values = spread = None
    if pooled and countries:
        each = country_scores(chains.flat, d, pooled, countries)
        country_values = prior.values(each.reshape(-1, d)).reshape(each.shape)
        spread = np.exp(chains.flat[:, d : d + len(pooled)])
    return Posterior(chains, scores, values, history, state, likelihoods, country_values, spread, prior.names)
