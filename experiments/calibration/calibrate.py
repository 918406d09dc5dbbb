"""Calibration: parameters fitted to a pilot's observations, with what the data can and cannot tell.

The folder of a calibration is that of its reference table, a sweep, so every simulation is kept; what was found stands in ``calibration/``
in it. docs/calibration.md tells the method and why it was chosen.
"""

import os
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from school_mentoring.experiments.ensemble import runner
from school_mentoring.experiments.pilot_data.observations import Observations, clock_of, month_meant, read_observations
from school_mentoring.experiments.progress import Stage
from school_mentoring.experiments.sweep.store import write_atomically
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.errors import InputError, nearest
from school_mentoring.model.parameters import row_of
from school_mentoring.model.world.arrays import NO_CONTACTS, Flags, Floats
from school_mentoring.model.world.numbers import Bounds, read_option
from school_mentoring.scenarios import FILE_KEYS, Scenario, check_draws, dump_yaml, resolved, scenario_from
from school_mentoring.scenarios.gone import refusal

from .export import write_netcdf
from .findings import CalibrationFindings, findings_of, predict
from .forecast import MODEL, FittedModel, scores_of
from .hold_out import Split, splits_of
from .posterior import Posterior, Problem, exact_of, exact_posterior, obstacles, synthetic_posterior
from .prior import prior_of
from .reference_table import ReferenceTable
from .survey import OVERDISPERSION, answering_share, groups_of, survey_of

FIT = ("p", "q_in", "q_out", "beta", "d")  # what is fitted where nothing is named
RUNS = 32_768
FEWEST_RUNS = 256  # that anything can be learned from
MOST_CELLS = 60_000_000  # of the first wave's record, where the number of runs is not given
MOST_MONTHS = 650_000_000  # of all schools, that the first wave simulates, so that a calibration takes minutes
MOST_BYTES = 3 * 2**30  # of the records of all waves, which are held in memory
REPLICATES, GENERATIONS = 20, 60  # of a point fit
MARK = "calibrated"  # is added to the name and title of the scenario that is written, so that its studies get folders of their own


@dataclass(frozen=True)
class CalibrationOptions:
    """What is asked of a calibration.

    ``runs``: of the first wave; the second has twice as many (0: as many as memory holds, at most RUNS). ``hold_out``: what is predicted
    rather than fitted. ``pooled``: parameters that differ between countries. ``overdispersion``: of counts, where it is not fitted.
    ``discrepancy``: sd of the model's own error, on shares. ``compare``: fit a model in which mentoring does nothing too.
    ``likelihood``: auto, exact or synthetic. ``non_response``: random, or ``share:R`` where users answer R times as readily as others.
    """

    fit: tuple[str, ...] = FIT
    runs: int = 0
    hold_out: str | None = None
    pooled: tuple[str, ...] = ()
    overdispersion: float = 0.0
    discrepancy: float = 0.0
    compare: bool = False
    likelihood: str = "auto"
    non_response: str = "random"

    @property
    def readily(self) -> float:
        """How many times as readily as others those who use the practice answer. Raises InputError where nothing says so."""
        kind, _, number = self.non_response.partition(":")
        if self.non_response == "random":
            return 1.0
        if kind != "share":
            allowed = "allowed: random, or share:R where users of the practice answer R times as readily as others"
            raise InputError(f"--non-response {self.non_response}", "is not known", allowed)
        return read_option(f"--non-response {self.non_response}", number, Bounds(0.01, 100.0, "share:R with R from 0.01 to 100"))


