"""The work that is timed: the pilot sweep, a national system, worlds of any size, and the limit that all peers can express."""

from typing import Any

import numpy as np

from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.designs import PRESETS, design_table
from school_mentoring.model.engine import Batch, Task
from school_mentoring.model.parameters import PARAMETERS, base_values, parameter_table
from school_mentoring.model.world.arrays import Practices, World
from school_mentoring.model.world.network import generate_world
from school_mentoring.scenarios import load_scenario

__all__ = ["LIMIT", "limit", "pilot", "pilot_world", "random_sets", "school_months", "sized_world", "work"]

LIMIT = {"p": 0.01, "q_out": 0.3, "d": 0.03}
"""Chances a month of the limit: a school adopts with 1 - (1 - p)(1 - q_out E), E its adopting share of peers, and abandons with d."""

_LIMIT_SWITCHES = {"gamma": 1.0, "readiness_floor": 1.0, "q_in": 0.0, "protection": 0.0, "shield": 0.0, "turnover": 0.0}


def school_months(task: Task) -> int:
    """Return schools times months times runs of a task."""
    return int(task.world.teachers.size * task.months * task.batch.design.size)


def random_sets(count: int) -> list[dict[str, float]]:
    """Return parameter sets, each value anywhere in its plausible range; seeded."""
    rng = np.random.default_rng(7)
    sets = []
    for _ in range(count):
        values = {name: rng.uniform(p.low, p.high) for name, p in PARAMETERS.items()}
        sets.append({name: float(round(v)) if PARAMETERS[name].distribution == "integer" else float(v) for name, v in values.items()})
    return sets


def work(world: World, names: tuple[str, ...], replicates: int, months: int, values: dict[str, float] | None = None) -> Task:
    """Return runs of preset designs in a world, funded from month 6 to 34."""
    practices = Practices(np.ones(1), np.ones(1), np.full(1, -1.0))
    parameters = parameter_table([values or base_values()])
    designs = design_table([PRESETS[name] for name in names], 6, 34)
    design, replicate = (axis.reshape(-1) for axis in np.indices((len(names), replicates)))
    batch = Batch(design, np.zeros_like(design), replicate)
    return Task(world, practices, parameters, designs, batch, seed=1, months=months, end_of_funding=34)


def pilot_world() -> World:
    """Return the 480 schools of the pilot."""
    scenario = load_scenario("mensi-pilot")
    return Worlds(scenario).get(scenario.base_parameters(), 0)[0]


def pilot(replicates: int, names: tuple[str, ...] = tuple(PRESETS)) -> Task:
    """Return the pilot sweep: 480 schools, all designs, 72 months."""
    return work(pilot_world(), names, replicates, 72)


def sized_world(schools: int) -> World:
    """Return a generated world of about this many schools, with the countries of the national scenario where they fill regions of 250."""
    scenario = load_scenario("national" if schools >= 20_000 else "mensi-pilot")
    countries = scenario.country_list()
    if schools < 20_000:
        per_region, regions = max(1, round(schools / (len(countries) * 4))), 4
    else:
        per_region, regions = 250, max(1, round(schools / (len(countries) * 250)))
    world, _ = generate_world(countries, (regions,) * len(countries), per_region, base_values(), 1, 0)
    return world


def limit(world: World, replicates: int, months: int) -> Task:
    """Return the exact limit on the network of a world: one teacher per school, no mentoring, one school in 20 adopting at the start."""
    n = world.teachers.size
    started = (np.arange(n) % 20 == 0).astype(np.int32).reshape(1, n)
    degree = np.diff(world.peer_start)
    equal = 1.0 / np.maximum(degree, 1)
    plain = world._replace(teachers=np.ones(n, np.int32), openness=np.ones(n), adopters_at_start=started, row_weight=equal)
    values: dict[str, Any] = {**base_values(), **_LIMIT_SWITCHES, **LIMIT}
    return work(plain, ("none",), replicates, months, values)
