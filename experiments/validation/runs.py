"""Runs that patterns are looked for in: designs side by side on common random numbers, one world per replicate."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from school_mentoring.experiments.ensemble import Ensemble, run_ensemble
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.designs import PRESETS, Design
from school_mentoring.model.observe import GROUPS
from school_mentoring.model.state import MENTEE, MENTOR
from school_mentoring.model.world.arrays import World
from school_mentoring.scenarios import Scenario, load_scenario

NONE = PRESETS["none"]

_worlds: dict[tuple[str, int | None, int], Worlds] = {}


def preset(base: str, **changes: object) -> Design:
    """Return a preset with some of its fields changed."""
    return Design.model_validate({**PRESETS[base].model_dump(), **changes})


@dataclass(frozen=True)
class RunsByWorld:
    """Runs of some designs, one replicate in each of ``worlds`` worlds; arrays have the worlds on their first axis."""

    ensemble: Ensemble
    scenario: Scenario
    homes: Worlds
    parameters: Mapping[str, float]
    worlds: int

    def _rows(self, design: str) -> slice:
        first = self.ensemble.designs.index(design) * self.worlds
        return slice(first, first + self.worlds)

    def outcome(self, design: str, name: str) -> NDArray[np.float64]:
        """Return an outcome of each run, (worlds,)."""
        return self.ensemble.runs[name].to_numpy()[self._rows(design)]

    def added(self, design: str) -> NDArray[np.float64]:
        """Return the adopter-years that a design adds to ``none``, (worlds,)."""
        return self.outcome(design, "effect_adopter_years") - self.outcome("none", "effect_adopter_years")

    def per_mentored(self, design: str, name: str = "") -> NDArray[np.float64]:
        """Return an outcome, or the added adopter-years, over the schools ever mentored, (worlds,)."""
        return (self.outcome(design, name) if name else self.added(design)) / self.outcome(design, "mentee_schools")

    def share(self, design: str, group: str = "all") -> NDArray[np.float64]:
        """Return the adopting share of a group's teachers, (worlds, months)."""
        counts = self.ensemble.results.groups[self._rows(design), :, GROUPS.index(group), 0]
        return counts[..., 2] / counts[..., 1]

    def adopters(self, design: str) -> NDArray[np.int32]:
        """Return the adopting teachers of every school, (worlds, months, n)."""
        return self.ensemble.results.schools[self._rows(design), :, 0]

    def mentored(self, design: str) -> NDArray[np.bool_]:
        """Return where a school has a mentor, (worlds, months, n)."""
        return self.ensemble.results.schools[self._rows(design), :, -2] == MENTEE

    def mentors(self, design: str) -> NDArray[np.bool_]:
        """Return where a school is a mentor, (worlds, months, n)."""
        return self.ensemble.results.schools[self._rows(design), :, -2] == MENTOR

    def world(self, index: int) -> World:
        """Return a world of the study."""
        return self.homes.get({**self.scenario.base_parameters(), **self.parameters}, index)[0]


def study(
    designs: Mapping[str, Design],
    *,
    scenario: str = "mensi-pilot",
    parameters: Mapping[str, float] | None = None,
    worlds: int = 40,
    months: int = 72,
    schools_per_region: int | None = None,
    monthly: bool = False,
    per_school: bool = False,
) -> RunsByWorld:
    """Run designs, and ``none`` first, in a shipped scenario at its base parameters but for those given."""
    described = load_scenario(scenario)
    changes: dict[str, object] = {"designs": {"none": NONE, **designs}, "worlds": worlds, "months": months}
    if schools_per_region:
        changes["world"] = described.world.model_copy(update={"schools_per_region": schools_per_region})
    described = described.model_copy(update=changes)
    homes = _worlds.setdefault((scenario, schools_per_region, worlds), Worlds(described))
    ensemble = run_ensemble(described, [parameters or {}], worlds, worlds=homes, monthly=monthly, per_school=per_school, threads=1)
    return RunsByWorld(ensemble, described, homes, parameters or {}, worlds)
