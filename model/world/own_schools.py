"""A user's own ``schools.csv``, checked cell by cell; what the table lacks is drawn by the population model."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.errors import InputError
from school_mentoring.model.state import MENTEE, MENTOR

from .arrays import Ints
from .countries import COUNTRIES, MOST_TEACHERS, Country, assumed_country, likely_code
from .csv_file import CsvTable, Dialect, Given, cells_of, either, hint
from .numbers import Bounds
from .plausible import EARTH_RADIUS_KM, check_degrees, check_kilometres, check_sizes, is_country
from .schools import KM, LEVELS, ROLES, Place, Schools, check_layout, populate

MOST_PUPILS = 100_000

_POSITION = Bounds(-1e5, 1e5, "a position in km, not metres, from -100000 to 100000")
_SHARE = Bounds(0.0, 1.0, "a number from 0 to 1")
_ADOPTERS = Bounds(0.0, MOST_TEACHERS, f"a whole number from 0 to {MOST_TEACHERS}", whole=True)

COLUMNS: Mapping[str, Bounds | None] = {
    "school_id": None,
    "country": None,
    "region": None,
    "x_km": _POSITION,
    "y_km": _POSITION,
    "latitude": Bounds(-90.0, 90.0, "degrees from -90 to 90"),
    "longitude": Bounds(-180.0, 180.0, "degrees from -180 to 180"),
    "level": None,
    "teachers": Bounds(1.0, MOST_TEACHERS, f"a whole number from 1 to {MOST_TEACHERS}", whole=True),
    "pupils": Bounds(0.0, MOST_PUPILS, f"a whole number from 0 to {MOST_PUPILS}", whole=True),
    "rural": None,
    "disadvantaged": None,
    "digital_capacity": _SHARE,
    "openness": _SHARE,
    "role": None,
    "cluster": None,
}
"""The columns of ``schools.csv``, besides ``adopters_at_start`` and ``adopters_at_start_<practice>``; numbers have bounds."""

_DRAWN = ("country", "region", "x_km", "y_km", "level", "teachers", "pupils", "rural", "disadvantaged", "digital_capacity", "openness")

_NO = """0 0.0 0,0 no n false nein falsch non faux não nao falso nee onwaar ne nepravda netočno laž nu nie fałsz nem hamis nej nei ei"""
_YES = """1 1.0 1,0 yes y true ja wahr oui vrai sì si si' sí vero sim verdadeiro verdadero waar da ano áno pravda točno istina tak prawda
igen igaz jah kyllä"""
TRUTH = {**dict.fromkeys(_NO.split(), 0), **dict.fromkeys(_YES.split(), 1)}
"""Words for no and yes, as people and spreadsheets of Europe write them. An x is none: beside it blank would mean no, not unknown."""


def read_schools(
    path: str | Path,
    *,
    countries: Sequence[Country],
    regions: Sequence[int],
    parameters: Mapping[str, float],
    seed: int,
    index: int,
    practices: Sequence[str] = ("practice",),
    dialect: Dialect = Dialect(),  # noqa: B008 - a constant
) -> Schools:
    """Return the schools of a user's ``schools.csv``; what the table lacks is drawn by the population model.

    Only ``school_id`` must be there. Countries have the figures of ``countries``, else of ``COUNTRIES``, else the means over those.
    Without a country, schools fall in blocks, in the order of the table, to the scenario's countries in proportion to their ``regions``;
    without a region, to the regions of their country. Numbers of countries and regions follow their first appearance. ``dialect``: how the
    file is written. Raises InputError for the first fault found; what is probably not meant is in the ``notices`` of the schools.
    """
    check_layout(countries, regions)
    counts = ["adopters_at_start", *(f"adopters_at_start_{practice}" for practice in practices)]
    known = {**COLUMNS, **dict.fromkeys(counts, _ADOPTERS)}
    table = CsvTable(path, known, ["school_id"], dialect, [country.code for country in countries])
    _check_columns(table, practices)
    given = _cells(table)
    ids = table.labels_of("school_id")
    _check_ids(table, ids)
    adopters = _adopters(table, practices, given.get("teachers"))
    used, place, names = _places(table, countries, regions)
    role, mentor = _roles(table)
    for first, second in (("x_km", "y_km"), ("latitude", "longitude")):
        _check_pairs(table, given, first, second)
    check_sizes(table, given)
    _check_places(table, given, used, place, [country.code for country in countries])
    table.settle()
    present = {name: cells.present for name, cells in given.items()}
    if "latitude" in given:
        given["x_km"], given["y_km"] = _project(given.pop("latitude"), given.pop("longitude"), place.country)
        present |= {"x_km": given["x_km"].present, "y_km": given["y_km"].present}
    given["adopters"] = Given(adopters.max(axis=0), np.ones(len(ids), dtype=bool))
    present |= {name: table.filled(name) for name in ("country", "region") if name in table}
    return Schools(
        school_id=np.array(ids),
        countries=used,
        region_names=names,
        **place._asdict(),
        **populate(place, used, parameters, seed, index, given),
        adopters_at_start=adopters,
        named_role=role,
        named_mentor=mentor,
        drawn=tuple(name for name in _DRAWN if name not in present),
        partly_drawn=tuple(name for name in _DRAWN if name in present and not present[name].all()),
        notices=tuple(table.notices),
    )


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
    given = {name: table.numbers_of(name) for name, bounds in COLUMNS.items() if bounds is not None and name in table}
    shown = ("0", "1", "false", "true", "no", "yes")
    given |= {name: table.words_of(name, TRUTH, shown) for name in ("rural", "disadvantaged") if name in table}
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
            count = table.numbers_of(name)
            adopters[row, count.present] = count.values[count.present]
            if teachers is not None:
                for at in np.flatnonzero(count.present & teachers.present & (count.values > teachers.values)).tolist():
                    allowed = f"at most its {int(teachers.values[at])} teachers can be adopters"
                    table.complain(at, name, allowed)
    return adopters


def _blocks(count: int, parts: int) -> NDArray[np.int64]:
    """Return the part of each of ``count`` items cut into ``parts`` nearly equal blocks."""
    return np.arange(count) * parts // max(count, 1)


def _codes(cells: Sequence[str], codes: Sequence[str], regions: Sequence[int]) -> list[str]:
    """Return the code of each school's country: its cell, or where that is blank a country of the scenario, block by block."""
    of_block = np.repeat(np.arange(len(codes)), regions)
    blocks = of_block[_blocks(len(cells), len(of_block))].tolist()
    return [cell or codes[c] for cell, c in zip(cells, blocks, strict=True)]


