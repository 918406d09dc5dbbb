"""What a table of schools says and probably does not mean: places and sizes that no school has are remarked on, impossible ones refused."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from .arrays import Floats
from .countries import SAME
from .csv_file import CsvTable, Given

FAR_KM = 200.0
"""A school is outside a country where the middles of its cells of one degree are farther than this: 120 km from its border or more."""

EARTH_RADIUS_KM = 6371.0088
EARTH_KM = 20_038.0
"""Half of the equator: no two places are farther from each other."""

MOST_TEACHERS, MOST_PUPILS, FEWEST_PUPILS, MOST_PUPILS_PER_TEACHER = 500, 5000, 5, 60
LOWEST_SHARE = 0.01
LEAST_RATIO = 0.003
"""Of the width of a country's schools in one direction to that in the other."""

Rows = NDArray[np.intp]
ByCountry = Sequence[tuple[Sequence[str], NDArray[np.bool_]]]
"""Codes of countries, with the rows of the schools that are in one of them."""


def check_sizes(table: CsvTable, given: Mapping[str, Given]) -> None:
    """Remark on schools that are larger than schools are, and on columns whose unit is probably another one."""
    for name, most in (("teachers", MOST_TEACHERS), ("pupils", MOST_PUPILS)):
        if name in given:
            large = _where(given[name].present & (given[name].values > most))
            table.remark(large, name, f"up to {given[name].values.max():,.0f} {name}", f"expected at most {most:,} in a school")
    if "pupils" in given:
        tiny = _where(given["pupils"].present & (given["pupils"].values < FEWEST_PUPILS))
        table.remark(tiny, "pupils", f"fewer than {FEWEST_PUPILS} pupils", "expected all pupils of a school")
    if "teachers" in given and "pupils" in given:
        (teachers, known), (pupils, also) = given["teachers"], given["pupils"]
        few, many = (_where(known & also & wrong) for wrong in (pupils < teachers, pupils > MOST_PUPILS_PER_TEACHER * teachers))
        table.remark(few, "pupils", "fewer pupils than teachers", "expected several pupils a teacher")
        table.remark(many, "pupils", f"more than {MOST_PUPILS_PER_TEACHER} pupils a teacher", "expected fewer")
    for name in ("digital_capacity", "openness"):
        if name in given and 0.0 < (highest := given[name].values.max()) < LOWEST_SHARE:
            table.remark(_where(given[name].present), name, f"at most {highest:g}", "expected shares from 0 to 1")


def check_degrees(table: CsvTable, given: Mapping[str, Given], countries: ByCountry) -> None:
    """Complain of places that are exchanged or unknown, remark on those far outside of the country of their school."""
    (latitude, present), (longitude, _) = given["latitude"], given["longitude"]
    nowhere = present & (latitude == 0.0) & (longitude == 0.0)
    for at in _where(nowhere):
        problem = "latitude and longitude are both 0, in the sea off Africa"
        table.complain(at, "latitude", "leave both blank where a place is not known", problem)
    for codes, rows in _known(countries, present & ~nowhere):
        away = km_from(codes, latitude[rows], longitude[rows])
        far = away > FAR_KM
        exchanged = far & (np.abs(longitude[rows]) <= 90.0)
        exchanged[exchanged] = km_from(codes, longitude[rows][exchanged], latitude[rows][exchanged]) <= FAR_KM
        where = " or ".join(codes[:3])
        for at in rows[exchanged].tolist():
            problem = f"latitude {latitude[at]:g} and longitude {longitude[at]:g} lie far outside {where}; exchanged they lie in it"
            table.complain(at, "latitude", "exchange the two columns", problem)
        strange = far & ~exchanged
        if strange.any():
            expected = "expected places in the country or near it"
            table.remark(rows[strange], "latitude", f"{away[strange].max():,.0f} km from {where}", expected)


