"""Every parameter of the model once: symbol, meaning, unit, range, source.

The numbers live in ``data/parameters.csv``; nothing else in the project states a default. ``low`` to ``high`` is the plausible range that
sensitivity analysis covers, ``minimum`` to ``maximum`` what the equations allow.
"""

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

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


PARAMETERS: Mapping[str, Parameter] = _load()
"""Every parameter by name, in the order of the table."""

PARAMETER_DTYPE = np.dtype([(name, np.float64) for name in PARAMETERS])
"""A parameter set as a record; the rules read its fields by name."""

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


def base_values() -> dict[str, float]:
    """Return the base value of every parameter."""
    return {name: parameter.base for name, parameter in PARAMETERS.items()}


def parameter_table(sets: Sequence[Mapping[str, float]]) -> NDArray[np.void]:
    """Return one record per parameter set, shape (len(sets),), absent names at their base value.

    Raises KeyError for a name that is no parameter.
    """
    table = np.empty(len(sets), PARAMETER_DTYPE)
    base = base_values()
    for row, values in enumerate(sets):
        unknown = values.keys() - base.keys()
        if unknown:
            raise KeyError(f"no parameter named {sorted(unknown)[0]!r}")
        table[row] = tuple({**base, **values}.values())
    return table
