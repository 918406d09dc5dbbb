"""``run.py simulate``: one design month by month."""

from typing import Annotated, Unpack

from typer import Option

from school_mentoring.experiments.progress import Progress

from . import options
from .steps import engine_of, finish, load_one, new_folder_of, written_study


def simulate(
    scenario: options.ScenarioArgument = "mensi-pilot",
    design: Annotated[str, Option(help="The design to run.")] = "regional_hub",
    per_school: Annotated[bool, Option("--per-school", help="Record every school of every month too.")] = False,
    *,
    engine: options.EngineOption = "compiled",
    threads: options.ThreadsOption = None,
    out: options.OutOption = None,
    as_json: options.JsonOption = False,
    **chosen: Unpack[options.OneDesignOptions],
) -> None:
    """Run one design and record it month by month."""
    loaded = load_one(scenario, design, **chosen)
    folder = new_folder_of(out, loaded.name, "simulate")
    runner = engine_of(engine)
    from school_mentoring.analysis.report.terminal import print_report, simulation_report
    from school_mentoring.experiments.simulate import simulate as run_simulation

    with Progress() as progress:
        found = run_simulation(
            loaded, per_school=per_school, engine=runner, threads=threads, progress=lambda done, total: progress.show("runs", done, total)
        )
    tables = found.tables()
    report = simulation_report(tables["results.parquet"], tables["teams.parquet"], tables["runs.parquet"], found.window, loaded.worlds)
    if not as_json:
        print_report(report, found.title, found.notes)
    decided = {"engine": engine, "per_school": per_school}
    with written_study(folder, loaded, "simulate", decided, {**tables, **report.files}, notes=found.notes) as study:
        report.write_figures(study.path / "figures")
    finish(folder, report.document, as_json, found.notes)
