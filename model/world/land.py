"""Where countries are: the cells of one degree that their outlines touch, of Natural Earth 1:10m (public domain; data/land.csv).

A line of the table holds the cells of a country: latitude:longitudes, each by its lower corner, longitudes as single ones or first..last.
"""

import csv
from functools import cache
from importlib.resources import files

import numpy as np

from .arrays import Floats

EARTH_RADIUS_KM = 6371.0088

SAME = {"EL": "GR", "UK": "GB"}
"""Codes of the European Union that are not those of ISO 3166."""


@cache
def _cells() -> dict[str, Floats]:
    """Return the middles of the cells of each country as unit vectors, (cells, 3)."""
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


def _country(code: str) -> str:
    """Return the country of a code, which may name a part of it: BE of BE-VLG."""
    first = code.partition("-")[0]
    return SAME.get(first, first)


def is_country(code: str) -> bool:
    """Tell whether a code is that of a country (ISO 3166, two letters) or of a part of one."""
    return _country(code) in _cells()


def km_from(codes: list[str], latitude: Floats, longitude: Floats) -> Floats:
    """Return how far places (degrees) are from the nearest middle of a cell of some countries, in km: within them at most 79 km."""
    land = np.concatenate([_cells()[_country(code)] for code in codes])
    places = _vectors(latitude, longitude)
    nearest = [(places[at : at + 4096] @ land.T).max(axis=1) for at in range(0, len(places), 4096)]
    return EARTH_RADIUS_KM * np.arccos(np.clip(np.concatenate(nearest), -1.0, 1.0)) if nearest else np.empty(0)


@cache
def length_km(code: str) -> float:
    """Return the distance between the two cells of a country that are farthest from each other, in km."""
    land = _cells()[_country(code)]
    farthest = min(float((land[at : at + 4096] @ land.T).min()) for at in range(0, len(land), 4096))
    return EARTH_RADIUS_KM * float(np.arccos(max(farthest, -1.0)))
