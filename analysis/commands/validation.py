"""``run.py validation``: the validation report."""

from typing import Annotated

from typer import Option

from school_mentoring.experiments.progress import Progress

from . import options
from .steps import as_typed, engine_of, finish, load, new_folder_of, written_study


def validation(
    scenario: options.ScenarioArgument = "mensi-pilot",
    quick: Annotated[bool, Option("--quick", help="Two of the nine patterns, and fewer runs of the rest.")] = False,
    k: options.NetBenefitOption = 1000.0,
    sets: options.SetOption = None,
    designs: options.DesignsOption = None,
    seed: options.SeedOption = None,
    threads: options.ThreadsOption = None,
    out: options.OutOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Write the validation report: patterns, exact limits, engines, an independent peer, convergence, structure, face validity."""
    loaded = load(scenario, sets, designs=designs, seed=seed)
    folder = new_folder_of(out, loaded.name, "validation")
    engine_of("compiled")
    from school_mentoring.analysis.report.handover import write_html
    from school_mentoring.analysis.report.validation import ValidationFindings, validation_report
    from school_mentoring.experiments.notes import notes_on_draws
    from school_mentoring.experiments.validation.validate import validate as run_validation
    from school_mentoring.experiments.variables import uncertain_variables

    with Progress() as progress:
        found = run_validation(loaded, quick=quick, threads=threads, stage=progress.show)
    varied = [variable for variable in uncertain_variables(loaded) if not variable.choices]  # each variant has a structure of its own
    notes = notes_on_draws(loaded, varied, loaded.draws)
    report = validation_report(ValidationFindings(**vars(found), commands=[as_typed()], notes=notes), k)
    if not as_json:
        print("\n".join([*report.lines, *notes]))
    with written_study(folder, loaded, "validation", {"quick": quick, "k": k}, report.tables, notes=notes) as study:
        write_html(report.document, study.path)
    finish(folder, report.json, as_json, notes)
