"""The space of designs that a search looks through: which fields vary over which values, and what is one and the same design; and its aim.

A point is a mapping of every field to a value; a design is what a scenario holds. Many points mean one design: without mentors their
stipend means nothing. ``Space.design`` gives the one design a point means, with fields that mean nothing set to that of no programme
and numbers rounded to ``STEPS``, as nobody would decree a stipend of 1,137.42 EUR. An ``Aim`` says which designs are sought.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.experiments.distributions import Variable
from school_mentoring.experiments.variables import parse_variable
from school_mentoring.model.designs import CHOICES, FIELDS, NO_QUOTA, PRESETS, SWITCHES, WHOLE, Design
from school_mentoring.model.errors import InputError, nearest, quoted
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.scenarios import COMPARATOR, Scenario

STEPS: Mapping[str, float] = {
    "mentor_share": 0.005, "reserve": 0.05, "virtual_share": 0.01, "meeting_hours": 0.25, "fte": 0.01, "stipend": 50.0,
    "release_hours": 0.5, "mentee_grant": 50.0, "cascade": 0.01, "community": 0.05, "outreach": 0.01,
}  # fmt: skip
"""What the values of fields that are not whole numbers are rounded to, in the unit of the field."""

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
        return _plain({**self.fixed, **{variable.name: _value(variable, point[variable.name]) for variable in self.variables}})

    def point(self, design: Design) -> dict[str, Any]:
        """Return the point nearest to a design, field by field: the design itself where the space holds it."""
        unstated = {"last_month": self.fixed["last_month"], "mentor_share": NO_QUOTA}
        stated = {name: unstated.get(name) if value is None else value for name, value in design.model_dump().items()}
        return {variable.name: _nearest(variable, stated[variable.name]) for variable in self.variables}

    def holds(self, design: Design) -> bool:
        """Tell whether the space holds a design (or one that means the same)."""
        month = self.first_month if design.first_month is None else design.first_month
        stated = design.model_copy(update={"first_month": None, "last_month": design.last_month or self.fixed["last_month"]})
        return month == self.first_month and self.design(self.point(design)) == _plain(stated.model_dump())


def design_space(scenario: Scenario, narrowed: Sequence[str] = ()) -> Space:
    """Return the space of a scenario: every field over the whole range of ``FIELDS``, or over what ``narrowed`` states.

    ``narrowed`` holds texts as ``--space`` takes them: ``places=2:8``, ``scope=region|country``, ``fte=0.5`` (fixed). Funding begins with
    the scenario's ``first_month``; ``last_month`` may be any from ``SHORTEST_FUNDING`` months later to the end. Raises InputError for
    fields and values that no design may have.
    """
    programme = scenario.programme
    fixed = {**PRESETS[COMPARATOR].model_dump(), "first_month": None, "last_month": programme.last_month}
    stated: dict[str, Variable] = {}
    fields = [field for field in FIELDS if field != "first_month"]
    if strange := {text.partition("=")[0]: text for text in narrowed if text.partition("=")[0] not in fields}:
        raise InputError(f"--space {' '.join(strange.values())}", f"no field of a design named {quoted(strange)}", nearest(strange, fields))
    for text in narrowed:
        variable = _stated(text, scenario)
        if variable.name in stated:
            raise InputError(f"--space {text}", "is given twice", "allowed: each field once")
        stated[variable.name] = variable
    variables = []
    for name in fields:
        variable = stated[name] if name in stated else _whole_range(name, scenario)
        if len(variable.choices) == 1 or (not variable.choices and variable.low == variable.high):
            fixed[name] = _value(variable, variable.choices[0] if variable.choices else variable.low)
        else:
            variables.append(variable)
    if not variables:
        raise InputError("--space", "leaves nothing to search", "give at least one field two values")
    return Space(tuple(variables), fixed, programme.first_month)


def _stated(text: str, scenario: Scenario) -> Variable:
    """Return the variable of one ``--space`` text."""
    name, equals, _ = text.partition("=")
    if not equals:
        raise InputError(f"--space {text}", "states no values", "allowed: field=low:high, field=a|b|c or field=value")
    holder = scenario.model_copy(update={"designs": {PLACE: PRESETS[COMPARATOR]}})
    try:
        found = parse_variable(f"{PLACE}.{text}", holder)
    except InputError as error:
        raise InputError(f"--space {text}", error.problem, error.allowed.replace(f"{PLACE}.", "")) from None
    earliest = min(map(float, found.choices)) if found.choices and name == "last_month" else found.low
    if name == "last_month" and earliest < scenario.programme.first_month:
        raise InputError(f"--space {text}", "ends the funding before it begins", f"allowed: {scenario.programme.first_month} or later")
    return Variable(name, found.low, found.base, found.high, found.distribution, found.choices)


def _whole_range(name: str, scenario: Scenario) -> Variable:
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
    rounded = float(f"{round(number / STEPS[name]) * STEPS[name]:.10g}")
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


def _plain(values: dict[str, Any]) -> Design:
    """Return the design of some fields, with those that mean nothing beside the others set to that of no programme."""
    nothing = PRESETS[COMPARATOR].model_dump()
    if values["recruitment"] == "none" or values["mentor_share"] == 0.0:
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


# --- what is sought, and what a design is worth ----------------------------------------------------------------------

PERSPECTIVES: Mapping[str, str] = {"society": "cost_society", "programme": "cost_programme"}
"""Whose costs count: society's, or those the programme pays; with the outcome that holds them."""

