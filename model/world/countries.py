"""The countries that a scenario may name, with their figures from ``data/countries.csv``.

A cell without a figure is blank there, and filled here: with the mean over the countries that have one, hours with ``USUAL_HOURS``.
"""

import csv
from collections.abc import Mapping, Sequence
from importlib.resources import files
from statistics import fmean

from pydantic import BaseModel, ConfigDict, Field, model_validator

LONGEST_LABEL = 100
"""Characters of a label in a table: a country's code, a school's name."""

MOST_TEACHERS = 1000
"""Teachers of a school."""

PILOT = ("BE-VLG", "HR", "CZ", "HU", "IT", "PT")
"""The six countries of the pilot, those of a scenario that names none."""

SAME = {"EL": "GR", "UK": "GB"}
"""Codes of the European Union that are not those of ISO 3166."""

USUAL_HOURS = {"taught_hours": 700.0, "working_hours": 1600.0}
"""Hours of a teacher's year where a country has no figure; the means of the OECD in 2022 are 784, 711 and 684 taught by level, 1,543 to
1,559 worked."""


class Country(BaseModel):
    """A country of a scenario: school counts, shares in [0, 1], gross salary of a teacher in EUR, hours taught and worked, each per year.

    Only the mix of levels is taken from the school counts; ``rural``, ``disadvantaged`` and ``teachers_per_school`` say how the
    country departs from the mean of the scenario's countries, which is a parameter. ``assumed`` names the figures that nobody found.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(min_length=1, max_length=LONGEST_LABEL)
    name: str
    schools_primary: int = Field(ge=0)
    schools_secondary: int = Field(ge=0)
    teachers_per_school: float = Field(gt=0, le=MOST_TEACHERS, allow_inf_nan=False)
    teacher_salary_eur_per_year: float = Field(ge=0, allow_inf_nan=False)
    taught_hours: float = Field(gt=0, allow_inf_nan=False)
    working_hours: float = Field(gt=0, allow_inf_nan=False)
    rural: float = Field(ge=0, le=1)
    disadvantaged: float = Field(ge=0, le=1)
    assumed: tuple[str, ...] = ()
    source: str = ""

    @model_validator(mode="after")
    def _has_schools(self) -> "Country":
        if self.schools_primary + self.schools_secondary == 0:
            raise ValueError("schools_primary and schools_secondary are both 0; their mix gives the share of secondary schools")
        return self

    @property
    def secondary(self) -> float:
        """Share of secondary schools."""
        return self.schools_secondary / (self.schools_primary + self.schools_secondary)


FIGURES = (
    "schools_primary",
    "schools_secondary",
    "teachers_per_school",
    "teacher_salary_eur_per_year",
    "taught_hours",
    "working_hours",
    "rural",
    "disadvantaged",
)
"""The fields of a country that are numbers."""


def _rows() -> list[dict[str, str]]:
    """Return the rows of the table without their blank cells."""
    text = files("school_mentoring.model").joinpath("data/countries.csv").read_text(encoding="utf-8")
    return [{field: cell for field, cell in row.items() if cell} for row in csv.DictReader(text.splitlines())]


def mean_figures() -> dict[str, float]:
    """Return the figures of a country without any: means over the known countries that have one; counts of schools stay whole."""
    found = {field: [float(row[field]) for row in _rows() if field in row] for field in FIGURES}
    means = {field: fmean(values) for field, values in found.items()} | USUAL_HOURS
    return {field: round(mean) if field.startswith("schools_") else mean for field, mean in means.items()}


def _country(stated: Mapping[str, str], means: Mapping[str, float]) -> Country:
    fields: dict[str, object] = {**means, **stated, "assumed": tuple(field for field in FIGURES if field not in stated)}
    fields["code"] = fields.pop("country")
    return Country.model_validate(fields)


def _countries() -> dict[str, Country]:
    means = mean_figures()
    return {row["country"]: _country(row, means) for row in _rows()}


COUNTRIES: Mapping[str, Country] = _countries()
"""The known countries by code: those of the pilot, then the others of the European Union, and some beyond it."""


def likely_code(stated: str) -> str:
    """Return the code in the table of a country that is called by its name, by its code in the Union or without its part; else the same."""
    whole = {code.partition("-")[0]: code for code in COUNTRIES}
    names = {country.name.casefold(): code for code, country in COUNTRIES.items()}
    return names.get(stated.casefold()) or whole.get(SAME.get(stated, stated), stated)


def assumed_country(code: str) -> Country:
    """Return a country of which nothing but its code is known."""
    return _country({"country": code, "name": code}, mean_figures())


def region_names(codes: Sequence[str], regions: Sequence[int]) -> tuple[str, ...]:
    """Return the names of generated regions, so many of each country: IT-1, IT-2, ..."""
    return tuple(f"{code}-{r + 1}" for code, count in zip(codes, regions, strict=True) for r in range(count))
