"""A commented scenario to start from, written from the schema so that it never disagrees with it."""

import re
from collections.abc import Iterable

from pydantic import BaseModel

from school_mentoring.model.designs import FIELDS, PRESETS
from school_mentoring.model.errors import InputError
from school_mentoring.model.world.structure import STRUCTURE

from .designs import allowed_values
from .fields import NAME_PATTERN
from .funding import Funding
from .messages import shown
from .schema import Practice, Scenario, WorldSpec
from .yaml_file import write_yaml

HEAD = """\
# A scenario to start from. Every value below is a default; lines behind `# ` are examples of what else can be stated.
# A scenario that differs little from another begins with `extends: mensi-pilot` (or the path of a YAML file) and states the rest only.
# `run.py parameters` shows every parameter with its source, `run.py schema` the schema for editors, `run.py validate` checks a file.

"""

PROGRAMMES = """\
  # piloted:  # a programme: phases one after the other; `design` is a preset or a design from above
  #   phases:
  #     - {months: 24, design: regional_hub}
  #     - {months: 12, design: virtual, tie_months: 12, if: {outcome: mentee_share, at_least: 0.25, survey: 30}}
  # by_place:  # a design, or phases, for each country (by_region: for each region)
  #   by_country:
  #     IT: {design: bottom_up, target: small, reserve: 0.5}
  #     others: virtual
"""


def template(name: str) -> str:
    """Return the YAML of a scenario called ``name``; raises InputError where that is no valid name."""
    if not re.match(NAME_PATTERN, name):
        raise InputError(f"new {shown(name)}", f"{shown(name)} is not a valid name", f"allowed: {NAME_PATTERN}")
    defaults = Scenario.model_validate({"name": name, "designs": list(PRESETS)})
    world = defaults.world
    parts = [
        HEAD + write_yaml({"name": name}) + 'title: ""\ndescription: ""\n',
        _fields(defaults, ("seed", "months", "replicates", "draws", "worlds"), ""),
        "programme:\n" + _fields(defaults.programme, Funding.model_fields, "  "),
        f"world:\n  countries: [{', '.join(country.code for country in world.countries)}]\n"
        + _fields(world, ("regions_per_country", "schools_per_region"), "  ")
        + _fields(world, STRUCTURE, "  # ")
        + "".join(f"  # {key}: {key}.csv  # {WorldSpec.model_fields[key].description}\n" for key in ("schools", "ties")),
        "practices:\n" + "".join("  -" + _fields(practice, Practice.model_fields, "    ")[3:] for practice in defaults.practices),
        "parameters:  # one per line: a value, fixed in every run, or {base: ..., low: ..., high: ..., distribution: ...}\n"
        + "".join(
            f"  # {row.name}: {{base: {row.base:g}, low: {row.low:g}, high: {row.high:g}}}  # {row.meaning} ({row.unit})\n"
            for row in defaults.parameter_rows().values()
        ),
        f"uncertain: [{', '.join(defaults.uncertain)}]  # {Scenario.model_fields['uncertain'].description}\n",
        "designs:  # by name: nothing for the preset of that name, or the fields that differ\n"
        + "".join(f"  {name}:\n" for name in PRESETS)
        + "  # my_hub:\n  #   preset: regional_hub  # the fields not stated are those of this preset\n"
        + "".join(f"  #   {field}: ...  # {row.meaning}; {allowed_values(field)}\n" for field, row in FIELDS.items())
        + PROGRAMMES,
    ]
    return "\n".join(parts)


def _fields(section: BaseModel, keys: Iterable[str], indent: str) -> str:
    lines = []
    for key in keys:
        field = type(section).model_fields[key]
        unit = field.json_schema_extra.get("unit", "") if isinstance(field.json_schema_extra, dict) else ""
        value = getattr(section, key)
        stated = f"{key}: {'null' if value is None else value}"
        words = f": {', '.join(STRUCTURE[key])}" if key in STRUCTURE else ""
        lines.append(f"{indent}{stated}  # {field.description}{words}{f' ({unit})' if unit not in ('', '-') else ''}\n")
    return "".join(lines)
