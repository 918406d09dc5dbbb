"""A run's effects and costs broken down: adopter-years by school type and country, costs by country, payer and year.

Columns beside the outcomes, one row per run. ``NAME:GROUP`` is the outcome NAME in a group of schools: ``effect_adopter_years`` in each
school type and country, ``cost_programme``, ``cost_schools`` and ``cost_total`` in each country, discounted as the outcomes are; they add
up to the outcome over school types, and over countries. ``spent_PAYER:country:CODE:YEAR`` is what a payer spends in a country in a year of
the study (1: months 0 to 11) in EUR of that year, not discounted. ``teachers:GROUP`` is the number of teachers in a group.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.costs import CATEGORIES, PAYERS
from school_mentoring.model.engine import Results
from school_mentoring.model.observe import GROUP_COUNTS, GROUPS, SCHOOL_TYPES, group_names
from school_mentoring.model.portable import exp, log
from school_mentoring.scenarios import Scenario

SLICE_BYTES = 250_000_000
EFFECT = "effect_adopter_years"
TEACHERS, ADOPTERS = GROUP_COUNTS.index("teachers"), GROUP_COUNTS.index("adopters")


def breakdown_columns(countries: Sequence[str], months: int) -> list[str]:
    """Return the names of the columns in order; ``countries``: codes."""
    places = [f"country:{code}" for code in countries]
    groups = [*SCHOOL_TYPES, *places]
    years = range(1, -(-months // 12) + 1)
    return [
        *(f"teachers:{group}" for group in groups),
        *(f"{EFFECT}:{group}" for group in groups),
        *(f"cost_{payer}:{place}" for payer in (*PAYERS, "total") for place in places),
        *(f"spent_{payer}:{place}:{year}" for payer in PAYERS for place in places for year in years),
    ]


def breakdown(results: Results, discount_rates: NDArray[np.float64], countries: Sequence[str]) -> NDArray[np.float64]:
    """Return the columns of runs that were recorded monthly, shape (runs, columns); ``discount_rates``: of each run, per year.

    Sums run month by month, so that they come to the same bits on every machine.
    """
    names = group_names(countries)
    kept = [names.index(name) for name in [*SCHOOL_TYPES, *names[len(GROUPS) :]]]
    groups = results.groups[:, :, kept].sum(axis=3)
    paid = results.costs.sum(axis=3)  # runs, months, countries, payers
    runs, months = groups.shape[:2]
    practices = results.groups.shape[3]
    effect, cost = np.zeros((runs, len(kept))), np.zeros((runs, len(PAYERS), len(countries)))
    spent = np.zeros((runs, len(PAYERS), len(countries), -(-months // 12)), np.int64)
    weights = _discount_weights(discount_rates, months)
    for month in range(months):
        weight = weights[:, month, None]
        effect += groups[:, month, :, ADOPTERS] * weight / 12.0
        cents = np.swapaxes(paid[:, month], 1, 2)
        cost += cents * weight[..., None] / 100.0
        spent[..., month // 12] += cents
    teachers = groups[:, 0, :, TEACHERS] // practices
    parts = [teachers, effect, cost, cost.sum(axis=1), spent / 100.0]
    return np.concatenate([np.asarray(part, np.float64).reshape(runs, -1) for part in parts], axis=1)


def _discount_weights(rates: NDArray[np.float64], months: int) -> NDArray[np.float64]:
    """Return the weight of every month for each rate, as ``model.costs.discount_factor`` has it, shape (rates, months)."""
    different, position = np.unique(rates, return_inverse=True)
    table = [[exp(-(month / 12.0) * log(1.0 + rate)) for month in range(months)] for rate in different.tolist()]
    return np.array(table)[position.reshape(-1)]


def monthly_bytes(scenario: Scenario, countries: int) -> int:
    """Return the bytes that the monthly records of one run take."""
    counts = (len(GROUPS) + countries) * len(scenario.practices) * len(GROUP_COUNTS) + countries * len(CATEGORIES) * len(PAYERS)
    return 8 * scenario.months * counts


def slices(runs: int, scenario: Scenario, countries: int) -> Iterator[slice]:
    """Cut runs into slices whose monthly records take no more memory than a few hundred megabytes."""
    step = max(1, SLICE_BYTES // monthly_bytes(scenario, countries))
    for low in range(0, max(runs, 1), step):
        yield slice(low, min(low + step, runs))
