"""What a calibration found, as tidy tables: the posterior against the prior, curves, every cell of the survey, scores, and checks.

Scores: the logarithm of the predictive chance of what each school answered (Good 1952), and the continuous ranked probability score of its
share (Gneiting & Raftery 2007), both with the answers' own chance in the prediction.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.experiments.ensemble import BatchRunner, run_rows
from school_mentoring.experiments.progress import Stage
from school_mentoring.experiments.sweep.chunks import parameter_rows
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.designs import design_table
from school_mentoring.model.engine import Batch
from school_mentoring.model.world.arrays import Flags, Floats, Ints
from school_mentoring.scenarios import Scenario

from .aggregate import MISFIT, check_aggregates, misfit_of, observed_shares
from .countries import countries_of
from .export import FittedAnswers, quiet_arviz
from .likelihood import Synthetic
from .posterior import Posterior, Problem, obstacles
from .survey import OVERDISPERSION, Survey, answering_share

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
RUNS_AT_A_TIME = 64
PREDICTED = 400  # draws that predictions are made of
CHECKED, CHECK_RUNS, CHECK_CELLS = 8, 400, 8_000_000  # draws at which the likelihood is estimated directly; runs, and answers, for each
WELL, LITTLE = 0.5, 0.9  # posterior sd over prior sd
POINT = 0.01  # the same, below which a posterior of a model that does not fit is a point
MOVED = 0.3  # prior sds by which a mean moves that was not left alone
EDGES = ((0.01, 0.1), (0.05, 0.5))  # more of the posterior beyond a tail of the prior of this size is at its edge


@dataclass(frozen=True)
class CalibrationFindings:
    """``parameters``: prior against posterior; ``draws``, ``prior_draws``: joint; ``curves``: quantiles by group and month, by
    ``source``; ``observed``: shares seen, by group and wave; ``cells``: every answer and its prediction; ``history``: waves of runs;
    ``checks``: emulated against direct likelihood; ``countries``: posterior of pooled parameters by country; ``aggregates``: curves of
    groups of schools beside those that the fitted model leads to; ``chains``: draws by parameter; ``answers``: what was fitted to, and what
    is predicted of it; ``scores``, ``cluster_scores``: of what was held out, in all and by cluster.
    """  # noqa: D205

    parameters: pd.DataFrame
    draws: pd.DataFrame
    prior_draws: pd.DataFrame
    curves: pd.DataFrame
    observed: pd.DataFrame
    cells: pd.DataFrame
    history: pd.DataFrame
    checks: pd.DataFrame
    countries: pd.DataFrame
    aggregates: pd.DataFrame
    state: dict[str, Any]
    chains: dict[str, Floats]
    answers: FittedAnswers
    scores: pd.DataFrame = field(default_factory=pd.DataFrame)
    cluster_scores: pd.DataFrame = field(default_factory=pd.DataFrame)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables that are not empty, by name."""
        return {name: table for name, table in vars(self).items() if isinstance(table, pd.DataFrame) and len(table)}


def findings_of(
    problem: Problem, posterior: Posterior, held: Flags | None, *, engine: BatchRunner, threads: int | None, stage: Stage
) -> CalibrationFindings:  # fmt: skip
    """Return what a posterior comes to."""
    prior, seed, survey = problem.prior, problem.scenario.seed, problem.survey
    prior_draws = pd.DataFrame(prior.values(prior.sample(4096, seed)), columns=list(prior.names))
    draws = pd.DataFrame(posterior.flat, columns=list(prior.names))
    groups = {"all schools": np.ones(len(problem.schools), bool), **problem.groups.structures, **problem.groups.clusters}
    stage("predictions", 0, 2)
    simulate = _Simulator(problem, list(groups.values()), engine, threads)
    after = simulate.posterior(posterior)
    before = simulate.of(prior.values(prior.sample(PREDICTED, seed)))
    stage("predictions", 1, 2)
    names = list(groups), [practice.name for practice in problem.scenario.practices]
    drawn = pd.concat([curves(one.predicted, *names, what) for one, what in ((before, "prior"), (after, "posterior"))], ignore_index=True)
    cells = cells_table(survey, problem.schools.school_id, after.answers)
    cells["held_out"] = False if held is None else held[np.nonzero(survey.seen)]
    kept = survey.seen if held is None else survey.seen & ~held
    everybody = {name: groups[name] for name in ("all schools", *problem.groups.structures)}
    checked = check_aggregates(survey, after.answers, everybody, kept)
    state: dict[str, Any] = {
        **posterior.state, **misfit_of(checked), "within_90": float(cells.loc[~cells["held_out"], "within"].mean()),
        "obstacles": obstacles(problem) if posterior.likelihoods else [], "steps": posterior.chains.steps,
        "autocorrelation": posterior.chains.autocorrelation, "structures": list(problem.groups.structures),
        "clusters": list(problem.groups.clusters),
    }  # fmt: skip
    state["misfit"] = min(checked.p, posterior.state.get("fit_probability", 1.0)) < MISFIT
    checks = pd.DataFrame()
    if posterior.likelihoods and not problem.pooled:
        checks = _direct_check(problem, posterior, posterior.likelihoods[0], held, simulate)
        state["check_sd"] = float((checks["emulated"] - checks["direct"]).std())
    return CalibrationFindings(
        _parameters(problem, prior_draws, draws, posterior, state["misfit"]), draws, prior_draws, drawn,
        observed_shares(survey, groups, held), cells, pd.DataFrame(posterior.history), checks, countries_of(problem, posterior),
        checked.table, state,
        {name: posterior.values[:, :, j] for j, name in enumerate(prior.names)}, _answers(problem, posterior, kept, after),
    )  # fmt: skip


