"""``run.py validate``: scenario and data files, checked."""

import json
from typing import Annotated

from typer import Argument, Option

from . import options
from .steps import load, notice_line


def validate(
    files: Annotated[
        list[str], Argument(metavar="FILE...", help="Scenarios (.yaml), schools.csv, ties.csv (or .graphml), observations.csv.")
    ],
    scenario: Annotated[str, Option(help="The scenario whose countries and practices the tables belong to.")] = "mensi-pilot",
    start: options.StartOption = None,
    mapping: options.MappingOption = None,
    end: options.EndOption = None,
    encoding: options.EncodingOption = None,
    columns: options.ColumnsOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Check scenario and data files; ties and observations are checked against the schools given with them."""
    from school_mentoring.experiments.check import check_files

    loaded = load(scenario, quiet=True, encoding=encoding, columns=columns)
    found = dict(zip(files, check_files(files, loaded, start=start, mapping=mapping, end=end), strict=True))
    if as_json:
        notices = {path: said.notices for path, said in found.items() if said.notices}
        print(
            json.dumps({"valid": True, "files": {path: said.line for path, said in found.items()}, "notices": notices}, ensure_ascii=False)
        )
    else:
        print("\n".join(line for said in found.values() for line in (said.line, *map(notice_line, said.notices))))
