"""The scenario: the whole description of a study, with every field's meaning, unit and range.

Defaults stand here, in the fields below, or in the tables of ``model/data``, and nowhere else. A scenario is complete: what its author left
out is filled in when it is made, so two scenarios are equal where they mean the same study.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from school_mentoring.model.designs import FIELDS, PRESETS, Design
from school_mentoring.model.errors import listed, nearest, quoted
from school_mentoring.model.parameters import PARAMETERS, Parameter
from school_mentoring.model.world.arrays import Practices
from school_mentoring.model.world.countries import COUNTRIES, FIGURES, Country, mean_figures
from school_mentoring.model.world.csv_file import Dialect
from school_mentoring.model.world.encoding import ENCODINGS, is_encoding
from school_mentoring.model.world.structure import Likeness, Network, Structure, Update

from .designs import check_fields, filled_design
from .fields import NAME_PATTERN, Number, ScenarioSection, Whole, Word, fault
from .ranges import Range, check_range, filled_range, in_scenario

COMPARATOR = "none"
"""The design every other is compared with; it is a preset and takes no fields."""

GROUPS: tuple[str, ...] = tuple(dict.fromkeys(parameter.group for parameter in PARAMETERS.values()))
"""The groups of parameters that ``uncertain`` may name."""

MAX_SCHOOLS = 20_000_000
MAX_MONTHS = 1200
MAX_DESIGNS = 400


def _usual(unit: str, low: float, high: float) -> dict[str, Any]:
    """Return what a field's unit is, and the range of values that make sense in most studies (its bounds are what is allowed at all)."""
    return {"unit": unit, "low": low, "high": high}


def _window(field: str) -> tuple[float, float]:
    row = FIELDS[field]
    assert row.low is not None and row.high is not None
    return row.low, row.high


class Programme(ScenarioSection):
    """The months in which mentoring is funded: first_month <= month < last_month."""

    first_month: Whole = Field(
        default=6, ge=0, le=MAX_MONTHS, description="First month of funding", json_schema_extra=_usual("month", *_window("first_month"))
    )
    last_month: Whole = Field(
        default=34,
        ge=0,
        le=MAX_MONTHS,
        description="First month without funding again",
        json_schema_extra=_usual("month", *_window("last_month")),
    )

    @model_validator(mode="after")
    def _check_window(self) -> Self:
        if self.last_month < self.first_month:
            fault(("last_month",), f"{self.last_month} is before first_month {self.first_month}", "allowed: first_month or later")
        return self


class CountryEntry(ScenarioSection):
    """A country. Figures that are not stated are those of the known country of that code, else the mean over the known countries."""

    code: str = Field(pattern=r"^[A-Z][A-Z0-9-]{1,9}$", description="Code of the country, as in the school table")
    name: str = Field(min_length=1, max_length=80, description="Name for people; the code where it is not stated")
    regions: Whole | None = Field(default=None, ge=1, le=10_000, description="Regions of this country; null: regions_per_country")
    schools_primary: Whole = Field(
        ge=0, le=1_000_000, description="Primary schools of the real country", json_schema_extra={"unit": "schools"}
    )
    schools_secondary: Whole = Field(
        ge=0, le=1_000_000, description="Secondary schools of the real country", json_schema_extra={"unit": "schools"}
    )
    teachers_per_school: Number = Field(ge=1, le=1000, description="Mean teachers of a school", json_schema_extra={"unit": "teachers"})
    teacher_salary_eur_per_year: Number = Field(
        gt=0,
        le=1e6,
        description="Gross salary of a teacher, from which every hour's cost follows",
        json_schema_extra={"unit": "EUR per year"},
    )
    rural: Number = Field(ge=0, le=1, description="Share of rural schools", json_schema_extra={"unit": "share"})
    disadvantaged: Number = Field(
        ge=0, le=1, description="Share of schools with many disadvantaged pupils", json_schema_extra={"unit": "share"}
    )
    assumed: tuple[str, ...] = Field(
        default=(), description="Figures nobody stated: means over the known countries (written by the program)"
    )

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, stated: Any) -> Any:
        if isinstance(stated, str):
            if stated not in COUNTRIES:
                fault((), f"no figures for a country {stated!r}", f"{nearest(stated, COUNTRIES)} or state it as {{code: {stated}, ...}}")
            stated = {"code": stated}
        if not isinstance(stated, Mapping) or not isinstance(stated.get("code"), str):
            return stated
        known = COUNTRIES.get(stated["code"])
        figures = known.model_dump(include=set(FIGURES)) if known else mean_figures()
        assumed = () if known else tuple(field for field in FIGURES if field not in stated)
        return {"name": known.name if known else stated["code"], **figures, "assumed": assumed, **stated}

    @model_validator(mode="after")
    def _check_schools(self) -> Self:
        if self.schools_primary + self.schools_secondary == 0:
            fault(("schools_primary",), "neither primary nor secondary schools", "allowed: one of the two above 0")
        return self


