"""The worlds of a scenario: its schools and ties, generated or read, for one parameter set and one number."""

from collections.abc import Mapping
from typing import Any

from school_mentoring.model.errors import InputError, nearest
from school_mentoring.model.parameters import WORLD_PARAMETERS
from school_mentoring.model.programmes import OTHERS, Programme
from school_mentoring.model.world.arrays import World
from school_mentoring.model.world.network import generate_peers, make_world, mentoring_of, peers_from_ties
from school_mentoring.model.world.own_schools import read_schools
from school_mentoring.model.world.own_ties import name_mentors, read_ties
from school_mentoring.model.world.schools import Schools, generate_schools
from school_mentoring.model.world.structure import Structure
from school_mentoring.scenarios import Scenario
from school_mentoring.scenarios.stated_programmes import BY_PLACE


class Worlds:
    """Makes the worlds of a scenario and keeps those in use, as many runs share one.

    ``keep``: schools up to whose number, over all kept worlds, they are kept even where ``forget`` is called: for a caller that will ask
    for the same ones again.
    """

    def __init__(self, scenario: Scenario, *, keep: int = 0) -> None:
        self._scenario = scenario
        self._keep = keep
        self._kept: dict[tuple[float | str, ...], tuple[World, Schools]] = {}
        self._schools = 0

    def get(self, parameters: Mapping[str, float], index: int, structure: Structure | None = None) -> tuple[World, Schools]:
        """Return world number ``index`` under a parameter set, built by a structure (default: the scenario's own).

        Raises InputError where the scenario's files are faulty.
        """
        built = structure or self._scenario.world.structure
        # What tells this world from others of the scenario; how schools are mentored is but a field of it.
        key = (float(index), built.network, built.update, built.likeness, *(parameters[name] for name in WORLD_PARAMETERS))
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = self._make(parameters, index, built)
            self._schools += len(found[1])
        world, schools = found
        return world._replace(**mentoring_of(built)), schools

    def forget(self) -> None:
        """Drop the worlds kept so far, but for those that the caller wants kept."""
        if self._schools > self._keep:
            self._kept.clear()
            self._schools = 0

    def _make(self, parameters: Mapping[str, float], index: int, structure: Structure) -> tuple[World, Schools]:
        scenario, spec = self._scenario, self._scenario.world
        if spec.schools is None:
            places = scenario.country_list(), scenario.regions(), spec.schools_per_region
            schools = generate_schools(*places, parameters, scenario.seed, index, len(scenario.practices))
        else:
            schools = schools_of(spec.schools, scenario, parameters, index)
            _refuse_other_places(scenario, schools)
        ties = None if spec.ties is None else read_ties(spec.ties, schools, spec.dialect, directed=spec.directed)
        if ties is not None:
            schools = name_mentors(schools, ties)
        if ties is not None and len(ties.source):
            peers = peers_from_ties(len(schools), ties.source, ties.target, ties.weight, ties.one_way)
        else:
            peers = generate_peers(schools, parameters, scenario.seed, index, structure)
        return make_world(schools, peers, structure=structure), schools


def _refuse_other_places(scenario: Scenario, schools: Schools) -> None:
    """Raise InputError for a place of a programme in which none of the user's own schools is; the scenario's countries may have none."""
    known = {
        "by_country": [*schools.country_codes, *(country.code for country in scenario.world.countries)],
        "by_region": schools.region_names,
    }
    for name, design in scenario.designs.items():
        for kind in BY_PLACE if isinstance(design, Programme) else ():
            for place in getattr(design, kind):
                if place not in (*known[kind], OTHERS):
                    raise InputError(f"designs.{name}.{kind}.{place}", "no school is there", nearest(place, [*known[kind], OTHERS]))


def schools_of(path: str, scenario: Scenario, parameters: Mapping[str, float], index: int = 0) -> Schools:
    """Return the schools of a file as they are in world number ``index`` of a scenario. Raises InputError."""
    practices = [practice.name for practice in scenario.practices]
    told: dict[str, Any] = {"countries": scenario.country_list(), "regions": scenario.regions(), "dialect": scenario.world.dialect}
    return read_schools(path, **told, parameters=parameters, seed=scenario.seed, index=index, practices=practices)