# --- what fitted parameters lead to, and scores of observations that were not fitted to ------------------------------


class Predicted(NamedTuple):
    """Simulated schools under D parameter sets: adopters as a survey's record has them, (D, W, n), and curves by group of schools.

    ``teachers``: (D, n). ``monthly``: adopting share of each group's teachers, (D, groups, months, practices).
    """

    adopters: Ints
    teachers: Ints
    monthly: Floats


def predict(
    scenario: Scenario, sets: pd.DataFrame, country_sets: tuple[pd.DataFrame, ...], survey: Survey, groups: list[Flags], *,
    first_replicate: int, engine: BatchRunner, threads: int | None, worlds: Worlds | None = None,
) -> Predicted:  # fmt: skip
    """Return one run under each parameter set; where there are sets of countries, each country's schools follow its own."""
    worlds, base, record, window = worlds or Worlds(scenario), scenario.base_parameters(), survey.record(), scenario.programme
    kept = [worlds.get(base, index)[0] for index in range(scenario.worlds)]
    practices = len(scenario.practices)
    replicates = first_replicate + np.arange(len(sets))
    teachers = np.stack([kept[replicate % len(kept)].teachers for replicate in replicates.tolist()])
    adopters = np.empty((len(sets), len(record.months), record.schools), np.int32)
    monthly = np.empty((len(sets), len(groups), scenario.months, practices))
    designs = design_table([scenario.plain_design(name) for name in scenario.designs], window.first_month, window.last_month)
    how: dict[str, Any] = {"worlds": worlds, "per_school": True, "engine": engine, "threads": threads}
    step = min(RUNS_AT_A_TIME, record.runs_at_a_time(scenario.months, practices))
    for low in range(0, len(sets), step):
        here = slice(low, min(low + step, len(sets)))
        count = here.stop - here.start
        batch = Batch(np.zeros(count, np.int64), np.arange(count), replicates[here])
        tables = (parameter_rows(base, chosen.iloc[here]) for chosen in country_sets or (sets,))
        schools, *others = (run_rows(scenario, table, designs, batch, **how).schools for table in tables)
        for country, found in enumerate(others, start=1):
            mine = kept[0].country == country
            schools[..., mine] = found[..., mine]
        adopters[here] = record.read(schools, parameter_rows(base, sets.iloc[here])["mainstream_threshold"], teachers[here])
        for g, member in enumerate(groups):
            monthly[here, g] = schools[:, :, :practices][..., member].sum(axis=-1) / teachers[here][:, member].sum(axis=1)[:, None, None]
    return Predicted(adopters, teachers, monthly)


def curves(predicted: Predicted, names: list[str], practices: list[str], source: str) -> pd.DataFrame:
    """Return quantiles of the adopting share by group, practice and month."""
    low, quarter, middle, more, high = np.quantile(predicted.monthly, LEVELS, axis=0)
    groups, months, count = middle.shape
    g, m, p = (axis.ravel() for axis in np.meshgrid(np.arange(groups), np.arange(months), np.arange(count), indexing="ij"))
    return pd.DataFrame(
        {
            "source": source, "group": np.array(names, dtype=object)[g], "practice": np.array(practices, dtype=object)[p], "month": m,
            "low": low.ravel(), "quarter": quarter.ravel(), "median": middle.ravel(), "three_quarters": more.ravel(), "high": high.ravel(),
        }
    )  # fmt: skip