def _known_countries() -> tuple[CountryEntry, ...]:
    return tuple(CountryEntry.model_validate(code) for code in COUNTRIES)


class WorldSpec(ScenarioSection):
    """The schools: made from countries and regions, or read from files."""

    countries: tuple[CountryEntry, ...] = Field(
        default_factory=_known_countries,
        min_length=1,
        max_length=100,
        description="Countries: codes of known ones, or mappings with own figures",
    )
    regions_per_country: Whole = Field(
        default=4, ge=1, le=10_000, description="Regions of each country", json_schema_extra=_usual("regions", 1, 10)
    )
    schools_per_region: Whole = Field(
        default=20, ge=1, le=100_000, description="Schools of each region", json_schema_extra=_usual("schools", 5, 60)
    )
    schools: str | None = Field(
        default=None, min_length=1, max_length=4096, description="A schools.csv instead of generated schools, relative to this file"
    )
    ties: str | None = Field(
        default=None,
        min_length=1,
        max_length=4096,
        description="A ties.csv or GraphML file instead of generated ties, relative to this file",
    )
    encoding: str | None = Field(
        default=None, min_length=1, max_length=40, description="Encoding of those files where they are not Unicode"
    )
    columns: Mapping[Word, str] = Field(
        default={}, max_length=100, description="Headers of those files, by the names of columns they stand for"
    )
    network: Network = Field(default=Structure().network, description="How generated ties come about")
    update: Update = Field(default=Structure().update, description="Whether all teachers decide at once in a month, or school after school")
    likeness: Likeness = Field(default=Structure().likeness, description="What makes two schools unlike, in peer ties and in mentoring")

    @property
    def structure(self) -> Structure:
        """The choices that the world is made by."""
        return Structure(self.network, self.update, self.likeness)

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

    name: Word = Field(description="Name of the practice in tables and figures")
    difficulty: Number = Field(
        default=1.0, gt=0, le=1000, description="Readiness is divided by it; 1 is the reference", json_schema_extra=_usual("-", 0.2, 5)
    )
    weight: Number = Field(
        default=1.0,
        gt=0,
        le=1e6,
        description="Share of mentoring time, relative to the other practices",
        json_schema_extra=_usual("-", 0.1, 5),
    )
    initial_share: Number | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Share of teachers at the start; null: the parameter initial_share",
        json_schema_extra=_usual("share", 0, 0.5),
    )


class Correlation(ScenarioSection):
    """Two uncertain parameters that go together: the correlation of their normal scores (Gaussian copula)."""

    between: tuple[str, str] = Field(description="The two parameters")
    value: Number = Field(ge=-0.99, le=0.99, description="Correlation of their normal scores", json_schema_extra={"unit": "-"})