def check_kilometres(table: CsvTable, given: Mapping[str, Given], countries: ByCountry) -> None:
    """Complain of positions that are farther from each other than the Earth allows, remark on those in another unit than km."""
    (x, present), (y, _) = given["x_km"], given["y_km"]
    for codes, rows in _known(countries, present):
        sides = sorted((float(np.ptp(x[rows])), float(np.ptp(y[rows]))))
        width = float(np.hypot(sides[0], sides[1]))
        expected = f"expected km, and {codes[0]} is {length_km(codes[0]):,.0f} km long"
        if width > EARTH_KM:
            problem = f"schools of a country are {width:,.0f} km from each other"
            table.complain(int(rows[0]), "x_km", f"{expected}; are these metres?", problem)
        elif width > sum(2.0 * length_km(code) + FAR_KM for code in codes):
            table.remark(rows, "x_km", f"schools {width:,.0f} km from each other", f"{expected}; are these metres?")
        elif len(rows) > 2 and width < 1.0:
            table.remark(rows, "x_km", f"all schools within {width:.3g} km", expected)
        elif len(rows) > 2 and 0.0 < sides[0] < LEAST_RATIO * sides[1]:
            expected = "expected x_km and y_km in one unit"
            table.remark(rows, "x_km", f"all schools on a strip of {sides[0]:.3g} by {sides[1]:.3g} km", expected)
        elif len(rows) > 2 and np.abs(x[rows]).max() <= 180.0 and np.abs(y[rows]).max() <= 90.0:
            inside = (km_from(codes, *places).max() <= FAR_KM / 2 for places in ((y[rows], x[rows]), (x[rows], y[rows])))
            if any(inside):
                expected = "expected km; degrees are latitude and longitude"
                table.remark(rows, "x_km", f"taken for degrees, they all lie in {codes[0]}", expected)


def _where(rows: NDArray[np.bool_]) -> list[int]:
    return np.flatnonzero(rows).tolist()


def _known(countries: ByCountry, present: NDArray[np.bool_]) -> Iterator[tuple[list[str], Rows]]:
    """Yield the countries that an outline is known of, and the rows of their schools that are present."""
    for codes, members in countries:
        outlined, rows = [code for code in codes if is_country(code)], np.flatnonzero(members & present)
        if outlined and len(rows):
            yield outlined, rows


# --------------------------------------------------------------------------------------------------- where countries are


@cache
def _land() -> dict[str, Floats]:
    """Return the middles of the cells of one degree that each country's outline touches as unit vectors, (cells, 3).

    Of Natural Earth 1:10m (public domain; data/land.csv): a line of the table holds a country's cells as latitude:longitudes, each by its
    lower corner, longitudes as single ones or first..last.
    """
    text = files("school_mentoring.model").joinpath("data/land.csv").read_text(encoding="utf-8")
    found = {}
    for row in csv.DictReader(text.splitlines()):
        degrees = []
        for line in row["cells"].split():
            latitude, _, longitudes = line.partition(":")
            for run in longitudes.split("+"):
                first, _, last = run.partition("..")
                degrees += [(int(latitude), longitude) for longitude in range(int(first), int(last or first) + 1)]
        middle = np.array(degrees, dtype=np.float64) + 0.5
        found[row["country"]] = _vectors(middle[:, 0], middle[:, 1])
    return found


def _vectors(latitude: Floats, longitude: Floats) -> Floats:
    lat, lon = np.radians(latitude), np.radians(longitude)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def _land_of(code: str) -> str:
    """Return the country of a code, which may name a part of it: BE of BE-VLG."""
    first = code.partition("-")[0]
    return SAME.get(first, first)


def is_country(code: str) -> bool:
    """Tell whether a code is that of a country (ISO 3166, two letters) or of a part of one."""
    return _land_of(code) in _land()


def km_from(codes: list[str], latitude: Floats, longitude: Floats) -> Floats:
    """Return how far places (degrees) are from the nearest middle of a cell of some countries, in km: within them at most 79 km."""
    land = np.concatenate([_land()[_land_of(code)] for code in codes])
    places = _vectors(latitude, longitude)
    nearest = [(places[at : at + 4096] @ land.T).max(axis=1) for at in range(0, len(places), 4096)]
    return EARTH_RADIUS_KM * np.arccos(np.clip(np.concatenate(nearest), -1.0, 1.0)) if nearest else np.empty(0)


@cache
def length_km(code: str) -> float:
    """Return the distance between the two cells of a country that are farthest from each other, in km."""
    land = _land()[_land_of(code)]
    farthest = min(float((land[at : at + 4096] @ land.T).min()) for at in range(0, len(land), 4096))
    return EARTH_RADIUS_KM * float(np.arccos(max(farthest, -1.0)))