def chances(survey: Survey, predicted: Predicted, overdispersion: Floats) -> Floats:
    """Return the chance (of means on a scale the density) that each draw gives to each observed cell, (D, cells)."""
    from scipy import stats

    cells = survey.seen
    shares = (predicted.adopters / (1 if survey.kind == "times" else predicted.teachers[:, None]))[:, cells]
    seen, respondents = survey.shares[cells], survey.respondents[cells]
    if survey.readily != 1.0:
        shares = answering_share(shares, survey.readily, (survey.respondents / predicted.teachers[:, None])[:, cells])
    if survey.kind == "scale":
        return np.asarray(stats.norm.pdf(seen, shares, survey.errors[cells]))
    yes = np.rint(seen * respondents)
    chance = np.asarray(stats.binom.pmf(yes, respondents, shares))
    more = np.flatnonzero(overdispersion > 0.0)
    if len(more):
        size = 1.0 / overdispersion[more, None] - 1.0
        inside = np.clip(shares[more], 1e-9, 1.0 - 1e-9)
        chance[more] = stats.betabinom.pmf(yes, respondents, inside * size, (1.0 - inside) * size)
    return chance


def log_scores(survey: Survey, predicted: Predicted, overdispersion: Floats) -> Floats:
    """Return the log chance of each observed cell under a prediction, (cells,); the uniform chance is one more draw, so it is finite."""
    chance = chances(survey, predicted, overdispersion)
    uniform = 1.0 if survey.kind == "scale" else 1.0 / (survey.respondents[survey.seen] + 1.0)
    return np.log((chance.sum(axis=0) + uniform) / (len(chance) + 1))


def ranked_scores(answers: Floats, seen: Floats) -> Floats:
    """Return the continuous ranked probability score of each cell: E|X - y| - E|X - X'| / 2 over draws X (D, cells)."""
    ordered = np.sort(answers, axis=0)
    draws = len(ordered)
    weight = (2.0 * np.arange(draws) - draws + 1.0) / draws**2
    return np.asarray(np.abs(answers - seen).mean(axis=0) - weight @ ordered)


def cells_table(survey: Survey, school_ids: NDArray[np.str_], answers: Floats) -> pd.DataFrame:
    """Return one row per observed cell: what was seen, what answers were to be expected (median, 90 %), and whether it lies within."""
    wave, school = np.nonzero(survey.seen)
    low, middle, high = np.quantile(answers[:, wave, school], (0.05, 0.5, 0.95), axis=0)
    seen = survey.shares[wave, school]
    return pd.DataFrame(
        {
            "school_id": school_ids[school], "month": np.array(survey.months)[wave],
            "practice": np.array(survey.practice_names, dtype=object)[np.array(survey.practices)[wave]],
            "respondents": survey.respondents[wave, school], "share": seen, "low": low, "median": middle, "high": high,
            "within": (seen >= low - 1e-9) & (seen <= high + 1e-9),
        }
    )  # fmt: skip


class _Simulated(NamedTuple):
    predicted: Predicted
    answers: Floats
    overdispersion: Floats


class _Simulator(NamedTuple):
    problem: Problem
    groups: list[Flags]
    engine: BatchRunner
    threads: int | None

    def posterior(self, posterior: Posterior) -> _Simulated:
        """Return one run under each of some draws; where parameters are pooled each country's schools follow its own."""
        chosen, each = posterior.some(PREDICTED), posterior.country_values
        countries = [] if each is None else [self.problem.prior.sets(each[chosen, country]) for country in range(each.shape[1])]
        return self.of(posterior.flat[chosen], tuple(countries))

    def of(self, values: Floats, countries: tuple[pd.DataFrame, ...] = ()) -> _Simulated:
        problem, first = self.problem, 1_000_000_007
        sets, survey = problem.prior.sets(values), problem.survey
        how: dict[str, Any] = {"first_replicate": first, "engine": self.engine, "threads": self.threads, "worlds": problem.worlds}
        found = predict(problem.scenario, sets, countries, survey, self.groups, **how)
        extra = sets[OVERDISPERSION].to_numpy() if OVERDISPERSION in sets else np.full(len(sets), problem.overdispersion)
        answers = survey.answers(found.adopters, found.teachers, first + np.arange(len(sets)), problem.scenario.seed, extra)
        return _Simulated(found, answers, extra)