def asked(*, fit: str | None = None, pool: str | None = None, **given: Any) -> CalibrationOptions:
    """Return the options of a command line. Raises InputError for what no calibration may have."""
    names = FIT if fit is None else tuple(_words(fit))
    options = CalibrationOptions(fit=names, pooled=tuple(_words(pool or "")), **given)
    fitted = [name.partition("=")[0] for name in names]
    for name in options.pooled:
        if name not in fitted:
            raise InputError(f"--pool {name}", "is not fitted", nearest(name, fitted))
    for flag, value in (("overdispersion", options.overdispersion), ("discrepancy", options.discrepancy)):
        if not 0.0 <= value < 1.0:
            raise InputError(f"--{flag} {value:g}", "is out of range", "allowed: 0 to below 1")
    if options.likelihood not in ("auto", "exact", "synthetic"):
        raise InputError(f"--likelihood {options.likelihood}", "is not known", nearest(options.likelihood, ("auto", "exact", "synthetic")))
    _ = options.readily
    if options.runs and options.runs < FEWEST_RUNS:
        raise InputError(f"--runs {options.runs}", "is too few to learn from", f"allowed: {FEWEST_RUNS} or more")
    if options.compare and not {"beta"} & set(fitted):
        raise InputError("--compare", "asks what mentoring explains, and beta is not fitted", "add beta to --fit")
    if options.compare and options.pooled:
        raise InputError("--compare", "does not go with --pool", "allowed: one of the two")
    return replace(options, hold_out=options.hold_out or ("clusters=0.2" if options.compare else None))


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def problem_of(
    scenario: Scenario, observations: str | Path, options: CalibrationOptions, **read: str | None
) -> tuple[Problem, Observations]:
    """Return what is fitted to a file of observations; ``read``: start, mapping and end, as ``read_observations`` takes them.

    Raises InputError where the two do not go together.
    """
    if len(scenario.designs) != 1:
        raise InputError("--design", f"a pilot had one design, not {len(scenario.designs)}", "name the one that it was run by")
    scenario.plain_design(next(iter(scenario.designs)))
    world, schools = Worlds(scenario).get(scenario.base_parameters(), 0)
    names, dialect = tuple(practice.name for practice in scenario.practices), scenario.world.dialect
    how: dict[str, Any] = {"months": scenario.months, "step": scenario.step, "dialect": dialect, **read}
    seen = read_observations(observations, schools, practices=names, **how)
    if options.readily != 1.0 and seen.kind == "times":
        raise InputError("--non-response", "times of adoption are not answers of some teachers", "leave it out")
    survey = survey_of(seen, len(schools), names, options.discrepancy, options.readily)
    if survey.horizon < 2:
        raise InputError(str(observations), "holds only the start, month 0, at which nothing has happened yet", "give later waves")
    prior = prior_of(scenario, options.fit, kind=survey.kind)
    if options.overdispersion and survey.kind != "counts":
        raise InputError("--overdispersion", "only counts of respondents have it", "leave it out")
    if options.discrepancy and survey.kind == "times":
        raise InputError("--discrepancy", "times of adoption have no shares that it could be an error of", "leave it out")
    shorter = scenario.model_copy(update={"months": survey.horizon})
    groups, clock = groups_of(world, schools), clock_of(read.get("start"), scenario.step)
    problem = Problem(shorter, world, schools, prior, survey, groups, options.overdispersion, options.pooled, clock)
    if survey.kind == "times" and options.likelihood != "synthetic":
        whole = replace(problem, survey=survey_of(seen, len(schools), names, most_waves=None))
        problem = problem if obstacles(whole) else whole
    return problem, seen


def calibrate(
    problem: Problem, options: CalibrationOptions, folder: Path, *, resume: bool = False, engine: str = "compiled",
    threads: int | None = None, scheduler: str | None = None, stage: Stage = lambda *_: None,
) -> CalibrationFindings:  # fmt: skip
    """Fit a problem in a folder and return what was found; with ``resume`` simulations that are there are kept.

    Raises InputError where the exact likelihood is asked for and there is none, and where no parameters come near the data.
    """
    exact, seen = exact_of(problem, options.likelihood, threads), problem.survey.seen
    splits: list[Split] = []
    if options.hold_out is not None:
        month_of = partial(month_meant, clock=problem.clock, flag=f"--hold-out {options.hold_out}")
        splits = splits_of(options.hold_out, problem.survey, problem.groups, problem.scenario.seed, month_of)

    def fit(problem: Problem, kept: Flags, folder: Path) -> Posterior:
        if exact is not None:
            return exact_posterior(problem, kept, exact, stage)
        record = problem.survey.record()
        how: dict[str, Any] = {"engine": engine, "threads": threads, "scheduler": scheduler, "stage": stage, "worlds": problem.worlds}
        table = ReferenceTable(folder, problem.scenario, problem.prior, record, **how)
        runs = runs_of(options.runs, record.cells, len(problem.schools) * problem.scenario.months)
        return synthetic_posterior(problem, kept, table, table.first_wave(runs, resume=resume), 2 * runs, stage)

    held = splits[0].held if len(splits) == 1 else None
    posterior = fit(problem, seen if held is None else seen & ~held, folder)
    how: dict[str, Any] = {"engine": runner(engine), "threads": threads, "stage": stage}
    found = findings_of(problem, posterior, held, **how)
    if not splits:
        return found
    without = _without_mentoring(problem) if options.compare else None
    fits = []
    for k, split in enumerate(splits, start=1):
        place = folder if len(splits) == 1 else folder / f"fit-{k}"
        mine = posterior if len(splits) == 1 else fit(problem, seen & ~split.held, place)
        fitted = {MODEL: FittedModel(problem, mine)}
        if without is not None:
            fitted[f"{MODEL} without mentoring"] = FittedModel(without, fit(without, seen & ~split.held, place / "without-mentoring"))
        fits.append((split, fitted))
    scores, by_cluster = scores_of(fits, **how)
    state = {**found.state, "splits": [split.name for split in splits]}
    return replace(found, scores=scores, cluster_scores=by_cluster, state=state)


