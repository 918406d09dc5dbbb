"""Calibration: parameters fitted to a pilot's observations, with what the data can and cannot tell.

The folder of a calibration is that of its reference table, a sweep, so every simulation is kept; what was found stands in ``calibration/``
in it. docs/calibration.md tells the method and why it was chosen.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from school_mentoring.experiments.ensemble import runner
from school_mentoring.experiments.pilot_data import Observations, read_observations
from school_mentoring.experiments.progress import Stage
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.errors import InputError, nearest
from school_mentoring.model.parameters import PARAMETERS
from school_mentoring.scenarios import Scenario

from .adoption_times import adopts_once
from .calibrated import write_calibrated
from .findings import CalibrationFindings, findings_of
from .groups import groups_of
from .holdout import held_out
from .posterior import Exact, Posterior, Problem, exact_of, exact_posterior, synthetic_posterior
from .prior import prior_of
from .quick import PointFit, point_fit
from .reference_table import ReferenceTable, Runs
from .survey import survey_of

FIT = ("p", "q_in", "q_out", "beta", "d")
"""The parameters that are fitted where none are named."""

RUNS = 32_768
MOST_CELLS = 60_000_000  # of the first wave's record, which is held in memory
WITHOUT = {"beta": 0.0, "shield": 0.0}
"""What mentoring without any effect is."""


@dataclass(frozen=True)
class CalibrationOptions:
    """What is asked of a calibration.

    ``runs``: of the first wave; the second has twice as many (0: as many as memory holds, at most RUNS). ``hold_out``: what is predicted
    rather than fitted. ``pooled``: parameters that differ between countries. ``overdispersion``: of counts, where it is not fitted.
    ``discrepancy``: sd of the model's own error, on shares. ``compare``: fit a model in which mentoring does nothing too.
    ``likelihood``: auto, exact or synthetic.
    """

    fit: tuple[str, ...] = FIT
    runs: int = 0
    hold_out: str | None = None
    pooled: tuple[str, ...] = ()
    overdispersion: float = 0.0
    discrepancy: float = 0.0
    compare: bool = False
    likelihood: str = "auto"

    def describe(self) -> dict[str, Any]:
        """Return the options as JSON holds them."""
        return asdict(self)


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
    if options.runs and options.runs < 256:
        raise InputError(f"--runs {options.runs}", "is too few to learn from", "allowed: 256 or more")
    if options.compare and not {"beta"} & set(fitted):
        raise InputError("--compare", "asks what mentoring explains, and beta is not fitted", "add beta to --fit")
    if options.compare and options.pooled:
        raise InputError("--compare", "does not go with --pool", "allowed: one of the two")
    return replace(options, hold_out=options.hold_out or ("clusters=0.2" if options.compare else None))


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def problem_of(
    scenario: Scenario, observations: str | Path, options: CalibrationOptions, *,
    start: str | None = None, mapping: str | None = None, end: str | None = None,
) -> tuple[Problem, Observations]:  # fmt: skip
    """Return what is fitted to a file of observations. Raises InputError where the two do not go together."""
    if len(scenario.designs) != 1:
        raise InputError("--design", f"a pilot had one design, not {len(scenario.designs)}", "name the one that it was run by")
    world, schools = Worlds(scenario).get(scenario.base_parameters(), 0)
    names = tuple(practice.name for practice in scenario.practices)
    seen = read_observations(
        observations,
        schools,
        start=start,
        mapping=mapping,
        practices=names,
        end=end,
        months=scenario.months,
        dialect=scenario.world.dialect,
    )
    survey = survey_of(seen, len(schools), names, options.discrepancy)
    if survey.horizon < 2:
        raise InputError(str(observations), "holds only the start, month 0, at which nothing has happened yet", "give later waves")
    prior = prior_of(scenario, options.fit, counts=survey.kind == "counts")
    if options.likelihood != "synthetic" and not options.pooled and adopts_once(scenario, world, schools, survey, prior.names):
        survey = survey_of(seen, len(schools), names, options.discrepancy, most_waves=None)
    if options.overdispersion and survey.kind != "counts":
        raise InputError("--overdispersion", "only counts of respondents have it", "leave it out")
    shorter = scenario.model_copy(update={"months": survey.horizon})
    return Problem(shorter, world, schools, prior, survey, groups_of(world, schools), options.overdispersion, options.pooled), seen


def quick_fit(problem: Problem, *, engine: str = "compiled", threads: int | None = None, stage: Stage = lambda *_: None) -> PointFit:
    """Return a point fit: a first look, which says nothing of how sure it is."""
    return point_fit(problem, problem.scenario.seed, engine=runner(engine), threads=threads, stage=stage)


def calibrate(
    problem: Problem, options: CalibrationOptions, folder: Path, *, resume: bool = False, engine: str = "compiled",
    threads: int | None = None, scheduler: str | None = None, stage: Stage = lambda *_: None,
) -> CalibrationFindings:  # fmt: skip
    """Fit a problem in a folder and return what was found; with ``resume`` simulations that are there are kept.

    Raises InputError where the exact likelihood is asked for and there is none, and where no parameters come near the data.
    """
    seed = problem.scenario.seed
    exact = _exact(problem, options)
    held = None if options.hold_out is None else held_out(options.hold_out, problem.survey, problem.groups, seed)
    kept = problem.survey.seen if held is None else problem.survey.seen & ~held
    make = _Fitter(options, engine, threads, scheduler, stage, resume)
    posterior, table, first = make.fit(problem, kept, folder, exact)
    rival: tuple[Problem, Posterior] | None = None
    if options.compare:
        without = _without_mentoring(problem)
        rival = without, make.fit(without, kept, folder / "without-mentoring", exact)[0]
    return findings_of(problem, posterior, held, rival, table=table, first=first, engine=runner(engine), threads=threads, stage=stage)


def _exact(problem: Problem, options: CalibrationOptions) -> Exact | None:
    """Return the likelihood that needs no summaries, None where there is none or a synthetic one is asked for."""
    found = None if problem.pooled or options.likelihood == "synthetic" else exact_of(problem)
    if options.likelihood == "exact" and found is None:
        why = "schools influence each other, are not fully known, or are too large for it"
        raise InputError("--likelihood exact", f"there is none here: {why}", "allowed: auto or synthetic")
    return found


def _without_mentoring(problem: Problem) -> Problem:
    """Return the problem in which mentoring does nothing: no effect on adoption, no protection of what was adopted."""
    parameters = dict(problem.scenario.parameters)
    for name, value in WITHOUT.items():
        parameters[name] = parameters[name].model_copy(update={"base": value, "low": value, "high": value})
    rest = tuple(variable for variable in problem.prior.variables if variable.name not in WITHOUT)
    if not rest:
        raise InputError("--compare", "leaves no parameter to fit without mentoring", "add others to --fit")
    names = [variable.name for variable in rest]
    prior = replace(problem.prior, variables=rest, correlation=problem.scenario.correlation(names))
    return replace(problem, scenario=problem.scenario.model_copy(update={"parameters": parameters}), prior=prior)


@dataclass(frozen=True)
class _Fitter:
    options: CalibrationOptions
    engine: str
    threads: int | None
    scheduler: str | None
    stage: Stage
    resume: bool

    def fit(
        self, problem: Problem, kept: NDArray[np.bool_], folder: Path, exact: Exact | None
    ) -> tuple[Posterior, ReferenceTable, Runs | None]:
        table = ReferenceTable(
            folder, problem.scenario, problem.prior, problem.survey.record(),
            engine=self.engine, threads=self.threads, scheduler=self.scheduler, stage=self.stage,
        )  # fmt: skip
        seed = problem.scenario.seed
        if exact is not None:
            return exact_posterior(problem, kept, exact, seed, self.threads, self.stage), table, None
        runs = self.options.runs or max(1024, min(RUNS, 2 ** int(np.log2(MOST_CELLS / problem.survey.record().cells))))
        first = table.first_wave(runs, resume=self.resume)
        return synthetic_posterior(problem, kept, table, first, 2 * runs, seed, self.stage), table, first


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
        "synthetic": observations.synthetic, "observations": observations.name, "seed": problem.scenario.seed,
    }  # fmt: skip


def write_findings(found: CalibrationFindings, scenario: Scenario, folder: Path) -> None:
    """Write the posterior as other programs and other commands take it: ``posterior.nc`` (ArviZ) and ``calibrated.yaml`` with its draws."""
    found.write_netcdf(folder / "posterior.nc")
    draws = found.draws[[name for name in found.draws if name in PARAMETERS]]
    if len(draws.columns):
        write_calibrated(folder / "calibrated.yaml", scenario, draws)
