"""What a calibration found, as tidy tables: the posterior against the prior, curves, every cell of the survey, scores, and checks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.experiments.ensemble import BatchRunner
from school_mentoring.experiments.progress import Stage
from school_mentoring.model.world.arrays import Flags, Floats

from .likelihood import Synthetic
from .posterior import SPREAD, Posterior, Problem
from .predict import cells_table, curves, log_scores, predict, ranked_scores
from .reference_table import ReferenceTable, Runs
from .survey import OVERDISPERSION, Survey

PREDICTED = 400  # draws that predictions are made of
CHECKED, CHECK_RUNS = 8, 400  # draws at which the likelihood is estimated directly, and runs for each
WELL, LITTLE = 0.5, 0.9  # posterior sd over prior sd
MOVED = 0.3  # prior sds by which a mean moves that was not left alone
EDGES = ((0.01, 0.1), (0.05, 0.5))  # more of the posterior beyond a tail of the prior of this size is at its edge


@dataclass(frozen=True)
class CalibrationFindings:
    """``parameters``: prior against posterior; ``draws``, ``prior_draws``: joint; ``curves``: quantiles by group and month, by
    ``source``; ``observed``: shares seen, by group and wave; ``cells``: every answer and its prediction; ``scores``: of what was held out;
    ``history``: waves of runs; ``checks``: emulated against direct likelihood; ``countries``: posterior of pooled parameters by country.
    """  # noqa: D205

    parameters: pd.DataFrame
    draws: pd.DataFrame
    prior_draws: pd.DataFrame
    curves: pd.DataFrame
    observed: pd.DataFrame
    cells: pd.DataFrame
    scores: pd.DataFrame
    history: pd.DataFrame
    checks: pd.DataFrame
    countries: pd.DataFrame
    state: dict[str, Any]
    chains: dict[str, Floats]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables that are not empty, by name."""
        names = ("parameters", "draws", "prior_draws", "curves", "observed", "cells", "scores", "history", "checks", "countries")
        return {name: table for name in names if len(table := getattr(self, name))}

    def write_netcdf(self, path: Path) -> None:
        """Write prior and posterior as an ArviZ InferenceData, which the ecosystem's plots and diagnostics read."""
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the next major version will be like
            import arviz

            data = arviz.from_dict(posterior=self.chains, prior={name: self.prior_draws[name].to_numpy()[None] for name in self.chains})
        for group in data.groups():
            getattr(data, group).attrs.pop("created_at", None)  # the same study gives the same bytes
        data.to_netcdf(str(path), engine="h5netcdf")


def findings_of(
    problem: Problem, posterior: Posterior, held: Flags | None, rival: tuple[Problem, Posterior] | None, *,
    table: ReferenceTable, first: Runs | None, engine: BatchRunner, threads: int | None, stage: Stage,
) -> CalibrationFindings:  # fmt: skip
    """Return what a posterior comes to."""
    prior, seed = problem.prior, problem.scenario.seed
    prior_draws = pd.DataFrame(prior.values(prior.sample(4096, seed)), columns=list(prior.names))
    groups = {"all schools": np.ones(len(problem.schools), bool), **problem.groups.structures, **problem.groups.clusters}
    chosen = np.linspace(0, len(posterior.flat) - 1, PREDICTED).astype(int)
    stage("predictions", 0, 2)
    simulate = _Simulator(problem, list(groups.values()), engine, threads)
    after = simulate.run(posterior, chosen)
    before = simulate.run_values(prior.values(prior.sample(PREDICTED, seed)))
    stage("predictions", 1, 2)
    names, practices = list(groups), [practice.name for practice in problem.scenario.practices]
    drawn = curves(after.predicted, names, practices, "posterior")
    drawn = pd.concat([curves(before.predicted, names, practices, "prior"), drawn], ignore_index=True)
    cells = cells_table(problem.survey, problem.schools.school_id, after.answers)
    cells["held_out"] = False if held is None else held[np.nonzero(problem.survey.seen)]
    state = {
        **posterior.state, "within_90": float(cells.loc[~cells["held_out"], "within"].mean()), "steps": posterior.chains.steps,
        "autocorrelation": posterior.chains.autocorrelation, "structures": list(problem.groups.structures),
        "clusters": list(problem.groups.clusters),
    }  # fmt: skip
    scores = pd.DataFrame()
    if held is not None:
        scores = _scores(problem, held, {"posterior": after, "prior": before}, rival, engine, threads)
    checks = pd.DataFrame()
    if isinstance(posterior.likelihoods[0], Synthetic) and not problem.pooled:
        checks = _direct_check(problem, posterior, held, simulate)
        state["check_sd"] = float((checks["emulated"] - checks["direct"]).std())
    parameters = parameter_table_of(prior_draws, posterior)
    variables = {variable.name: variable for variable in prior.variables}
    parameters["least"] = [variables[name].low for name in parameters["parameter"]]
    parameters["most"] = [variables[name].high for name in parameters["parameter"]]
    chains = {name: posterior.values[:, :, j] for j, name in enumerate(prior.names)}
    return CalibrationFindings(
        parameters, posterior.frame(), prior_draws, drawn, _observed(problem, groups, held), cells, scores,
        pd.DataFrame(posterior.history), checks, _countries(problem, posterior), state, chains,
    )  # fmt: skip


