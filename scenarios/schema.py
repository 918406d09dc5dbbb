"""The scenario: the whole description of a study, with every field's meaning, unit and range.

Defaults stand here, in the fields below, or in the tables of ``model/data``, and nowhere else. A scenario is complete: what its author left
out is filled in when it is made, so two scenarios are equal where they mean the same study.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from school_mentoring.model.designs import FIELDS, PRESETS, Design
from school_mentoring.model.errors import listed, nearest
from school_mentoring.model.parameters import PARAMETERS, Parameter
from school_mentoring.model.world.arrays import Practices
from school_mentoring.model.world.countries import COUNTRIES, FIGURES, PILOT, Country, assumed_country, likely_code
from school_mentoring.model.world.csv_file import Dialect
from school_mentoring.model.world.encoding import ENCODINGS, is_encoding
from school_mentoring.model.world.structure import Contacts, Likeness, Mentored, Network, OnlineHours, Structure, Update

from .designs import check_fields, filled_design
from .fields import NAME_PATTERN, Number, ScenarioSection, Whole, Word, fault
from .gone import refusal
from .ranges import Range, check_range, filled_range, in_scenario

STRUCTURE_DRAWN = "structure"
"""What ``uncertain`` names the choices of structure by, which anchored draws hold beside parameters."""

COMPARATOR = "none"
"""The design every other is compared with; it is a preset and takes no fields."""

GROUPS: tuple[str, ...] = tuple(dict.fromkeys(parameter.group for parameter in PARAMETERS.values()))
"""The groups of parameters that ``uncertain`` may name."""

MAX_SCHOOLS = 20_000_000
MAX_MONTHS = 1200
MAX_DESIGNS = 400


def _field(description: str, unit: str = "", low: float | None = None, high: float | None = None, **rules: Any) -> Any:
    """Return a field; ``low`` to ``high`` make sense in most studies; ``rules`` of pydantic say what is allowed at all."""
    usual = {"unit": unit or None, "low": low, "high": high}
    return Field(description=description, json_schema_extra={name: value for name, value in usual.items() if value is not None}, **rules)


def _file(description: str) -> Any:
    return _field(description, default=None, min_length=1, max_length=4096)


def _month_field(field: str, description: str, default: int) -> Any:
    row = FIELDS[field]
    return _field(description, "month", row.low, row.high, default=default, ge=0, le=MAX_MONTHS)


class Programme(ScenarioSection):
    """The months in which mentoring is funded: first_month <= month < last_month."""

    first_month: Whole = _month_field("first_month", "First month of funding", 6)
    last_month: Whole = _month_field("last_month", "First month without funding again", 34)

    @model_validator(mode="after")
    def _check_window(self) -> Self:
        if self.last_month < self.first_month:
            fault(("last_month",), f"{self.last_month} is before first_month {self.first_month}", "allowed: first_month or later")
        return self

    def window(self, design: Design) -> tuple[int, int]:
        """Return the first month in which a design is funded, and the first in which it is not again."""
        first = self.first_month if design.first_month is None else design.first_month
        return first, self.last_month if design.last_month is None else design.last_month


class CountryEntry(ScenarioSection):
    """A country. Figures that are not stated are those of the known country of that code, else means over the countries that have one."""

    code: str = _field("Code of the country, as in the school table", pattern=r"^[A-Z][A-Z0-9-]{1,9}$")
    name: str = _field("Name for people; the code where it is not stated", min_length=1, max_length=80)
    regions: Whole | None = _field("Regions of this country; null: regions_per_country", default=None, ge=1, le=10_000)
    schools_primary: Whole = _field("Primary schools of the real country", "schools", ge=0, le=1_000_000)
    schools_secondary: Whole = _field("Secondary schools of the real country", "schools", ge=0, le=1_000_000)
    teachers_per_school: Number = _field("Mean teachers of a school", "teachers", ge=1, le=1000)
    teacher_salary_eur_per_year: Number = _field(
        "Gross salary of a teacher, from which every hour's cost follows", "EUR per year", gt=0, le=1e6
    )
    taught_hours: Number = _field(
        "Hours that a teacher teaches, over which the cost of a covered lesson is spread", "hours per year", ge=1, le=8760
    )
    working_hours: Number = _field(
        "Hours that a teacher works, over which the cost of an hour of its own is spread", "hours per year", ge=1, le=8760
    )
    rural: Number = _field("Share of rural schools", "share", ge=0, le=1)
    disadvantaged: Number = _field("Share of schools with many disadvantaged pupils", "share", ge=0, le=1)
    assumed: tuple[str, ...] = _field("Figures that nobody found or stated, filled in by the program", default=())

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, stated: Any) -> Any:
        if isinstance(stated, str):
            if stated not in COUNTRIES:
                close = nearest(likely_code(stated), COUNTRIES)
                fault((), f"no figures for a country {stated!r}", f"{close} or state it as {{code: {stated}, ...}}")
            stated = {"code": stated}
        if not isinstance(stated, Mapping) or not isinstance(stated.get("code"), str):
            return stated
        known = COUNTRIES.get(stated["code"]) or assumed_country(stated["code"])
        assumed = tuple(field for field in known.assumed if field not in stated)
        return {"name": known.name, **known.model_dump(include=set(FIGURES)), "assumed": assumed, **stated}

    @model_validator(mode="after")
    def _check_schools(self) -> Self:
        if self.schools_primary + self.schools_secondary == 0:
            fault(("schools_primary",), "neither primary nor secondary schools", "allowed: one of the two above 0")
        return self


def _pilot_countries() -> tuple[CountryEntry, ...]:
    return tuple(CountryEntry.model_validate(code) for code in PILOT)


class WorldSpec(ScenarioSection):
    """The schools: made from countries and regions, or read from files."""

    countries: tuple[CountryEntry, ...] = _field(
        "Countries: codes of known ones, or mappings with own figures", default_factory=_pilot_countries, min_length=1, max_length=100
    )
    regions_per_country: Whole = _field("Regions of each country", "regions", 1, 10, default=4, ge=1, le=10_000)
    schools_per_region: Whole = _field("Schools of each region", "schools", 5, 60, default=20, ge=1, le=100_000)
    schools: str | None = _file("A schools.csv instead of generated schools, relative to this file")
    ties: str | None = _file("A ties.csv or GraphML file instead of generated ties, relative to this file")
    encoding: str | None = _field("Encoding of those files where they are not Unicode", default=None, min_length=1, max_length=40)
    columns: Mapping[Word, str] = _field("Headers of those files, by the names of columns they stand for", default={}, max_length=100)
    network: Network = _field("How generated ties come about", default=Structure().network)
    update: Update = _field("Whether all teachers decide at once in a month, or school after school", default=Structure().update)
    likeness: Likeness = _field("What makes two schools unlike, in peer ties and in mentoring", default=Structure().likeness)
    contacts: Contacts = _field("What contacts that mentoring made do to what a school sees of others", default=Structure().contacts)
    mentored: Mentored = _field("Whether a team or the whole staff of a school is mentored", default=Structure().mentored)
    online_hours: OnlineHours = _field("Whether the worth of online hours fades as a tie ages", default=Structure().online_hours)

    @property
    def structure(self) -> Structure:
        """The choices that the world is made by."""
        return Structure(*(getattr(self, choice) for choice in Structure._fields))

    @property
    def dialect(self) -> Dialect:
        """How the files are written, as far as they do not show it themselves."""
        return Dialect(self.encoding, self.columns)

    @field_validator("encoding", mode="after")
    @classmethod
    def _check_encoding(cls, name: str | None) -> str | None:
        if name is not None and not is_encoding(name):
            fault((), f"{name!r} is no encoding", f"allowed: {ENCODINGS}")
        return name

    @model_validator(mode="after")
    def _check_countries(self) -> Self:
        codes = [country.code for country in self.countries]
        for position, code in enumerate(codes):
            if code in codes[:position]:
                fault(("countries", position), f"the country {code!r} is listed twice", "allowed: each country once")
        total = self.schools_per_region * sum(country.regions or self.regions_per_country for country in self.countries)
        if self.schools is None and total > MAX_SCHOOLS:
            fault(("schools_per_region",), f"{total} schools in all are too many", f"allowed: {MAX_SCHOOLS} over all regions and countries")
        return self


class Practice(ScenarioSection):
    """A digital teaching practice that spreads from teacher to teacher."""

    name: Word = _field("Name of the practice in tables and figures")
    difficulty: Number = _field("Readiness is divided by it; 1 is the reference", "-", 0.2, 5, default=1.0, gt=0, le=1000)
    weight: Number = _field("Share of mentoring time, relative to the other practices", "-", 0.1, 5, default=1.0, gt=0, le=1e6)
    initial_share: Number | None = _field(
        "Share of teachers at the start; null: the parameter initial_share", "share", 0, 0.5, default=None, ge=0, le=1
    )


class Correlation(ScenarioSection):
    """Two uncertain parameters that go together: the correlation of their normal scores (Gaussian copula)."""

    between: tuple[str, str] = _field("The two parameters")
    value: Number = _field("Correlation of their normal scores", "-", ge=-0.99, le=0.99)


class Scenario(ScenarioSection):
    """The whole description of a study."""

    name: str = _field("Short name, used for folders; the file's name where it is not stated", pattern=NAME_PATTERN)
    title: str = _field("One line for headings", default="", max_length=200)
    description: str = _field("What the scenario stands for, and what it rests on", default="", max_length=10_000)
    seed: Whole = _field("Every random draw follows from it", default=1, ge=0, le=2**64 - 1)
    months: Whole = _field("Months simulated", "months", 12, 120, default=72, ge=1, le=MAX_MONTHS)
    replicates: Whole = _field("Runs per design and parameter set", "runs", 10, 400, default=100, ge=1, le=1_000_000)
    draws: Whole = _field(
        "Parameter sets drawn from the uncertain ones, to say how sure a ranking of designs is", "parameter sets", 16, 512,
        default=128, ge=1, le=1_000_000,
    )  # fmt: skip
    worlds: Whole = _field("Independent populations and networks that the replicates cycle through", default=10, ge=1, le=10_000)
    programme: Programme = _field("When mentoring is funded", default_factory=Programme)
    world: WorldSpec = _field("The schools and their countries", default_factory=WorldSpec)
    practices: tuple[Practice, ...] = _field(
        "The practices that spread", default_factory=lambda: (Practice(name="digital_practice"),), min_length=1, max_length=16
    )
    parameters: Mapping[str, Range] = _field(
        "Parameters that differ from the table: a value, which is then fixed in every run, or base, low, high, distribution", default={}
    )
    designs: Mapping[Word, Design] = _field(
        "Designs by name: nothing for the preset of that name, or fields that differ", min_length=1, max_length=MAX_DESIGNS
    )
    uncertain: tuple[str, ...] = _field(
        "Parameters, or groups of them, that are varied together; structure: the choices that anchored draws hold",
        default=(*GROUPS, STRUCTURE_DRAWN), max_length=200,
    )  # fmt: skip
    correlations: tuple[Correlation, ...] = _field(
        "Uncertain parameters that go together; all others are independent", default=(), max_length=1000
    )
    ranges: Literal["anchored", "independent"] = _field(
        "anchored: uncertain parameters and the structure vary together, by draws that meet what has been measured; "
        "independent: each parameter over its range",
        default="anchored",
    )
    posterior: str | None = _file(
        "A Parquet file of joint draws fitted to data (a column per parameter), which tell how these parameters vary"
    )
    keep_inputs: bool = _field("Whether studies keep copies of own files; false where these are confidential", default=True)

    @field_validator("practices", mode="after")
    @classmethod
    def _check_practices(cls, practices: tuple[Practice, ...]) -> tuple[Practice, ...]:
        names = [practice.name for practice in practices]
        for position, name in enumerate(names):
            if name in names[:position]:
                fault((position, "name"), f"the practice {name!r} is listed twice", "allowed: each name once")
        return practices

    @field_validator("parameters", mode="before")
    @classmethod
    def _fill_parameters(cls, stated: Any) -> Any:
        if not isinstance(stated, Mapping):
            return stated
        if strange := [str(name) for name in stated if name not in PARAMETERS]:
            name, problem, allowed = refusal(strange, "no parameter named {}", PARAMETERS)
            fault((name,), problem, allowed)
        return {name: filled_range(PARAMETERS[name], stated.get(name, {})) for name in PARAMETERS}

    @field_validator("parameters", mode="after")
    @classmethod
    def _check_parameters(cls, ranges: Mapping[str, Range]) -> Mapping[str, Range]:
        for name, given in ranges.items():
            check_range(PARAMETERS[name], given)
        return ranges

    @field_validator("designs", mode="before")
    @classmethod
    def _fill_designs(cls, stated: Any) -> Any:
        if isinstance(stated, (list, tuple)) and all(isinstance(name, str) for name in stated):
            stated = dict.fromkeys(stated)
        return {name: filled_design(name, given) for name, given in stated.items()} if isinstance(stated, Mapping) else stated

    @field_validator("designs", mode="after")
    @classmethod
    def _check_designs(cls, designs: Mapping[str, Design]) -> Mapping[str, Design]:
        for name, design in designs.items():
            check_fields(name, design)
        if designs.get(COMPARATOR, PRESETS[COMPARATOR]) != PRESETS[COMPARATOR]:
            allowed = "give the design another name"
            fault((COMPARATOR,), f"{COMPARATOR!r} is what all designs are compared with and takes no fields", allowed)
        return designs

    @field_validator("uncertain", mode="after")
    @classmethod
    def _check_uncertain(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = [*GROUPS, STRUCTURE_DRAWN, *PARAMETERS]
        if strange := [name for name in names if name not in known]:
            name, problem, allowed = refusal(strange, "neither a parameter nor a group of them: {}", known)
            fault((names.index(name),), problem, allowed)
        return names

    @field_validator("correlations", mode="after")
    @classmethod
    def _check_correlations(cls, given: tuple[Correlation, ...]) -> tuple[Correlation, ...]:
        seen: set[frozenset[str]] = set()
        for position, one in enumerate(given):
            for side, name in enumerate(one.between):
                if name not in PARAMETERS:
                    fault((position, "between", side), *refusal([name], "no parameter named {}", PARAMETERS)[1:])
            pair = frozenset(one.between)
            if len(pair) < 2:
                fault((position, "between"), f"{one.between[0]!r} stands twice", "allowed: two different parameters")
            if pair in seen:
                fault((position, "between"), f"{' and '.join(one.between)} are listed twice", "allowed: each pair once")
            seen.add(pair)
        names = sorted({name for one in given for name in one.between})
        if given and np.linalg.eigvalsh(_correlation_matrix(given, names)).min() < 1e-6:
            fault((), "no set of parameters has all these correlations together", "allowed: values that go together, such as smaller ones")
        return given

    @model_validator(mode="after")
    def _check_windows(self) -> Self:
        for name, design in self.designs.items():
            first, last = self.programme.window(design)
            if last < first:
                field = "first_month" if design.last_month is None else "last_month"
                fault(("designs", name, field), f"funded from month {first} to month {last}", "allowed: last_month not before first_month")
        return self

    def __repr__(self) -> str:
        return (
            f"<Scenario {self.name}: {len(self.world.countries)} countries, {self.months} months, "
            f"{len(self.designs)} designs ({listed(self.designs, 8)}), {self.replicates} replicates, seed {self.seed}>"
        )

    __str__ = __repr__

    def base_parameters(self) -> dict[str, float]:
        """Return the base value of every parameter in this scenario."""
        return {name: given.base for name, given in self.parameters.items()}

    def fixed_parameters(self) -> dict[str, float]:
        """Return the parameters that this scenario fixes, with their values: their range is empty, where that of the table is not."""
        ranges = self.parameters
        return {name: ranges[name].base for name, row in PARAMETERS.items() if ranges[name].low == ranges[name].high and row.low < row.high}

    def uncertain_parameters(self) -> dict[str, Parameter]:
        """Return the parameters to vary, with this scenario's ranges, in the order of the table; those with an empty range are left out."""
        return {
            name: in_scenario(parameter, self.parameters[name], self.name)
            for name, parameter in PARAMETERS.items()
            if (name in self.uncertain or parameter.group in self.uncertain) and self.parameters[name].low < self.parameters[name].high
        }

    def correlation(self, names: Sequence[str]) -> NDArray[np.float64] | None:
        """Return the correlation matrix of the normal scores of some parameters; None where they are independent."""
        matrix = _correlation_matrix(self.correlations, names)
        return None if np.array_equal(matrix, np.eye(len(names))) else matrix

    def country_list(self) -> tuple[Country, ...]:
        """Return the countries as the model reads them."""
        return tuple(
            Country(code=country.code, name=country.name, assumed=country.assumed, **{field: getattr(country, field) for field in FIGURES})
            for country in self.world.countries
        )

    def regions(self) -> tuple[int, ...]:
        """Return the number of regions of each country, in the order of the countries."""
        return tuple(country.regions or self.world.regions_per_country for country in self.world.countries)

    def practice_arrays(self) -> Practices:
        """Return the practices as the model reads them, weights summing to 1."""
        weight = np.array([practice.weight for practice in self.practices])
        shares = [-1.0 if practice.initial_share is None else practice.initial_share for practice in self.practices]
        return Practices(np.array([practice.difficulty for practice in self.practices]), weight / weight.sum(), np.array(shares))


def _correlation_matrix(given: Sequence[Correlation], names: Sequence[str]) -> NDArray[np.float64]:
    place = {name: position for position, name in enumerate(names)}
    matrix = np.eye(len(names))
    for one in given:
        if all(name in place for name in one.between):
            j, k = (place[name] for name in one.between)
            matrix[j, k] = matrix[k, j] = one.value
    return matrix
