"""How much one visitor may ask of the server."""

from dataclasses import dataclass

from school_mentoring.experiments.compare import DRAW_REPLICATES
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import Scenario

from .texts import text


@dataclass(frozen=True)
class Limits:
    """Bytes of a request and of an upload, schools of a world, school-months and monthly records of an answer, visitors, hours kept."""

    request_bytes: int = 256 * 1024
    upload_bytes: int = 2 * 1024 * 1024
    schools: int = 50_000
    school_months: int = 400_000_000
    records: int = 100_000
    visitors: int = 1000
    hours: int = 2


def refuse_too_much(scenario: Scenario, schools: int, limits: Limits) -> None:
    """Raise InputError where an answer would take more than one visitor may ask for. The comparator counts as a design."""
    draws = scenario.draws * DRAW_REPLICATES if scenario.uncertain else 0
    runs = (len(scenario.designs) + 1) * (scenario.replicates + draws)
    worlds = max(scenario.worlds, scenario.draws if scenario.uncertain else 1)
    work = runs * schools * scenario.months * len(scenario.practices)
    records = scenario.replicates * scenario.months * len(scenario.practices)
    if work > limits.school_months or records > limits.records or schools > limits.schools or schools * worlds > 40 * limits.schools:
        problem = text("results.too_much", runs=f"{runs:,}", schools=f"{schools:,}", months=scenario.months)
        allowed = text("results.too_much_allowed", most=f"{limits.school_months // 1_000_000:,}")
        raise InputError("page, world.schools_per_region", problem, allowed)


def planned_schools(scenario: Scenario) -> int:
    """Return how many schools a scenario generates; 0 where it reads them from a file."""
    return 0 if scenario.world.schools is not None else sum(scenario.regions()) * scenario.world.schools_per_region
