"""``run.py sensitivity``: which parameters decide."""

import os
from pathlib import Path
from typing import Annotated, Unpack

from typer import Argument, Option

from school_mentoring.experiments.progress import Progress
from school_mentoring.model.errors import InputError

from . import options
from .steps import engine_of, finish, load, new_folder_of, refuse_both, refuse_of_scenario, written_study


def sensitivity(
    scenario: Annotated[str, Argument(metavar="SCENARIO|SWEEP", help="A scenario, or the folder of a sweep.")] = "mensi-pilot",
    method: Annotated[str, Option(help="sobol, morris, pawn, given, regional.")] = "sobol",
    outputs: Annotated[str | None, Option(metavar="A,B", help="Outputs: outcomes, net_benefit, cost_per_adopter_year.")] = None,
    vary: Annotated[
        list[str] | None, Option(metavar="NAME[=LOW:HIGH]", help="What is varied, as for sweep, or a group; default: what is uncertain.")
    ] = None,
    groups: Annotated[str, Option(help="Indices of groups of parameters: with, only, or without.")] = "with",
    pairs: Annotated[str | None, Option(metavar="A-B,C-D", help="Differences between designs; all; default: each less none.")] = None,
    n: Annotated[int | None, Option("--n", min=2, help="Points to begin with (a power of 2; for morris trajectories).")] = None,
    ci: Annotated[float, Option(min=0.001, help="Settled when no interval is wider.")] = 0.1,
    max_runs: Annotated[int, Option(min=1, help="Runs at most; the sample is doubled within them.")] = 200_000,
    budget: Annotated[str | None, Option(hidden=True, help="What --max-runs was called.")] = None,
    common: Annotated[bool, Option("--common/--independent", help="Random numbers of parameter sets: common, or their own.")] = True,
    second: Annotated[bool, Option("--second", help="Indices of pairs of parameters too (twice the runs).")] = False,
    monthly: Annotated[bool, Option("--monthly", help="Indices of the adopting share month by month too.")] = False,
    k: options.NetBenefitOption = 1000.0,
    resume: Annotated[bool, Option("--resume", help="Continue a study begun earlier, or extend it.")] = False,
    replicates: Annotated[int, Option(min=1, help="Runs per design and parameter set.")] = 10,
    *,
    engine: options.EngineOption = "compiled",
    threads: options.ThreadsOption = None,
    out: options.OutOption = None,
    as_json: options.JsonOption = False,
    **chosen: Unpack[options.SearchOptions],
) -> None:
    """Find which parameters and groups decide an outcome, which do not, and how sure that is."""
    from school_mentoring.experiments.sensitivity.study import asked, notes_on_study, run_study

    if budget is not None:
        raise InputError(f"--budget {budget}", "a budget is money, as for compare and optimise", "for the most runs give --max-runs N")
    wanted = asked(
        method=method, outputs=outputs, vary=vary or (), groups=groups, pairs=pairs, points=n or 0, ci=ci, max_runs=max_runs,
        random="common" if common else "independent", second=second, monthly=monthly, willingness_to_pay=k,
    )  # fmt: skip
    of_sweep = (Path(scenario) / "study.json").is_file()
    if of_sweep:
        from school_mentoring.experiments.sensitivity.study import study_of_sweep

        refuse_of_scenario({**chosen, "vary": vary or None, "n": n}, scenario)
        folder = new_folder_of(out, Path(scenario).resolve().name, method)
        loaded, found, notes = study_of_sweep(Path(scenario), wanted)
    else:
        refuse_both(chosen.get("sets"), vary or ())
        loaded = load(scenario, replicates=replicates, **chosen)
        folder = new_folder_of(out, loaded.name, f"sensitivity-{method}")
        engine_of(engine)
        with Progress() as progress:
            found = run_study(loaded, wanted, folder, resume=resume, engine=engine, threads=threads, stage=progress.show)
        folder = folder / "sensitivity"
        notes = notes_on_study(loaded, wanted, found.state["points"])
    from school_mentoring.analysis.report.sensitivity import sensitivity_report, title_of
    from school_mentoring.analysis.report.terminal import print_report

    report = sensitivity_report(found.tables(), found.state)
    if not as_json:
        print_report(report, title_of(found.state), notes)
    files = {"sweep": scenario} if of_sweep else None
    with written_study(folder, loaded, "sensitivity", vars(wanted), report.files, files, notes) as study, Progress() as progress:
        study.text("summary.txt", [title_of(found.state), *report.said, *notes])
        report.write_figures(study.path / "figures", progress.show, processes=threads or os.cpu_count() or 1)
    finish(folder, report.document, as_json, notes)
