"""The JSON Schema of a scenario file, so that editors complete and check it while it is written."""

from typing import Any, get_args

from school_mentoring.model.designs import CHOICES, FIELDS, OPTIONAL, PRESETS, SWITCHES, WHOLE
from school_mentoring.model.parameters import COUNTRY, PARAMETERS, SALARY, TABLE, Distribution, Parameter
from school_mentoring.model.programmes import OTHERS
from school_mentoring.model.world.countries import COUNTRIES

from .fields import WORD_PATTERN
from .programmes import MOST_MONTHS, StatedGate
from .schema import GROUPS, STRUCTURE_DRAWN, Scenario
from .stated_programmes import GATE, OTHERWISE, PHASE_FIELDS

FACTORS = rf"^{SALARY}[A-Z]"
"""The names of countries' factors."""


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of what a scenario file may state; cross-field rules are checked on loading only."""
    schema = Scenario.model_json_schema()
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Scenario"}
    properties = schema["properties"]
    properties["extends"] = {"type": "string", "description": "The scenario from which this one differs: a YAML file, or a shipped name"}
    parameters = {name: _parameter(row) for name, row in PARAMETERS.items()}
    section = {**_section(parameters), "patternProperties": {FACTORS: _parameter(TABLE[f"{SALARY}{COUNTRY}"])}}
    properties["parameters"] = {"description": properties["parameters"]["description"], **section}
    properties["designs"] = _designs(properties["designs"]["description"])
    schema["$defs"] |= {"Gate": StatedGate.model_json_schema(), "Phase": _phase()}
    factor = {"type": "string", "pattern": FACTORS}
    properties["uncertain"]["items"] = {"anyOf": [{"enum": [*GROUPS, STRUCTURE_DRAWN, *PARAMETERS]}, factor]}
    schema["$defs"]["Correlation"]["properties"]["between"]["prefixItems"] = [{"anyOf": [{"enum": list(PARAMETERS)}, factor]}] * 2
    for key in ("practices", "uncertain", "programme", "world"):
        properties[key].pop("default", None)
    schema["$defs"]["CountryEntry"]["required"] = ["code"]
    schema["$defs"]["WorldSpec"]["properties"]["countries"]["items"] = {
        "anyOf": [{"enum": list(COUNTRIES)}, {"$ref": "#/$defs/CountryEntry"}]
    }
    for key in ("programme", "world"):
        described = {"description": properties[key]["description"]}
        properties[key] = {**described, "anyOf": [{"$ref": properties[key]["$ref"]}, {"type": "null"}]}
    for unused in ("Design", "Programme", "Range"):
        del schema["$defs"][unused]
    del schema["required"]
    schema["anyOf"] = [{"required": ["extends"]}, {"required": ["designs"]}]
    return schema


def _section(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": False}


def _parameter(row: Parameter) -> dict[str, Any]:
    number = {"type": "integer" if row.distribution == "integer" else "number", "minimum": row.minimum, "maximum": row.maximum}
    kinds = [kind for kind in get_args(Distribution) if (kind == "integer") == (row.distribution == "integer")]
    fields = {name: {**number, "default": getattr(row, name)} for name in ("base", "low", "high")}
    fields["distribution"] = {"enum": kinds, "default": row.distribution}
    return {
        "description": f"{row.meaning} ({row.unit}); {row.low:g} to {row.high:g}, base {row.base:g} [{row.kind}]",
        "default": row.base,
        "anyOf": [number, {"type": "object", "properties": fields, "additionalProperties": False}],
    }


def _designs(description: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"preset": {"enum": list(PRESETS), "description": "The design whose fields hold where none is stated"}}
    fields |= {field: _design_field(field) for field in FIELDS} | _phases("Instead of fields: the phases of a programme")
    for kind, what in (("by_country", "country, by its code"), ("by_region", "region, by its name")):
        described = f"Instead of fields: a design or phases for each {what}, and for {OTHERS}"
        fields[kind] = {"description": described, "type": "object", "minProperties": 1, "additionalProperties": _track()}
    design = _section(fields)
    return {
        "description": description,
        "anyOf": [
            {"type": "object", "minProperties": 1, "propertyNames": {"pattern": WORD_PATTERN}, "additionalProperties": design},
            {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": WORD_PATTERN}},
            {"type": "null"},
        ],
    }


def _phase() -> dict[str, Any]:
    months = {"type": "integer", "minimum": 1, "maximum": MOST_MONTHS, "description": "Months that the phase lasts"}
    gate = {"$ref": "#/$defs/Gate", "description": "What a survey must find for the phase to begin"}
    otherwise = _phases("Phases that come in its place, and in that of all after it, where `if` does not hold")["phases"]
    fields = {field: _design_field(field) for field in PHASE_FIELDS}
    described = {"months": months, "design": _named(), **fields, GATE: gate, OTHERWISE: otherwise}
    return {"type": "object", "required": ["months"], "properties": described, "additionalProperties": False}


def _track() -> dict[str, Any]:
    fields = {field: _design_field(field) for field in FIELDS} | _phases("Instead of fields: the phases of this place")
    return {"anyOf": [_named(), {"type": "object", "properties": {"design": _named(), **fields}, "additionalProperties": False}]}


def _named() -> dict[str, Any]:
    described = "The preset, or design of this scenario, whose fields hold where none is stated"
    return {"type": "string", "pattern": WORD_PATTERN, "description": described}


def _phases(description: str) -> dict[str, Any]:
    return {"phases": {"description": description, "type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Phase"}}}


def _design_field(field: str) -> dict[str, Any]:
    row = FIELDS[field]
    described = {"description": f"{row.meaning} ({row.unit})"}
    if field in CHOICES:
        return {**described, "enum": list(CHOICES[field])}
    if field in SWITCHES:
        return {**described, "enum": [True, False, 0, 1]}
    number = {"type": "integer" if field in WHOLE else "number", "minimum": row.minimum, "maximum": row.maximum}
    return {**described, "anyOf": [number, {"type": "null"}]} if field in OPTIONAL else {**described, **number}
