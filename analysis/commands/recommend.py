"""``run.py recommend``: the report to hand over."""

from pathlib import Path
from typing import Annotated, Any, Unpack

from typer import Argument, Option

from school_mentoring.experiments.progress import Progress
from school_mentoring.model.errors import InputError

from . import options
from .steps import as_typed, engine_of, finish, load, new_folder_of, refuse_of_scenario, say_notices, written_study


def recommend(
    study: Annotated[
        str,
        Argument(
            metavar="STUDY|SCENARIO|SAMPLE",
            help="The folder of a comparison, sweep or search; a scenario; or another model's sample (.csv, .parquet): see --effects.",
        ),
    ] = "mensi-pilot",
    k: Annotated[
        float, Option("--k", parser=options.euros, metavar="EUR", help="EUR that an added adopter-year, or unit of a sample, is worth.")
    ] = 1000.0,
    perspective: Annotated[str, Option(help="Whose costs count: society, programme, or schools.")] = "society",
    effects: Annotated[
        str | None,
        Option(
            metavar="FILE", help="A sample's effects, a column per design, as SAMPLE then holds costs; else SAMPLE holds a row per design."
        ),
    ] = None,
    parameters: Annotated[str | None, Option(metavar="FILE", help="The parameters that belong to a sample's effects and costs.")] = None,
    comparator: Annotated[str | None, Option(metavar="NAME", help="The design that those of a sample are compared with (none).")] = None,
    unit: Annotated[str | None, Option(metavar="WORD", help="One unit of a sample's effect, such as QALY.")] = None,
    *,
    engine: options.EngineOption = "compiled",
    threads: options.ThreadsOption = None,
    out: options.OutOption = None,
    as_json: options.JsonOption = False,
    **chosen: Unpack[options.AllOptions],
) -> None:
    """Write the report to hand over: which design, how sure, who gains, who pays, what it depends on (HTML and PDF)."""
    from school_mentoring.experiments.evidence import is_sample

    given = {"effects": effects, "parameters": parameters, "comparator": comparator, "unit": unit}
    if is_sample(study):
        form = {name: chosen.get(name) for name in ("columns", "encoding")}
        refuse_of_scenario({name: value for name, value in chosen.items() if name not in form}, study)
        return _of_sample(study, k, {**given, **form}, chosen.get("keep_inputs"), out, as_json)
    for name, value in given.items():
        if value is not None:
            problem = f"belongs to a sample, and {study!r} is none"
            raise InputError(f"--{name} {value}", problem, "give the sample's file (.csv, .parquet) first")
    from school_mentoring.experiments.evidence import evidence_of_comparison, evidence_of_study, refuse_no_choice

    if Path(study).is_dir():
        refuse_of_scenario(chosen, study)
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
    files = {"study": study} if Path(study).is_dir() else None
    decided, notes = {"k": k, "perspective": perspective}, evidence["notes"]
    with written_study(folder, described, "recommend", decided, advice.tables, files, notes) as written:
        write_report(advice, written.path)
    finish(folder, advice.json, as_json, notes)


def _of_sample(path: str, k: float, given: dict[str, Any], keep_inputs: bool | None, out: Path | None, as_json: bool) -> None:
    """Write the report of another model's sample; ``given``: the options that say how its files are to be read."""
    from school_mentoring.experiments.evidence import no_scenario, read_sample

    folder = new_folder_of(out, Path(path).stem, "recommend")
    files = {"sample": path} | {name: given[name] for name in ("effects", "parameters") if given[name] is not None}
    if "parameters" in files and "effects" not in files:
        raise InputError("--parameters", "goes with --effects", "parameters of one long table are its other columns")
    tables, notices = read_sample(files, given["columns"], given["encoding"])
    say_notices(notices)
    from school_mentoring.analysis.economics.psa import sample_of_tables
    from school_mentoring.analysis.report.handover import print_answer, write_report
    from school_mentoring.analysis.report.recommendation import recommendation_of_sample

    sample = sample_of_tables(tables, given["comparator"], given["unit"])
    advice = recommendation_of_sample(sample, title=Path(path).name, command=as_typed(), willingness_to_pay=k)
    if not as_json:
        print_answer(advice)
    with written_study(folder, no_scenario(path, keep_inputs), "recommend", {"k": k, **given}, advice.tables, files) as written:
        write_report(advice, written.path)
    finish(folder, advice.json, as_json)
