"""``run.py optimise``: the best of all designs."""

from typing import Annotated, Unpack

from typer import Option

from school_mentoring.experiments.progress import Progress

from . import options
from .steps import engine_of, finish, load, new_folder_of


def optimise(
    scenario: options.ScenarioArgument = "mensi-pilot",
    budget: Annotated[
        list[float] | None, Option(parser=options.euros, metavar="EUR", help="A budget; repeatable. The largest bounds the search.")
    ] = None,
    objectives: Annotated[str, Option(help="effect,cost and, where wanted, gap (disadvantaged schools), gap_rural.")] = "effect,cost,gap",
    perspective: Annotated[str, Option(help="Whose costs count: society, or programme.")] = "society",
    space: Annotated[
        list[str] | None, Option(metavar="FIELD=LOW:HIGH", help="Narrow a field of designs: LOW:HIGH, A|B, or one value; repeatable.")
    ] = None,
    phases: Annotated[int, Option(min=1, max=3, help="Phases, with gates between them, that a design has at most.")] = 1,
    by_country: Annotated[bool, Option("--by-country", help="Search a design of its own for each country.")] = False,
    budget_risk: Annotated[
        float | None,
        Option(metavar="SHARE", help="Share of a design's runs that may exceed a budget; else its mean must not."),
    ] = None,
    evaluations: Annotated[int, Option(min=1, help="Designs tried.")] = 5000,
    population: Annotated[int, Option(min=4, help="Designs of a generation.")] = 100,
    draws: Annotated[int | None, Option(min=0, help="Parameter sets among the runs of a design; 0: the base parameters.")] = None,
    resume: Annotated[bool, Option("--resume", help="Go on with a search begun earlier, perhaps with more evaluations.")] = False,
    replicates: Annotated[int, Option(min=2, help="Runs of each design tried.")] = 50,
    *,
    engine: options.EngineOption = "compiled",
    threads: options.ThreadsOption = None,
    out: options.OutOption = None,
    as_json: options.JsonOption = False,
    **chosen: Unpack[options.SearchOptions],
) -> None:
    """Search all designs for the best at each budget, and say where the scenario's own stand to them."""
    from school_mentoring.experiments.search.aim import aim_of
    from school_mentoring.experiments.search.folder import close_search, notes_on_search, open_search, write_found
    from school_mentoring.experiments.search.optimise import refuse_no_gap, search

    loaded = load(scenario, **chosen)
    folder = new_folder_of(out, loaded.name, "optimise")
    aim = aim_of(
        objectives=objectives, perspective=perspective, budgets=budget or [], evaluations=evaluations, population=population,
        cells=replicates, draws=draws, space=space or [], phases=phases, by_country=by_country, budget_risk=budget_risk,
    )  # fmt: skip
    engine_of(engine)
    refuse_no_gap(loaded, aim, engine=engine, threads=threads)
    store = open_search(folder, loaded, aim, resume=resume)
    from school_mentoring.analysis.report.search import search_report, search_title
    from school_mentoring.analysis.report.terminal import print_report

    with Progress() as progress:
        found = search(loaded, aim, store, engine=engine, threads=threads, stage=progress.show)
    report, notes = search_report(**found.for_report()), notes_on_search(loaded, aim)
    if not as_json:
        print_report(report, search_title(loaded.title or loaded.name, found.evaluations, aim.cells), notes)
    write_found(folder, found, report.files)
    report.write_figures(folder / "figures")
    close_search(folder, found)
    finish(folder, report.document, as_json, notes)
