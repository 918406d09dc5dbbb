"""``run.py calibrate``: parameters fitted to what was seen of a pilot."""

from typing import Annotated, Unpack

from typer import Option

from school_mentoring.experiments.progress import Progress

from . import options
from .steps import engine_of, finish, load, load_one, new_folder_of, refuse_both, say_notices, written_study


def calibrate(
    scenario: options.ScenarioArgument = "synthetic-pilot",
    observations: options.ObservationsOption = None,
    fit: Annotated[
        str | None,
        Option(metavar="A,B", help="Parameters to fit, NAME, NAME=LOW:HIGH or NAME=lognormal:MU:SIGMA (default p,q_in,q_out,beta,d)."),
    ] = None,
    design: Annotated[str, Option(help="The design that the pilot was run by.")] = "regional_hub",
    start: options.StartOption = None,
    mapping: options.MappingOption = None,
    end: options.EndOption = None,
    hold_out: Annotated[
        str | None,
        Option(metavar="WHAT", help="Predict, not fit: last=K, after=MONTH, rolling=K, wave=N, clusters=0.2, clusters=each, schools=0.2."),
    ] = None,
    compare: Annotated[bool, Option("--compare", help="Fit a model in which mentoring does nothing too, and score both.")] = False,
    pool: Annotated[str | None, Option(metavar="A,B", help="Parameters that differ between countries, partially pooled.")] = None,
    overdispersion: Annotated[float, Option(help="Correlation of answers within a school (or --fit overdispersion).")] = 0.0,
    discrepancy: Annotated[float, Option(help="The model's own error: sd on the share of a wave.")] = 0.0,
    non_response: Annotated[str, Option(metavar="HOW", help="Who answers: random, or share:R (users R times as readily).")] = "random",
    likelihood: Annotated[str, Option(help="auto, synthetic, or exact (of schools that nothing ties together).")] = "auto",
    runs: Annotated[int, Option(help="Simulations of the first wave; the second has twice as many (default: up to 32768).")] = 0,
    quick: Annotated[bool, Option("--quick", help="A point fit only, for a first look.")] = False,
    resume: Annotated[bool, Option("--resume", help="Keep the simulations of a calibration begun earlier.")] = False,
    scheduler: Annotated[str | None, Option(metavar="ADDRESS", help="Simulate on the Dask cluster of this scheduler.")] = None,
    *,
    engine: options.EngineOption = "compiled",
    threads: options.ThreadsOption = None,
    out: options.OutOption = None,
    as_json: options.JsonOption = False,
    **chosen: Unpack[options.PilotOptions],
) -> None:
    """Fit parameters to a pilot's observations, and say what the data cannot tell."""
    from school_mentoring.experiments.calibration.calibrate import asked, observations_of, problem_of

    wanted = asked(
        fit=fit, pool=pool, hold_out=hold_out, compare=compare, overdispersion=overdispersion, discrepancy=discrepancy,
        likelihood=likelihood, runs=runs, non_response=non_response,
    )  # fmt: skip
    refuse_both(chosen.get("sets"), wanted.fit)
    loaded = load_one(scenario, design, **chosen)
    file = observations_of(observations, loaded)
    problem, seen = problem_of(loaded, file, wanted, start=start, mapping=mapping, end=end)
    say_notices(seen.notices)
    folder = new_folder_of(out, loaded.name, "calibrate")
    engine_of(engine)
    from school_mentoring.analysis.report.calibration import calibration_report, quick_report, title_of
    from school_mentoring.analysis.report.terminal import print_report
    from school_mentoring.experiments.calibration.calibrate import calibrate as run_calibration
    from school_mentoring.experiments.calibration.calibrate import quick_fit, state_of, write_findings
    from school_mentoring.experiments.notes import fixed_note

    notes = fixed_note(loaded, problem.prior.names)
    decided = {**vars(wanted), "design": design, "start": start, "mapping": mapping, "end": end, "quick": quick}
    state = state_of(problem, seen)
    with Progress() as progress:
        if quick:
            path, best = quick_fit(problem, engine=engine, threads=threads, stage=progress.show)
        else:
            found = run_calibration(
                problem, wanted, folder, resume=resume, engine=engine, threads=threads, scheduler=scheduler, stage=progress.show
            )
            state = {**found.state, **state}
    report = quick_report(path, best, state) if quick else calibration_report(found.tables(), state, problem.funding)
    place = folder if quick else folder / "calibration"
    if not as_json:
        print_report(report, title_of(state), notes)
    whole = load(scenario, quiet=True, **chosen)
    with written_study(place, whole, "calibrate", decided, report.files, {"observations": file}, notes) as study:
        if not quick:
            write_findings(found, whole, study.path)
        report.write_figures(study.path / "figures")
    finish(place, report.document, as_json, notes)