@dataclass(frozen=True)
class _Simulated:
    predicted: Any
    answers: Floats
    overdispersion: Floats


@dataclass(frozen=True)
class _Simulator:
    problem: Problem
    groups: list[Flags]
    engine: BatchRunner
    threads: int | None

    def run(self, posterior: Posterior, chosen: NDArray[np.int64]) -> _Simulated:
        if posterior.country_values is None:
            return self.run_values(posterior.flat[chosen])
        prior = self.problem.prior
        each = tuple(prior.sets(posterior.country_values[chosen, country]) for country in range(posterior.country_values.shape[1]))
        return self.run_values(posterior.flat[chosen], each)

    def run_values(self, values: Floats, countries: tuple[pd.DataFrame, ...] = (), survey: Survey | None = None) -> _Simulated:
        problem = self.problem
        survey = survey or problem.survey
        sets = problem.prior.sets(values)
        found = predict(
            problem.scenario, sets, countries, survey, self.groups, first_replicate=1_000_000_007, engine=self.engine, threads=self.threads
        )
        extra = sets[OVERDISPERSION].to_numpy() if OVERDISPERSION in sets else np.full(len(sets), problem.overdispersion)
        keys = 1_000_000_007 + np.arange(len(sets))
        return _Simulated(found, survey.answers(found.adopters, found.teachers, keys, problem.scenario.seed, extra), extra)


def parameter_table_of(prior_draws: pd.DataFrame, posterior: Posterior) -> pd.DataFrame:
    """Return one row per parameter: prior and posterior mean, sd and 90 % interval, what was learned, R-hat and ESS."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import arviz
    rows = []
    measure: Any = arviz  # which carries no types
    flat = posterior.frame()
    for j, name in enumerate(posterior.names):
        before, after, chains = prior_draws[name], flat[name], posterior.values[:, :, j]
        ratio = float(after.std() / before.std())
        moved = abs(float(after.mean() - before.mean())) / float(before.std())
        told = "well" if ratio < WELL else "partly" if ratio < LITTLE or moved > MOVED else "not"
        edge = edge_of(before, after)
        others = flat.drop(columns=name).corrwith(after).dropna()
        with_name = str(others.abs().idxmax()) if len(others) else ""
        row: dict[str, Any] = {"parameter": name}
        for label, draws in (("prior", before), ("posterior", after)):
            low, middle, high = draws.quantile([0.05, 0.5, 0.95])
            row |= {f"{label}_mean": draws.mean(), f"{label}_sd": draws.std(), f"{label}_low": low, f"{label}_median": middle}
            row |= {f"{label}_high": high}
        row |= {
            "sd_ratio": ratio,
            "told": "edge" if edge else told,
            "edge": edge,
            "goes_with": with_name,
            "correlation": float(others[with_name]) if with_name else np.nan,
        }
        row |= {"r_hat": float(measure.rhat(chains)), "ess": float(measure.ess(chains))}
        rows.append(row)
    return pd.DataFrame(rows)


def edge_of(before: "pd.Series[float]", after: "pd.Series[float]") -> str:
    """Return at which end of its prior a posterior lies, ``low`` or ``high``, as its mass in the prior's tails tells; blank if at none."""
    for tail, most in EDGES:
        if (after > before.quantile(1.0 - tail)).mean() > most:
            return "high"
        if (after < before.quantile(tail)).mean() > most:
            return "low"
    return ""


def _observed(problem: Problem, groups: dict[str, Flags], held: Flags | None) -> pd.DataFrame:
    """Return the share seen in each group and wave, with its 90 % interval from the survey's own sampling."""
    survey, rows = problem.survey, []
    for name, member in groups.items():
        for w, month in enumerate(survey.months):
            for out in (False, True):
                cells = survey.seen[w] & member & ((held[w] if held is not None else False) == out)
                if not cells.any():
                    continue
                weight = survey.respondents[w, cells].astype(np.float64)
                share = float((survey.shares[w, cells] * weight).sum() / weight.sum())
                if survey.kind == "scale":
                    error = float(np.sqrt(((survey.errors[w, cells] * weight) ** 2).sum()) / weight.sum())
                else:
                    error = float(np.sqrt(max(share * (1.0 - share), 0.0) / weight.sum()))
                practice = survey.practice_names[survey.practices[w]]
                low, high = np.clip([share - 1.645 * error, share + 1.645 * error], 0.0, 1.0)
                count = {"schools": int(cells.sum()), "respondents": int(weight.sum())}
                rows.append(
                    {
                        "group": name,
                        "practice": practice,
                        "month": month,
                        "share": share,
                        "low": low,
                        "high": high,
                        **count,
                        "held_out": out,
                    }
                )
    return pd.DataFrame(rows)


