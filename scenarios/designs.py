"""The designs of a scenario: presets and fields that differ from them, filled in and checked against the table of fields."""

from collections.abc import Mapping
from typing import Any

from school_mentoring.model.designs import CHOICES, FIELDS, OPTIONAL, PRESETS, SWITCHES, Design
from school_mentoring.model.errors import nearest

from .fields import fault
from .yaml_file import KeyPath


def filled_design(name: Any, stated: Any) -> Any:
    """Return all fields of a design: those stated, the others from ``preset``, or from the preset of that name."""
    if isinstance(stated, Design):
        return stated
    if stated is not None and not isinstance(stated, Mapping):
        fault((name,), f"{stated!r} is not a set of fields", "allowed: nothing, for the preset of that name, or `preset: NAME` and fields")
    given = dict(stated or {})
    preset = given.pop("preset", name if name in PRESETS else None)
    if not isinstance(preset, str | None) or (preset is not None and preset not in PRESETS):
        fault((name, "preset"), f"no preset named {preset!r}", nearest(str(preset), PRESETS))
    if preset is None and not given:
        fault((name,), f"no preset named {name!r}", f"{nearest(str(name), PRESETS)} or state `preset: NAME` and fields that differ")
    refuse_words((name,), given)
    return {**(dict.fromkeys(OPTIONAL) if preset is None else PRESETS[preset].model_dump()), **given}


def refuse_words(at: KeyPath, given: Mapping[str, Any]) -> None:
    """Refuse a word or a truth value in a field of numbers, which pydantic would turn into a number."""
    for field, value in given.items():
        switch = field in SWITCHES
        if field in (*FIELDS, "months") and field not in CHOICES and isinstance(value, str if switch else (str, bool)):
            allowed = allowed_values(field) if field in FIELDS else "allowed: whole numbers"
            fault((*at, field), f"{value!r} is not {'true or false' if switch else 'a number'}", allowed)


def check_fields(at: KeyPath, design: Design) -> None:
    """Refuse numbers that the table of fields does not allow; ``at``: the keys that lead to the design."""
    for field, row in FIELDS.items():
        value = getattr(design, field)
        if row.minimum is None or row.maximum is None or value is None:
            continue
        if not row.minimum <= value <= row.maximum:
            given = f"{value:g}" if abs(value) < 1e300 else "such a number"  # a whole number may be too large to be written as a float
            fault((*at, field), f"{given} is out of range", allowed_values(field))


def allowed_values(field: str) -> str:
    """Return in words what a field of a design may hold."""
    row = FIELDS[field]
    if field in CHOICES:
        return "allowed: " + ", ".join(CHOICES[field])
    if field in SWITCHES:
        return "allowed: true, false"
    return f"allowed: {row.minimum:g} to {row.maximum:g} ({row.unit})"