def runs_of(wanted: int, cells: int, work: int) -> int:
    """Return how many runs the first wave has, each of which records so many answers and simulates so many months of schools.

    Raises InputError where memory does not hold them.

    Three times as many are made in all, and held twice while they are joined.
    """
    most = int(MOST_BYTES / (3 * 2 * 2 * cells))
    if max(wanted, FEWEST_RUNS) > most:
        if most < FEWEST_RUNS:
            allowed = f"fit a sample of schools, or fewer waves: at most {int(MOST_BYTES / (12 * FEWEST_RUNS)):,} in all"
            raise InputError("--observations", f"schools times waves are {cells:,}, of which memory does not hold enough runs", allowed)
        raise InputError(f"--runs {wanted}", f"take {MOST_BYTES * wanted / most / 2**30:.0f} GiB", f"allowed here: at most {most:,}")
    held, made = (min(RUNS, 2 ** int(np.log2(limit / one))) for limit, one in ((MOST_CELLS, cells), (MOST_MONTHS, work)))
    return wanted or min(most, max(512, min(max(1024, held), made)))


def _without_mentoring(problem: Problem) -> Problem:
    """Return the problem in which mentoring does nothing: no effect on adoption, no protection of what was adopted, no contacts made."""
    parameters = dict(problem.scenario.parameters)
    world = problem.scenario.world.model_copy(update={"contacts": "none"})
    nothing = ("beta", "shield")
    for name in nothing:
        parameters[name] = parameters[name].model_copy(update={"base": 0.0, "low": 0.0, "high": 0.0})
    rest = tuple(variable for variable in problem.prior.variables if variable.name not in nothing)
    if not rest:
        raise InputError("--compare", "leaves no parameter to fit without mentoring", "add others to --fit")
    prior = replace(problem.prior, variables=rest, correlation=problem.scenario.correlation([variable.name for variable in rest]))
    scenario = problem.scenario.model_copy(update={"parameters": parameters, "world": world})
    return replace(problem, scenario=scenario, world=problem.world._replace(contacts=NO_CONTACTS), prior=prior)


def quick_fit(
    problem: Problem, *, engine: str = "compiled", threads: int | None = None, stage: Stage = lambda *_: None
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return a point fit, a first look: parameters at which the mean of some runs is nearest to the answers, by CMA-ES (Hansen 2016).

    The objective is the likelihood of every school's answers at its mean simulated share, as if schools and waves were independent (a
    composite likelihood; Varin, Reid & Firth 2011): right in the middle, silent on how sure that is. All candidates share their random
    numbers, so it is smooth enough to climb. First of every generation the best parameters so far and their log-likelihood; then the last.
    """
    from cmaes import CMA

    prior, seed = problem.prior, problem.scenario.seed
    optimiser = CMA(mean=np.zeros(len(prior.names)), sigma=0.7, bounds=np.array([[-2.5, 2.5]] * len(prior.names)), seed=seed % 2**31)
    highest, best, path = -np.inf, dict.fromkeys(prior.names, 0.0), []
    for generation in range(GENERATIONS):
        stage("point fit", generation, GENERATIONS)
        points = np.stack([optimiser.ask() for _ in range(optimiser.population_size)])
        heights = np.array([_height(problem, values, engine, threads) for values in prior.values(points)]) + prior.log_density(points)
        optimiser.tell([(point, -float(height)) for point, height in zip(points, heights, strict=True)])
        top = int(np.argmax(heights))
        if heights[top] > highest:
            highest, best = float(heights[top]), dict(zip(prior.names, prior.values(points[top : top + 1])[0].tolist(), strict=True))
        path.append({"generation": generation + 1, **best, "log_posterior": highest})
        if optimiser.should_stop():
            break
    return pd.DataFrame(path), best


def _height(problem: Problem, values: Floats, engine: str, threads: int | None) -> float:
    """Return the composite log-likelihood at parameters (d,)."""
    from scipy import stats

    survey, names = problem.survey, problem.prior.names
    sets = problem.prior.sets(np.repeat(values[None], REPLICATES, axis=0))
    found = predict(
        problem.scenario, sets, (), survey, [], first_replicate=0, engine=runner(engine), threads=threads, worlds=problem.worlds
    )
    teachers = 1.0 if survey.kind == "times" else found.teachers[:, None].astype(np.float64)
    mean = answering_share(found.adopters / teachers, survey.readily, survey.respondents / teachers).mean(axis=0)[survey.seen]
    seen, respondents = survey.shares[survey.seen], survey.respondents[survey.seen]
    if survey.kind == "scale":
        return float(stats.norm.logpdf(seen, mean, np.hypot(survey.errors[survey.seen], 0.1)).sum())
    extra = values[names.index(OVERDISPERSION)] if OVERDISPERSION in names else problem.overdispersion
    # Schools differ by more than answers do; a beta-binomial keeps single ones from deciding.
    size = 1.0 / max(extra, 0.05) - 1.0
    inside = np.clip(mean, 1e-3, 1.0 - 1e-3)
    return float(stats.betabinom.logpmf(np.rint(seen * respondents), respondents, inside * size, (1.0 - inside) * size).sum())


def observations_of(given: str | None, scenario: Scenario) -> str:
    """Return the file of observations: the one given, or that which lies beside the scenario's schools."""
    if given is not None:
        return given
    beside = None if scenario.world.schools is None else Path(scenario.world.schools).with_name("observations.csv")
    if beside is None or not beside.is_file():
        raise InputError("--observations", "is missing, and none lie beside the scenario's schools", "give --observations FILE")
    return str(beside)


