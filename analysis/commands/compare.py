"""``run.py compare``: every design against none."""

from typing import Annotated, Unpack

from typer import Option

from school_mentoring.experiments.progress import Progress

from . import options
from .steps import engine_of, finish, load, new_folder_of, written_study


def compare(
    scenario: options.ScenarioArgument = "mensi-pilot",
    budget: Annotated[
        float | None, Option(parser=options.euros, metavar="EUR", help="Scale every design to this budget first (discounted).")
    ] = None,
    budget_per_year: Annotated[
        float | None, Option(parser=options.euros, metavar="EUR", help="Or to this one in each year of the study (as spent).")
    ] = None,
    budget_risk: Annotated[
        float | None, Option(metavar="SHARE", help="Share of runs that may exceed the budget, where the mean is not to count.")
    ] = None,
    perspective: Annotated[str | None, Option(help="Whose costs the budget is for: programme (default), or society.")] = None,
    *,
    engine: options.EngineOption = "compiled",
    threads: options.ThreadsOption = None,
    out: options.OutOption = None,
    as_json: options.JsonOption = False,
    **chosen: Unpack[options.AllOptions],
) -> None:
    """Compare every design with none: spread, what lasts, who gains, costs, who is ahead and how sure."""
    limit = None
    if {budget, budget_per_year, budget_risk, perspective} != {None}:
        from school_mentoring.experiments.budget import budget_of

        limit = budget_of(budget=budget, budget_per_year=budget_per_year, budget_risk=budget_risk, perspective=perspective)
    loaded = load(scenario, **chosen)
    folder = new_folder_of(out, loaded.name, "compare")
    runner = engine_of(engine)
    from school_mentoring.analysis.report.budget import budget_report
    from school_mentoring.analysis.report.terminal import comparison_report, print_report
    from school_mentoring.experiments.compare import compare as run_compare
    from school_mentoring.experiments.compare import with_comparator

    with Progress() as progress:
        found = run_compare(loaded, budget=limit, engine=runner, threads=threads, stage=progress.show)
    report = comparison_report(**found.for_report())
    spent = found.budget()
    if limit is not None and spent is not None:
        bought = budget_report(spent, found.base.runs, worlds=loaded.worlds, words=limit.words)
        report.files.update(bought.files)
        report.document["budget"] = bought.document
        if not as_json:
            print_report(bought, f"Each design at its largest size within EUR {limit.amount:,.10g}{' a year' if limit.per_year else ''}")
    if not as_json:
        print_report(report, found.title, found.notes)
    tables = {**found.tables(), **report.files}
    decided = {"engine": engine, **({} if limit is None else limit.options)}
    described = with_comparator(loaded), "compare", decided, tables
    with written_study(folder, *described, notes=found.notes) as study, Progress() as progress:
        report.write_figures(study.path / "figures", progress.show)
    finish(folder, report.document, as_json, found.notes)
