"""What outcomes, designs, groups and costs are called wherever people read them: one name per thing, with its unit.

Tables keep the names of ``model.observe``; everything shown goes through this file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from school_mentoring.model.costs import CATEGORIES, PAYERS
from school_mentoring.model.observe import OUTCOMES as OUTCOME_NAMES

COMPARATOR = "none"
"""The design that all others are compared with where nothing else is asked for."""

Direction = Literal["higher", "lower", "neither"]


@dataclass(frozen=True)
class Outcome:
    """What an outcome is called, its unit as it stands in the tables, which direction is better, and the decimals worth showing."""

    label: str
    unit: str
    direction: Direction
    decimals: int


CATEGORY_NAMES: Mapping[str, str] = {
    "coordination": "coordination",
    "release": "paid mentor hours",
    "voluntary": "unpaid mentor hours",
    "team": "hours of mentees' teams",
    "meeting": "meetings of clusters",
    "stipend": "stipends to mentor schools",
    "grant": "grants to mentee schools",
    "travel": "travel",
    "platform": "online community",
    "outreach": "outreach campaign",
    "course": "hours in the open course",
    "learning": "hours of learning the practice",
    "onboarding": "training of new mentors",
    "recognition": "recognition of mentors",
}
PAYER_NAMES: Mapping[str, str] = {"programme": "the programme", "schools": "the schools"}

_DESIGN_NAMES = {"none": "no programme", "top_down": "top-down", "bottom_up": "bottom-up"}
_GROUP_NAMES = {
    "all": "all schools",
    "disadvantaged": "disadvantaged schools",
    "not_disadvantaged": "schools that are not disadvantaged",
    "rural": "rural schools",
    "not_rural": "schools that are not rural",
    "small": "small schools",
    "not_small": "schools that are not small",
    "mentors": "schools that have ever mentored",
    "mentees": "schools that have been mentees, never mentors",
    "unmentored": "schools never mentored",
    "rural_disadvantaged": "rural disadvantaged schools",
    "rural_not_disadvantaged": "rural schools that are not disadvantaged",
    "not_rural_disadvantaged": "disadvantaged schools that are not rural",
    "not_rural_not_disadvantaged": "schools neither rural nor disadvantaged",
}
TEAM_GROUP_NAMES: Mapping[str, str] = {
    "team": "teachers in a team",
    "colleagues": "their colleagues",
    "others": "teachers of other schools",
}
_SHARE = "share of teachers"
_GAP_TYPES = ("disadvantaged", "rural", "small")

OUTCOMES: Mapping[str, Outcome] = {
    "effect_adopter_years": Outcome("adopter-years", "adopter-years", "higher", 0),
    "adopters_start": Outcome("adopting teachers at the start", "teachers", "neither", 0),
    "adopters_end_of_funding": Outcome("adopting teachers at the end of funding", "teachers", "higher", 0),
    "adopters_end": Outcome("adopting teachers at the end", "teachers", "higher", 0),
    "mainstreamed_end_of_funding": Outcome("mainstreamed schools at the end of funding", "schools", "higher", 1),
    "mainstreamed_end": Outcome("mainstreamed schools at the end", "schools", "higher", 1),
    "pupils_end": Outcome("pupils reached at the end", "pupils", "higher", 0),
    "sustained_share": Outcome("adopters at the end / at the end of funding", "ratio", "neither", 2),
    **{f"gap_{kind}_end_of_funding": Outcome(f"gap of {kind} schools at the end of funding", _SHARE, "neither", 3) for kind in _GAP_TYPES},
    **{f"gap_{kind}": Outcome(f"gap of {kind} schools at the end", _SHARE, "neither", 3) for kind in _GAP_TYPES},
    **{
        f"use_{group}_end_of_funding": Outcome(f"use among {called} at the end of funding", _SHARE, "neither", 3)
        for group, called in TEAM_GROUP_NAMES.items()
    },
    "active_ties_end_of_funding": Outcome("active mentoring ties at the end of funding", "ties", "neither", 1),
    "active_ties_end": Outcome("active mentoring ties at the end", "ties", "neither", 1),
    "contacts_end_of_funding": Outcome("lasting contacts at the end of funding", "pairs of schools", "neither", 1),
    "contacts_end": Outcome("lasting contacts at the end", "pairs of schools", "neither", 1),
    "mentor_schools": Outcome("schools that have ever mentored", "schools", "neither", 1),
    "mentee_schools": Outcome("schools that have been mentees, never mentors", "schools", "neither", 1),
    "schools_reached": Outcome("schools that have ever been mentored", "schools", "neither", 1),
    "teachers_in_team": Outcome("teachers in teams of mentored schools", "teachers", "neither", 0),
    "pupils_reached": Outcome("pupils of teachers in teams", "pupils", "neither", 0),
    **{f"cost_{payer}": Outcome(f"cost to {PAYER_NAMES[payer]}", "EUR", "lower", 0) for payer in PAYERS},
    "cost_total": Outcome("cost of all resources", "EUR", "lower", 0),
    "cost_society": Outcome("cost to society", "EUR", "lower", 0),
    **{f"cost_{category}": Outcome(f"cost of {CATEGORY_NAMES[category]}", "EUR", "lower", 0) for category in CATEGORIES},
}
"""Every outcome of ``model.observe.OUTCOMES``, in its order.