def _answers(problem: Problem, posterior: Posterior, kept: Flags, after: _Simulated) -> FittedAnswers:
    survey, waves = problem.fitted_to(kept)
    wave, school = np.nonzero(survey.seen)
    cut = after.predicted._replace(adopters=after.predicted.adopters[:, waves])
    return FittedAnswers(
        survey.shares[survey.seen], problem.schools.school_id[school], np.array(survey.months)[wave],
        posterior.flat[posterior.some(PREDICTED)], after.answers[:, waves][:, survey.seen], chances(survey, cut, after.overdispersion),
    )  # fmt: skip


def _parameters(problem: Problem, prior_draws: pd.DataFrame, draws: pd.DataFrame, posterior: Posterior, misfit: bool) -> pd.DataFrame:
    """Return one row per parameter: prior and posterior mean, sd and 90 % interval, what was learned, R-hat and ESS, the prior's ends."""
    values, worth = posterior.values, posterior.state.get("effective", np.inf)
    with quiet_arviz() as arviz:
        measures = [(float(arviz.rhat(values[:, :, j])), min(worth, float(arviz.ess(values[:, :, j])))) for j in range(values.shape[2])]
    rows = []
    for variable, (r_hat, ess) in zip(problem.prior.variables, measures, strict=True):
        name = variable.name
        before, after = prior_draws[name], draws[name]
        ratio = float(after.std() / before.std())
        moved = abs(float(after.mean() - before.mean())) / float(before.std())
        told = "well" if ratio < WELL else "partly" if ratio < LITTLE or moved > MOVED else "not"
        if misfit and told != "not":
            told = "point" if ratio < POINT else "unfit"
        edge = edge_of(before, after)
        others = draws.drop(columns=name).corrwith(after).dropna()
        with_name = str(others.abs().idxmax()) if len(others) else ""
        row: dict[str, Any] = {"parameter": name}
        for label, column in (("prior", before), ("posterior", after)):
            low, middle, high = column.quantile([0.05, 0.5, 0.95])
            found = {"mean": column.mean(), "sd": column.std(), "low": low, "median": middle, "high": high}
            row |= {f"{label}_{what}": number for what, number in found.items()}
        row |= {"sd_ratio": ratio, "told": "edge" if edge else told, "edge": edge, "goes_with": with_name}
        row |= {"correlation": float(others[with_name]) if with_name else np.nan}
        rows.append({**row, "r_hat": r_hat, "ess": ess, "least": variable.low, "most": variable.high})
    return pd.DataFrame(rows)


def edge_of(before: "pd.Series[float]", after: "pd.Series[float]") -> str:
    """Return at which end of its prior a posterior lies, ``low`` or ``high``, as its mass in the prior's tails tells; blank if at none."""
    for tail, most in EDGES:
        if (after > before.quantile(1.0 - tail)).mean() > most:
            return "high"
        if (after < before.quantile(tail)).mean() > most:
            return "low"
    return ""


def _direct_check(problem: Problem, posterior: Posterior, likelihood: Synthetic, held: Flags | None, simulate: _Simulator) -> pd.DataFrame:
    """Return the synthetic log-likelihood at some draws, emulated and directly from runs at each (Price et al. 2018), less their means."""
    survey, waves = problem.fitted_to(problem.survey.seen if held is None else problem.survey.seen & ~held)
    runs = int(np.clip(CHECK_CELLS / survey.respondents.size, CHECK_RUNS // 4, CHECK_RUNS))
    keys, rows = 2_000_000_011 + np.arange(runs), []
    for values in posterior.flat[posterior.some(CHECKED)]:
        found, _, extra = simulate.of(np.repeat(values[None], runs, axis=0))
        answers = survey.answers(found.adopters[:, waves], found.teachers, keys, problem.scenario.seed, extra)
        summaries = likelihood.emulator.directions.of(likelihood.reduce.of(answers))
        covariance = np.atleast_2d(np.cov(summaries.T))
        left = likelihood.observed - summaries.mean(axis=0)
        direct = -0.5 * float(left @ np.linalg.solve(covariance, left) + np.linalg.slogdet(covariance)[1])
        emulated = float(likelihood.emulator.log_likelihood(values[None], likelihood.observed)[0])
        rows.append({**dict(zip(problem.prior.names, values.tolist(), strict=True)), "emulated": emulated, "direct": direct})
    checks = pd.DataFrame(rows)
    for name in ("emulated", "direct"):
        checks[name] -= checks[name].mean()
    return checks