def state_of(problem: Problem, observations: Observations) -> dict[str, Any]:
    """Return what is fitted to what, as the title of a report says it."""
    survey = problem.survey
    return {
        "parameters": list(problem.prior.names), "kind": survey.kind, "months": sorted(set(survey.months)),
        "schools": int(survey.seen.any(axis=0).sum()), "answers": int(survey.seen.sum()), "design": next(iter(problem.scenario.designs)),
        "step": problem.scenario.step, "synthetic": observations.synthetic, "observations": observations.name,
        "seed": problem.scenario.seed,
    }  # fmt: skip


def write_findings(found: CalibrationFindings, scenario: Scenario, folder: Path) -> None:
    """Write the posterior as other programs and other commands take it: ``posterior.nc`` (ArviZ) and ``calibrated.yaml`` with its draws."""
    write_netcdf(folder / "posterior.nc", found.chains, found.prior_draws, found.answers)
    draws = found.draws[[name for name in found.draws if row_of(str(name))]]
    if len(draws.columns):
        write_calibrated(folder / "calibrated.yaml", scenario, draws)


def write_calibrated(path: Path, scenario: Scenario, draws: pd.DataFrame) -> Scenario:
    """Write a scenario with posterior draws to ``path`` (.yaml) and ``<name>-draws.parquet`` beside it; return it as it is read back.

    ``draws``: a column per fitted parameter, a row per joint draw, all equally likely. A fitted parameter has the median of its draws as
    base value and their central 95 % as range; correlations stated for it are left out, as the draws hold their own. Raises InputError for
    draws that no scenario may have.
    """
    draws = check_draws(draws, str(path))
    if strange := [name for name in draws if name not in scenario.parameters]:
        raise InputError(str(path), *refusal(strange, "no parameter named {}", scenario.parameters)[1:])
    values = resolved(scenario)
    for name in draws:
        column = draws[name].to_numpy()
        whole = values["parameters"][name]["distribution"] == "integer"
        low, base, high = (float(np.quantile(column, q, method="nearest" if whole else "linear")) for q in (0.025, 0.5, 0.975))
        values["parameters"][name] |= {"low": low, "base": base, "high": high}
        if values["parameters"][name]["distribution"] == "loguniform" and low <= 0.0:
            values["parameters"][name]["distribution"] = "uniform"
    values["name"] = values["name"][: 60 - len(MARK) - 1].rstrip("-").removesuffix(f"-{MARK}") + f"-{MARK}"
    values["title"] = values["title"] and f"{values['title'].removesuffix(f' ({MARK})')[:180]} ({MARK})"
    values["correlations"] = [one for one in values["correlations"] if not set(one["between"]) & set(draws)]
    beside = path.with_name(f"{path.stem}-draws.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(beside, draws.to_parquet(index=False, compression="zstd"))
    values["posterior"] = str(beside.absolute())
    calibrated = scenario_from(values, str(path))
    head = "# Written by calibrate: a scenario whose fitted parameters vary as the joint draws beside it, by whole rows.\n"
    folder, files = path.parent.absolute(), {key: getattr(calibrated.world, key) for key in FILE_KEYS}
    # Files that lie below the folder have paths relative to it, so that it may move.
    below = {key: os.path.relpath(file, folder) for key, file in files.items() if file and Path(file).is_relative_to(folder)}
    told = calibrated.model_copy(update={"posterior": beside.name, "world": calibrated.world.model_copy(update=below)})
    write_atomically(path, (head + dump_yaml(told)).encode())
    return calibrated