def _scores(
    problem: Problem, held: Flags, predictions: dict[str, _Simulated], rival: tuple[Problem, Posterior] | None, engine: BatchRunner,
    threads: int | None,
) -> pd.DataFrame:  # fmt: skip
    """Return mean scores of what was held out, by prediction, and how far they are from those of the posterior."""
    survey = problem.survey.only(held)
    waves = np.flatnonzero(held.any(axis=1))
    found = dict(predictions)
    if rival is not None:
        other, posterior = rival
        chosen = np.linspace(0, len(posterior.flat) - 1, PREDICTED).astype(int)
        found["posterior without mentoring"] = _Simulator(other, [], engine, threads).run(posterior, chosen)
    columns = {}
    for name, one in found.items():
        cut = type(one.predicted)(one.predicted.adopters[:, waves], one.predicted.teachers, one.predicted.monthly)
        columns[name] = (
            log_scores(survey, cut, one.overdispersion), ranked_scores(one.answers[:, waves][:, survey.seen], survey.shares[survey.seen])
        )  # fmt: skip
    rows = []
    school = np.nonzero(survey.seen)[1]
    cluster = np.full(len(problem.schools), -1)
    for k, member in enumerate(problem.groups.clusters.values()):
        cluster[member] = k
    for name, (logs, ranked) in columns.items():
        base_logs, base_ranked = columns["posterior"]
        rows.append(
            {
                "prediction": name, "cells": len(logs), "log_score": logs.mean(), "crps": ranked.mean(),
                "log_score_less_posterior": (logs - base_logs).mean(), "crps_less_posterior": (ranked - base_ranked).mean(),
                "log_score_less_posterior_se": _error(logs - base_logs, cluster[school]),
                "crps_less_posterior_se": _error(ranked - base_ranked, cluster[school]),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _error(differences: Floats, cluster: NDArray[np.int64]) -> float:
    """Return the standard error of a mean of cells that go together within clusters."""
    sums = np.array([(differences[cluster == k] - differences.mean()).sum() for k in np.unique(cluster)])
    return float(np.sqrt((sums**2).sum() * len(sums) / max(1, len(sums) - 1)) / len(differences))


def _direct_check(problem: Problem, posterior: Posterior, held: Flags | None, simulate: _Simulator) -> pd.DataFrame:
    """Return the synthetic log-likelihood at some draws, emulated and directly from runs at each (Price et al. 2018), less their means."""
    likelihood = posterior.likelihoods[0]
    assert isinstance(likelihood, Synthetic)
    kept = problem.survey.seen if held is None else problem.survey.seen & ~held
    survey, waves = problem.fitted_to(kept)
    chosen = posterior.flat[np.linspace(0, len(posterior.flat) - 1, CHECKED).astype(int)]
    rows = []
    for values in chosen:
        many = np.repeat(values[None], CHECK_RUNS, axis=0)
        found = simulate.run_values(many)
        keys = 2_000_000_011 + np.arange(CHECK_RUNS)
        answers = survey.answers(
            found.predicted.adopters[:, waves], found.predicted.teachers, keys, problem.scenario.seed, found.overdispersion
        )
        summaries = likelihood.emulator.discriminants(likelihood.reduce.of(answers))
        covariance = np.atleast_2d(np.cov(summaries.T))
        left = likelihood.observed - summaries.mean(axis=0)
        direct = -0.5 * float(left @ np.linalg.solve(covariance, left) + np.linalg.slogdet(covariance)[1])
        emulated = float(likelihood.emulator.log_likelihood(values[None], likelihood.observed)[0])
        rows.append({**dict(zip(problem.prior.names, values.tolist(), strict=True)), "emulated": emulated, "direct": direct})
    checks = pd.DataFrame(rows)
    for name in ("emulated", "direct"):
        checks[name] -= checks[name].mean()
    return checks


def _countries(problem: Problem, posterior: Posterior) -> pd.DataFrame:
    """Return the posterior of pooled parameters by country, and of how far countries differ, beside what the prior says of that."""
    if posterior.country_values is None or posterior.spread is None:
        return pd.DataFrame()
    from scipy.special import ndtri

    rows = []
    for k, name in enumerate(problem.pooled):
        j = problem.prior.names.index(name)
        for country, code in enumerate(problem.schools.country_codes):
            low, middle, high = np.quantile(posterior.country_values[:, country, j], (0.05, 0.5, 0.95))
            rows.append({"parameter": name, "country": code, "low": low, "median": middle, "high": high})
        low, middle, high = np.quantile(posterior.spread[:, k], (0.05, 0.5, 0.95))
        rows.append({"parameter": name, "country": "spread between countries", "low": low, "median": middle, "high": high})
        # Quantiles of the half-normal prior of that spread: what a few countries hardly change is the prior's.
        low, middle, high = (SPREAD * ndtri(0.5 * (1.0 + level)) for level in (0.05, 0.5, 0.95))
        rows.append({"parameter": name, "country": "spread, prior", "low": low, "median": middle, "high": high})
    return pd.DataFrame(rows)
