"""``run.py validate``: scenario and data files, checked."""

import json
from typing import Annotated

import typer

from . import options
from .steps import load

__all__ = ["validate"]


def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Scenarios (.yaml), schools.csv, ties.csv, observations.csv.")],
    scenario: Annotated[str, typer.Option(help="The scenario whose countries and practices the tables belong to.")] = "mensi-pilot",
    start: options.StartOption = None,
    mapping: options.MappingOption = None,
    end: options.EndOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Check scenario and data files; ties and observations are checked against the schools given with them."""
    from school_mentoring.experiments.check import check_files

    lines = check_files(files, load(scenario, None, None), start=start, mapping=mapping, end=end)
    if as_json:
        print(json.dumps({"valid": True, "files": dict(zip(files, lines, strict=True))}, ensure_ascii=False))
    else:
        print("\n".join(lines))
