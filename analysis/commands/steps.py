"""The steps that commands share: scenario, folder and engine at the start, the study and the last line at the end.

Heavy libraries load here and in the commands only when a command needs them, so that what is mistyped is refused at once.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from school_mentoring.model.errors import InputError, one_line

if TYPE_CHECKING:
    import pandas as pd

    from school_mentoring.experiments.ensemble import BatchRunner
    from school_mentoring.experiments.folder.writing import StudyFolder
    from school_mentoring.scenarios import RunOptions, Scenario, ScenarioOptions


def load(scenario: str, sets: list[str] | None = None, *, quiet: bool = False, **options: "Unpack[ScenarioOptions]") -> "Scenario":
    """Return the scenario of a command line, by ``load_scenario``; say what of it is probably not meant, but for ``quiet``."""
    from school_mentoring.scenarios import load_scenario

    return _noticed(load_scenario(scenario, sets, **options), quiet)


def load_one(
    scenario: str, design: str, sets: list[str] | None = None, *, quiet: bool = False, **options: "Unpack[RunOptions]"
) -> "Scenario":
    """Return the scenario of a command line that takes one ``--design``, as ``load`` does."""
    from school_mentoring.scenarios import load_design

    return _noticed(load_design(scenario, design, sets, **options), quiet)


def _noticed(scenario: "Scenario", quiet: bool) -> "Scenario":
    if not quiet:
        from school_mentoring.experiments.check import notices_of

        say_notices(notices_of(scenario))
    return scenario


def say_notices(notices: Iterable[str]) -> None:
    """Say on standard error what of the user's input is probably not meant."""
    for notice in notices:
        print(notice_line(notice), file=sys.stderr)


def notice_line(notice: str) -> str:
    """Return a notice as the one line that a command says."""
    return f"notice: {one_line(notice)}"


def as_typed() -> str:
    """Return the command line as it was typed, for a document that says how it was made."""
    return " ".join(["run.py", *sys.argv[1:]])


def new_folder_of(out: Path | None, name: str, command: str) -> Path:
    """Return the folder that a command writes to; raises InputError where no study can be put there, before any work is done."""
    from school_mentoring.experiments.folder.writing import checked_out, study_path

    return checked_out(study_path(out, name, command))


def engine_of(name: str) -> "BatchRunner":
    """Return the engine of ``--engine``, and say so where it is about to be compiled."""
    from school_mentoring.experiments.ensemble import chosen_engine

    return chosen_engine(name)


@contextmanager
def written_study(
    folder: Path,
    scenario: "Scenario",
    command: str,
    options: Mapping[str, Any],
    tables: "Mapping[str, pd.DataFrame]",
    files: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
) -> "Iterator[StudyFolder]":
    """Write the study of a command, whole or not at all: tables, and what the caller adds; the others: as in ``provenance``."""
    from school_mentoring.experiments.folder.writing import new_study, provenance

    with new_study(folder, provenance(scenario, command, options, files, notes)) as study:
        for name, table in tables.items():
            study.table(name, table)
        yield study


def refuse_both(sets: Sequence[str] | None, varied: Iterable[str]) -> None:
    """Raise InputError where ``--set`` fixes what is ``varied`` (NAME or NAME=VALUES), or both state what values it takes."""
    from school_mentoring.model.parameters import row_of
    from school_mentoring.scenarios import assignments

    given = dict(assignment.partition("=")[::2] for assignment in assignments(sets or ()))
    for text in varied:
        name, own, _ = (part.strip() for part in text.partition("="))
        if name in given and (own or ":" not in given[name]):
            problem = "is to be fixed and varied at once" if ":" not in given[name] else "is given values twice"
            allowed = "allowed: one of the two" + (f", or --set {name}=low:high alone" if row_of(name) else "")
            raise InputError(f"--set {name}={given[name]}", f"{name} {problem}", allowed)


def refuse_of_scenario(given: Mapping[str, object], path: str) -> None:
    """Raise InputError for an option that says how a scenario is run, where a path is that of a study or a sample, whose runs are made."""
    for name, value in given.items():
        if value not in (None, []) and name != "keep_inputs":
            raise InputError(f"--{'set' if name == 'sets' else name}", f"is of a scenario, and {path} is none", "leave it out")


def finish(folder: Path, document: Mapping[str, Any], as_json: bool, notes: Sequence[str] = ()) -> None:
    """Say where the study is and which files of others it holds copies of, or print the one JSON document, with the terminal's notes."""
    from school_mentoring.experiments.folder.description import copies

    kept = [path.relative_to(folder).as_posix() for path in copies(folder)]
    if as_json:
        print(json.dumps({**document, "notes": list(notes), "inputs": kept, "out": str(folder)}, ensure_ascii=False, allow_nan=False))
        return
    print(f"Study written to {folder}")
    if kept:
        print(f"It keeps copies of what it was made from ({', '.join(kept)}); --no-inputs leaves them out")
