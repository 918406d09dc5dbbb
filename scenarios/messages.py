"""Turns what pydantic found into the one error a user sees: place, value given, what is allowed, nearest name."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from school_mentoring.model.designs import FIELDS
from school_mentoring.model.errors import InputError, nearest, quoted
from school_mentoring.model.world.structure import STRUCTURE

from .correlations import Correlation
from .country_entry import CountryEntry
from .funding import Funding
from .programmes import PHASE_KEYS, TRACK_KEYS, StatedGate, allowed_of
from .ranges import Range
from .schema import Practice, Scenario, WorldSpec
from .stated_programmes import GATE, KINDS
from .yaml_file import KeyPath

_WORDS = {
    **dict.fromkeys(["not_a_number", "float_type"], ("{value} is not a number", "allowed: numbers")),
    "finite_number": ("{value} is not a number", "allowed: finite numbers"),
    **dict.fromkeys(["int_type", "int_from_float"], ("{value} is not a whole number", "allowed: whole numbers")),
    **dict.fromkeys(["bool_type", "bool_parsing"], ("{value} is neither true nor false", "allowed: true, false")),
    **dict.fromkeys(
        ["greater_than_equal", "greater_than", "less_than_equal", "int_parsing_size"], ("{value} is out of range", "allowed: {bounds}")
    ),
    "string_type": ("{value} is not text", "put it in quotes"),
    "string_pattern_mismatch": ("{value} is not a valid name", "allowed: {pattern}"),
    "literal_error": ("{value} is not allowed", "allowed: {expected}"),
    **dict.fromkeys(["model_type", "mapping_type"], ("{value} is not a mapping of keys to values", "")),
    "tuple_type": ("{value} is not a list", ""),
    "too_short": ("is empty", "allowed: {min_length} or more"),
    "string_too_short": ("is empty", "allowed: a text"),
    "too_long": ("{value} is too long", "allowed: {max_length} items"),
    "string_too_long": ("{value} is too long", "allowed: {max_length} characters"),
}
"""By pydantic's kind of error: the problem, and what is allowed."""

_SECTIONS: Mapping[KeyPath, type[BaseModel]] = {
    (): Scenario,
    ("programme",): Funding,
    ("world",): WorldSpec,
    ("world", "countries"): CountryEntry,
    ("practices",): Practice,
    ("correlations",): Correlation,
    ("parameters",): Range,
    ("designs", GATE): StatedGate,
}
"""What a section is, by the names that lead to it."""

_KEYS: Mapping[KeyPath, Iterable[str]] = {
    **{path: section.model_fields for path, section in _SECTIONS.items()},
    (): [*Scenario.model_fields, "extends"],
    ("designs",): [*FIELDS, "preset", *KINDS],
    ("designs", "phases"): PHASE_KEYS,
    ("designs", "place"): TRACK_KEYS,
}
"""The keys that a section may hold."""


def input_error(error: ValidationError, places: Mapping[KeyPath, str], source: str) -> InputError:
    """Return the first of pydantic's errors in words, with the number of the others."""
    found = [one for outer in error.errors(include_url=False) for one in _within(outer)]
    # A list whose only item is wrong is reported once more, as too short.
    within = {one["loc"][:depth] for one in found for depth in range(len(one["loc"]))}
    details = [one for one in found if one["loc"] not in within]
    # A misspelt key often is why another is missing, so it comes first.
    strange = [_path(one) for one in details if one["type"] == "extra_forbidden"]
    first = min(details, key=lambda one: one["type"] != "extra_forbidden")
    path = _path(first)
    problem, allowed = _words(first, path)
    if len(strange) > 1:
        beside = [str(at[-1]) for at in strange if at[:-1] == path[:-1]]
        elsewhere = [_dotted(at) for at in strange if at[:-1] != path[:-1]]
        problem, allowed = f"unknown keys {quoted([*beside, *elsewhere])}", nearest(beside, _KEYS[_section(path[:-1])])
    if more := len(details) - max(1, len(strange)):
        allowed += f"{' ' if allowed else ''}(and {more} more)"
    return InputError(_where(path, places, source), problem, allowed)


