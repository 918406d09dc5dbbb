"""The school table: synthetic populations and the user's own ``schools.csv`` and ``ties.csv``, checked cell by cell.

A population is a pure function of (countries, layout, parameters, seed, index). A column or cell that a user's table lacks is
drawn by the same function, so a generated table that is written and read back is the same table to the last bit: every
real-valued attribute lies on a decimal grid (positions 1 m, capacity and openness 1e-6).
"""

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy.special import betaincinv, ndtri

from .compiled import compiled
from .draws import POPULATION, uniform
from .errors import InputError, nearest
from .portable import exp
from .world import DISADVANTAGED, RURAL, SECONDARY

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "COUNTRIES", "Country", "Schools", "Ties", "generate_schools", "name_mentors", "read_schools", "read_ties"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Flags = NDArray[np.bool_]

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

LEVELS = ("primary", "secondary")
ROLES = ("", "mentor", "mentee")
MENTOR, MENTEE = 1, 2
MOST_TEACHERS = 1000
MOST_PUPILS = 100_000
LONGEST_LABEL = 100
EARTH_RADIUS_KM = 6371.0088
KM, SHARE = 3, 6  # decimals of the grids: 1 m, and a millionth

# Attribute numbers: the slot ``other`` of a school's draws.
_LEVEL, _RURAL, _DISADVANTAGED, _TEACHERS, _CAPACITY, _OPENNESS, _EAST, _NORTH = range(8)


