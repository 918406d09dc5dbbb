"""``run.py recommend``: the report to hand over."""

from pathlib import Path
from typing import Annotated, Unpack

import typer

from school_mentoring.experiments.progress import Progress

from . import options
from .steps import as_typed, engine_of, finish, load, new_folder_of, written_study


def recommend(
    study: Annotated[
        str, typer.Argument(metavar="STUDY|SCENARIO", help="The folder of a comparison, sweep or search; or a scenario.")
    ] = "mensi-pilot",
    k: Annotated[float, typer.Option("--k", parser=options.euros, metavar="EUR", help="EUR that an added adopter-year is worth.")] = 1000.0,
    perspective: Annotated[str, typer.Option(help="Whose costs count: society (all), programme, or schools.")] = "society",
    *,
    engine: options.EngineOption = "compiled",
    threads: options.ThreadsOption = None,
    out: options.OutOption = None,
    as_json: options.JsonOption = False,
    **chosen: Unpack[options.AllOptions],
) -> None:
    """Write the report to hand over: which design, how sure, who gains, who pays, what it depends on (HTML and PDF)."""
    from school_mentoring.experiments.evidence import evidence_of_comparison, evidence_of_study, is_study, refuse_no_choice

    if is_study(study):
        folder = new_folder_of(out, Path(study).resolve().name, "recommend")
        evidence, described = evidence_of_study(study)
    else:
        loaded = load(study, **chosen)
        refuse_no_choice(loaded)
        folder = new_folder_of(out, loaded.name, "recommend")
        runner = engine_of(engine)
        from school_mentoring.experiments.compare import compare as run_compare

        with Progress() as progress:
            found = run_compare(loaded, engine=runner, threads=threads, stage=progress.show)
        evidence, described = evidence_of_comparison(found, as_typed()), found.scenario
    from school_mentoring.analysis.report.chapters.facts import Evidence
    from school_mentoring.analysis.report.handover import print_answer, write_report
    from school_mentoring.analysis.report.recommendation import recommendation

    advice = recommendation(Evidence(**evidence), willingness_to_pay=k, perspective=perspective)
    if not as_json:
        print_answer(advice)
    files = {"study": study} if is_study(study) else None
    with written_study(folder, described, "recommend", {"k": k, "perspective": perspective}, advice.tables, files) as written:
        write_report(advice, written.path)
    finish(folder, advice.json, as_json, evidence["notes"])
