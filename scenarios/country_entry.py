"""A country as a scenario states it."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import model_validator

from school_mentoring.model.errors import nearest
from school_mentoring.model.world.countries import COUNTRIES, FIGURES, assumed_country, likely_code

from .fields import Number, ScenarioSection, Whole, described, fault


class CountryEntry(ScenarioSection):
    """A country. Figures that are not stated are those of the known country of that code, else means over the countries that have one."""

    code: str = described("Code of the country, as in the school table", pattern=r"^[A-Z][A-Z0-9-]{1,9}$")
    name: str = described("Name for people; the code where it is not stated", min_length=1, max_length=80)
    regions: Whole | None = described("Regions of this country; null: regions_per_country", default=None, ge=1, le=10_000)
    schools_primary: Whole = described("Primary schools of the real country", "schools", ge=0, le=1_000_000)
    schools_secondary: Whole = described("Secondary schools of the real country", "schools", ge=0, le=1_000_000)
    teachers_per_school: Number = described("Mean teachers of a school", "teachers", ge=1, le=1000)
    teacher_salary_eur_per_year: Number = described(
        "Gross salary of a teacher, from which every hour's cost follows", "EUR per year", gt=0, le=1e6
    )
    taught_hours: Number = described(
        "Hours that a teacher teaches, over which the cost of a covered lesson is spread", "hours per year", ge=1, le=8760
    )
    working_hours: Number = described(
        "Hours that a teacher works, over which the cost of an hour of its own is spread", "hours per year", ge=1, le=8760
    )
    rural: Number = described("Share of rural schools", "share", ge=0, le=1)
    disadvantaged: Number = described("Share of schools with many disadvantaged pupils", "share", ge=0, le=1)
    assumed: tuple[str, ...] = described("Figures that nobody found or stated, filled in by the program", default=())

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
