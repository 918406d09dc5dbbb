"""The countries that a scenario may name, with their figures from ``data/countries.csv``."""

import csv
from collections.abc import Mapping
from importlib.resources import files
from statistics import fmean

from pydantic import BaseModel, ConfigDict, Field, model_validator

LONGEST_LABEL = 100
"""Characters of a label in a table: a country's code, a school's name."""

MOST_TEACHERS = 1000
"""Teachers of a school."""


class Country(BaseModel):
    """A country of a scenario: school counts, shares in [0, 1], gross salary of a teacher in EUR, hours taught and worked, each per year.

    Only the mix of levels is taken from the school counts; ``rural``, ``disadvantaged`` and ``teachers_per_school`` say how the
    country departs from the mean of the scenario's countries, which is a parameter.
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


def _countries() -> dict[str, Country]:
    text = files("school_mentoring.model").joinpath("data/countries.csv").read_text(encoding="utf-8")
    rows = ({**row, "code": row["country"]} for row in csv.DictReader(text.splitlines()))
    countries = (Country.model_validate({name: row[name] for name in Country.model_fields}) for row in rows)
    return {country.code: country for country in countries}


COUNTRIES: Mapping[str, Country] = _countries()
"""The six countries of the pilot by code."""

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


def mean_figures() -> dict[str, float]:
    """Return the means over the known countries; counts of schools stay whole."""
    means = {field: fmean(getattr(country, field) for country in COUNTRIES.values()) for field in FIGURES}
    return {field: round(mean) if field.startswith("schools_") else mean for field, mean in means.items()}


def assumed_country(code: str) -> Country:
    """Return a country of which nothing but its code is known."""
    return Country.model_validate({"code": code, "name": code, **mean_figures()})
