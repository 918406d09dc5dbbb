"""``run.py anchor``: parameter sets that meet what has been measured."""

from typing import Annotated

from typer import Option

from school_mentoring.experiments.progress import Progress

from . import options
from .steps import engine_of, finish, new_folder_of


def anchor(
    draws: Annotated[int, Option(min=2, help="Parameter sets to find.")] = 1000,
    seed: Annotated[int, Option(min=0, help="Names the random numbers.")] = 1,
    ship: Annotated[bool, Option("--ship", help="Put them where the program reads those that it ships.")] = False,
    resume: Annotated[bool, Option("--resume", help="Go on with a search begun earlier.")] = False,
    *,
    threads: options.ThreadsOption = None,
    out: options.OutOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Draw parameter sets with their structures from the ranges, and keep those that meet the anchors in the pilot's world."""
    folder = new_folder_of(out, "mensi-pilot", "anchor")
    engine_of("compiled")
    from school_mentoring.analysis.report.anchored import anchored_lines
    from school_mentoring.experiments.anchors.draws import Search
    from school_mentoring.experiments.anchors.search import find_draws
    from school_mentoring.experiments.folder.writing import writing
    from school_mentoring.experiments.sweep.store import write_atomically
    from school_mentoring.scenarios.anchored import ANCHORED

    with Progress() as progress:
        found = find_draws(folder, Search(seed), draws, resume=resume, threads=threads, stage=progress.show)
    if ship:
        with writing(str(ANCHORED), remedy="run it where the program may be written to"):
            ANCHORED.parent.mkdir(exist_ok=True)
            write_atomically(ANCHORED, found.file())
    if not as_json:
        print("\n".join(anchored_lines(found.about)))
    finish(folder, found.about, as_json)
