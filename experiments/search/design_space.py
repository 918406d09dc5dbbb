"""The space of plain designs that a search looks through: which fields vary over which values, and what is one and the same design.

A point is a mapping of every field to a value; a design is what a scenario holds. Many points mean one design: without mentors their
stipend means nothing. ``Space.design`` gives the one design a point means, with fields that mean nothing set to that of no programme
and numbers rounded to ``STEPS``, as nobody would decree a stipend of 1,137.42 EUR.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from school_mentoring.experiments.distributions import Variable
from school_mentoring.experiments.variables import Domain, parse_variable, stated_variable
from school_mentoring.model.designs import CHOICES, FIELDS, NO_QUOTA, PRESETS, SWITCHES, WHOLE, Design
from school_mentoring.model.errors import InputError, nearest, quoted
from school_mentoring.model.programmes import Programme
from school_mentoring.scenarios import COMPARATOR, Scenario, parts

STEPS: Mapping[str, float] = {
    "mentor_share": 0.005, "reserve": 0.05, "virtual_share": 0.01, "meeting_hours": 0.25, "fte": 0.01, "stipend": 50.0,
    "release_hours": 0.5, "mentee_grant": 50.0, "cascade": 0.01, "community": 0.05, "outreach": 0.01,
}  # fmt: skip
"""What the values of fields that are not whole numbers are rounded to, in the unit of the field."""

PHASE_STEPS: Mapping[str, float] = {"months": 1.0, "at_least": 0.05, "survey": 10.0}
"""The same of what a phase has beside the fields of a design."""

NO_QUOTA_PART = 0.2  # of the range of ``mentor_share``, below its low end, that means no quota
SHORTEST_FUNDING = 6  # months that a programme is funded at least
PLACE = "design"

Point = Mapping[str, Any]
"""A value for every field that varies: words, truth values, numbers."""


@dataclass(frozen=True)
class Space:
    """``variables``: one per field that varies, named as the field; ``fixed``: the value of every other; ``first_month`` of funding."""

    variables: tuple[Variable, ...]
    fixed: Mapping[str, Any]
    first_month: int

    def design(self, point: Point) -> Design:
        """Return the design that a point means."""
        return canonical_design(self.values(point))

    def values(self, point: Point) -> dict[str, Any]:
        """Return the value of every field at a point, as a design holds it."""
        return {**self.fixed, **{variable.name: _value(variable, point[variable.name]) for variable in self.variables}}

    def point(self, design: Design | Programme) -> dict[str, Any]:
        """Return the point nearest to a design, field by field: the design itself where the space holds it; of a programme to a part."""
        if isinstance(design, Programme):
            return self.point(next(part for _, part in parts(design)))
        return self.nearest(design.model_dump())

    def nearest(self, stated: Mapping[str, Any]) -> dict[str, Any]:
        """Return the point nearest to fields, of which None is not stated."""
        unstated = {"last_month": self.fixed["last_month"], "mentor_share": NO_QUOTA}
        whole = {name: unstated.get(name) if value is None else value for name, value in stated.items()}
        return {variable.name: _nearest(variable, whole[variable.name]) for variable in self.variables}

    def holds(self, design: Design | Programme) -> bool:
        """Tell whether the space holds a design (or one that means the same)."""
        if isinstance(design, Programme):
            return False
        month = self.first_month if design.first_month is None else design.first_month
        stated = design.model_copy(update={"first_month": None, "last_month": design.last_month or self.fixed["last_month"]})
        return month == self.first_month and self.design(self.point(design)) == canonical_design(stated.model_dump())


def design_space(scenario: Scenario, narrowed: Sequence[str] = ()) -> Space:
    """Return the space of a scenario: every field over the whole range of ``FIELDS``, or over what ``narrowed`` states.

    ``narrowed`` holds texts as ``--space`` takes them: ``places=2:8``, ``scope=region|country``, ``fte=0.5`` (fixed). Funding begins with
    the scenario's ``first_month``; ``last_month`` may be any from ``SHORTEST_FUNDING`` months later to the end. Raises InputError for
    fields and values that no design may have.
    """
    fields = [field for field in FIELDS if field != "first_month"]
    refuse_strange(narrowed, fields, fields, "a design")
    space = space_over(
        {name: whole_range(name, scenario) for name in fields}, [stated_field(text, scenario, {}) for text in narrowed], scenario
    )
    if not space.variables:
        raise InputError("--space", "leaves nothing to search", "give at least one field two values")
    return space


def refuse_strange(narrowed: Sequence[str], allowed: Collection[str], known: Sequence[str], of: str) -> None:
    """Raise InputError for ``--space`` texts of other names than are ``allowed``, or of one name twice; ``known``: names to hint at."""
    names = [text.partition("=")[0] for text in narrowed]
    if strange := {name: text for name, text in zip(names, narrowed, strict=True) if name not in allowed}:
        raise InputError(f"--space {' '.join(strange.values())}", f"no field of {of} named {quoted(strange)}", nearest(strange, known))
    for position, name in enumerate(names):
        if name in names[:position]:
            raise InputError(f"--space {narrowed[position]}", "is given twice", "allowed: each field once")


def space_over(whole: Mapping[str, Variable], narrowed: Iterable[Variable], scenario: Scenario) -> Space:
    """Return the space over whole ranges, some of them ``narrowed``; what has one value does not vary."""
    variables, fixed = [], {**PRESETS[COMPARATOR].model_dump(), "first_month": None, "last_month": scenario.programme.last_month}
    for name, variable in {**whole, **{variable.name: variable for variable in narrowed}}.items():
        if len(variable.choices) == 1 or (not variable.choices and variable.low == variable.high):
            fixed[name] = _value(variable, variable.choices[0] if variable.choices else variable.low)
        else:
            variables.append(variable)
    return Space(tuple(variables), fixed, scenario.programme.first_month)


def stated_field(text: str, scenario: Scenario, domains: Mapping[str, Domain]) -> Variable:
    """Return the variable of one ``--space`` text, named by its field; ``domains``: what fields may hold that no design has."""
    path, equals, what = text.partition("=")
    name = path.rpartition(".")[2]
    if not equals:
        raise InputError(f"--space {text}", "states no values", "allowed: field=low:high, field=a|b|c or field=value")
    holder = scenario.model_copy(update={"designs": {PLACE: PRESETS[COMPARATOR]}})
    try:
        if name in domains:
            return stated_variable(f"--space {text}", name, what, domains[name])
        found = parse_variable(f"{PLACE}.{name}={what}", holder)
    except InputError as error:
        raise InputError(f"--space {text}", error.problem, error.allowed.replace(f"{PLACE}.", "")) from None
    earliest = min(map(float, found.choices)) if found.choices and name == "last_month" else found.low
    if name == "last_month" and earliest < scenario.programme.first_month:
        raise InputError(f"--space {text}", "ends the funding before it begins", f"allowed: {scenario.programme.first_month} or later")
    return replace(found, name=name)


def whole_range(name: str, scenario: Scenario) -> Variable:
    """Return a field of a design over the whole range of ``FIELDS``."""
    if name in CHOICES:
        return Variable(name, choices=CHOICES[name])
    if name in SWITCHES:
        return Variable(name, choices=(0.0, 1.0))
    if name == "last_month":
        last = max(scenario.months, scenario.programme.last_month)
        first = min(scenario.programme.first_month + SHORTEST_FUNDING, scenario.programme.last_month)
        return Variable(name, first, first, last, "integer")
    row = FIELDS[name]
    assert row.low is not None and row.high is not None
    low = row.low - NO_QUOTA_PART * (row.high - row.low) if name == "mentor_share" else row.low
    return Variable(name, low, low, row.high, "integer" if name in WHOLE else "uniform")


def _value(variable: Variable, value: Any) -> Any:
    """Return a value as a design holds it."""
    name = variable.name
    if name in CHOICES:
        return str(value)
    if name in SWITCHES:
        return bool(value)
    if name in WHOLE:
        return round(float(value))
    number = float(value)
    if name == "mentor_share" and number < 0.0:
        return None
    if variable.choices:
        return number
    step = STEPS.get(name) or PHASE_STEPS[name]
    rounded = float(f"{round(number / step) * step:.10g}")
    return min(max(rounded, variable.low, 0.0), variable.high)


def _nearest(variable: Variable, value: Any) -> Any:
    """Return the value of a variable nearest to one that a design holds; of words the first where it has not that one."""
    if variable.name in CHOICES:
        return value if value in variable.choices else variable.choices[0]
    if variable.name in SWITCHES:
        return bool(value)
    number = float(value)
    if variable.choices:
        return min((float(choice) for choice in variable.choices), key=lambda choice: abs(choice - number))
    if variable.name == "mentor_share" and number < 0.0:
        return variable.low
    return min(max(number, variable.low, 0.0), variable.high)


def canonical_design(values: Mapping[str, Any], mentored: bool = False) -> Design:
    """Return the design of some fields, with those that mean nothing beside the others set to that of no programme.

    ``mentored``: whether schools are when it begins; then it is for these, too, and they need not be recruited by it.
    """
    nothing, values = PRESETS[COMPARATOR].model_dump(), dict(values)
    if not mentored and (values["recruitment"] == "none" or values["mentor_share"] == 0.0):
        values = {**nothing, "outreach": values["outreach"], "first_month": values["first_month"], "last_month": values["last_month"]}
        if values["outreach"] == 0.0:
            values["last_month"] = None
    if values["tier"] == "none" or values["fte"] == 0.0:
        values = {**values, "tier": "none", "fte": 0.0}
    # A mandate is a ministry's, over schools that it assigns.
    if values["recruitment"] != "assigned" or values["tier"] != "ministry":
        values = {**values, "mandate": False}
    if values["target"] == "none" or values["reserve"] == 0.0:
        values = {**values, "target": "none", "reserve": 0.0}
    if values["community"] == 0.0:
        values = {**values, "community_after": False}
    whole_years = 12 * -(-values["tie_months"] // 12)  # a tie ends at a yearly round
    return Design.model_validate({**values, "tie_months": whole_years})
