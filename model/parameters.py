"""Every parameter of the model once: symbol, meaning, unit, range, source.

The numbers live in ``data/parameters.csv``; nothing else in the project states a default. ``low`` to ``high`` is the plausible range that
sensitivity analysis covers, ``minimum`` to ``maximum`` what the equations allow.

One row stands for all countries, ``salary_<country>``: each country of a world has a parameter of its own by it, such as ``salary_IT``.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from .world.arrays import Floats, Records
from .world.countries import COUNTRIES

Distribution = Literal["pert", "uniform", "triangular", "loguniform", "integer"]


class Parameter(BaseModel):
    """One row of the parameter table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    meaning: str
    unit: str
    minimum: float
    low: float
    base: float
    high: float
    maximum: float
    distribution: Distribution
    group: Literal["behaviour", "incentive", "cost", "network", "world"]
    kind: Literal["evidence", "inference", "assumption"]
    source: str


@cache
def _load() -> dict[str, Parameter]:
    text = files(__package__).joinpath("data/parameters.csv").read_text(encoding="utf-8")
    rows = (Parameter.model_validate(row) for row in csv.DictReader(text.splitlines()))
    return {row.name: row for row in rows}


TABLE: Mapping[str, Parameter] = _load()
"""Every row by name, in the order of the table."""

COUNTRY = "<country>"
"""What stands for a country's code in the name of the row of which each country has one."""

SALARY = "salary_"
"""How the name of a country's salary factor begins; its code follows, in capitals."""

PARAMETERS: Mapping[str, Parameter] = {name: row for name, row in TABLE.items() if name != f"{SALARY}{COUNTRY}"}
"""The parameters that every world has once, by name, in the order of the table."""

PARAMETER_DTYPE = np.dtype([(name, np.float64) for name in PARAMETERS])
"""A parameter set as a record; the rules read its fields by name. The factors of countries are an array beside it."""

WORLD_PARAMETERS = (
    "peer_degree",
    "peer_distance",
    "homophily",
    "rural",
    "disadvantaged",
    "capacity_mean",
    "capacity_spread",
    "capacity_gap",
    "teachers_primary",
    "teachers_secondary",
    "teachers_spread",
    "pupils_per_teacher",
    "region_km",
    "town_km",
)
"""The parameters that shape the population and its peer network; parameter sets that agree in these share their worlds."""


def salary_factor(code: str) -> str:
    """Return the name of the factor on the salaries of a country."""
    return f"{SALARY}{code}"


def country_of(name: str) -> str | None:
    """Return the code of the country whose salary factor has this name; None where it is no such name."""
    code = name.removeprefix(SALARY)
    return code if code != name and "A" <= code[:1] <= "Z" else None


@lru_cache(4096)
def row_of(name: str) -> Parameter | None:
    """Return the row of a parameter, that of a country's factor in its own words; None where nothing has this name."""
    code = country_of(name)
    if code is None:
        return PARAMETERS.get(name)
    row = TABLE[f"{SALARY}{COUNTRY}"]
    called = COUNTRIES[code].name if code in COUNTRIES else code
    return row.model_copy(update={"name": name, "meaning": row.meaning.replace("a country", called)})


def parameters_in(codes: Iterable[str]) -> dict[str, Parameter]:
    """Return the parameters of a world with these countries by name, in the order of the table, factors in the order of the codes."""
    factors = [salary_factor(code) for code in codes]
    names = (name for row in TABLE for name in ([row] if row in PARAMETERS else factors))
    return {name: row for name in names if (row := row_of(name)) is not None}


def base_values() -> dict[str, float]:
    """Return the base value of every parameter that all worlds have."""
    return {name: parameter.base for name, parameter in PARAMETERS.items()}


def parameter_table(sets: Sequence[Mapping[str, float]], codes: Iterable[str] = ()) -> NDArray[np.void]:
    """Return one record per parameter set, shape (len(sets),), absent names at their base value.

    ``codes``: countries whose factors the records hold besides. Raises KeyError for a name that is no parameter.
    """
    base = {name: row.base for name, row in parameters_in(codes).items()}
    table = np.empty(len(sets), [(name, np.float64) for name in base])
    for position, values in enumerate(sets):
        unknown = values.keys() - base.keys()
        if unknown:
            raise KeyError(f"no parameter named {sorted(unknown)[0]!r}")
        table[position] = tuple({**base, **values}.values())
    return table


def engine_tables(table: NDArray[np.void], codes: Sequence[str]) -> tuple[Records, Floats]:
    """Return a table of parameter sets as the engines take it: records of ``PARAMETER_DTYPE``, and the factor on each country's salaries.

    ``codes``: of the world's countries, by number. Factors have shape (sets, countries); one that the table lacks is at its base value.
    """
    records = np.empty(len(table), PARAMETER_DTYPE)
    for name in PARAMETERS:
        records[name] = table[name]
    factors = np.full((len(table), len(codes)), TABLE[f"{SALARY}{COUNTRY}"].base)
    for country, name in enumerate(map(salary_factor, codes)):
        if name in (table.dtype.names or ()):
            factors[:, country] = table[name]
    return records, factors