class Country(BaseModel):
    """A country of a scenario: school counts, shares in [0, 1], gross salary of a teacher in EUR per year.

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


@cache
def _countries() -> dict[str, Country]:
    text = files(__package__).joinpath("data/countries.csv").read_text(encoding="utf-8")
    rows = ({**row, "code": row["country"]} for row in csv.DictReader(text.splitlines()))
    countries = (Country.model_validate({name: row[name] for name in Country.model_fields}) for row in rows)
    return {country.code: country for country in countries}


COUNTRIES: Mapping[str, Country] = _countries()
"""The six countries of the pilot by code."""


@dataclass(frozen=True, eq=False)
class Schools:
    """The school table (n schools, R regions, C countries, P practices); the row of a school is its number everywhere.

    ``school_id``: labels, (n,). ``countries``, ``region_names``: in the order of their numbers. ``country``, ``region``, ``x``, ``y``,
    ``traits``, ``teachers``, ``pupils``, ``capacity``, ``openness``, ``adopters_at_start``, ``named_role``, ``named_mentor`` and
    ``region_country``: as in ``World``. ``drawn``: columns that the user's table lacks and the population model filled;
    ``partly_drawn``: columns in which it filled blank cells.
    """

    school_id: NDArray[np.str_]
    countries: tuple[Country, ...]
    region_names: tuple[str, ...]
    country: Ints
    region: Ints
    region_country: Ints
    x: Floats
    y: Floats
    traits: NDArray[np.uint8]
    teachers: Ints
    pupils: Ints
    capacity: Floats
    openness: Floats
    adopters_at_start: Ints
    named_role: NDArray[np.int8]
    named_mentor: Ints
    drawn: tuple[str, ...] = ()
    partly_drawn: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of schools."""
        return len(self.school_id)

    @property
    def country_codes(self) -> tuple[str, ...]:
        """The codes of the countries, in the order of their numbers."""
        return tuple(country.code for country in self.countries)

    def to_frame(self, practices: Sequence[str] = ()) -> "pd.DataFrame":
        """Return the table with the columns of ``schools.csv``; ``practices`` names the practices where there are several.

        ``to_frame().to_csv(path, index=False)`` and ``read_schools`` give back the same arrays to the last bit.
        """
        import pandas as pd

        columns: dict[str, object] = {
            "school_id": self.school_id,
            "country": np.array(self.country_codes, dtype=object)[self.country],
            "region": np.array(self.region_names, dtype=object)[self.region],
            "x_km": self.x,
            "y_km": self.y,
            "level": np.array(LEVELS, dtype=object)[(self.traits & SECONDARY) // SECONDARY],
            "teachers": self.teachers,
            "pupils": self.pupils,
            "rural": (self.traits & RURAL) // RURAL,
            "disadvantaged": (self.traits & DISADVANTAGED) // DISADVANTAGED,
            "digital_capacity": self.capacity,
            "openness": self.openness,
        }
        if self.named_role.any():
            leader = np.where(self.named_role == MENTOR, np.arange(len(self)), self.named_mentor)
            columns["role"] = np.array(ROLES, dtype=object)[self.named_role]
            columns["cluster"] = np.where(leader >= 0, self.school_id[leader], "")
        if (self.adopters_at_start >= 0).any():
            for name, counts in zip(_adopter_columns(len(self.adopters_at_start), practices), self.adopters_at_start, strict=True):
                columns[name] = pd.array(np.where(counts >= 0, counts, 0), dtype="Int32")
                columns[name][counts < 0] = pd.NA  # type: ignore[index]
        return pd.DataFrame(columns)


def _adopter_columns(count: int, practices: Sequence[str]) -> list[str]:
    """Return the adopter columns of ``count`` practices."""
    if count == 1:
        return ["adopters_at_start"]
    if len(practices) != count:
        raise ValueError(f"{count} practices need {count} names, {len(practices)} given")
    return [f"adopters_at_start_{practice}" for practice in practices]


# --------------------------------------------------------------------------------------------------------- population


class _Given(NamedTuple):
    """A column as the user gave it: ``values`` (words as their numbers), and where they are ``present``."""

    values: Floats
    present: Flags


class _Profile(NamedTuple):
    """What each country expects: shares in [0, 1], (C,); mean teachers by level, (2, C)."""

    secondary: Floats
    rural: Floats
    disadvantaged: Floats
    teachers: Floats


class _Place(NamedTuple):
    """Country and region of each school, (n,), and the country of each region, (R,)."""

    country: Ints
    region: Ints
    region_country: Ints


class _Attributes(NamedTuple):
    """The drawn (or given) attributes of every school, as in ``Schools``."""

    x: Floats
    y: Floats
    traits: NDArray[np.uint8]
    teachers: Ints
    pupils: Ints
    capacity: Floats
    openness: Floats


def generate_schools(
    countries: Sequence[Country],
    regions: Sequence[int],
    schools_per_region: int,
    parameters: Mapping[str, float],
    seed: int,
    index: int,
    practices: int = 1,
) -> Schools:
    """Return a synthetic population: ``regions[c]`` regions of ``schools_per_region`` schools in each country c, country by country.

    ``parameters`` holds the world parameters by name, ``index`` numbers the worlds of a seed. The parameters are means over the
    scenario's schools; a country departs from them by its ratio in the country table. Raises ValueError for an empty or
    contradictory layout.
    """
    _check_layout(countries, regions)
    if schools_per_region < 1:
        raise ValueError(f"schools_per_region is {schools_per_region}, at least 1 is needed")
    region_country = np.repeat(np.arange(len(countries), dtype=np.int32), np.asarray(regions))
    region = np.repeat(np.arange(len(region_country), dtype=np.int32), schools_per_region)
    n = len(region)
    place = _Place(region_country[region], region, region_country)
    names = tuple(f"{country.code}-{r + 1}" for country, count in zip(countries, regions, strict=True) for r in range(count))
    width = len(str(schools_per_region))
    numbers = np.array([f"-{k:0{width}d}" for k in range(1, schools_per_region + 1)])
    return Schools(
        school_id=np.strings.add(np.array(names)[:, None], numbers[None, :]).reshape(n),
        countries=tuple(countries),
        region_names=names,
        **place._asdict(),
        **_population(place, countries, parameters, seed, index, {})._asdict(),
        adopters_at_start=np.full((practices, n), -1, np.int32),
        named_role=np.zeros(n, np.int8),
        named_mentor=np.full(n, -1, np.int32),
    )


def _check_layout(countries: Sequence[Country], regions: Sequence[int]) -> None:
    codes = [country.code for country in countries]
    if not codes or len(set(codes)) < len(codes):
        raise ValueError(f"countries must be one or more and distinct, got {codes}")
    if len(regions) != len(codes) or min(regions) < 1:
        raise ValueError(f"each of {len(codes)} countries needs one or more regions, got {list(regions)}")


@compiled
def _uniforms(seed, index, attribute, n):  # type: ignore[no-untyped-def]
    """Return the uniforms in [0, 1) of one attribute of n schools, float64 (n,)."""
    drawn = np.empty(n)
    for school in range(n):
        drawn[school] = uniform(seed, index, POPULATION, school, 0, 0, attribute)
    return drawn


@compiled
def _lognormal(mean, normal, spread):  # type: ignore[no-untyped-def]
    """Return mean exp(spread z - spread^2 / 2) for standard normal z, float64 (n,): a lognormal with that mean."""
    drawn = np.empty(len(mean))
    for school in range(len(mean)):
        drawn[school] = mean[school] * exp(spread * normal[school] - 0.5 * spread * spread)
    return drawn


def _population(
    place: _Place,
    countries: Sequence[Country],
    parameters: Mapping[str, float],
    seed: int,
    index: int,
    given: Mapping[str, _Given],
) -> _Attributes:
    """Return the attributes of every school: given cells as they are, all others drawn.

    Later attributes depend on earlier ones as they stand in the table, so a given level or rural flag shapes what is drawn.
    """
    country, n = place.country, len(place.country)
    profile = _profile(countries, np.bincount(country, minlength=len(countries)) / n, parameters)

    def draw(attribute: int) -> Floats:
        return _uniforms(np.uint64(seed), np.uint64(index), np.uint64(attribute), n)  # type: ignore[no-any-return]

    def settle(name: str, drawn: Floats | Flags) -> Floats | Flags:
        return np.where(given[name].present, given[name].values, drawn) if name in given else drawn

    secondary = settle("level", draw(_LEVEL) < profile.secondary[country]).astype(bool)
    rural = settle("rural", draw(_RURAL) < profile.rural[country]).astype(bool)
    disadvantaged = settle("disadvantaged", draw(_DISADVANTAGED) < profile.disadvantaged[country]).astype(bool)
    teachers = settle("teachers", _teachers(draw(_TEACHERS), profile.teachers[secondary.astype(np.intp), country], parameters, given))
    pupils = settle("pupils", np.rint(teachers * parameters["pupils_per_teacher"]))
    # The gap is taken around the share of rural and disadvantaged schools that the world expects, so that its mean stays.
    expected = [_expected(name, profile, country, given) for name in ("rural", "disadvantaged")]
    capacity = settle("digital_capacity", _capacity(draw(_CAPACITY), rural, disadvantaged, expected, parameters))
    openness = settle("openness", np.round(draw(_OPENNESS), SHARE))
    x, y = _positions(place, rural, draw(_EAST), draw(_NORTH), parameters, given)
    return _Attributes(
        settle("x_km", x).astype(np.float64),
        settle("y_km", y).astype(np.float64),
        (SECONDARY * secondary + RURAL * rural + DISADVANTAGED * disadvantaged).astype(np.uint8),
        teachers.astype(np.int32),
        pupils.astype(np.int32),
        capacity.astype(np.float64),
        openness.astype(np.float64),
    )


def _profile(countries: Sequence[Country], weight: Floats, parameters: Mapping[str, float]) -> _Profile:
    """Return the expectations of each country, given its share of the scenario's schools (C,).

    A share is parameter x (the country's share / mean share), clipped to [0, 1]. Teachers of a school of level l are
    parameter_l x f / (mean of f over the schools of that level), f = the country's teachers per school over what the two
    parameters give for its mix of levels. So the world's mean is the parameter itself, save where a share is clipped.
    """

    def share(name: str) -> Floats:
        table = np.array([getattr(country, name) for country in countries])
        mean = math.fsum(weight * table)  # exact: numpy's order of addition depends on the processor
        return np.clip(parameters[name] * (table / mean if mean > 0 else np.ones(len(table))), 0.0, 1.0)

    secondary = np.array([country.secondary for country in countries])
    primary_mean, secondary_mean = parameters["teachers_primary"], parameters["teachers_secondary"]
    table = np.array([country.teachers_per_school for country in countries])
    factor = table / ((1 - secondary) * primary_mean + secondary * secondary_mean)
    means = []
    for mean, mix in ((primary_mean, weight * (1 - secondary)), (secondary_mean, weight * secondary)):
        total = math.fsum(mix)
        means.append(mean * factor / (math.fsum(mix * factor) / total if total > 0 else 1.0))
    return _Profile(secondary, share("rural"), share("disadvantaged"), np.array(means))


def _teachers(u: Floats, mean: Floats, parameters: Mapping[str, float], given: Mapping[str, _Given]) -> Floats:
    """Return whole numbers from 1 to 1000 of teachers, (n,): lognormal with the given mean, or from the pupils where they are known.

    A school never has fewer teachers than the adopters that the user counted there.
    """
    normal = ndtri(np.maximum(u, 2.0**-53))
    size: Floats = _lognormal(mean, normal, parameters["teachers_spread"])
    if "pupils" in given:
        pupils = given["pupils"]
        size = np.where(pupils.present, pupils.values / parameters["pupils_per_teacher"], size)
    if "adopters" in given:
        size = np.maximum(size, given["adopters"].values)
    return np.clip(np.rint(size), 1, MOST_TEACHERS)


def _expected(name: str, profile: _Profile, country: Ints, given: Mapping[str, _Given]) -> float:
    """Return the expected share of schools with a trait: given cells count as they are, the others with their chance."""
    chance: Floats = getattr(profile, name)
    if name not in given:
        return math.fsum(np.bincount(country, minlength=len(chance)) * chance) / len(country)
    values, present = given[name]
    others = math.fsum(np.bincount(country[~present], minlength=len(chance)) * chance)
    return (int(values[present].sum()) + others) / len(country)


def _capacity(u: Floats, rural: Flags, disadvantaged: Flags, expected: Sequence[float], parameters: Mapping[str, float]) -> Floats:
    """Return digital capacity, (n,): Beta(m c, (1 - m) c), c = capacity_spread, by inversion of u.

    m = capacity_mean + capacity_gap (R - rural + D - disadvantaged), R and D the ``expected`` shares, clipped to [0.02, 0.98]:
    the mean over the world is capacity_mean unless a group is clipped.
    """
    mean, gap, spread = (parameters[name] for name in ("capacity_mean", "capacity_gap", "capacity_spread"))
    group = rural + 2 * disadvantaged
    capacity = np.empty(len(u))
    for number in range(4):
        inside = np.flatnonzero(group == number)
        m = min(max(mean + gap * (expected[0] - number % 2 + expected[1] - number // 2), 0.02), 0.98)
        capacity[inside] = betaincinv(m * spread, (1 - m) * spread, u[inside])
    return np.round(capacity, SHARE)


def _positions(
    place: _Place, rural: Flags, u: Floats, v: Floats, parameters: Mapping[str, float], given: Mapping[str, _Given]
) -> tuple[Floats, Floats]:
    """Return positions in km, (n,) each: rural schools uniform over their region's square, others in the disc of its town.

    The regions of a country are squares of side region_km on a near-square grid. A region in which the user placed some
    schools has its centre at their mean, so that its other schools are drawn among them.
    """
    side, town = parameters["region_km"], parameters["town_km"]
    of = place.region_country
    order = np.argsort(of, kind="stable")
    first = np.searchsorted(of[order], np.arange(int(of.max()) + 1))
    rank = np.empty(len(of), np.int64)
    rank[order] = np.arange(len(of)) - first[of[order]]
    columns = np.ceil(np.sqrt(np.bincount(of))).astype(np.int64)[of]
    east, north = (rank % columns + 0.5) * side, (rank // columns + 0.5) * side
    if "x_km" in given:
        present, region = given["x_km"].present, place.region[given["x_km"].present]
        count = np.bincount(region, minlength=len(of))
        for centre, name in ((east, "x_km"), (north, "y_km")):
            total = np.bincount(region, weights=given[name].values[present], minlength=len(of))
            centre[count > 0] = total[count > 0] / count[count > 0]
    radius, angle = town * np.sqrt(u), 2 * math.pi * v
    x = east[place.region] + np.where(rural, (u - 0.5) * side, radius * np.cos(angle))
    y = north[place.region] + np.where(rural, (v - 0.5) * side, radius * np.sin(angle))
    return np.round(x, KM), np.round(y, KM)


# ------------------------------------------------------------------------------------------------------ reading a table


class _Table:
    """A CSV file as columns of stripped text, and the problems found in it so far."""

    def __init__(self, path: str | Path, known: Callable[[str], str | None], required: Sequence[str]) -> None:
        """Read the file; ``known`` says what is wrong with a column's name, or None. Raises InputError."""
        self.name = Path(path).name
        text = _text(Path(path))
        head = text.split("\n", 1)[0]
        self.decimal_comma = ";" in head and "," not in head
        rows = self._rows(text, ";" if self.decimal_comma else ",")
        header = [cell.strip() for cell in rows[0][1]] if rows else []
        self._check_header(header, known, required)
        body = rows[1:]
        if not body:
            raise InputError(self.name, "has a header but no rows", "give at least one row below it")
        self.problems: list[tuple[int, int, str, str, str]] = []
        for number, row in body:
            if len(row) != len(header):
                cells = f"found {len(row)} cell" + "s" * (len(row) != 1)
                self.problems.append((number, -1, "", cells, f"the header names {len(header)} columns"))
        self.settle()
        self.numbers = [number for number, _ in body]
        stripped = ([cell.strip() for cell in column] for column in zip(*(row for _, row in body), strict=True))
        self.columns = dict(zip(header, stripped, strict=True))

    def _rows(self, text: str, delimiter: str) -> list[tuple[int, list[str]]]:
        """Return the rows that are not blank, numbered as a spreadsheet numbers them."""
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        try:
            return [(number, row) for number, row in enumerate(reader, 1) if any(cell and not cell.isspace() for cell in row)]
        except csv.Error as error:
            raise InputError(f"{self.name}, line {reader.line_num}", f"is not well-formed CSV ({error})") from None

    def _check_header(self, header: list[str], known: Callable[[str], str | None], required: Sequence[str]) -> None:
        for position, name in enumerate(header, 1):
            where = f"{self.name}, row 1, column {position}"
            if not name:
                raise InputError(where, "has no name", "name every column in the first row")
            if header.count(name) > 1:
                raise InputError(where, f"the column {name!r} is there {header.count(name)} times", "give it once")
        for name in required:
            if name not in header:
                found = ", ".join(repr(given) for given in header[:5]) or "nothing"
                raise InputError(
                    f"{self.name}, row 1", f"the column {name!r} is missing (found {found})", "the first row names the columns"
                )
        for name in header:
            problem = known(name)
            if problem:
                raise InputError(f"{self.name}, row 1", f"unknown column {name!r}", problem)

    def __contains__(self, name: str) -> bool:
        """Tell whether there is a column of that name."""
        return name in self.columns

    def complain(self, at: int, column: str, allowed: str, problem: str | None = None) -> None:
        """Note a problem in a cell: row ``at`` of the body, what is ``allowed`` there."""
        found = f"found {self.columns[column][at]!r}" if problem is None else problem
        self.problems.append((self.numbers[at], list(self.columns).index(column), column, found, allowed))

    def settle(self) -> None:
        """Raise the first problem in reading order, with the number of further ones, if there is any."""
        if not self.problems:
            return
        row, _, column, problem, allowed = min(self.problems)
        more = len(self.problems) - 1
        tail = f" (and {more} more error{'s' if more > 1 else ''} in the file)" if more else ""
        raise InputError(f"{self.name}, row {row}" + (f", column {column}" if column else ""), problem + tail, allowed)

    def numbers_of(self, column: str, low: float, high: float, what: str, *, whole: bool = False, above: bool = False) -> _Given:
        """Return a column of numbers in [low, high], or in (low, high] where ``above``; blank cells are absent."""
        cells = self.columns[column]
        if self.decimal_comma:
            cells = [cell.replace(",", ".") for cell in cells]
        values = np.array([_number(cell) for cell in cells])
        present = np.array([cell != "" for cell in cells], dtype=bool)
        fits = (values >= low) & (values <= high)  # False for nan
        if above:
            fits &= values > low
        if whole:
            fits &= values == np.rint(values)
        for at in np.flatnonzero(present & ~fits).tolist():
            self.complain(at, column, f"give {what}")
        return _Given(np.where(present & fits, values, low), present)

    def words_of(self, column: str, words: Mapping[str, int]) -> _Given:
        """Return a column of words as their numbers; upper and lower case are the same, blank cells are absent."""
        codes = [words.get(cell.lower(), -1) for cell in self.columns[column]]
        present = np.array([cell != "" for cell in self.columns[column]], dtype=bool)
        values = np.array(codes, dtype=np.float64)
        for at in np.flatnonzero(present & (values < 0)).tolist():
            self.complain(at, column, "give " + _either([word for word in words if word]) + _hint(self.columns[column][at], words))
        return _Given(values, present)

    def labels_of(self, column: str) -> list[str]:
        """Return a column of free labels of at most 100 characters."""
        cells = self.columns[column]
        for at, cell in enumerate(cells):
            if len(cell) > LONGEST_LABEL:
                self.complain(at, column, f"at most {LONGEST_LABEL} are allowed", f"found a label of {len(cell)} characters")
        return cells


def _text(path: Path) -> str:
    """Return the text of a UTF-8 file, without a byte order mark. Raises InputError."""
    if path.is_dir():
        raise InputError(str(path), "is a folder", "give a CSV file")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(str(path), "there is no such file", "give the path of a CSV file") from None
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror})") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise InputError(f"{path.name}, row {row}", f"is not UTF-8 text (byte 0x{byte:02X})", "save the file as 'CSV UTF-8'") from None
    if not text.strip():
        raise InputError(path.name, "is empty", "the first row names the columns")
    return text


def _number(cell: str) -> float:
    """Return the number in a cell, nan where there is none. Python would also read 1_000."""
    try:
        return math.nan if "_" in cell else float(cell)
    except ValueError:
        return math.nan


def _either(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]


def _hint(cell: str, words: Iterable[str]) -> str:
    """Return ' (did you mean ...?)' where a word is near, else nothing; any two short words are near each other."""
    hint = nearest(cell, [word for word in words if len(word) > 3])
    return f" ({hint})" if hint.startswith("did") else ""


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
    _check_layout(countries, regions)
    table = _Table(path, lambda name: _unknown_column(name, practices), ["school_id"])
    _check_columns(table, practices)
    given = {
        name: table.numbers_of(name, low, high, what, whole=whole) for name, (low, high, whole, what) in _NUMBERS.items() if name in table
    }
    given |= {name: table.words_of(name, _TRUTH) for name in ("rural", "disadvantaged") if name in table}
    if "level" in table:
        given["level"] = table.words_of("level", {word: number for number, word in enumerate(LEVELS)})
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
    given["adopters"] = _Given(adopters.max(axis=0), np.ones(len(ids), dtype=bool))
    for name in ("country", "region"):
        if name in table:
            present[name] = np.array([cell != "" for cell in table.columns[name]], dtype=bool)
    return Schools(
        school_id=np.array(ids),
        countries=used,
        region_names=names,
        **place._asdict(),
        **_population(place, used, parameters, seed, index, given)._asdict(),
        adopters_at_start=adopters,
        named_role=role,
        named_mentor=mentor,
        drawn=tuple(name for name in _DRAWN if name not in present),
        partly_drawn=tuple(name for name in _DRAWN if name in present and not present[name].all()),
    )


def _unknown_column(name: str, practices: Sequence[str]) -> str | None:
    known = [*COLUMNS, "adopters_at_start", *(f"adopters_at_start_{practice}" for practice in practices)]
    return None if name in known else nearest(name, known)


def _check_columns(table: _Table, practices: Sequence[str]) -> None:
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
            raise InputError(where, f"'adopters_at_start' does not say which of {len(practices)} practices", "name it " + _either(named))
        if named[0] in table:
            raise InputError(where, f"'adopters_at_start' and {named[0]!r} are the same practice", "give one of them")


def _check_ids(table: _Table, ids: Sequence[str]) -> None:
    first: dict[str, int] = {}
    for at, label in enumerate(ids):
        if not label:
            table.complain(at, "school_id", "give every school a name of its own", "is blank")
        elif first.setdefault(label, at) != at:
            table.complain(at, "school_id", "give each school once", f"{label!r} is already in row {table.numbers[first[label]]}")


def _check_pairs(table: _Table, given: Mapping[str, _Given], first: str, second: str) -> None:
    """Complain of rows that give one of two coordinates."""
    if first in given and second in given:
        for at in np.flatnonzero(given[first].present != given[second].present).tolist():
            blank, other = (second, first) if given[first].present[at] else (first, second)
            table.complain(at, blank, "give both or neither", f"is blank although {other} is {table.columns[other][at]!r}")


def _adopters(table: _Table, practices: Sequence[str], teachers: _Given | None) -> Ints:
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


def _places(table: _Table, countries: Sequence[Country], regions: Sequence[int]) -> tuple[tuple[Country, ...], _Place, tuple[str, ...]]:
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
            table.complain(at, "country", f"known codes: {listed}{_hint(cells[at], known)}; a scenario can add countries")
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
    return used, _Place(country, region, np.array([c for c, _ in region_number], dtype=np.int32)), tuple(name for _, name in region_number)


def _roles(table: _Table) -> tuple[NDArray[np.int8], Ints]:
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


def _project(latitude: _Given, longitude: _Given, country: Ints) -> tuple[_Given, _Given]:
    """Return positions in km, rounded to 1 m: equirectangular around the mean of each country's schools.

    x = R cos(mean latitude) (longitude - mean longitude), y = R (latitude - mean latitude), R the mean radius of the Earth.
    """
    present = latitude.present
    count = np.maximum(np.bincount(country[present], minlength=int(country.max()) + 1), 1)
    lat, lon = (np.radians(cells.values.astype(np.float64)) for cells in (latitude, longitude))
    lat0, lon0 = (np.bincount(country[present], weights=angle[present], minlength=len(count)) / count for angle in (lat, lon))
    x = EARTH_RADIUS_KM * np.cos(lat0)[country] * (lon - lon0[country])
    y = EARTH_RADIUS_KM * (lat - lat0[country])
    return _Given(np.round(x, KM), present), _Given(np.round(y, KM), present)


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
    table = _Table(path, lambda name: None if name in columns else nearest(name, columns), ["source", "target"])
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


def _check_repeats(table: _Table, source: Ints, target: Ints, kind: NDArray[np.int64]) -> None:
    """Complain of a peer tie given twice (in either direction) or a mentoring tie given twice."""
    low = np.where(kind == 0, np.minimum(source, target), source).astype(np.int64)
    high = np.where(kind == 0, np.maximum(source, target), target).astype(np.int64)
    keys = np.where((source < 0) | (target < 0), -1 - np.arange(len(source)), (low << 32 | high) * 2 + kind)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    for at in np.flatnonzero(first[inverse] != np.arange(len(keys))).tolist():
        row = table.numbers[int(first[inverse[at]])]
        ends = f"{table.columns['source'][at]!r} and {table.columns['target'][at]!r}"
        table.complain(at, "target", "give each tie once; a peer tie has no direction", f"{ends} are already tied in row {row}")


def _check_mentoring(table: _Table, source: Ints, target: Ints, kind: NDArray[np.int64], schools: Schools) -> None:
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
