"""From observed answers to posterior draws: history matching, the likelihood, and the walk of a sampler over it.

Draws are made by ensembles of walkers (emcee; Goodman & Weare 2010), with R-hat and ESS, as ArviZ keeps them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from school_mentoring.experiments.pilot_data.observations import NO_DATES, Clock
from school_mentoring.experiments.progress import Stage
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.errors import InputError
from school_mentoring.model.world.arrays import Counts, Flags, Floats, World
from school_mentoring.model.world.schools import Schools
from school_mentoring.scenarios import Scenario

from .adoption_times import once_obstacles, once_work, times_log_likelihood
from .effects import courses_of, known_log_likelihood
from .forward_filter import alone_obstacles, alone_work, survey_log_likelihood
from .importance import weighted_posterior
from .likelihood import Synthetic, plausible, plausible_scores, synthetic
from .prior import Prior
from .reference_table import ReferenceTable, Runs
from .summaries import feature_set
from .survey import EFFECTS, Groups, Survey

SPREAD = 0.5
"""Scale of the half-normal prior of how far countries differ, in standard deviations of the parameter's prior (Gelman 2006)."""

ENSEMBLES = 4  # independent of each other, so that R-hat compares what it should
KEPT = 1000  # draws kept of each ensemble
FEWEST, MOST = 256, 4096  # weighted points behind the draws of an ensemble, where the likelihood needs no summaries
WORK = 4e9  # that all of them may take
EFFECTS_WORK = 64.0  # times as much of a likelihood that sums over effects
MOST_STEPS = 16_000
SETTLED = 50  # autocorrelation times that an ensemble runs for


@dataclass(frozen=True)
class Problem:
    """What is fitted: a scenario of one design, its world and schools, the prior, the whole survey, and the groups of schools.

    ``overdispersion``: where it is not fitted. ``pooled``: parameters that differ between countries, partially pooled. ``clock``: how
    dates become months.
    """

    scenario: Scenario
    world: World
    schools: Schools
    prior: Prior
    survey: Survey
    groups: Groups
    overdispersion: float = 0.0
    pooled: tuple[str, ...] = ()
    clock: Clock = NO_DATES

    @cached_property
    def worlds(self) -> Worlds:
        """The scenario's worlds, each made once however many runs and predictions ask for it."""
        return Worlds(self.scenario)

    @property
    def parts(self) -> list[Flags | None]:
        """What has a likelihood of its own: the schools of each country where parameters are pooled, or all schools (None)."""
        return [self.world.country == country for country in range(len(self.schools.country_codes))] if self.pooled else [None]

    @property
    def funding(self) -> tuple[int, int] | None:
        """The funded months of the design, as far as they are simulated; None where it is never funded."""
        design = self.scenario.plain_design(next(iter(self.scenario.designs)))
        first, last = self.scenario.programme.window(design)
        last = min(last, self.scenario.months - 1)
        return None if first >= last or (design.recruitment == "none" and design.outreach == 0.0) else (first, last)

    def fitted_to(self, kept: Flags) -> tuple[Survey, Counts]:
        """Return the survey of some cells, and which of the recorded waves it has."""
        return self.survey.only(kept), np.flatnonzero((self.survey.seen & kept).any(axis=1))

    def scores_of(self, points: Floats) -> Floats:
        """Return the normal scores of each part's parameters, (K, parts, d), of points that a sampler walks over.

        These are scores (K, d), and where parameters are pooled the logarithm of the scale of differences, and each country's effects.
        """
        d, k = len(self.prior.names), len(self.pooled)
        scores = np.repeat(points[:, None, :d], len(self.schools.country_codes) if k else 1, axis=1)
        if not k:
            return scores
        scale, effects = np.exp(points[:, d : d + k]), points[:, d + k :].reshape(len(points), scores.shape[1], k)
        scores[:, :, [self.prior.names.index(name) for name in self.pooled]] += scale[:, None] * effects
        return np.clip(scores, -4.999, 4.999)


@dataclass(frozen=True)
class Chains:
    """Draws (chains, draws, d) of independent ensembles. ``steps``: made by each walker; ``autocorrelation``: in steps, the longest one."""

    draws: Floats
    steps: int
    autocorrelation: float

    @property
    def flat(self) -> Floats:
        """All draws, one after the other, (chains x draws, d)."""
        return self.draws.reshape(-1, self.draws.shape[-1])