OBJECTIVES = ("effect", "cost", "gap", "gap_rural")
"""What may be sought: adopter-years added (most), cost (least), how far disadvantaged or rural schools are behind at the end (least)."""


@dataclass(frozen=True)
class Aim:
    """What is sought, and how hard.

    ``objectives``: names of ``OBJECTIVES``, effect and cost among them; ``perspective``: whose costs; ``budgets``: EUR, discounted, may be
    empty; ``evaluations``: designs tried; ``population``: designs of a generation; ``cells``: runs of each; ``draws``: parameter sets among
    them (0: the base parameters); ``space``: texts that narrow the space.
    """

    objectives: tuple[str, ...] = ("effect", "cost", "gap")
    perspective: str = "society"
    budgets: tuple[float, ...] = ()
    evaluations: int = 5000
    population: int = 100
    cells: int = 50
    draws: int = 50
    space: tuple[str, ...] = ()

    @property
    def cost(self) -> str:
        """The outcome that is the cost."""
        return PERSPECTIVES[self.perspective]

    @property
    def generations(self) -> int:
        """How many generations the evaluations make."""
        return -(-self.evaluations // self.population)

    def describe(self) -> dict[str, Any]:
        """Return all that decides which designs are tried, as JSON holds it; a search may go on with more evaluations."""
        kept = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        return {name: value for name, value in kept.items() if name != "evaluations"}


def aim_of(
    *, objectives: str, perspective: str, budgets: Sequence[float], evaluations: int, population: int, cells: int, draws: int | None,
    space: Sequence[str],
) -> Aim:  # fmt: skip
    """Return the aim that options of the command line state; raises InputError for what is not allowed."""
    chosen = tuple(name.strip() for name in objectives.split(",") if name.strip())
    if strange := [name for name in chosen if name not in OBJECTIVES]:
        raise InputError(f"--objectives {objectives}", f"no objective named {quoted(strange)}", nearest(strange, OBJECTIVES))
    if not {"effect", "cost"} <= set(chosen) or len(set(chosen)) < len(chosen):
        allowed = "allowed: effect,cost and gap, gap_rural"
        raise InputError(f"--objectives {objectives}", "effect and cost are always sought, each once", allowed)
    if perspective not in PERSPECTIVES:
        raise InputError(f"--perspective {perspective}", f"no perspective named {perspective!r}", nearest(perspective, PERSPECTIVES))
    for budget in budgets:
        if not 0.0 < budget < np.inf:
            raise InputError(f"--budget {budget:g}", "is no budget", "allowed: EUR above 0")
    if population > evaluations:
        raise InputError(f"--population {population}", f"is more than the {evaluations} evaluations", "allowed: at most --evaluations")
    if draws is not None and draws > cells:
        raise InputError(f"--draws {draws}", f"is more than the {cells} runs of a design", "allowed: at most --replicates")
    kept = tuple(sorted(set(budgets)))
    return Aim(chosen, perspective, kept, evaluations, population, cells, cells if draws is None else draws, tuple(space))


def worth_of(outcomes: NDArray[np.float64], comparator: NDArray[np.float64]) -> pd.DataFrame:
    """Return what is kept of every design: means over the cells of a panel, of effect and costs beyond no programme, and of gaps.

    ``outcomes`` (designs, cells, outcomes) of ``model.observe.OUTCOMES``; ``comparator`` (cells, outcomes): the same of no programme. A gap
    counts as it is, below 0 where disadvantaged schools are ahead.
    """
    mean, extra = (pd.DataFrame(part.mean(axis=1), columns=list(OUTCOMES)) for part in (outcomes, outcomes - comparator))
    columns = {"effect": extra["effect_adopter_years"], **extra[["cost_society", "cost_programme"]]}
    return pd.DataFrame({**columns, "gap": mean["gap_disadvantaged"], "gap_rural": mean["gap_rural"]})


def minimised(worth: pd.DataFrame, aim: Aim) -> NDArray[np.float64]:
    """Return what is minimised, a column per objective: the effect negated, a gap where it is above 0, as being ahead is no aim."""
    columns = {"effect": -worth["effect"], "cost": worth[aim.cost]}
    columns |= {name: worth[name].clip(lower=0.0) for name in ("gap", "gap_rural")}
    return np.column_stack([columns[name].to_numpy(np.float64) for name in aim.objectives])
