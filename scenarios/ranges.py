"""The parameters of a scenario: base values and ranges that differ from the table, filled in and checked against it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from school_mentoring.model.parameters import PARAMETERS, Distribution, Parameter, row_of

from .fields import Number, ScenarioSection, fault

PER_MONTH = ("p", "q_in", "q_out", "d", "turnover")
"""Rates that act where nobody is mentored."""


class Range(ScenarioSection):
    """A parameter in this scenario: its base value, and the plausible range that a sensitivity analysis covers."""

    base: Number = Field(description="Value used where the parameter is not varied")
    low: Number = Field(description="Low end of the plausible range")
    high: Number = Field(description="High end of the plausible range")
    distribution: Distribution = Field(description="Distribution over the range")


def filled_range(row: Parameter, stated: Any) -> Any:
    """Return all of a range. A single value is fixed: both ends are that value. Of a mapping, what it does not state is the table's.

    A base beyond the table's range, stated without an end for that side, carries the end with it. Both ends stated without a base keep the
    table's base where it lies between them, and else have the middle.
    """
    if isinstance(stated, Range):
        return stated
    given = stated if isinstance(stated, Mapping) else {"base": stated}
    base, low, high = given.get("base", row.base), row.low, row.high
    if is_number(base):
        low, high = (min(low, base), max(high, base)) if given is stated else (base, base)
    if "base" not in given and _parted(given, base):
        middle = (given["low"] + given["high"]) / 2
        base = round(middle) if row.distribution == "integer" else float(f"{middle:.12g}")
    return {"base": base, "low": low, "high": high, "distribution": row.distribution, **given}


def rows_of(ranges: Mapping[str, Range]) -> Iterator[tuple[Parameter, Range]]:
    """Give the row of the table of each parameter of a scenario, with what it is there."""
    return ((row, given) for name, given in ranges.items() if (row := row_of(name)) is not None)


def says_nothing(name: str, stated: Any) -> bool:
    """Tell whether what is stated of a parameter is what the table says, so that a country's may go where the country does."""
    row = row_of(name)
    if row is None:
        return False
    return bool((stated.model_dump() if isinstance(stated, Range) else filled_range(row, stated)) == filled_range(row, {}))


def laid_over(lower: Any, upper: Mapping[str, Any]) -> dict[str, Any]:
    """Return a parameter's range with what an upper source states of it over what a lower one does.

    A base carries with it an inherited end that it lies beyond; two ends that an inherited base does not lie between leave it behind.
    """
    below = dict(lower) if isinstance(lower, Mapping) else {"base": lower}
    if "base" not in upper and _parted(upper, below.get("base")):
        del below["base"]
    base = upper.get("base")
    carried = {}
    if is_number(base):
        carried = {end: choose(below[end], base) for end, choose in (("low", min), ("high", max)) if is_number(below.get(end))}
    return {**below, **carried, **upper}


def is_number(value: Any) -> bool:
    """Tell whether a value as read is a number, which a truth value is not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _parted(ends: Mapping[str, Any], base: Any) -> bool:
    """Tell whether two ends are stated, in order, and a base does not lie between them."""
    if not all(is_number(value) for value in (ends.get("low"), ends.get("high"), base)):
        return False
    return bool(ends["low"] <= ends["high"]) and not ends["low"] <= base <= ends["high"]


def check_range(row: Parameter, given: Range) -> None:
    """Refuse a range that the table's row does not allow, or whose ends and base are out of order."""
    for end in ("base", "low", "high"):
        value = getattr(given, end)
        if not row.minimum <= value <= row.maximum:
            fault((row.name, end), f"{value:g} is out of range", f"allowed: {row.minimum:g} to {row.maximum:g} ({row.unit})")
        if row.distribution == "integer" and not float(value).is_integer():
            fault((row.name, end), f"{value:g} is no whole number", f"allowed: whole numbers from {row.minimum:g} to {row.maximum:g}")
    if not given.low <= given.base <= given.high:
        end = "low" if given.low > given.base else "high"
        fault((row.name, end), f"low {given.low:g}, base {given.base:g}, high {given.high:g}", "allowed: low <= base <= high")
    if (row.distribution == "integer") != (given.distribution == "integer"):
        kind = "integer" if row.distribution == "integer" else "pert, uniform, triangular, loguniform"
        fault((row.name, "distribution"), f"{given.distribution!r} does not fit this parameter", f"allowed: {kind}")
    if given.distribution == "loguniform" and given.low <= 0:
        fault((row.name, "low"), f"{given.low:g} has no logarithm", "allowed with loguniform: above 0")


def in_scenario(row: Parameter, given: Range, scenario: str) -> Parameter:
    """Return the table's row with the scenario's range; where they differ its source is the scenario, which is no evidence."""
    stated = given.model_dump()
    if all(getattr(row, field) == value for field, value in stated.items()):
        return row
    return row.model_copy(update={**stated, "kind": "assumption", "source": f"stated by scenario {scenario}"})


def check_years(designs: Sequence[str], ranges: Mapping[str, Range]) -> None:
    """Refuse a step of a year with ``designs`` that do something, which they do by the month, and with rates as the table has them."""
    if designs:
        fault(("step",), f"is year, and the design {designs[0]} works by the month", "allowed: month, or designs: [none]")
    for name in PER_MONTH:
        given, row = ranges[name], PARAMETERS[name]
        if (given.base, given.low, given.high) == (row.base, row.low, row.high):
            fault(("step",), f"is year, and {name} has its rate per month", f"state what it is in a year: parameters: {{{name}: ...}}")