@dataclass(frozen=True)
class Posterior:
    """Draws, and their ``values`` (chains, draws, d); of countries ``country_values`` (draws in all, C, d).

    ``spread``: how far countries differ, by pooled parameter, in standard deviations of its prior (draws in all, k). ``history``: of waves
    of runs. ``state``: how the fit came about. ``likelihoods``: one, or one for each country.
    """

    chains: Chains
    values: Floats
    history: list[dict[str, Any]]
    state: dict[str, Any]
    likelihoods: Sequence[Synthetic]
    country_values: Floats | None = None
    spread: Floats | None = None

    @property
    def flat(self) -> Floats:
        """Values of all draws, (draws, d)."""
        return self.values.reshape(-1, self.values.shape[-1])

    def some(self, count: int) -> Counts:
        """Return so many draws, evenly from all."""
        return np.linspace(0, len(self.flat) - 1, count).astype(int)


class Exact(NamedTuple):
    """A likelihood that needs no summaries: its name, its logarithm, and the work of one, in some tens of nanoseconds.

    The logarithm is of a survey at parameters (K, d); the number tells apart the random numbers of calls, where it is estimated.
    """

    name: str
    log_likelihood: Callable[[Survey, Floats, int], Floats]
    work: float


def obstacles(problem: Problem) -> list[str]:
    """Return what keeps a problem from a likelihood that needs no summaries: nothing, or all conditions that fail."""
    at = problem.scenario, problem.world, problem.schools, problem.survey, problem.prior.names
    found = ["parameters are pooled (--pool)"] if problem.pooled else []
    found += ["answers have weights of their own"] if problem.survey.weights is not None else []
    alone = alone_obstacles(*at)
    return found + (min(once_obstacles(*at), alone, key=len) if problem.survey.kind == "times" else alone)


def exact_of(problem: Problem, wanted: str, threads: int | None = None) -> Exact | None:
    """Return the likelihood that needs no summaries, None where there is none or a synthetic one is asked for.

    Raises InputError where there is none and ``wanted`` is ``exact``.
    """
    scenario, world, names = problem.scenario, problem.world, problem.prior.names
    found = obstacles(problem)
    effects = [name for name in EFFECTS if name in names]
    if effects and (found or wanted == "synthetic"):
        why = "; ".join(found) or "they have no synthetic likelihood"
        raise InputError(f"--fit {effects[0]}", f"is of schools that adopt once, in months that are known: {why}", "leave it out")
    if wanted == "synthetic":
        return None
    if found:
        if wanted == "exact":
            raise InputError("--likelihood exact", f"there is none here: {'; '.join(found)}", "allowed: auto or synthetic")
        return None
    if not effects and not alone_obstacles(scenario, world, problem.schools, problem.survey, names):

        def alone(survey: Survey, values: Floats, call: int) -> Floats:
            return survey_log_likelihood(scenario, world, survey, names, values, problem.overdispersion, threads)

        return Exact("exact", alone, alone_work(world) * problem.survey.horizon / 6.0)

    def once(survey: Survey, values: Floats, call: int) -> Floats:
        if courses_of(survey, world) is not None:
            return known_log_likelihood(scenario, world, survey, names, values, threads)
        if effects:
            why = "needs the month of every adoption that is fitted to, and of those that these schools look at"
            raise InputError(f"--fit {effects[0]}", why, "leave it out, or hold out whole clusters")
        return times_log_likelihood(scenario, world, survey, names, values, scenario.seed + (call << 40), threads)

    known = courses_of(problem.survey, world) is not None
    return Exact("exact" if known else "particle filter", once, once_work(world, problem.survey) * (EFFECTS_WORK if effects else 1.0))


