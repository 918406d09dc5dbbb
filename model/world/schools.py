"""The school table, and the synthetic populations that fill it.

A population is a pure function of (countries, layout, parameters, seed, index). A column or cell that a user's table lacks is
drawn by the same function, so a generated table that is written and read back is the same table to the last bit: every
real-valued attribute lies on a decimal grid (positions 1 m, capacity and openness 1e-6). ``own_schools.py`` reads a user's table.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri

from school_mentoring.model.compiled import allocating
from school_mentoring.model.draws import POPULATION, uniform
from school_mentoring.model.portable import exp
from school_mentoring.model.state import MENTOR

from .arrays import DISADVANTAGED, RURAL, SECONDARY, Flags, Floats, Ints
from .countries import MOST_TEACHERS, Country, region_names
from .csv_file import Given

if TYPE_CHECKING:
    import pandas as pd


LEVELS = ("primary", "secondary")
ROLES = ("", "mentor", "mentee")
KM, SHARE = 3, 6  # decimals of the grids: 1 m, and a millionth

# Attribute numbers: the slot ``other`` of a school's draws.
_LEVEL, _RURAL, _DISADVANTAGED, _TEACHERS, _CAPACITY, _OPENNESS, _EAST, _NORTH = range(8)


@dataclass(frozen=True, eq=False)
class Schools:
    """The school table (n schools, R regions, C countries, P practices); the row of a school is its number everywhere.

    ``school_id``: labels, (n,). ``countries``, ``region_names``: in the order of their numbers. ``country``, ``region``, ``x``, ``y``,
    ``traits``, ``teachers``, ``pupils``, ``capacity``, ``openness``, ``adopters_at_start``, ``named_role``, ``named_mentor`` and
    ``region_country``: as in ``World``. ``drawn``: columns that the user's table lacks and the population model filled;
    ``partly_drawn``: columns in which it filled blank cells. ``notices``: what of the user's table is probably not meant.
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
    notices: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of schools."""
        return len(self.school_id)

    @property
    def country_codes(self) -> tuple[str, ...]:
        """The codes of the countries, in the order of their numbers."""
        return tuple(country.code for country in self.countries)

    @property
    def places(self) -> list[tuple[str, str]]:
        """The code of the country and the name of each region, by which a programme names its tracks."""
        return [(self.country_codes[country], name) for country, name in zip(self.region_country, self.region_names, strict=True)]

    def to_frame(self, practices: Sequence[str] = ()) -> "pd.DataFrame":
        """Return the columns of ``schools.csv``, which ``read_schools`` reads back to the last bit; ``practices``: names of several."""
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
            count = len(self.adopters_at_start)
            if count > 1 and len(practices) != count:
                raise ValueError(f"{count} practices need {count} names, {len(practices)} given")
            names = [f"adopters_at_start_{practice}" for practice in practices] if count > 1 else ["adopters_at_start"]
            for name, counts in zip(names, self.adopters_at_start, strict=True):
                columns[name] = pd.array(np.where(counts >= 0, counts, 0), dtype="Int32")
                columns[name][counts < 0] = pd.NA  # type: ignore[index]
        return pd.DataFrame(columns)


# --------------------------------------------------------------------------------------------------------- population


class Place(NamedTuple):
    """Country and region of each school, (n,), and the country of each region, (R,)."""

    country: Ints
    region: Ints
    region_country: Ints


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
    check_layout(countries, regions)
    if schools_per_region < 1:
        raise ValueError(f"schools_per_region is {schools_per_region}, at least 1 is needed")
    region_country = np.repeat(np.arange(len(countries), dtype=np.int32), np.asarray(regions))
    region = np.repeat(np.arange(len(region_country), dtype=np.int32), schools_per_region)
    n = len(region)
    place = Place(region_country[region], region, region_country)
    names = region_names([country.code for country in countries], regions)
    width = len(str(schools_per_region))
    numbers = np.array([f"-{k:0{width}d}" for k in range(1, schools_per_region + 1)])
    return Schools(
        school_id=np.strings.add(np.array(names)[:, None], numbers[None, :]).reshape(n),
        countries=tuple(countries),
        region_names=names,
        **place._asdict(),
        **populate(place, countries, parameters, seed, index, {}),
        adopters_at_start=np.full((practices, n), -1, np.int32),
        named_role=np.zeros(n, np.int8),
        named_mentor=np.full(n, -1, np.int32),
    )


def check_layout(countries: Sequence[Country], regions: Sequence[int]) -> None:
    """Raise ValueError unless there are countries, each once and each with regions."""
    codes = [country.code for country in countries]
    if not codes or len(set(codes)) < len(codes):
        raise ValueError(f"countries must be one or more and distinct, got {codes}")
    if len(regions) != len(codes) or min(regions) < 1:
        raise ValueError(f"each of {len(codes)} countries needs one or more regions, got {list(regions)}")


@allocating
def _uniforms(seed: np.uint64, index: int, attribute: int, n: int) -> Floats:
    """Return the uniforms in [0, 1) of one attribute of n schools, float64 (n,)."""
    drawn = np.empty(n)
    for school in range(n):
        drawn[school] = uniform(seed, index, POPULATION, school, 0, 0, attribute)
    return drawn


@allocating
def _lognormal(mean: Floats, normal: Floats, spread: float) -> Floats:
    """Return mean exp(spread z - spread^2 / 2) for standard normal z, float64 (n,): a lognormal with that mean."""
    drawn = np.empty(len(mean))
    for school in range(len(mean)):
        drawn[school] = mean[school] * exp(spread * normal[school] - 0.5 * spread * spread)
    return drawn


def populate(
    place: Place,
    countries: Sequence[Country],
    parameters: Mapping[str, float],
    seed: int,
    index: int,
    given: Mapping[str, Given],
) -> dict[str, Any]:
    """Return all attributes by their names in ``Schools``: given cells as they are, others drawn, later ones by earlier ones."""
    country, n = place.country, len(place.country)
    profile = _profile(countries, np.bincount(country, minlength=len(countries)) / n, parameters)

    def draw(attribute: int) -> Floats:
        return _uniforms(np.uint64(seed), index, attribute, n)

    def settle(name: str, drawn: Floats | Flags) -> Floats | Flags:
        return np.where(given[name].present, given[name].values, drawn) if name in given else drawn

    secondary = settle("level", draw(_LEVEL) < profile["secondary"][country]).astype(bool)
    rural = settle("rural", draw(_RURAL) < profile["rural"][country]).astype(bool)
    disadvantaged = settle("disadvantaged", draw(_DISADVANTAGED) < profile["disadvantaged"][country]).astype(bool)
    mean = profile["teachers"][secondary.astype(np.intp), country]
    teachers = settle("teachers", _teachers(draw(_TEACHERS), mean, parameters, given))
    pupils = settle("pupils", np.rint(teachers * parameters["pupils_per_teacher"]))
    # The gap is taken around the share of rural and disadvantaged schools that the world expects, so that its mean stays.
    expected = [_expected(name, profile[name], country, given) for name in ("rural", "disadvantaged")]
    capacity = settle("digital_capacity", _capacity(draw(_CAPACITY), rural, disadvantaged, expected, parameters))
    openness = settle("openness", np.round(draw(_OPENNESS), SHARE))
    x, y = _positions(place, rural, draw(_EAST), draw(_NORTH), parameters, given)
    return {
        "x": settle("x_km", x).astype(np.float64),
        "y": settle("y_km", y).astype(np.float64),
        "traits": (SECONDARY * secondary + RURAL * rural + DISADVANTAGED * disadvantaged).astype(np.uint8),
        "teachers": teachers.astype(np.int32),
        "pupils": pupils.astype(np.int32),
        "capacity": capacity.astype(np.float64),
        "openness": openness.astype(np.float64),
    }


def _profile(countries: Sequence[Country], weight: Floats, parameters: Mapping[str, float]) -> dict[str, Floats]:
    """Return what each country expects, given its share of the scenario's schools (C,): shares in [0, 1], (C,); mean teachers, (2, C).

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
    return {"secondary": secondary, **{name: share(name) for name in ("rural", "disadvantaged")}, "teachers": np.array(means)}


def _teachers(u: Floats, mean: Floats, parameters: Mapping[str, float], given: Mapping[str, Given]) -> Floats:
    """Return teachers, whole from 1 to 1000, (n,): lognormal of a mean, or from known pupils; never fewer than the adopters counted."""
    normal = ndtri(np.maximum(u, 2.0**-53))
    size = _lognormal(mean, normal, parameters["teachers_spread"])
    if "pupils" in given:
        pupils = given["pupils"]
        size = np.where(pupils.present, pupils.values / parameters["pupils_per_teacher"], size)
    if "adopters" in given:
        size = np.maximum(size, given["adopters"].values)
    return np.clip(np.rint(size), 1, MOST_TEACHERS)


def _expected(name: str, chance: Floats, country: Ints, given: Mapping[str, Given]) -> float:
    """Return the expected share of schools with a trait: given cells count as they are, the others with their chance."""
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
    place: Place, rural: Flags, u: Floats, v: Floats, parameters: Mapping[str, float], given: Mapping[str, Given]
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
