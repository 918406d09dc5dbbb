"""The peer network: which schools look at each other, drawn (by ``peers.py``) or given, as compressed rows; and the world it belongs to."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arrays import Flags, World
from .countries import Country
from .likeness import likeness_bits
from .peers import draw
from .rows import equal_rows, symmetric, weighted_rows
from .schools import Schools, generate_schools
from .spatial_homophily import DIRECT_UP_TO
from .structure import STRUCTURE, Structure


class Peers(NamedTuple):
    """The exposure matrix in compressed rows: the ``peer_start``, ``peer``, ``row_weight`` and ``weight`` of ``World``."""

    peer_start: NDArray[np.int64]
    peer: NDArray[np.int32]
    row_weight: NDArray[np.float64]
    weight: NDArray[np.float64]

    def full_weights(self) -> NDArray[np.float64]:
        """Return the weight of every entry of the matrix, (m,)."""
        rows = np.repeat(self.row_weight, np.diff(self.peer_start))
        return rows * self.weight if self.weight.size else rows


def generate_peers(
    schools: Schools,
    parameters: Mapping[str, float],
    seed: int,
    index: int,
    structure: Structure = Structure(),  # noqa: B008 - a named tuple does not change
    *,
    direct_up_to: int = DIRECT_UP_TO,
) -> Peers:
    """Return a random peer network: the same function of (schools, parameters, seed, index, structure) on every machine.

    Two schools are peers where either drew the other (``peers.draw``), so the mean degree is peer_degree less twice the pairs
    that drew each other over the schools. A peer of school i weighs 1 / max(degree of i, peer_degree), or 1 / (schools of the country - 1)
    where there are fewer: a school with fewer peers than is usual sees less of what others do, one with more sees it of more of them.
    """
    others = np.maximum(np.bincount(schools.country) - 1, 1)
    usual = np.minimum(float(parameters["peer_degree"]), others.astype(np.float64))[schools.country]
    both_ways = symmetric(*draw(schools, parameters, seed, index, structure, direct_up_to=direct_up_to))
    start, peer, row_weight = equal_rows(*both_ways, usual)
    return Peers(start, peer, row_weight, np.empty(0))


def peers_from_ties(
    n: int, source: NDArray[np.int32], target: NDArray[np.int32], weight: NDArray[np.float64] | None = None, one_way: Flags | None = None
) -> Peers:
    """Return the rows of n schools for ties given once each; a row's weights are the ties' (1 where None) over their sum.

    Each school of a tie looks at the other; of those that are ``one_way`` the source alone looks at the target.
    """
    weight = np.ones(len(source)) if weight is None else np.asarray(weight, np.float64)
    both = np.ones(len(source), bool) if one_way is None else ~one_way
    ends = np.concatenate([source, target[both]]).astype(np.int32), np.concatenate([target, source[both]]).astype(np.int32)
    start, peer, value = weighted_rows(n, *ends, np.concatenate([weight, weight[both]]))
    if np.any(weight != weight[:1]):
        return Peers(start, peer, np.ones(n), value)
    return Peers(start, peer, 1.0 / np.maximum(np.diff(start), 1), np.empty(0))


def make_world(
    schools: Schools,
    peers: Peers,
    salaries: Sequence[float] | None = None,
    structure: Structure = Structure(),  # noqa: B008
) -> World:
    """Return the world of a school table and a network; ``salaries`` (EUR per year, (C,)) stand in for the countries' own."""
    own = [country.teacher_salary_eur_per_year for country in schools.countries]
    rank = np.empty(len(schools), np.int32)
    rank[np.argsort(-schools.capacity, kind="stable")] = np.arange(len(schools), dtype=np.int32)
    sizes = np.bincount(schools.region, minlength=len(schools.region_names))
    return World(
        **{name: getattr(schools, name) for name in World._fields if hasattr(schools, name)},
        **peers._asdict(),
        by_region=np.argsort(schools.region, kind="stable").astype(np.int32),
        region_start=np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        capacity_rank=rank,
        salary=np.array(own if salaries is None else salaries, dtype=np.float64),
        taught_hours=np.array([country.taught_hours for country in schools.countries]),
        working_hours=np.array([country.working_hours for country in schools.countries]),
        likeness=likeness_bits(schools, structure.likeness),
        sequential=structure.update == "sequential",
        **mentoring_of(structure),
    )


def mentoring_of(structure: Structure) -> dict[str, Any]:
    """Return the fields of a world that say how schools are mentored, which may be replaced without making another world."""
    return {
        "contacts": list(STRUCTURE["contacts"]).index(structure.contacts),
        "whole_staff": structure.mentored == "whole_staff",
        "fading": structure.online_hours == "fading",
    }


def generate_world(
    countries: Sequence[Country],
    regions: Sequence[int],
    schools_per_region: int,
    parameters: Mapping[str, float],
    seed: int,
    index: int,
    practices: int = 1,
    structure: Structure = Structure(),  # noqa: B008
) -> tuple[World, Schools]:
    """Return a synthetic world and its school table; other arguments as in ``generate_schools``."""
    schools = generate_schools(countries, regions, schools_per_region, parameters, seed, index, practices)
    return make_world(schools, generate_peers(schools, parameters, seed, index, structure), structure=structure), schools