def codes_in(path: str | Path, codes: Sequence[str], regions: Sequence[int], dialect: Dialect) -> tuple[str, ...]:
    """Return the codes of the countries that ``read_schools`` finds in a file, by number; ``codes`` where it will refuse the file.

    ``codes`` and ``regions``: of the scenario's countries.
    """
    try:
        cells = [cell.upper() for cell in cells_of(path, "country", COLUMNS, dialect, codes)]
    except (InputError, OSError, ValueError):  # a name that no file can have, among others
        return tuple(codes)
    found = dict.fromkeys(_codes(cells, codes, regions))
    return tuple(code for code in found if code in COUNTRIES or code in codes or is_country(code))


def _places(table: CsvTable, countries: Sequence[Country], regions: Sequence[int]) -> tuple[tuple[Country, ...], Place, tuple[str, ...]]:
    """Return the countries in use, the place of each school, and the names of the regions."""
    n = len(table.numbers)
    known = {**COUNTRIES, **{country.code: country for country in countries}}
    cells = [cell.upper() for cell in table.columns["country"]] if "country" in table else [""] * n
    codes = _codes(cells, [country.code for country in countries], regions)
    if "country" in table:
        for code in dict.fromkeys(cell for cell in cells if cell and cell not in known):
            _add_country(table, known, code, [at for at, cell in enumerate(cells) if cell == code])
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


def _add_country(table: CsvTable, known: dict[str, Country], code: str, rows: Sequence[int]) -> None:
    """Add a country without figures to those that are known, with a remark; complain of a code that is none."""
    if not is_country(code):
        listed = ", ".join(list(known)[:20]) + (", ..." if len(known) > 20 else "")
        for at in rows:
            table.complain(at, "country", f"known codes: {listed}{hint(code, known)}; others are two letters, such as RS")
        return
    found = f"no figures for {code}{hint(likely_code(code), known)}"
    expected = (
        "its salary, school sizes, hours and shares are those of countries.csv that stand for unknown ones; a scenario can state them"
    )
    table.remark(rows, "country", found, expected)
    known[code] = assumed_country(code)


def _check_places(table: CsvTable, given: Mapping[str, Given], used: Sequence[Country], place: Place, all_codes: Sequence[str]) -> None:
    """Check positions against the country of each school, or where it is not given against those of the scenario."""
    stated = table.filled("country") if "country" in table else np.zeros(len(table.numbers), dtype=bool)
    codes = [([country.code], stated & (place.country == c)) for c, country in enumerate(used)] + [(list(all_codes), ~stated)]
    if "latitude" in given and "longitude" in given:
        check_degrees(table, given, codes)
    if "x_km" in given and "y_km" in given:
        check_kilometres(table, given, codes)


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
            problem = f"cluster {name!r} has a second mentor, the first is in row {other}"
            table.complain(at, "cluster", "give each cluster one mentor", problem)
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

    x = R cos(mean latitude) (longitude - mean longitude), y = R (latitude - mean latitude), R the mean radius of the Earth. Longitudes
    of a country that lies on both sides of the 180th meridian go on beyond it.
    """
    present = latitude.present
    east = longitude.values.copy()
    for rows in (present & (country == c) for c in range(int(country.max()) + 1)):
        if rows.any() and np.ptp(east[rows]) > 180.0:
            east[rows & (east < 0.0)] += 360.0
    count = np.maximum(np.bincount(country[present], minlength=int(country.max()) + 1), 1)
    lat, lon = (np.radians(degrees) for degrees in (latitude.values, east))
    lat0, lon0 = (np.bincount(country[present], weights=angle[present], minlength=len(count)) / count for angle in (lat, lon))
    x = EARTH_RADIUS_KM * np.cos(lat0)[country] * (lon - lon0[country])
    y = EARTH_RADIUS_KM * (lat - lat0[country])
    return Given(np.round(x, KM), present), Given(np.round(y, KM), present)
