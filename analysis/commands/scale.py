"""``run.py scale``: what designs cost and do as the number of their clusters grows."""

from typing import Annotated, Unpack

from typer import Option

from school_mentoring.experiments.progress import Progress
from school_mentoring.model.errors import InputError, nearest

from . import options
from .steps import engine_of, finish, load, new_folder_of, written_study


def scale(
    scenario: options.ScenarioArgument = "mensi-pilot",
    clusters: Annotated[str, Option(metavar="N,N,...", help="Numbers of clusters (default: six, up to all schools).")] = "",
    perspective: Annotated[str, Option(help="Whose costs count: programme, or society.")] = "programme",
    *,
    engine: options.EngineOption = "compiled",
    threads: options.ThreadsOption = None,
    out: options.OutOption = None,
    as_json: options.JsonOption = False,
    **chosen: Unpack[options.AllOptions],
) -> None:
    """Run every design at growing numbers of clusters: effect, fixed and marginal cost, and from which size on which is cheaper."""
    from school_mentoring.analysis.report.scale import WHOSE, scale_report

    if perspective not in WHOSE:
        raise InputError(f"--perspective {perspective}", f"no perspective named {perspective!r}", nearest(perspective, WHOSE))
    loaded = load(scenario, **chosen)
    folder = new_folder_of(out, loaded.name, "scale")
    runner = engine_of(engine)
    from school_mentoring.analysis.report.terminal import print_report
    from school_mentoring.experiments.scale import grow

    with Progress() as progress:
        found = grow(loaded, clusters, engine=runner, threads=threads, progress=lambda done, total: progress.show("runs", done, total))
    report = scale_report(found.runs, worlds=loaded.worlds, perspective=perspective, left_out=found.left_out)
    if not as_json:
        print_report(report, found.title, found.notes)
    decided = {"engine": engine, "clusters": clusters, "perspective": perspective}
    with written_study(folder, found.scenario, "scale", decided, {"runs.parquet": found.runs, **report.files}) as study:
        report.write_figures(study.path / "figures")
    finish(folder, report.document, as_json, found.notes)