def exact_posterior(problem: Problem, kept: Flags, exact: Exact, stage: Stage) -> Posterior:
    """Return the posterior of a likelihood that needs no summaries."""
    survey, points = problem.fitted_to(kept)[0], int(np.clip(2 ** np.floor(np.log2(WORK / exact.work / ENSEMBLES)), FEWEST, MOST))

    def likelihood(values: Floats, call: int) -> Floats:
        return exact.log_likelihood(survey, values, call)

    found = weighted_posterior(problem.prior, likelihood, problem.scenario.seed, chains=ENSEMBLES, points=points, kept=KEPT, stage=stage)
    history = [{"wave": 1, "runs": 0, "exact_likelihoods": found.evaluated, "plausible": float("nan")}]
    state = {"likelihood": exact.name, "effective": found.effective}
    return _posterior(problem, Chains(found.draws, points, 1.0), history, state, [])


def synthetic_posterior(problem: Problem, kept: Flags, table: ReferenceTable, first: Runs, second_runs: int, stage: Stage) -> Posterior:
    """Return the posterior of the emulated synthetic likelihood: cut by the first wave of runs, fitted to a second one."""
    seed = problem.scenario.seed
    early = [_likelihood(problem, kept, first, who, None, seed).opened(first.values) for who in problem.parts]
    scores, share = plausible_scores(problem.prior, early, second_runs, seed)
    return fitted_posterior(problem, kept, first, table.second_wave(first, problem.prior.values(scores)), early, share, seed, stage)


def fitted_posterior(
    problem: Problem, kept: Flags, first: Runs, second: Runs, early: list[Synthetic], share: float, seed: int, stage: Stage, *,
    ensembles: int = ENSEMBLES,
) -> Posterior:  # fmt: skip
    """Return the posterior that a second wave of runs gives, within the region that the first one left."""
    runs = second.joined(first.rows(np.flatnonzero(plausible(early, first.values))))
    stage("emulator", 0, 1)
    found = [_likelihood(problem, kept, runs, who, before, seed) for who, before in zip(problem.parts, early, strict=True)]
    chains = _walk(problem, found, problem.prior.scores(runs.values), seed, stage, ensembles)
    left = share * float(np.mean([np.mean(one.distance(second.values) <= one.limit) for one in found]))
    history = [
        {"wave": wave, "runs": len(made), "summaries": one.emulator.mean.shape[1], "degree": one.emulator.degree, "plausible": part}
        for wave, made, one, part in ((1, first, early[0], share), (2, second, found[0], left))
    ]
    return _posterior(problem, chains, history, {"likelihood": "synthetic", **_fit_state(problem, found, chains)}, found)


def _likelihood(problem: Problem, kept: Flags, runs: Runs, who: Flags | None, before: Synthetic | None, seed: int) -> Synthetic:
    survey, waves = problem.fitted_to(kept if who is None else kept & who)
    features = feature_set(problem.scenario, problem.world, problem.schools, survey, problem.groups, who)

    def answers(rows: Counts) -> Any:
        return runs.rows(rows).answers(survey, waves, problem.prior.names, seed, problem.overdispersion)

    return synthetic(runs.values, answers, features, survey.shares, before)


def _walk(
    problem: Problem, likelihoods: Sequence[Synthetic], scores: Floats, seed: int, stage: Stage, ensembles: int = ENSEMBLES
) -> Chains:
    prior, d, k = problem.prior, scores.shape[1], len(problem.pooled)

    def total(points: Floats) -> Floats:
        found = prior.log_density(points[:, :d])
        if k:
            spread, effects = points[:, d : d + k], points[:, d + k :]
            found += (spread - 0.5 * (np.exp(spread) / SPREAD) ** 2).sum(axis=1) - 0.5 * (effects**2).sum(axis=1)
            found[~(np.abs(spread) < 12.0).all(axis=1)] = -np.inf
        for part, one in enumerate(likelihoods):
            good = np.isfinite(found)
            found[good] += one.log_likelihood(prior.values(problem.scores_of(points[good])[:, part]))
        return found

    points = scores
    if k:
        effects = 0.1 * np.random.default_rng(seed).standard_normal((len(scores), len(likelihoods) * k))
        points = np.concatenate([scores, np.full((len(scores), k), np.log(0.2)), effects], axis=1)
    height = total(points)
    good = np.flatnonzero(np.isfinite(height))
    if not len(good):
        raise InputError("--observations", "no parameters within the priors come near the data", "widen the priors: --fit name=low:high")
    weight = np.exp(height[good] - height[good].max())
    chosen = np.random.default_rng(seed + 1).choice(good, size=256, p=(weight + 1e-9) / (weight + 1e-9).sum())
    return sample_posterior(total, points[chosen], seed, ensembles=ensembles, stage=stage)


