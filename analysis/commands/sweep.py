"""``run.py sweep``: many parameter sets."""

import sys
from typing import Annotated, Unpack

from typer import Option

from school_mentoring.experiments.progress import Progress

from . import options
from .steps import engine_of, finish, load, new_folder_of, refuse_both, say_notices


def sweep(
    scenario: options.ScenarioArgument = "mensi-pilot",
    vary: Annotated[
        list[str] | None,
        Option(metavar="NAME[=LOW:HIGH]", help="Vary a parameter, a design's field or the world's size; default: what is uncertain."),
    ] = None,
    sample: Annotated[str, Option(help="sobol:N, lhs:N, grid:N, or table:FILE with your own sets.")] = "sobol:64",
    random: Annotated[str, Option(help="common: a replicate draws alike under every set; or independent.")] = "common",
    chunk: Annotated[int | None, Option(min=1, help="Sets x replicates per chunk (default: some seconds of work).")] = None,
    broken_down: Annotated[
        bool, Option("--broken-down", help="Record effects by school type and country too, costs by country, payer and year.")
    ] = False,
    resume: Annotated[bool, Option("--resume", help="Complete a sweep begun earlier.")] = False,
    workers: Annotated[int | None, Option(min=1, help="Processors to use here (default: all).")] = None,
    scheduler: Annotated[str | None, Option(metavar="ADDRESS", help="Run on the Dask cluster of this scheduler.")] = None,
    shard: Annotated[str, Option(metavar="I/N", help="Only this share of the chunks, into the same folder (job arrays).")] = "1/1",
    yes: Annotated[bool, Option("--yes", help="Run it however long it takes.")] = False,
    *,
    engine: options.EngineOption = "compiled",
    out: options.OutOption = None,
    as_json: options.JsonOption = False,
    **chosen: Unpack[options.AllOptions],
) -> None:
    """Run many parameter sets x designs x replicates into a folder that survives a kill and can be resumed."""
    from school_mentoring.experiments.sweep.execution import parse_shard

    refuse_both(chosen.get("sets"), vary or ())
    loaded = load(scenario, **chosen)
    folder = new_folder_of(out, loaded.name, "sweep")
    share = parse_shard(shard)
    engine_of(engine)
    from school_mentoring.experiments.sweep.execution import carry_out, open_sweep, plan_with_estimate, sweep_summary

    plan, cost = plan_with_estimate(
        loaded, vary or [], sample, random=random, chunk=chunk, yes=yes, threads=workers, broken_down=broken_down, shard=share
    )
    if sample.startswith("table:"):
        refuse_both(chosen.get("sets"), [f"{name}=" for name in plan.sets])
    say_notices(plan.notices)
    print(f"{cost} in {folder}", file=sys.stderr)
    # Shards share a folder, so each may be the one that begins it.
    store = open_sweep(folder, plan, resume=resume or share[1] > 1)
    with Progress() as progress:
        failed = carry_out(
            folder, plan, store, engine=engine, threads=workers, shard=share, scheduler=scheduler,
            progress=lambda done, total: progress.show("runs", done, total),
        )  # fmt: skip
    lines, document = sweep_summary(folder, plan, store, failed, share)
    notes = plan.notes
    if not as_json:
        print("\n".join([*lines, *notes]))
    finish(folder, document, as_json, notes)
    if failed:
        raise SystemExit(1)
