"""``run.py compare``: every design against none."""

from typing import Unpack

from school_mentoring.experiments.progress import Progress

from . import options
from .steps import engine_of, finish, load, new_folder_of, written_study


def compare(
    scenario: options.ScenarioArgument = "mensi-pilot",
    *,
    engine: options.EngineOption = "compiled",
    threads: options.ThreadsOption = None,
    out: options.OutOption = None,
    as_json: options.JsonOption = False,
    **chosen: Unpack[options.AllOptions],
) -> None:
    """Compare every design with none: spread, what lasts, who gains, costs, who is ahead and how sure."""
    loaded = load(scenario, **chosen)
    folder = new_folder_of(out, loaded.name, "compare")
    runner = engine_of(engine)
    from school_mentoring.analysis.report.terminal import comparison_report, print_report
    from school_mentoring.experiments.compare import compare as run_compare

    with Progress() as progress:
        found = run_compare(loaded, engine=runner, threads=threads, stage=progress.show)
    report = comparison_report(**found.for_report())
    if not as_json:
        print_report(report, found.title, found.notes)
    tables = {**found.tables(), **report.files}
    with written_study(folder, found.scenario, "compare", {"engine": engine}, tables, notes=found.notes) as study, Progress() as progress:
        report.write_figures(study.path / "figures", progress.show)
    finish(folder, report.document, as_json, found.notes)
