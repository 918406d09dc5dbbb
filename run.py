#!/usr/bin/env python3
"""The command line: what the simulation's users do. Holds no logic of its own; heavy libraries load when a command needs them."""

from __future__ import annotations

import _signal  # what signal wraps, which takes some milliseconds to load
import os
import sys

if __name__ == "__main__":  # before the libraries load, which takes a while

    def _leave(*_: object) -> None:
        """Leave at once, as there is nothing yet to leave in order."""
        os.write(2, b"interrupted: nothing was written\n")
        os._exit(130)

    _signal.signal(_signal.SIGINT, _leave)
    if sys.getfilesystemencoding() != "utf-8":  # the C locale, in which Python takes names of files for ASCII
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
    for _name, _mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, _name) is None:  # closed, so that the next file to be opened would take its place
            setattr(sys, _name, open(os.devnull, _mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - for as long as the process runs
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] - what a terminal cannot show

import contextlib
import io
import json
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from school_mentoring.model.errors import InputError, nearest, one_line

if TYPE_CHECKING:
    from school_mentoring.scenarios import Scenario

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

ScenarioArgument = Annotated[str, typer.Argument(metavar="SCENARIO", help="A scenario file, or the name of a shipped one.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Set a parameter, or a design's field as design.field=value.")
]
DesignsOption = Annotated[str | None, typer.Option(metavar="A,B", help="Only these designs; presets may be added.")]
ReplicatesOption = Annotated[int | None, typer.Option(help="Runs per design and parameter set.")]
SeedOption = Annotated[int | None, typer.Option(help="The seed that every random draw follows from.")]
MonthsOption = Annotated[int | None, typer.Option(help="Months simulated.")]
EngineOption = Annotated[str, typer.Option(help="compiled, or mesa (the same results, slower).")]
SchoolsOption = Annotated[str | None, typer.Option(metavar="FILE", help="Your own schools.csv.")]
TiesOption = Annotated[str | None, typer.Option(metavar="FILE", help="Your own ties.csv.")]
OutOption = Annotated[Path | None, typer.Option(metavar="DIR", help="The study folder (default results/<scenario>-<command>).")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else.")]
ThreadsOption = Annotated[int | None, typer.Option(min=1, help="Processors to use (default: all); results do not depend on it.")]


def _load(scenario: str, sets: list[str] | None, designs: str | None, **options: Any) -> Scenario:
    from school_mentoring.scenarios import load_scenario

    chosen = None if designs is None else [name.strip() for name in designs.split(",") if name.strip()]
    if chosen == []:
        raise InputError("--designs", "names no design", "allowed: names separated by commas")
    return load_scenario(scenario, sets or [], designs=chosen, **options)


def _engine(name: str) -> Any:
    from school_mentoring.experiments.ensemble import runner
    from school_mentoring.experiments.progress import announce_compilation

    if name not in ("compiled", "mesa"):
        raise InputError(f"--engine {name}", f"no engine named {name!r}", "allowed: compiled, mesa")
    announce_compilation()
    return runner(name)


def _folder(out: Path | None, scenario: Scenario, command: str) -> Path:
    return out if out is not None else Path("results") / f"{scenario.name}-{command}"


@app.command()
def compare(
    scenario: ScenarioArgument = "mensi-pilot",
    sets: SetOption = None,
    designs: DesignsOption = None,
    replicates: ReplicatesOption = None,
    seed: SeedOption = None,
    months: MonthsOption = None,
    engine: EngineOption = "compiled",
    schools: SchoolsOption = None,
    ties: TiesOption = None,
    threads: ThreadsOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare every design with none: spread, what lasts, who gains, costs, who is ahead and how sure."""
    from school_mentoring.experiments.folder.study import checked_out

    loaded = _load(scenario, sets, designs, seed=seed, months=months, replicates=replicates, schools=schools, ties=ties)
    folder = checked_out(_folder(out, loaded, "compare"))
    runner = _engine(engine)
    from school_mentoring.analysis.report.terminal import comparison_report, print_report
    from school_mentoring.experiments.compare import compare as run_compare
    from school_mentoring.experiments.folder.study import new_study, provenance
    from school_mentoring.experiments.progress import Progress

    with Progress() as progress:
        found = run_compare(loaded, engine=runner, threads=threads, stage=progress.show)
    report = comparison_report(**found.for_report())
    if not as_json:
        print_report(report, found.title, found.notes)
    with new_study(folder, provenance(found.scenario, "compare", {"engine": engine})) as study, Progress() as progress:
        for name, frame in {**found.tables(), **report.files}.items():
            study.table(name, frame)
        report.write_figures(study.path / "figures", progress.show)
    _finish(folder, report.document, as_json)


@app.command()
def simulate(
    scenario: ScenarioArgument = "mensi-pilot",
    design: Annotated[str, typer.Option(help="The design to run.")] = "regional_hub",
    per_school: Annotated[bool, typer.Option("--per-school", help="Record every school of every month too.")] = False,
    sets: SetOption = None,
    replicates: ReplicatesOption = None,
    seed: SeedOption = None,
    months: MonthsOption = None,
    engine: EngineOption = "compiled",
    schools: SchoolsOption = None,
    ties: TiesOption = None,
    threads: ThreadsOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run one design and record it month by month."""
    from school_mentoring.experiments.folder.study import checked_out

    loaded = _load(scenario, sets, design, seed=seed, months=months, replicates=replicates, schools=schools, ties=ties)
    if len(loaded.designs) > 1:
        raise InputError(f"--design {design}", "names several designs", "allowed: one; compare runs several")
    folder = checked_out(_folder(out, loaded, "simulate"))
    runner = _engine(engine)
    from school_mentoring.analysis.report.terminal import print_report, simulation_report
    from school_mentoring.experiments.folder.study import new_study, provenance
    from school_mentoring.experiments.progress import Progress
    from school_mentoring.experiments.simulate import simulate as run_simulation

    with Progress() as progress:
        found = run_simulation(
            loaded, per_school=per_school, engine=runner, threads=threads, progress=lambda done, total: progress.show("runs", done, total)
        )
    monthly = found.ensemble.monthly()
    report = simulation_report(monthly, found.ensemble.runs, found.window, loaded.worlds)
    if not as_json:
        print_report(report, found.title, found.notes)
    with new_study(folder, provenance(loaded, "simulate", {"engine": engine, "per_school": per_school})) as study:
        study.table("results.parquet", monthly)
        study.table("runs.parquet", found.ensemble.runs)
        study.table("costs.parquet", found.ensemble.costs())
        if found.schools is not None:
            study.table("schools.parquet", found.schools)
        study.table("summary.csv", report.files["summary.csv"])
        report.write_figures(study.path / "figures")
    _finish(folder, report.document, as_json)


@app.command()
def sweep(
    scenario: ScenarioArgument = "mensi-pilot",
    vary: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME[=LOW:HIGH]", help="Vary a parameter, a design's field or the world's size; default: what is uncertain."),
    ] = None,
    sample: Annotated[str, typer.Option(help="sobol:N, lhs:N, grid:N, or table:FILE with your own sets.")] = "sobol:64",
    random: Annotated[str, typer.Option(help="common: a replicate draws alike under every set; or independent.")] = "common",
    chunk: Annotated[int | None, typer.Option(min=1, help="Sets x replicates per chunk (default: some seconds of work).")] = None,
    broken_down: Annotated[
        bool, typer.Option("--broken-down", help="Record effects by school type and country too, costs by country, payer and year.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Complete a sweep begun earlier.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Processors to use here (default: all).")] = None,
    scheduler: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Run on the Dask cluster of this scheduler.")] = None,
    shard: Annotated[str, typer.Option(metavar="I/N", help="Only this share of the chunks, into the same folder (job arrays).")] = "1/1",
    yes: Annotated[bool, typer.Option("--yes", help="Run it however long it takes.")] = False,
    sets: SetOption = None,
    designs: DesignsOption = None,
    replicates: ReplicatesOption = None,
    seed: SeedOption = None,
    months: MonthsOption = None,
    engine: EngineOption = "compiled",
    schools: SchoolsOption = None,
    ties: TiesOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run many parameter sets x designs x replicates into a folder that survives a kill and can be resumed."""
    from school_mentoring.experiments.folder.study import checked_out
    from school_mentoring.experiments.sweep.execution import parse_shard

    loaded = _load(scenario, sets, designs, seed=seed, months=months, replicates=replicates, schools=schools, ties=ties)
    folder = checked_out(_folder(out, loaded, "sweep"))
    share = parse_shard(shard)
    _engine(engine)
    from school_mentoring.experiments.progress import Progress
    from school_mentoring.experiments.sweep.estimate import plan_with_estimate
    from school_mentoring.experiments.sweep.execution import carry_out, open_sweep, sweep_summary

    plan, cost = plan_with_estimate(
        loaded, vary or [], sample, random=random, chunk=chunk, yes=yes, threads=workers, broken_down=broken_down
    )
    print(f"{cost}; {plan.chunks:,} chunks in {folder}", file=sys.stderr)
    # Shards share a folder, so each may be the one that begins it.
    store = open_sweep(folder, plan, resume=resume or share[1] > 1)
    with Progress() as progress:
        failed = carry_out(
            folder, plan, store, engine=engine, threads=workers, shard=share, scheduler=scheduler,
            progress=lambda done, total: progress.show("runs", done, total),
        )  # fmt: skip
    lines, document = sweep_summary(folder, plan, store, failed)
    if not as_json:
        print("\n".join(lines))
    _finish(folder, document, as_json)
    if failed:
        raise SystemExit(1)


@app.command()
def sensitivity(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO|SWEEP", help="A scenario, or the folder of a sweep.")] = "mensi-pilot",
    method: Annotated[str, typer.Option(help="sobol, morris, pawn, given, regional.")] = "sobol",
    outputs: Annotated[str | None, typer.Option(metavar="A,B", help="Outputs: outcomes, net_benefit, cost_per_adopter_year.")] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME[=LOW:HIGH]", help="What is varied, as for sweep, or a group; default: what is uncertain."),
    ] = None,
    groups: Annotated[str, typer.Option(help="Indices of groups of parameters: with, only, or without.")] = "with",
    pairs: Annotated[str | None, typer.Option(metavar="A-B,C-D", help="Differences between designs; all; default: each less none.")] = None,
    n: Annotated[int | None, typer.Option("--n", min=2, help="Points to begin with (a power of 2; for morris trajectories).")] = None,
    ci: Annotated[float, typer.Option(min=0.001, help="Settled when no interval is wider.")] = 0.1,
    budget: Annotated[int, typer.Option(min=1, help="Runs at most; the sample is doubled within it.")] = 200_000,
    common: Annotated[bool, typer.Option("--common/--independent", help="Random numbers of parameter sets: common, or their own.")] = True,
    second: Annotated[bool, typer.Option("--second", help="Indices of pairs of parameters too (twice the runs).")] = False,
    monthly: Annotated[bool, typer.Option("--monthly", help="Indices of the adopting share month by month too.")] = False,
    k: Annotated[float, typer.Option("--k", min=0.0, max=1e9, help="EUR per adopter-year in the net benefit.")] = 1000.0,
    resume: Annotated[bool, typer.Option("--resume", help="Continue a study begun earlier, or extend it.")] = False,
    sets: SetOption = None,
    designs: DesignsOption = None,
    replicates: Annotated[int, typer.Option(min=1, help="Runs per design and parameter set.")] = 10,
    seed: SeedOption = None,
    months: MonthsOption = None,
    engine: EngineOption = "compiled",
    schools: SchoolsOption = None,
    ties: TiesOption = None,
    threads: ThreadsOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find which parameters and groups decide an outcome, which do not, and how sure that is."""
    from school_mentoring.experiments.folder.study import checked_out
    from school_mentoring.experiments.progress import Progress
    from school_mentoring.experiments.sensitivity.study import asked, run_study

    options = asked(
        method=method, outputs=outputs, vary=vary or (), groups=groups, pairs=pairs, points=n or 0, ci=ci, budget=budget,
        random="common" if common else "independent", second=second, monthly=monthly, willingness_to_pay=k,
    )  # fmt: skip
    of_sweep = (Path(scenario) / "study.json").is_file()
    if of_sweep:
        from school_mentoring.experiments.sensitivity.runs import study_of_sweep

        folder = out if out is not None else Path("results") / f"{Path(scenario).resolve().name}-{method}"
        loaded, found = study_of_sweep(Path(scenario), options)
    else:
        loaded = _load(scenario, sets, designs, seed=seed, months=months, replicates=replicates, schools=schools, ties=ties)
        folder = checked_out(_folder(out, loaded, f"sensitivity-{method}"))
        _engine(engine)
        with Progress() as progress:
            found = run_study(loaded, options, folder, resume=resume, engine=engine, threads=threads, stage=progress.show)
        folder = folder / "sensitivity"
    from school_mentoring.analysis.report.sensitivity import sensitivity_report, title_of
    from school_mentoring.analysis.report.terminal import print_report
    from school_mentoring.experiments.folder.study import new_study, provenance

    report = sensitivity_report(found.tables(), found.state)
    if not as_json:
        print_report(report, title_of(found.state))
    described = provenance(loaded, "sensitivity", options.describe(), {"sweep": scenario} if of_sweep else None)
    with new_study(folder, described) as study, Progress() as progress:
        for name, frame in report.files.items():
            study.table(name, frame)
        study.text("summary.txt", [title_of(found.state), *report.said])
        report.write_figures(study.path / "figures", progress.show, processes=threads or os.cpu_count() or 1)
    _finish(folder, report.document, as_json)


@app.command()
def optimise(
    scenario: ScenarioArgument = "mensi-pilot",
    budget: Annotated[list[float] | None, typer.Option(metavar="EUR", help="A budget; repeatable. The largest bounds the search.")] = None,
    objectives: Annotated[
        str, typer.Option(help="effect,cost and, where wanted, gap (disadvantaged schools), gap_rural.")
    ] = "effect,cost,gap",
    perspective: Annotated[str, typer.Option(help="Whose costs count: society (all), or programme.")] = "society",
    space: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=LOW:HIGH", help="Narrow a field of designs: LOW:HIGH, A|B, or one value; repeatable.")
    ] = None,
    evaluations: Annotated[int, typer.Option(min=1, help="Designs tried.")] = 5000,
    population: Annotated[int, typer.Option(min=4, help="Designs of a generation.")] = 100,
    draws: Annotated[int | None, typer.Option(min=0, help="Parameter sets among the runs of a design; 0: the base parameters.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a search begun earlier, perhaps with more evaluations.")] = False,
    sets: SetOption = None,
    designs: DesignsOption = None,
    replicates: Annotated[int, typer.Option(min=2, help="Runs of each design tried.")] = 50,
    seed: SeedOption = None,
    months: MonthsOption = None,
    engine: EngineOption = "compiled",
    schools: SchoolsOption = None,
    ties: TiesOption = None,
    threads: ThreadsOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search all designs for the best at each budget, and say where the scenario's own stand to them."""
    from school_mentoring.experiments.search.aim import aim_of
    from school_mentoring.experiments.search.folder import close_search, open_search, write_found
    from school_mentoring.experiments.search.optimise import search

    loaded = _load(scenario, sets, designs, seed=seed, months=months, schools=schools, ties=ties)
    folder = _folder(out, loaded, "optimise")
    aim = aim_of(
        objectives=objectives, perspective=perspective, budgets=budget or [], evaluations=evaluations, population=population,
        cells=replicates, draws=draws, space=space or [],
    )  # fmt: skip
    _engine(engine)
    store = open_search(folder, loaded, aim, resume=resume)
    from school_mentoring.analysis.report.search import search_report, search_title
    from school_mentoring.analysis.report.terminal import print_report
    from school_mentoring.experiments.progress import Progress

    with Progress() as progress:
        found = search(loaded, aim, store, engine=engine, threads=threads, stage=progress.show)
    report = search_report(**found.for_report())
    if not as_json:
        print_report(report, search_title(loaded.title or loaded.name, found.evaluations, aim.cells))
    write_found(folder, found, report.files)
    report.write_figures(folder / "figures")
    close_search(folder, found)
    _finish(folder, report.document, as_json)


@app.command()
def recommend(
    study: Annotated[
        str, typer.Argument(metavar="STUDY|SCENARIO", help="The folder of a comparison, sweep or search; or a scenario.")
    ] = "mensi-pilot",
    k: Annotated[float, typer.Option("--k", min=0.0, max=1e9, help="EUR that an added adopter-year is worth.")] = 1000.0,
    perspective: Annotated[str, typer.Option(help="Whose costs count: society (all), programme, or schools.")] = "society",
    sets: SetOption = None,
    designs: DesignsOption = None,
    replicates: ReplicatesOption = None,
    seed: SeedOption = None,
    months: MonthsOption = None,
    engine: EngineOption = "compiled",
    schools: SchoolsOption = None,
    ties: TiesOption = None,
    threads: ThreadsOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the report to hand over: which design, how sure, who gains, who pays, what it depends on (HTML and PDF)."""
    from school_mentoring.experiments.evidence import evidence_of_comparison, evidence_of_study, is_study, refuse_no_choice
    from school_mentoring.experiments.folder.study import checked_out

    if is_study(study):
        folder = checked_out(out if out is not None else Path("results") / f"{Path(study).resolve().name}-recommend")
        evidence, described = evidence_of_study(study)
    else:
        loaded = _load(study, sets, designs, seed=seed, months=months, replicates=replicates, schools=schools, ties=ties)
        refuse_no_choice(loaded)
        folder = checked_out(_folder(out, loaded, "recommend"))
        runner = _engine(engine)
        from school_mentoring.experiments.compare import compare as run_compare
        from school_mentoring.experiments.progress import Progress

        with Progress() as progress:
            found = run_compare(loaded, engine=runner, threads=threads, stage=progress.show)
        evidence, described = evidence_of_comparison(found, " ".join(["run.py", *sys.argv[1:]])), found.scenario
    from school_mentoring.analysis.report.handover import print_answer, write_report
    from school_mentoring.analysis.report.recommendation import Evidence, recommendation
    from school_mentoring.experiments.folder.study import new_study, provenance

    advice = recommendation(Evidence(**evidence), willingness_to_pay=k, perspective=perspective)
    if not as_json:
        print_answer(advice)
    files = {"study": study} if is_study(study) else None
    with new_study(folder, provenance(described, "recommend", {"k": k, "perspective": perspective}, files)) as written:
        for name, frame in advice.tables.items():
            written.table(name, frame)
        write_report(advice, written.path)
    _finish(folder, advice.json, as_json)


@app.command()
def calibrate(
    scenario: ScenarioArgument = "synthetic-pilot",
    observations: Annotated[str | None, typer.Option(metavar="FILE", help="What was seen of the schools (observations.csv).")] = None,
    fit: Annotated[
        str | None, typer.Option(metavar="A,B", help="Parameters to fit, NAME or NAME=LOW:HIGH (default p,q_in,q_out,beta,d).")
    ] = None,
    design: Annotated[str, typer.Option(help="The design that the pilot was run by.")] = "regional_hub",
    start: Annotated[str | None, typer.Option(metavar="DATE", help="The month that is month 0, where observations have dates.")] = None,
    mapping: Annotated[str | None, typer.Option(metavar="MAP", help="How a scale becomes a share: linear:1:5, threshold:4.")] = None,
    end: Annotated[str | None, typer.Option(metavar="DATE", help="The last month in which adoption times were looked for.")] = None,
    hold_out: Annotated[str | None, typer.Option(metavar="WHAT", help="Predict, not fit: wave=last, wave=N, clusters=0.2.")] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Fit a model in which mentoring does nothing too, and score both.")] = False,
    pool: Annotated[str | None, typer.Option(metavar="A,B", help="Parameters that differ between countries, partially pooled.")] = None,
    overdispersion: Annotated[float, typer.Option(help="Correlation of answers within a school (or --fit overdispersion).")] = 0.0,
    discrepancy: Annotated[float, typer.Option(help="The model's own error: sd on the share of a wave.")] = 0.0,
    likelihood: Annotated[str, typer.Option(help="auto, synthetic, or exact (of schools that nothing ties together).")] = "auto",
    runs: Annotated[int, typer.Option(help="Simulations of the first wave; the second has twice as many (default: up to 32768).")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="A point fit only, for a first look.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Keep the simulations of a calibration begun earlier.")] = False,
    scheduler: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Simulate on the Dask cluster of this scheduler.")] = None,
    sets: SetOption = None,
    seed: SeedOption = None,
    engine: EngineOption = "compiled",
    schools: SchoolsOption = None,
    ties: TiesOption = None,
    threads: ThreadsOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit parameters to a pilot's observations, and say what the data cannot tell."""
    from school_mentoring.experiments.calibration.calibrate import asked, observations_of, problem_of
    from school_mentoring.experiments.folder.study import checked_out

    options = asked(
        fit=fit, pool=pool, hold_out=hold_out, compare=compare, overdispersion=overdispersion, discrepancy=discrepancy,
        likelihood=likelihood, runs=runs,
    )  # fmt: skip
    loaded = _load(scenario, sets, design, seed=seed, schools=schools, ties=ties)
    file = observations_of(observations, loaded)
    problem, seen = problem_of(loaded, file, options, start=start, mapping=mapping, end=end)
    folder = checked_out(_folder(out, loaded, "calibrate"))
    _engine(engine)
    from school_mentoring.analysis.report.calibration import calibration_report, quick_report, title_of
    from school_mentoring.analysis.report.terminal import print_report
    from school_mentoring.experiments.calibration.calibrate import calibrate as run_calibration
    from school_mentoring.experiments.calibration.calibrate import quick_fit, state_of, write_findings
    from school_mentoring.experiments.folder.study import new_study, provenance
    from school_mentoring.experiments.progress import Progress

    shared = {**options.describe(), "design": design, "start": start, "mapping": mapping, "end": end, "quick": quick}
    if quick:
        with Progress() as progress:
            point = quick_fit(problem, engine=engine, threads=threads, stage=progress.show)
        report, state = quick_report(point.path, point.best, state_of(problem, seen)), state_of(problem, seen)
        place = folder
    else:
        with Progress() as progress:
            found = run_calibration(
                problem, options, folder, resume=resume, engine=engine, threads=threads, scheduler=scheduler, stage=progress.show
            )
        state = {**found.state, **state_of(problem, seen)}
        report = calibration_report(found.tables(), state, problem.funding)
        place = folder / "calibration"
    if not as_json:
        print_report(report, title_of(state))
    whole = _load(scenario, sets, None, seed=seed, schools=schools, ties=ties)
    with new_study(place, provenance(whole, "calibrate", shared, {"observations": file})) as study:
        for name, frame in report.files.items():
            study.table(name, frame)
        if not quick:
            write_findings(found, whole, study.path)
        report.write_figures(study.path / "figures")
    _finish(place, report.document, as_json)


@app.command()
def rerun(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The folder of a finished study, or its study.json.")],
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a re-run that was interrupted, where the command can.")] = False,
    threads: ThreadsOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a study again from its study.json; exit code 0 where its results are the same, 1 where they differ (it says where)."""
    from school_mentoring.experiments.folder.rerun import again, verdict

    with tempfile.TemporaryDirectory(prefix="school-mentoring-") as scratch:
        plan = again(study, out, Path(scratch), threads=threads, resume=resume)
        # What the command shows is in its folder; runs that fail leave a gap there, which is a difference.
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
            app(plan.words, standalone_mode=False)
    lines, document, same = verdict(plan)
    if not as_json:
        print("\n".join(lines))
    _finish(plan.out, document, as_json)
    if not same:
        raise SystemExit(1)


@app.command()
def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Scenarios (.yaml), schools.csv, ties.csv, observations.csv.")],
    scenario: Annotated[str, typer.Option(help="The scenario whose countries and practices the tables belong to.")] = "mensi-pilot",
    start: Annotated[str | None, typer.Option(metavar="DATE", help="The month that is month 0, where observations have dates.")] = None,
    mapping: Annotated[str | None, typer.Option(metavar="MAP", help="How a scale becomes a share: linear:1:5, threshold:4.")] = None,
    end: Annotated[str | None, typer.Option(metavar="DATE", help="The last month in which adoption times were looked for.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check scenario and data files; ties and observations are checked against the schools given with them."""
    from school_mentoring.experiments.check import check_files

    lines = check_files(files, _load(scenario, None, None), start=start, mapping=mapping, end=end)
    if as_json:
        print(json.dumps({"valid": True, "files": dict(zip(files, lines, strict=True))}, ensure_ascii=False))
    else:
        print("\n".join(lines))


@app.command()
def validation(
    scenario: ScenarioArgument = "mensi-pilot",
    quick: Annotated[bool, typer.Option("--quick", help="Two of the nine patterns, and fewer runs of the rest.")] = False,
    k: Annotated[float, typer.Option("--k", min=0.0, max=1e9, help="EUR per adopter-year in the net benefit.")] = 1000.0,
    sets: SetOption = None,
    designs: DesignsOption = None,
    seed: SeedOption = None,
    threads: ThreadsOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the validation report: patterns, exact limits, engines, an independent peer, convergence, structure, face validity."""
    from school_mentoring.experiments.folder.study import checked_out

    loaded = _load(scenario, sets, designs, seed=seed)
    folder = checked_out(_folder(out, loaded, "validation"))
    _engine("compiled")
    from school_mentoring.analysis.report.handover import write_html
    from school_mentoring.analysis.report.validation import ValidationFindings, validation_report
    from school_mentoring.experiments.folder.study import new_study, provenance
    from school_mentoring.experiments.progress import Progress
    from school_mentoring.experiments.validation.validate import validate as run_validation

    with Progress() as progress:
        found = run_validation(loaded, quick=quick, threads=threads, stage=progress.show)
    report = validation_report(ValidationFindings(**found.for_report(), commands=[" ".join(["run.py", *sys.argv[1:]])]), k)
    if not as_json:
        print("\n".join(report.lines))
    with new_study(folder, provenance(loaded, "validation", {"quick": quick, "k": k})) as study:
        for name, frame in report.tables.items():
            study.table(name, frame)
        write_html(report.document, study.path)
    _finish(folder, report.json, as_json)


@app.command()
def parameters(
    scenario: Annotated[str | None, typer.Argument(metavar="[SCENARIO]", help="Show the values and ranges of this scenario.")] = None,
    group: Annotated[str | None, typer.Option(help="Only behaviour, incentive, cost, network or world.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show every parameter: meaning, unit, range, and where the number comes from."""
    from school_mentoring.analysis.report.terminal import print_parameters
    from school_mentoring.model.parameters import PARAMETERS

    table = PARAMETERS
    if scenario is not None:
        from school_mentoring.scenarios import parameter_rows

        table = parameter_rows(_load(scenario, None, None))
    rows = {name: row.model_dump(warnings=False) for name, row in table.items()}
    groups = sorted({row["group"] for row in rows.values()})
    if group is not None and group not in groups:
        raise InputError(f"--group {group}", f"no group named {group!r}", nearest(group, groups))
    chosen = [row for row in rows.values() if group in (None, row["group"])]
    if as_json:
        print(json.dumps(chosen, ensure_ascii=False))
    else:
        print_parameters(chosen)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a scenario file, for editors."""
    from school_mentoring.scenarios import json_schema

    print(json.dumps(json_schema(), indent=1, ensure_ascii=False))


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the scenario.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write NAME.yaml into.")] = Path(),
) -> None:
    """Write a commented scenario to start from, NAME.yaml."""
    from school_mentoring.experiments.sweep.store import write_atomically
    from school_mentoring.scenarios import template

    text = template(name)
    path = out / f"{name}.yaml"
    try:
        out.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise InputError(str(path), "exists already", "give another name, or remove it")
        write_atomically(path, text.encode())
    except OSError as error:
        raise InputError(str(path), f"cannot be written ({error.strerror})", "give a folder you may write to") from error
    print(f"{path}: edit it, then run.py compare {path}")


@app.command()
def serve(
    scenario: ScenarioArgument = "mensi-pilot",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for a free one.")] = 8000,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on; 0.0.0.0 for all of this machine.")] = "127.0.0.1",
    allow_host: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Answer to this name only, besides local ones.")] = None,
    root_path: Annotated[str, typer.Option(metavar="/PATH", help="The path below which a reverse proxy shows the page.")] = "",
    mesa: Annotated[bool, typer.Option("--mesa", help="The Mesa model instead: step it, look at single schools.")] = False,
    design: Annotated[str, typer.Option(help="The design that --mesa begins with.")] = "regional_hub",
    sets: SetOption = None,
    designs: DesignsOption = None,
    replicates: ReplicatesOption = None,
    seed: SeedOption = None,
    months: MonthsOption = None,
    schools: SchoolsOption = None,
    ties: TiesOption = None,
) -> None:
    """Serve the what-if page: change designs in a browser and see at once what follows."""
    loaded = _load(scenario, sets, designs, seed=seed, months=months, replicates=replicates, schools=schools, ties=ties)
    if mesa:
        from school_mentoring.analysis.web.mesa_page import serve_mesa

        serve_mesa(loaded, design, host=host, port=port, allow_hosts=allow_host or [], root_path=root_path)
    else:
        from school_mentoring.analysis.web.serve import serve as serve_page

        serve_page(loaded, host=host, port=port, allow_hosts=allow_host or [], root_path=root_path)


def _finish(folder: Path, document: dict[str, Any], as_json: bool) -> None:
    """Say where the study is, or print the one JSON document."""
    if as_json:
        print(json.dumps({**document, "out": str(folder)}, ensure_ascii=False, allow_nan=False))
    else:
        print(f"Study written to {folder}")


def _spread_sets(words: list[str]) -> list[str]:
    """Return the command line with every ``--set a=1 b=2`` written as ``--set a=1 --set b=2``."""
    spread: list[str] = []
    for word in words:
        if len(spread) > 1 and spread[-2] == "--set" and "=" in word and not word.startswith("-"):
            spread.append("--set")
        spread.append(word)
    return spread


UsageFault = typer.BadParameter.__mro__[2]
"""What Typer raises for words it cannot take: click's ClickException, wherever a version of Typer keeps it."""


def main() -> None:
    """Run the command line: exit code 0 done, 1 some runs failed or a re-run differs, 2 bad input, 130 interrupted."""
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        code = app(_spread_sets(sys.argv[1:]) or ["--help"], standalone_mode=False) or 0
        sys.stdout.flush()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 2
    except UsageFault as error:
        print(f"error: {one_line(error.format_message())}", file=sys.stderr)  # type: ignore[attr-defined]
        code = 2
    except MemoryError:
        print("error: this needs more memory than there is; fewer replicates, months or schools need less", file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:  # nobody reads on, as after `| head`
        _forget_output()
        code = 1
    except OSError as error:
        if error.errno is None:
            raise
        _forget_output()
        print(
            f"error: {error.filename or 'standard output'}: cannot be used ({error.strerror}); free space or give another", file=sys.stderr
        )
        code = 2
    if code == 130:
        resumable = ("sweep", "sensitivity", "optimise", "calibrate", "rerun")
        kept = "what is finished is kept, go on with --resume" if sys.argv[1:2] and sys.argv[1] in resumable else "nothing was written"
        print(f"interrupted: {kept}", file=sys.stderr)
    raise SystemExit(code)


def _forget_output() -> None:
    """Send what is still to be printed nowhere, so that nothing fails over it again when the process ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