def shown(value: Any, longest: int = 60) -> str:
    """Return a value as a single line of at most ``longest`` characters."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    text = f"{value:.6g}" if isinstance(value, int) and abs(value) > 2**70 and abs(value) < 10**300 else repr(value)
    return text if len(text) <= longest else text[: longest - 3] + "..."


def typed(option: str, value: str) -> str:
    """Return an option of the command line as it was typed, in a single line of bounded length."""
    return f"{option} {value if value.isprintable() else repr(value)}"[:120]


def _within(details: ErrorDetails) -> list[ErrorDetails]:
    """Return the errors that stand in the place of one: those found within it, where it only says that there are some."""
    if details["type"] != "within":
        return [details]
    outer, at = details["loc"], details["ctx"]["at"]
    within: list[ErrorDetails] = details["ctx"]["within"]
    for one in within:
        one["loc"] = (*outer, *at, *one["loc"])
    return within


def _path(details: ErrorDetails) -> KeyPath:
    at = details.get("ctx", {}).get("at", ())
    if details["type"] == "extra_forbidden":  # the key itself, which may be called anything
        return details["loc"]
    return (*(step for step in details["loc"] if step != "[key]"), *at)


def _where(path: KeyPath, places: Mapping[KeyPath, str], source: str) -> str:
    """Name the place of the innermost key that was stated; an assignment such as ``--set p=7`` already names its target."""
    stated = next((places[path[:depth]] for depth in range(len(path), -1, -1) if path[:depth] in places), source)
    return stated if stated.startswith("--") or not path else f"{stated}, {_dotted(path)}"


def _dotted(path: KeyPath) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return " ".join(text.removeprefix(".").split())[:200]


def _words(details: ErrorDetails, path: KeyPath) -> tuple[str, str]:
    kind, value, ctx = details["type"], shown(details["input"]), details.get("ctx", {})
    if kind == "scenario":
        return ctx["problem"], ctx["allowed"]
    if kind == "extra_forbidden":
        return f"unknown key {shown(path[-1])}", nearest(str(path[-1]), _KEYS[_section(path[:-1])])
    if kind == "missing":
        return "is missing", _instead(path)
    if path[:1] == ("world",) and path[-1] in STRUCTURE and kind == "literal_error":
        return f"{value} is not allowed", nearest(str(details["input"]), STRUCTURE[str(path[-1])])
    if path[0] == "designs" and path[-1] in (*FIELDS, "months"):
        return f"{value} is not allowed", allowed_of(str(path[-1]))
    problem, allowed = _WORDS.get(kind, ("{value} is not allowed", ""))
    words = {**ctx, "value": value, "bounds": _bounds(path)}
    return problem.format(**words), allowed.format(**words)


def _instead(path: KeyPath) -> str:
    """Return what may be stated in the place of a field that is missing."""
    if path[0] != "designs" or len(path) < 3:
        return ""
    if _section(path[:-1]) == ("designs", GATE):
        return f"allowed: {_bounds(path)}" if _bounds(path) else "allowed: mentee_share"
    if path[-1] == "months":
        return allowed_of("months")
    kind, what = ("preset", "a preset") if len(path) == 3 else ("design", "a preset or a design of this scenario")
    return f"state it, or `{kind}: NAME` to take it from {what}"


def _section(path: KeyPath) -> KeyPath:
    """Return the names that lead to a section, without the names of parameters, designs and places and the positions in lists."""
    named = tuple(step for step in path if isinstance(step, str))
    if named[:1] == ("designs",) and len(path) > 2:
        return "designs", GATE if path[-1] == GATE else "phases" if isinstance(path[-1], int) else "place"
    return named[:1] if named[:1] in (("parameters",), ("designs",)) else named


def _bounds(path: KeyPath) -> str:
    """Return in words the numbers that a field may hold, nothing where it has no bounds; no field has but one."""
    section = _SECTIONS.get(_section(path[:-1])) if path else None
    field = section.model_fields.get(str(path[-1])) if section else None
    rules = field.metadata if field else []
    found = {kind: getattr(rule, kind) for rule in rules for kind in ("ge", "gt", "le") if hasattr(rule, kind)}
    bounds = {kind: f"{bound:.15g}" if isinstance(bound, float) else str(bound) for kind, bound in found.items()}
    return ("{ge} to {le}" if "ge" in bounds else "above {gt}, at most {le}").format(**bounds) if bounds else ""
