"""The scenario: the whole description of a study, with every field's meaning, unit and range.

Defaults stand here, in the fields below, or in the tables of ``model/data``, and nowhere else. A scenario is complete: what its author left
out is filled in when it is made, so two scenarios are equal where they mean the same study.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationInfo, field_serializer, field_validator, model_validator

from school_mentoring.model.designs import PRESETS, Design
from school_mentoring.model.errors import InputError, listed
from school_mentoring.model.parameters import TABLE, Parameter, country_of, parameters_in
from school_mentoring.model.programmes import Programme
from school_mentoring.model.world.arrays import Practices
from school_mentoring.model.world.countries import FIGURES, PILOT, Country, region_names
from school_mentoring.model.world.csv_file import Dialect
from school_mentoring.model.world.encoding import ENCODINGS, is_encoding
from school_mentoring.model.world.structure import WORLD_WORDS, Contacts, Likeness, Mentored, Network, OnlineHours, Structure, Update

from .correlations import Correlation, check_correlations, correlation_matrix
from .country_entry import CountryEntry
from .fields import NAME_PATTERN, Number, ScenarioSection, Whole, Word, described, fault
from .funding import MAX_MONTHS, Funding
from .gone import refusal
from .programmes import built_designs, check_horizon, check_places, parts, written
from .ranges import Range, check_range, check_years, filled_range, in_scenario, rows_of, says_nothing
from .stated import STATED, stated_in

STRUCTURE_DRAWN = "structure"
"""What ``uncertain`` names the choices of structure by, which anchored draws hold beside parameters."""

COMPARATOR = "none"
"""The design every other is compared with; it is a preset and takes no fields."""

WITHOUT_FILES = "without files"
"""The context in which a scenario is made without a look at the files that it names."""

GROUPS: tuple[str, ...] = tuple(dict.fromkeys(parameter.group for parameter in TABLE.values()))
"""The groups of parameters that ``uncertain`` may name."""

MAX_SCHOOLS = 20_000_000
MAX_DESIGNS = 400


def _file(description: str) -> Any:
    return described(description, default=None, min_length=1, max_length=4096)


def _pilot_countries() -> tuple[CountryEntry, ...]:
    return tuple(CountryEntry.model_validate(code) for code in PILOT)


class WorldSpec(ScenarioSection):
    """The schools: made from countries and regions, or read from files."""

    countries: tuple[CountryEntry, ...] = described(
        "Countries: codes of known ones, or mappings with own figures", default_factory=_pilot_countries, min_length=1, max_length=100
    )
    regions_per_country: Whole = described("Regions of each country", "regions", 1, 10, default=4, ge=1, le=10_000)
    schools_per_region: Whole = described("Schools of each region", "schools", 5, 60, default=20, ge=1, le=100_000)
    schools: str | None = _file("A schools.csv instead of generated schools, relative to this file")
    ties: str | None = _file("A ties.csv or GraphML file instead of generated ties, relative to this file")
    directed: bool = described("Whether the source of a peer tie of that file looks at the target alone (who names whom)", default=False)
    encoding: str | None = described("Encoding of those files where they are not Unicode", default=None, min_length=1, max_length=40)
    columns: Mapping[Word, str] = described("Headers of those files, by the names of columns they stand for", default={}, max_length=100)
    network: Network = described("How generated ties come about", default=Structure().network)
    update: Update = described("Whether all teachers decide at once in a month, or school after school", default=Structure().update)
    likeness: Likeness = described("What makes two schools unlike, in peer ties and in mentoring", default=Structure().likeness)
    contacts: Contacts = described("What contacts that mentoring made do to what a school sees of others", default=Structure().contacts)
    mentored: Mentored = described("Whether a team or the whole staff of a school is mentored", default=Structure().mentored)
    online_hours: OnlineHours = described("Whether the worth of online hours fades as a tie ages", default=Structure().online_hours)

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

    name: Word = described("Name of the practice in tables and figures")
    difficulty: Number = described("Readiness is divided by it; 1 is the reference", "-", 0.2, 5, default=1.0, gt=0, le=1000)
    weight: Number = described("Share of mentoring time, relative to the other practices", "-", 0.1, 5, default=1.0, gt=0, le=1e6)
    initial_share: Number | None = described(
        "Share of teachers at the start; null: the parameter initial_share", "share", 0, 0.5, default=None, ge=0, le=1
    )


class Scenario(ScenarioSection):
    """The whole description of a study."""

    name: str = described("Short name, used for folders; the file's name where it is not stated", pattern=NAME_PATTERN)
    title: str = described("One line for headings", default="", max_length=200)
    description: str = described("What the scenario stands for, and what it rests on", default="", max_length=10_000)
    seed: Whole = described("Every random draw follows from it", default=1, ge=0, le=2**64 - 1)
    months: Whole = described("Months simulated", "months", 12, 120, default=72, ge=1, le=MAX_MONTHS)
    step: Literal["month", "year"] = described("What a month of this file stands for; year where nobody is mentored", default="month")
    replicates: Whole = described("Runs per design and parameter set", "runs", 10, 400, default=100, ge=1, le=1_000_000)
    draws: Whole = described(
        "Parameter sets drawn from the uncertain ones, to say how sure a ranking of designs is", "parameter sets", 16, 512,
        default=128, ge=1, le=1_000_000,
    )  # fmt: skip
    worlds: Whole = described("Independent populations and networks that the replicates cycle through", default=10, ge=1, le=10_000)
    programme: Funding = described("When mentoring is funded", default_factory=Funding)
    world: WorldSpec = described("The schools and their countries", default_factory=WorldSpec)
    practices: tuple[Practice, ...] = described(
        "The practices that spread", default_factory=lambda: (Practice(name="digital_practice"),), min_length=1, max_length=16
    )
    parameters: Mapping[str, Range] = described(
        "Parameters that differ from the table: a value, which is then fixed in every run, or base, low, high, distribution", default={}
    )
    designs: Mapping[Word, Design | Programme] = described(
        "Designs by name: nothing for the preset of that name, fields that differ, or a programme of phases, countries or regions",
        min_length=1, max_length=MAX_DESIGNS,
    )  # fmt: skip
    uncertain: tuple[str, ...] = described(
        "Parameters, or groups of them, that are varied together; structure: the choices that anchored draws hold",
        default=(*GROUPS, STRUCTURE_DRAWN), max_length=200,
    )  # fmt: skip
    correlations: tuple[Correlation, ...] = described(
        "Uncertain parameters that go together; all others are independent", default=(), max_length=1000
    )
    ranges: Literal["anchored", "independent"] = described(
        "anchored: uncertain parameters and the structure vary together, by draws that meet what has been measured; "
        "independent: each parameter over its range",
        default="anchored",
    )
    posterior: str | None = _file(
        "A Parquet file of joint draws fitted to data (a column per parameter), which tell how these parameters vary"
    )
    stated: tuple[str, ...] = described(
        "Parameters and choices of structure that are stated, also as they are by default; filled in by the program", default=()
    )
    keep_inputs: bool = described("Whether studies keep copies of own files; false where these are confidential", default=True)

    @model_validator(mode="before")
    @classmethod
    def _fill_stated(cls, given: Any) -> Any:
        return {STATED: stated_in(given), **given} if isinstance(given, Mapping) else given

    @field_validator(STATED, mode="after")
    @classmethod
    def _check_stated(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        known = [*info.data.get("parameters", names), *WORLD_WORDS]
        if strange := [name for name in names if name not in known and not country_of(name)]:
            fault((names.index(strange[0]),), *refusal(strange, "neither a parameter nor a choice of structure: {}", known)[1:])
        return tuple(name for name in known if name in names)

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
    def _fill_parameters(cls, stated: Any, info: ValidationInfo) -> Any:
        if not isinstance(stated, Mapping):
            return stated
        rows = parameters_in(cls._codes(stated, info))
        if strange := [str(name) for name in stated if name not in rows and not says_nothing(str(name), stated[name])]:
            name, problem, allowed = refusal(strange, "no parameter named {}", rows)
            fault((name,), problem, allowed)
        return {name: filled_range(row, stated.get(name, {})) for name, row in rows.items()}

    @staticmethod
    def _codes(stated: Mapping[Any, Any], info: ValidationInfo) -> Sequence[str]:
        """Return the codes of the countries that the worlds have; ``stated``: parameters.

        Where files are not to be read (the context says so) the schools' own are those of which factors are stated, as studies state all.
        """
        world: WorldSpec | None = info.data.get("world")
        told = [code for name in stated if (code := country_of(str(name)))]
        if world is None:  # it is refused
            return told
        codes = [country.code for country in world.countries]
        if world.schools is None:
            return codes
        if info.context == WITHOUT_FILES:
            return told or codes
        from school_mentoring.model.world.own_schools import codes_in

        regions = [country.regions or world.regions_per_country for country in world.countries]
        return codes_in(world.schools, codes, regions, world.dialect)

    @field_validator("parameters", mode="after")
    @classmethod
    def _check_parameters(cls, ranges: Mapping[str, Range]) -> Mapping[str, Range]:
        for row, given in rows_of(ranges):
            check_range(row, given)
        return ranges

    @field_validator("designs", mode="before")
    @classmethod
    def _fill_designs(cls, stated: Any) -> Any:
        if isinstance(stated, (list, tuple)) and all(isinstance(name, str) for name in stated):
            stated = dict.fromkeys(stated)
        return built_designs(stated) if isinstance(stated, Mapping) else stated

    @field_validator("designs", mode="after")
    @classmethod
    def _check_designs(cls, designs: Mapping[str, Design | Programme]) -> Mapping[str, Design | Programme]:
        if designs.get(COMPARATOR, PRESETS[COMPARATOR]) != PRESETS[COMPARATOR]:
            allowed = "give the design another name"
            fault((COMPARATOR,), f"{COMPARATOR!r} is what all designs are compared with and takes no fields", allowed)
        if (count := sum(1 for design in designs.values() for _ in parts(design))) > MAX_DESIGNS:
            fault((), f"{count} designs, phases and places in all are too many", f"allowed: {MAX_DESIGNS}")
        return designs

    @field_serializer("designs")
    def _state_designs(self, designs: Mapping[str, Design | Programme]) -> dict[str, Any]:
        return {name: written(design) for name, design in designs.items()}

    @field_validator("uncertain", mode="after")
    @classmethod
    def _check_uncertain(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        known = [*GROUPS, STRUCTURE_DRAWN, *info.data.get("parameters", names)]
        if strange := [name for name in names if name not in known]:
            name, problem, allowed = refusal(strange, "neither a parameter nor a group of them: {}", known)
            fault((names.index(name),), problem, allowed)
        return names

    @field_validator("correlations", mode="after")
    @classmethod
    def _check_correlations(cls, given: tuple[Correlation, ...], info: ValidationInfo) -> tuple[Correlation, ...]:
        check_correlations(given, info.data.get("parameters", {name for one in given for name in one.between}))
        return given

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        codes, made = [country.code for country in self.world.countries], self.world.schools is None
        for name, design in self.designs.items():
            for at, part in parts(design):
                first, last = self.programme.window(part)
                if last < first:
                    field = "first_month" if part.last_month is None else "last_month"
                    fault(
                        ("designs", name, *at, field),
                        f"funded from month {first} to month {last}",
                        "allowed: last_month not before first_month",
                    )
            if isinstance(design, Programme):
                check_places(name, design, codes, region_names(codes, self.regions()) if made else (), made)
                check_horizon(name, design, self.programme.first_month, self.months)
        if self.step == "year":
            check_years([name for name in self.designs if name != COMPARATOR], self.parameters)
        return self

    def __repr__(self) -> str:
        return (
            f"<Scenario {self.name}: {len(self.world.countries)} countries, {self.months} months, "
            f"{len(self.designs)} designs ({listed(self.designs, 8)}), {self.replicates} replicates, seed {self.seed}>"
        )

    __str__ = __repr__

    @property
    def country_codes(self) -> tuple[str, ...]:
        """The codes of the countries that its worlds have: those of its own schools where these are read from a file."""
        return tuple(code for name in self.parameters if (code := country_of(name)))

    def plain_design(self, name: str) -> Design:
        """Return a design by its name. Raises InputError where it is a programme, of which no single design can be told."""
        design = self.designs[name]
        if isinstance(design, Programme):
            raise InputError(f"design {name}", "is a programme of phases or places", "allowed: plain designs, which --designs may choose")
        return design

    def base_parameters(self) -> dict[str, float]:
        """Return the base value of every parameter in this scenario."""
        return {name: given.base for name, given in self.parameters.items()}

    def fixed_parameters(self) -> dict[str, float]:
        """Return the parameters that this scenario fixes, with their values: their range is empty, where that of the table is not."""
        return {row.name: given.base for row, given in rows_of(self.parameters) if given.low == given.high and row.low < row.high}

    def uncertain_parameters(self) -> dict[str, Parameter]:
        """Return the parameters to vary, with this scenario's ranges, in the order of the table; those with an empty range are left out."""
        return {
            row.name: in_scenario(row, given, self.name)
            for row, given in rows_of(self.parameters)
            if (row.name in self.uncertain or row.group in self.uncertain) and given.low < given.high
        }

    def parameter_rows(self) -> dict[str, Parameter]:
        """Return the table of parameters as it is in this scenario; where numbers are the scenario's own, it is their source."""
        return {row.name: in_scenario(row, given, self.name) for row, given in rows_of(self.parameters)}

    def correlation(self, names: Sequence[str]) -> NDArray[np.float64] | None:
        """Return the correlation matrix of the normal scores of some parameters; None where they are independent."""
        matrix = correlation_matrix(self.correlations, names)
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
