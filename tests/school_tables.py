"""Tables of schools for tests: how to read one, how to compare two, and how near a mean should be."""

from dataclasses import fields
from pathlib import Path

import numpy as np

from school_mentoring.model.parameters import base_values
from school_mentoring.model.world.countries import COUNTRIES, PILOT
from school_mentoring.model.world.own_schools import read_schools
from school_mentoring.model.world.schools import Schools

__all__ = ["ALL", "BASE", "CZECHIA", "ITALY", "near", "read", "same"]

ALL = [COUNTRIES[code] for code in PILOT]
ITALY, CZECHIA = COUNTRIES["IT"], COUNTRIES["CZ"]
BASE = base_values()


def near(values: np.ndarray, expected: float, errors: float = 4.0) -> bool:
    """Tell whether the mean of independent values is within some standard errors of what is expected."""
    return abs(float(np.mean(values)) - expected) <= errors * float(np.std(values)) / np.sqrt(len(values))


def same(one: Schools, other: Schools) -> list[str]:
    """Return the columns in which two tables are not the same to the last bit."""
    differing = []
    for field in fields(Schools):
        a, b = getattr(one, field.name), getattr(other, field.name)
        equal = a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes() if isinstance(a, np.ndarray) else a == b
        differing += [] if equal else [field.name]
    return differing


def read(path: Path, text: str | bytes, **options: object) -> Schools:
    """Write a table to schools.csv in a folder and read it as a pilot in Italy and Czechia would."""
    file = path / "schools.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    settings = {"countries": [ITALY, CZECHIA], "regions": [2, 1], "parameters": BASE, "seed": 3, "index": 0} | options
    return read_schools(file, **settings)  # type: ignore[arg-type]