class Scenario(ScenarioSection):
    """The whole description of a study."""

    name: str = Field(pattern=NAME_PATTERN, description="Short name, used for folders; the file's name where it is not stated")
    title: str = Field(default="", max_length=200, description="One line for headings")
    description: str = Field(default="", max_length=10_000, description="What the scenario stands for, and what it rests on")
    seed: Whole = Field(default=1, ge=0, le=2**64 - 1, description="Every random draw follows from it")
    months: Whole = Field(default=72, ge=1, le=MAX_MONTHS, description="Months simulated", json_schema_extra=_usual("months", 12, 120))
    replicates: Whole = Field(
        default=100, ge=1, le=1_000_000, description="Runs per design and parameter set", json_schema_extra=_usual("runs", 10, 400)
    )
    draws: Whole = Field(
        default=128,
        ge=1,
        le=1_000_000,
        description="Parameter sets drawn from the uncertain ones, to say how sure a ranking of designs is",
        json_schema_extra=_usual("parameter sets", 16, 512),
    )
    worlds: Whole = Field(default=10, ge=1, le=10_000, description="Independent populations and networks that the replicates cycle through")
    programme: Programme = Field(default_factory=Programme, description="When mentoring is funded")
    world: WorldSpec = Field(default_factory=WorldSpec, description="The schools and their countries")
    practices: tuple[Practice, ...] = Field(
        default_factory=lambda: (Practice(name="digital_practice"),), min_length=1, max_length=16, description="The practices that spread"
    )
    parameters: Mapping[str, Range] = Field(
        default={},
        description="Parameters that differ from the table: a value, which is then fixed in every run, or base, low, high, distribution",
    )
    designs: Mapping[Word, Design] = Field(
        min_length=1, max_length=MAX_DESIGNS, description="Designs by name: nothing for the preset of that name, or fields that differ"
    )
    uncertain: tuple[str, ...] = Field(
        default=GROUPS, max_length=200, description="Parameters, or groups of them, that are varied together"
    )
    correlations: tuple[Correlation, ...] = Field(
        default=(), max_length=1000, description="Uncertain parameters that go together; all others are independent"
    )
    posterior: str | None = Field(
        default=None,
        min_length=1,
        max_length=4096,
        description="A Parquet file of joint draws fitted to data (a column per parameter), which tell how these parameters vary",
    )
    keep_inputs: bool = Field(default=True, description="Whether studies keep copies of own files; false where these are confidential")

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
            fault((strange[0],), f"no parameter named {quoted(strange)}", nearest(strange, PARAMETERS))
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
            fault(
                (COMPARATOR,), f"{COMPARATOR!r} is what all designs are compared with and takes no fields", "give the design another name"
            )
        return designs

    @field_validator("uncertain", mode="after")
    @classmethod
    def _check_uncertain(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = [*GROUPS, *PARAMETERS]
        if strange := [name for name in names if name not in known]:
            fault((names.index(strange[0]),), f"neither a parameter nor a group of them: {quoted(strange)}", nearest(strange, known))
        return names

    @field_validator("correlations", mode="after")
    @classmethod
    def _check_correlations(cls, given: tuple[Correlation, ...]) -> tuple[Correlation, ...]:
        seen: set[frozenset[str]] = set()
        for position, one in enumerate(given):
            for side, name in enumerate(one.between):
                if name not in PARAMETERS:
                    fault((position, "between", side), f"no parameter named {name!r}", nearest(name, PARAMETERS))
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
            first = self.programme.first_month if design.first_month is None else design.first_month
            last = self.programme.last_month if design.last_month is None else design.last_month
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

    def design_list(self) -> dict[str, Design]:
        """Return the designs by name, in the order of the scenario."""
        return dict(self.designs)

    def country_list(self) -> tuple[Country, ...]:
        """Return the countries as the model reads them."""
        return tuple(
            Country(code=country.code, name=country.name, **{field: getattr(country, field) for field in FIGURES})
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
