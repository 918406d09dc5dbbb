"""A quick point fit for a first look: parameters at which the mean of some runs is nearest to the answers, by CMA-ES (Hansen 2016).

The objective is the likelihood of every school's answers at its mean simulated share, as if schools and waves were independent (a composite
likelihood; Varin, Reid & Firth 2011): right in the middle, silent on how sure that is.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from school_mentoring.experiments.ensemble import BatchRunner
from school_mentoring.experiments.progress import Stage
from school_mentoring.model.world.arrays import Floats

from .posterior import Problem
from .predict import predict
from .survey import OVERDISPERSION

REPLICATES = 20
GENERATIONS = 60


@dataclass(frozen=True)
class PointFit:
    """``path``: of every generation the best parameters so far and their log-likelihood; ``best``: the last of them."""

    path: pd.DataFrame
    best: dict[str, float]


def point_fit(problem: Problem, seed: int, *, engine: BatchRunner, threads: int | None, stage: Stage = lambda *_: None) -> PointFit:
    """Return the point fit. All candidates share their random numbers, so the objective is smooth enough to climb."""
    from cmaes import CMA

    prior = problem.prior
    optimiser = CMA(mean=np.zeros(len(prior.names)), sigma=0.7, bounds=np.array([[-2.5, 2.5]] * len(prior.names)), seed=seed % 2**31)
    best, path = (-np.inf, np.zeros(len(prior.names))), []
    for generation in range(GENERATIONS):
        stage("point fit", generation, GENERATIONS)
        asked = np.stack([optimiser.ask() for _ in range(optimiser.population_size)])
        found = _heights(problem, prior.values(asked), engine, threads) + prior.log_density(asked)
        optimiser.tell([(one, -float(height)) for one, height in zip(asked, found, strict=True)])
        top = int(np.argmax(found))
        best = max(best, (float(found[top]), prior.values(asked[top : top + 1])[0]), key=lambda one: one[0])
        path.append({"generation": generation + 1, **dict(zip(prior.names, best[1].tolist(), strict=True)), "log_posterior": best[0]})
        if optimiser.should_stop():
            break
    return PointFit(pd.DataFrame(path), dict(zip(prior.names, best[1].tolist(), strict=True)))


def _heights(problem: Problem, values: Floats, engine: BatchRunner, threads: int | None) -> Floats:
    """Return the composite log-likelihood at parameters (K, d), (K,)."""
    from scipy import stats

    survey = problem.survey
    heights = np.empty(len(values))
    for k, one in enumerate(values):
        sets = problem.prior.sets(np.repeat(one[None], REPLICATES, axis=0))
        found = predict(problem.scenario, sets, (), survey, [], first_replicate=0, engine=engine, threads=threads)
        teachers = 1.0 if survey.kind == "times" else found.teachers[:, None].astype(np.float64)
        mean = (found.adopters / teachers).mean(axis=0)[survey.seen]
        seen, respondents = survey.shares[survey.seen], survey.respondents[survey.seen]
        if survey.kind == "scale":
            heights[k] = stats.norm.logpdf(seen, mean, np.hypot(survey.errors[survey.seen], 0.1)).sum()
            continue
        extra = one[problem.prior.names.index(OVERDISPERSION)] if OVERDISPERSION in problem.prior.names else problem.overdispersion
        # Schools differ by more than answers do; a beta-binomial keeps single ones from deciding.
        size = 1.0 / max(extra, 0.05) - 1.0
        inside = np.clip(mean, 1e-3, 1.0 - 1e-3)
        heights[k] = stats.betabinom.logpmf(np.rint(seen * respondents), respondents, inside * size, (1.0 - inside) * size).sum()
    return heights
