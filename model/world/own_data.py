"""A user's own ``schools.csv`` and ``ties.csv``, checked cell by cell; what a school table lacks is drawn by the population model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.errors import InputError, nearest
from school_mentoring.model.state import MENTEE, MENTOR

from .countries import COUNTRIES, MOST_TEACHERS, Country
from .csv_file import CsvTable, Given, either, hint
from .schools import KM, LEVELS, ROLES, Place, Schools, check_layout, populate

__all__ = ["COLUMNS", "Ties", "name_mentors", "read_schools", "read_ties"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

COLUMNS = (
    "school_id",
    "country",
    "region",
    "x_km",
    "y_km",
    "latitude",
    "longitude",
    "level",
    "teachers",
    "pupils",
    "rural",
    "disadvantaged",
    "digital_capacity",
    "openness",
    "role",
    "cluster",
)
"""The columns of ``schools.csv``, besides ``adopters_at_start`` and ``adopters_at_start_<practice>``."""

MOST_PUPILS = 100_000
EARTH_RADIUS_KM = 6371.0088

# --------------------------------------------------------------------------------------------------------- schools.csv

_TRUTH = {"0": 0, "1": 1, "false": 0, "true": 1, "no": 0, "yes": 1}
_NUMBERS = {  # column: lowest, highest, whole number, what to give
    "x_km": (-1e5, 1e5, False, "a position in km from -100000 to 100000"),
    "y_km": (-1e5, 1e5, False, "a position in km from -100000 to 100000"),
    "latitude": (-90.0, 90.0, False, "degrees from -90 to 90"),
    "longitude": (-180.0, 180.0, False, "degrees from -180 to 180"),
    "teachers": (1.0, MOST_TEACHERS, True, f"a whole number from 1 to {MOST_TEACHERS}"),
    "pupils": (0.0, MOST_PUPILS, True, f"a whole number from 0 to {MOST_PUPILS}"),
    "digital_capacity": (0.0, 1.0, False, "a number from 0 to 1"),
    "openness": (0.0, 1.0, False, "a number from 0 to 1"),
}
_DRAWN = ("country", "region", "x_km", "y_km", "level", "teachers", "pupils", "rural", "disadvantaged", "digital_capacity", "openness")


def read_schools(
    path: str | Path,
    *,
    countries: Sequence[Country],
    regions: Sequence[int],
    parameters: Mapping[str, float],
    seed: int,
    index: int,
    practices: Sequence[str] = ("practice",),
) -> Schools:
    """Return the schools of a user's ``schools.csv``; what the table lacks is drawn by the population model.

    UTF-8 with or without byte order mark; comma, or semicolon with decimal comma. Only ``school_id`` must be there. Country codes
    are those of ``countries`` and of ``COUNTRIES``. Without a country, schools fall in blocks, in the order of the table, to the
    scenario's countries in proportion to their ``regions``; without a region, to the regions of their country. Numbers of
    countries and regions follow their first appearance. Raises InputError for the first fault found.
    """
    check_layout(countries, regions)
    table = CsvTable(path, lambda name: _unknown_column(name, practices), ["school_id"])
    _check_columns(table, practices)
    given = _cells(table)
    ids = table.labels_of("school_id")
    _check_ids(table, ids)
    adopters = _adopters(table, practices, given.get("teachers"))
    used, place, names = _places(table, countries, regions)
    role, mentor = _roles(table)
    for first, second in (("x_km", "y_km"), ("latitude", "longitude")):
        _check_pairs(table, given, first, second)
    table.settle()
    present = {name: cells.present for name, cells in given.items()}
    if "latitude" in given:
        given["x_km"], given["y_km"] = _project(given.pop("latitude"), given.pop("longitude"), place.country)
        present |= {"x_km": given["x_km"].present, "y_km": given["y_km"].present}
    given["adopters"] = Given(adopters.max(axis=0), np.ones(len(ids), dtype=bool))
    for name in ("country", "region"):
        if name in table:
            present[name] = np.array([cell != "" for cell in table.columns[name]], dtype=bool)
    return Schools(
        school_id=np.array(ids),
        countries=used,
        region_names=names,
        **place._asdict(),
        **populate(place, used, parameters, seed, index, given)._asdict(),
        adopters_at_start=adopters,
        named_role=role,
        named_mentor=mentor,
        drawn=tuple(name for name in _DRAWN if name not in present),
        partly_drawn=tuple(name for name in _DRAWN if name in present and not present[name].all()),
    )


def _unknown_column(name: str, practices: Sequence[str]) -> str | None:
    known = [*COLUMNS, "adopters_at_start", *(f"adopters_at_start_{practice}" for practice in practices)]
    return None if name in known else nearest(name, known)


def _check_columns(table: CsvTable, practices: Sequence[str]) -> None:
    """Raise InputError for columns that need or exclude each other."""
    where = f"{table.name}, row 1"
    for one, other in (("latitude", "longitude"), ("longitude", "latitude"), ("x_km", "y_km"), ("y_km", "x_km"), ("cluster", "role")):
        if one in table and other not in table:
            raise InputError(where, f"the column {one!r} is there without {other!r}", "give both or neither")
    if "x_km" in table and "latitude" in table:
        raise InputError(where, "positions are there twice, as x_km, y_km and as latitude, longitude", "give one of them")
    if "adopters_at_start" in table:
        named = [f"adopters_at_start_{practice}" for practice in practices]
        if len(practices) > 1:
            raise InputError(where, f"'adopters_at_start' does not say which of {len(practices)} practices", "name it " + either(named))
        if named[0] in table:
            raise InputError(where, f"'adopters_at_start' and {named[0]!r} are the same practice", "give one of them")


def _cells(table: CsvTable) -> dict[str, Given]:
    """Return the columns of numbers and words that the population model would otherwise draw, and positions in degrees."""
    given = {
        name: table.numbers_of(name, low, high, what, whole=whole) for name, (low, high, whole, what) in _NUMBERS.items() if name in table
    }
    given |= {name: table.words_of(name, _TRUTH) for name in ("rural", "disadvantaged") if name in table}
    if "level" in table:
        given["level"] = table.words_of("level", {word: number for number, word in enumerate(LEVELS)})
    return given


def _check_ids(table: CsvTable, ids: Sequence[str]) -> None:
    first: dict[str, int] = {}
    for at, label in enumerate(ids):
        if not label:
            table.complain(at, "school_id", "give every school a name of its own", "is blank")
        elif first.setdefault(label, at) != at:
            table.complain(at, "school_id", "give each school once", f"{label!r} is already in row {table.numbers[first[label]]}")


def _check_pairs(table: CsvTable, given: Mapping[str, Given], first: str, second: str) -> None:
    """Complain of rows that give one of two coordinates."""
    if first in given and second in given:
        for at in np.flatnonzero(given[first].present != given[second].present).tolist():
            blank, other = (second, first) if given[first].present[at] else (first, second)
            table.complain(at, blank, "give both or neither", f"is blank although {other} is {table.columns[other][at]!r}")


def _adopters(table: CsvTable, practices: Sequence[str], teachers: Given | None) -> Ints:
    """Return the adopters at the start by practice, (P, n), -1 where they are not given."""
    adopters = np.full((len(practices), len(table.numbers)), -1, np.int32)
    for row, practice in enumerate(practices):
        for name in ("adopters_at_start", f"adopters_at_start_{practice}"):
            if name not in table:
                continue
            count = table.numbers_of(name, 0.0, MOST_TEACHERS, f"a whole number from 0 to {MOST_TEACHERS}", whole=True)
            adopters[row, count.present] = count.values[count.present]
            if teachers is not None:
                for at in np.flatnonzero(count.present & teachers.present & (count.values > teachers.values)).tolist():
                    allowed = f"at most its {int(teachers.values[at])} teachers can be adopters"
                    table.complain(at, name, allowed)
    return adopters


def _blocks(count: int, parts: int) -> NDArray[np.int64]:
    """Return the part of each of ``count`` items cut into ``parts`` nearly equal blocks."""
    return np.arange(count) * parts // max(count, 1)


def _places(table: CsvTable, countries: Sequence[Country], regions: Sequence[int]) -> tuple[tuple[Country, ...], Place, tuple[str, ...]]:
    """Return the countries in use, the place of each school, and the names of the regions."""
    n = len(table.numbers)
    known = {**COUNTRIES, **{country.code: country for country in countries}}
    of_block = np.repeat(np.arange(len(countries)), regions)
    codes = [countries[c].code for c in of_block[_blocks(n, len(of_block))].tolist()]
    if "country" in table:
        cells = table.labels_of("country")
        codes = [cell or code for cell, code in zip(cells, codes, strict=True)]
        for at in (at for at, cell in enumerate(cells) if cell and cell not in known):
            listed = ", ".join(list(known)[:20]) + (", ..." if len(known) > 20 else "")
            table.complain(at, "country", f"known codes: {listed}{hint(cells[at], known)}; a scenario can add countries")
    number = {code: c for c, code in enumerate(dict.fromkeys(codes))}
    country = np.array([number[code] for code in codes], dtype=np.int32)
    pieces = {c.code: count for c, count in zip(countries, regions, strict=True)}
    labels = np.empty(n, dtype=object)
    for code, c in number.items():
        rows = np.flatnonzero(country == c)
        block_names = np.array([f"{code}-{r + 1}" for r in range(pieces.get(code, 1))], dtype=object)
        labels[rows] = block_names[_blocks(len(rows), len(block_names))]
    if "region" in table:
        labels = np.array([cell or label for cell, label in zip(table.labels_of("region"), labels, strict=True)], dtype=object)
    keys = list(zip(country.tolist(), labels.tolist(), strict=True))
    region_number = {key: r for r, key in enumerate(dict.fromkeys(keys))}
    region = np.array([region_number[key] for key in keys], dtype=np.int32)
    used = tuple(known.get(code, countries[0]) for code in number)  # an unknown code has been complained of
    return used, Place(country, region, np.array([c for c, _ in region_number], dtype=np.int32)), tuple(name for _, name in region_number)


def _roles(table: CsvTable) -> tuple[NDArray[np.int8], Ints]:
    """Return the role of each school and the mentor of each mentee; the mentor of a cluster mentors its mentees."""
    n = len(table.numbers)
    mentor = np.full(n, -1, np.int32)
    if "role" not in table:
        return np.zeros(n, np.int8), mentor
    role = np.maximum(table.words_of("role", {word: number for number, word in enumerate(ROLES)}).values, 0).astype(np.int8)
    if "cluster" not in table:
        return role, mentor
    clusters, leader = table.labels_of("cluster"), dict[str, int]()
    for at in np.flatnonzero(role == MENTOR).tolist():
        name = clusters[at]
        if name and leader.setdefault(name, at) != at:
            other = table.numbers[leader[name]]
            table.complain(
                at, "cluster", "give each cluster one mentor", f"cluster {name!r} has a second mentor, the first is in row {other}"
            )
    for at, name in enumerate(clusters):
        if name and role[at] == 0 and not table.columns["role"][at]:
            table.complain(at, "role", "give mentor or mentee", f"is blank although the school is in cluster {name!r}")
        elif name and role[at] == MENTEE and name not in leader:
            table.complain(at, "cluster", "give one of its schools the role mentor", f"cluster {name!r} has no mentor")
        elif name and role[at] == MENTEE:
            mentor[at] = leader[name]
    return role, mentor


def _project(latitude: Given, longitude: Given, country: Ints) -> tuple[Given, Given]:
    """Return positions in km, rounded to 1 m: equirectangular around the mean of each country's schools.

    x = R cos(mean latitude) (longitude - mean longitude), y = R (latitude - mean latitude), R the mean radius of the Earth.
    """
    present = latitude.present
    count = np.maximum(np.bincount(country[present], minlength=int(country.max()) + 1), 1)
    lat, lon = (np.radians(cells.values.astype(np.float64)) for cells in (latitude, longitude))
    lat0, lon0 = (np.bincount(country[present], weights=angle[present], minlength=len(count)) / count for angle in (lat, lon))
    x = EARTH_RADIUS_KM * np.cos(lat0)[country] * (lon - lon0[country])
    y = EARTH_RADIUS_KM * (lat - lat0[country])
    return Given(np.round(x, KM), present), Given(np.round(y, KM), present)


# ------------------------------------------------------------------------------------------------------------ ties.csv

KINDS = ("peer", "mentoring")


class Ties(NamedTuple):
    """A user's ties: peer ties once each (``source``, ``target``, ``weight``), and mentoring ties (``mentor``, ``mentee``)."""

    source: Ints
    target: Ints
    weight: Floats
    mentor: Ints
    mentee: Ints


