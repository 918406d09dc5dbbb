"""``run.py rerun``: a study made again, and held against itself."""

import contextlib
import io
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from . import options
from .steps import finish


def rerun(
    context: typer.Context,
    study: Annotated[Path, Argument(metavar="STUDY", help="The folder of a finished study, or its study.json.")],
    resume: Annotated[bool, Option("--resume", help="Go on with a re-run that was interrupted, where the command can.")] = False,
    schools: options.SchoolsOption = None,
    ties: options.TiesOption = None,
    observations: options.ObservationsOption = None,
    threads: options.ThreadsOption = None,
    out: options.OutOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Run a study again from its study.json; exit code 0 where its results are the same, 1 where they differ (it says where)."""
    from school_mentoring.experiments.folder.rerun import again, verdict

    with tempfile.TemporaryDirectory(prefix="school-mentoring-") as scratch:
        given = {"schools": schools, "ties": ties, "observations": observations}
        plan = again(study, out, Path(scratch), given=given, threads=threads, resume=resume)
        # What the command shows is in its folder; runs that fail leave a gap there, which is a difference.
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
            context.find_root().command.main(plan.words, standalone_mode=False)
    lines, document, same = verdict(plan)
    if not as_json:
        print("\n".join(lines))
    finish(plan.out, document, as_json)
    if not same:
        raise SystemExit(1)