def _fit_state(problem: Problem, likelihoods: list[Synthetic], chains: Chains) -> dict[str, Any]:
    """Return how near the model comes to the data, and how normal the summaries are."""
    from scipy.stats import chi2

    scores = problem.scores_of(chains.flat[:: max(1, len(chains.flat) // 500)])
    distance = sum(one.distance(problem.prior.values(scores[:, part])) for part, one in enumerate(likelihoods))
    summaries = sum(len(one.observed) for one in likelihoods)
    nearest = float(np.min(distance))
    return {
        "distance": nearest, "summaries": summaries, "fit_probability": float(chi2.sf(nearest, summaries)),
        "kurtosis": float(np.mean(np.concatenate([one.emulator.kurtosis for one in likelihoods]))),
        "score_excess": float(np.mean([one.excess for one in likelihoods])),
        "rows": likelihoods[0].emulator.rows, "degree": likelihoods[0].emulator.degree,
    }  # fmt: skip


def _posterior(
    problem: Problem, chains: Chains, history: list[dict[str, Any]], state: dict[str, Any], likelihoods: Sequence[Synthetic]
) -> Posterior:
    prior, d, k = problem.prior, len(problem.prior.names), len(problem.pooled)
    values = prior.values(chains.flat[:, :d]).reshape(*chains.draws.shape[:2], d)
    country_values = spread = None
    if k:
        each = problem.scores_of(chains.flat)
        country_values = prior.values(each.reshape(-1, d)).reshape(each.shape)
        spread = np.exp(chains.flat[:, d : d + k])
    return Posterior(chains, values, history, state, likelihoods, country_values, spread)


def sample_posterior(
    log_posterior: Callable[[Floats], Floats], starts: Floats, seed: int, *, ensembles: int = ENSEMBLES, stage: Stage = lambda *_: None
) -> Chains:
    """Return draws of a log posterior of points (K, d), which ensembles walk from ``starts`` (N, d), where it is finite.

    Walkers move by stretches, differential evolution and snooker updates (ter Braak & Vrugt 2008). An ensemble runs until it is SETTLED
    autocorrelation times long, and forgets its first quarter.
    """
    import emcee

    d = starts.shape[1]
    walkers = max(32, 4 * d)
    rng = np.random.default_rng(seed)
    kept, times, made = [], [], 0
    for ensemble in range(ensembles):
        chosen = starts[rng.choice(len(starts), size=walkers, replace=len(starts) < walkers)] + 1e-6 * rng.standard_normal((walkers, d))
        moves = [(emcee.moves.StretchMove(), 0.4), (emcee.moves.DEMove(), 0.5), (emcee.moves.DESnookerMove(), 0.1)]
        sampler = emcee.EnsembleSampler(walkers, d, log_posterior, vectorize=True, moves=moves)
        sampler.log_prob_fn = log_posterior  # without emcee's wrapper, which prints a traceback where Ctrl-C meets it
        state = emcee.State(chosen, random_state=np.random.RandomState(int(rng.integers(2**31))).get_state())
        steps = 500
        while True:
            with np.errstate(divide="ignore", invalid="ignore"):  # of two walkers at the same point
                state = sampler.run_mcmc(state, steps, skip_initial_state_check=True)
            done = sampler.get_chain().shape[0]
            time = float(np.max(sampler.get_autocorr_time(discard=done // 4, tol=0)))
            stage("posterior", ensemble * MOST_STEPS + done, ensembles * MOST_STEPS)
            if not np.isfinite(time) or done >= SETTLED * time or done >= MOST_STEPS:
                break
            steps = min(MOST_STEPS - done, max(500, int(SETTLED * time) - done))
        flat = sampler.get_chain(discard=done // 4).reshape(-1, d)
        kept.append(flat[np.linspace(0, len(flat) - 1, KEPT).astype(int)])
        times.append(time)
        made = max(made, done)
    finite = [time for time in times if np.isfinite(time)]
    return Chains(np.stack(kept), made, max(finite, default=float("nan")))