def read_ties(path: str | Path, schools: Schools) -> Ties:
    """Return the ties of a user's ``ties.csv``: source, target, and weight (1 where blank), kind (peer where blank).

    A peer tie is undirected and stands once; a mentoring tie runs from mentor to mentee. Raises InputError for an unknown
    school, a tie of a school with itself, a weight that is not above 0, a tie given twice, a mentee with two mentors, a school
    that would be mentor and mentee, and a role that contradicts the school table.
    """
    columns = ("source", "target", "weight", "kind")
    table = CsvTable(path, lambda name: None if name in columns else nearest(name, columns), ["source", "target"])
    number = {label: at for at, label in enumerate(schools.school_id.tolist())}
    ends = [np.array([number.get(cell, -1) for cell in table.columns[name]], dtype=np.int32) for name in ("source", "target")]
    for name, end in zip(("source", "target"), ends, strict=True):
        for at in np.flatnonzero(end < 0).tolist():
            table.complain(at, name, _nearest_school(table.columns[name][at], number), f"no school is named {table.columns[name][at]!r}")
    source, target = ends
    for at in np.flatnonzero((source == target) & (source >= 0)).tolist():
        table.complain(at, "target", "a tie joins two schools", f"{table.columns['target'][at]!r} is tied to itself")
    weight = np.ones(len(source))
    if "weight" in table:
        given = table.numbers_of("weight", 0.0, 1e9, "a number above 0", above=True)
        weight = np.where(given.present, given.values, 1.0).astype(np.float64)
    kind = np.zeros(len(source), np.int64)
    if "kind" in table:
        words = table.words_of("kind", {word: code for code, word in enumerate(KINDS)})
        kind = np.maximum(words.values, 0.0).astype(np.int64)
    _check_repeats(table, source, target, kind)
    _check_mentoring(table, source, target, kind, schools)
    table.settle()
    peer = kind == 0
    return Ties(source[peer], target[peer], weight[peer], source[~peer], target[~peer])