Where a scenario has several practices, teachers, schools and pupils count once for each practice, except in what has ever been reached.
Costs are EUR of 2023; they and adopter-years are discounted to month 0. What the programme pays to schools is taken off the schools' cost,
which may so lie below 0; society bears all resources and what it takes to raise the programme's money. A gap is the adopting share outside
minus inside the disadvantaged (rural, small) schools; whether one below 0 is better than 0 is a judgement, so gaps have no direction. Nor
have use among teachers in teams and among others, and the ratio of adopters at the end to those at the end of funding: they are largest
where little was reached, so that no programme at all may lead. Ties, contacts and who was reached are means, not ends.
"""

if tuple(OUTCOMES) != tuple(OUTCOME_NAMES):  # an outcome added to the model needs its name here
    raise RuntimeError(f"analysis/outcomes.py and model/observe.py differ in {sorted(set(OUTCOMES) ^ set(OUTCOME_NAMES))}")


@dataclass(frozen=True)
class Terms:
    """What the effect of a sample is called, one ``unit`` of it, and the design that all are compared with, ``comparator``."""

    comparator: str = COMPARATOR
    unit: str = "adopter-year"

    @property
    def units(self) -> str:
        """Several of the unit."""
        return f"{self.unit}s"

    @property
    def a_unit(self) -> str:
        """One of the unit, with its article."""
        return f"{'an' if self.unit[:1].lower() in 'aeio' else 'a'} {self.unit}"

    @property
    def ours(self) -> bool:
        """Whether effects are those of this model, discounted."""
        return self.unit == Terms.unit

    @property
    def none(self) -> str:
        """What the comparator is called."""
        return design_name(self.comparator)

    @property
    def nothing(self) -> str:
        """What it is called to choose the comparator."""
        return "doing nothing" if self.comparator == COMPARATOR else self.none


OWN_TERMS = Terms()
"""Those of this model."""


def outcome(name: str) -> Outcome:
    """Return what is known of an outcome. Raises ValueError for a name that is none."""
    if name not in OUTCOMES:
        raise ValueError(f"no outcome named {name!r}; there are {', '.join(OUTCOMES)}")
    return OUTCOMES[name]


def design_name(name: str) -> str:
    """Return what a design is called: ``regional_hub`` is the regional hub; names that a user gave lose their underscores."""
    return _DESIGN_NAMES.get(name, name.replace("_", " "))


def field_name(name: str) -> str:
    """Return what a field of a scenario is called: its name there, in words."""
    return name.upper() if len(name) == 3 else name.replace("_", " ")


def group_name(name: str, countries: Mapping[str, str] | None = None) -> str:
    """Return what a group of schools is called; ``countries`` may name the countries by their codes."""
    if name.startswith("country:"):
        code = name.removeprefix("country:")
        return f"schools in {(countries or {}).get(code, code)}"
    return _GROUP_NAMES.get(name, name.replace("_", " "))


def names_in(column: "pd.Series[Any] | Iterable[str]", *, present: bool = True) -> list[str]:
    """Return the names in a column: in the order of its categories, or of appearance where it has none.

    With ``present`` False, also the categories of which the column holds nothing, as colours must not depend on what a table leaves out.
    """
    series = column if isinstance(column, pd.Series) else pd.Series(list(column), dtype=object)
    found = [str(name) for name in series.unique() if not pd.isna(name)]
    if not isinstance(series.dtype, pd.CategoricalDtype):
        return found
    categories = [str(name) for name in series.cat.categories]
    return [name for name in categories if name in set(found)] if present else categories


# --- of sensitivity studies --------------------------------------------------------------------------------------------

DECISION = "best_design"
"""Whether a design has the highest net benefit; of no design: which one has it."""

RANKED = {"sobol": "ST", "morris": "mu_star", "pawn": "pawn", "given": "first", "regional": "ks"}
"""The index that ranks parameters, by method."""

INDEX_NAMES = {
    "S1": "first-order index", "ST": "total-order index", "S2": "second-order index", "mu_star": "mu*", "sigma": "sigma", "mu": "mu",
    "pawn": "PAWN index", "first": "first-order index (binned)", "ks": "Kolmogorov-Smirnov distance", "shift": "shift of ranks",
}  # fmt: skip

DERIVED = {
    "net_benefit": Outcome("net monetary benefit", "EUR", "higher", 0),
    "cost_per_adopter_year": Outcome("cost per added adopter-year", "EUR per adopter-year", "lower", 0),
    DECISION: Outcome("best design by net benefit", "share of parameter sets", "higher", 2),
}


def output_of(name: str) -> Outcome:
    """Return what is known of an output of a sensitivity study."""
    return DERIVED[name] if name in DERIVED else outcome(name)


def target_name(output: str, design: str, comparator: str) -> str:
    """Return what a target is called: 'adopter-years with virtual less no programme'."""
    if output == DECISION:
        return f"{design_name(design)} being the best design" if design else "the choice of the best design"
    label = output_of(output).label
    if output in DERIVED and comparator == COMPARATOR:
        return f"{label} with {design_name(design)}"
    return f"{label} with {design_name(design)}" + (f" less {design_name(comparator)}" if comparator else "")


def panel_name(design: str, comparator: str) -> str:
    """Return the heading of a panel or column: a design, or a design less another than the comparator of all."""
    if not design:
        return "the choice as a whole"
    return design_name(design) + (f"\nless {design_name(comparator)}" if comparator not in ("", COMPARATOR) else "")
