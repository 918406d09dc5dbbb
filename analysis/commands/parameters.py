"""``run.py parameters``: what each means, and where its number comes from."""

import json
from typing import Annotated

from typer import Argument, Option

from school_mentoring.model.errors import InputError, nearest

from . import options
from .steps import load


def parameters(
    scenario: Annotated[str | None, Argument(metavar="[SCENARIO]", help="Show the values and ranges of this scenario.")] = None,
    group: Annotated[str | None, Option(help="Only behaviour, incentive, cost, network or world.")] = None,
    as_json: options.JsonOption = False,
) -> None:
    """Show every parameter: meaning, unit, range, and where the number comes from."""
    from school_mentoring.analysis.report.terminal import print_parameters
    from school_mentoring.model.parameters import TABLE

    table = TABLE
    if scenario is not None:
        from school_mentoring.scenarios import parameter_rows

        table = parameter_rows(load(scenario, quiet=True))
    rows = {name: row.model_dump(warnings=False) for name, row in table.items()}
    groups = sorted({row["group"] for row in rows.values()})
    if group is not None and group not in groups:
        raise InputError(f"--group {group}", f"no group named {group!r}", nearest(group, groups))
    chosen = [row for row in rows.values() if group in (None, row["group"])]
    if as_json:
        print(json.dumps(chosen, ensure_ascii=False))
    else:
        print_parameters(chosen)