def _nearest_school(label: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown school; a national table is too long to compare with."""
    names = list(known)
    return nearest(label, names) if len(names) <= 5000 else "give a school_id of the school table"


def _check_repeats(table: CsvTable, source: Ints, target: Ints, kind: NDArray[np.int64]) -> None:
    """Complain of a peer tie given twice (in either direction) or a mentoring tie given twice."""
    low = np.where(kind == 0, np.minimum(source, target), source).astype(np.int64)
    high = np.where(kind == 0, np.maximum(source, target), target).astype(np.int64)
    keys = np.where((source < 0) | (target < 0), -1 - np.arange(len(source)), (low << 32 | high) * 2 + kind)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    for at in np.flatnonzero(first[inverse] != np.arange(len(keys))).tolist():
        row = table.numbers[int(first[inverse[at]])]
        ends = f"{table.columns['source'][at]!r} and {table.columns['target'][at]!r}"
        table.complain(at, "target", "give each tie once; a peer tie has no direction", f"{ends} are already tied in row {row}")


def _check_mentoring(table: CsvTable, source: Ints, target: Ints, kind: NDArray[np.int64], schools: Schools) -> None:
    """Complain of mentoring ties that contradict each other or the roles of the school table."""
    mentors, mentees = dict[int, int](), dict[int, int]()
    for at in np.flatnonzero((kind == 1) & (source >= 0) & (target >= 0)).tolist():
        mentor, mentee = int(source[at]), int(target[at])
        mentors.setdefault(mentor, at)
        named = int(schools.named_mentor[mentee])
        if mentee in mentees and source[mentees[mentee]] != mentor:
            row = table.numbers[mentees[mentee]]
            table.complain(at, "target", "a mentee has one mentor", f"{schools.school_id[mentee]!s} already has a mentor in row {row}")
        elif named not in {-1, mentor}:
            problem = f"{schools.school_id[mentee]!s} already has the mentor {schools.school_id[named]!s} in the school table"
            table.complain(at, "target", "a mentee has one mentor", problem)
        mentees.setdefault(mentee, at)
    for school, at in mentors.items():
        if school in mentees or schools.named_role[school] == MENTEE:
            table.complain(at, "source", "a school has one role", f"{schools.school_id[school]!s} is a mentor here and a mentee elsewhere")
    for school, at in mentees.items():
        if schools.named_role[school] == MENTOR:
            table.complain(
                at, "target", "a school has one role", f"{schools.school_id[school]!s} is a mentee here, a mentor in the school table"
            )


def name_mentors(schools: Schools, ties: Ties) -> Schools:
    """Return the schools with the roles and mentors that the mentoring ties name added to those of the table."""
    role, mentor = schools.named_role.copy(), schools.named_mentor.copy()
    role[ties.mentor], role[ties.mentee] = MENTOR, MENTEE
    mentor[ties.mentee] = ties.mentor
    return replace(schools, named_role=role, named_mentor=mentor)
