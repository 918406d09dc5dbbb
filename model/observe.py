"""What is observed of a run: monthly counts by group of schools, and the outcomes a run comes to.

Both engines hand their state to ``observe`` once a month, after delivery and before teachers adopt.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from school_mentoring.model.world.arrays import Counts, Floats, Ints, Practices, Record, World

from .compiled import part, step
from .costs import CATEGORIES, PAYERS, discount_factor
from .draws import Moment
from .state import CELLS, MENTEE, MENTOR, SIDE, RunCounts, Spread, State, Tie

SCHOOL_TYPES = ("rural_disadvantaged", "rural_not_disadvantaged", "not_rural_disadvantaged", "not_rural_not_disadvantaged")
"""The four types that every school is exactly one of."""

GROUPS = ("all", "disadvantaged", "not_disadvantaged", "rural", "not_rural", "mentors", "mentees", "unmentored", *SCHOOL_TYPES)
"""Groups of schools reported each month; a country's schools follow as ``country:CODE``. ``mentors`` and ``mentees`` have ever been one."""

OUTCOMES = (
    "effect_adopter_years",
    "adopters_start",
    "adopters_end_of_funding",
    "adopters_end",
    "mainstreamed_end_of_funding",
    "mainstreamed_end",
    "pupils_end",
    "sustained_share",
    "gap_disadvantaged_end_of_funding",
    "gap_rural_end_of_funding",
    "gap_disadvantaged",
    "gap_rural",
    "active_ties_end_of_funding",
    "active_ties_end",
    "mentor_schools",
    "mentee_schools",
    *(f"cost_{payer}" for payer in PAYERS),
    "cost_total",
    *(f"cost_{category}" for category in CATEGORIES),
)
"""What each run comes to; units in ``analysis/outcomes.py``."""

GROUP_COUNTS = ("schools", "teachers", "adopters", "mainstreamed")
"""What is counted in each group."""

_SCHOOLS, _TEACHERS, _ADOPTERS, _MAINSTREAMED, _PUPILS = range(5)
_YEARS, _START, _FUNDED_ADOPTERS, _END_ADOPTERS, _FUNDED_MAINSTREAMED, _END_MAINSTREAMED, _END_PUPILS, _SUSTAINED = range(8)
_FUNDED_GAP_D, _FUNDED_GAP_R, _GAP_D, _GAP_R, _FUNDED_TIES, _END_TIES, _MENTORS, _MENTEES, _COST = range(8, 17)


def group_names(country_codes: Sequence[str]) -> list[str]:
    """Return the names of the groups of ``Results.groups`` in order."""
    return [*GROUPS, *(f"country:{code}" for code in country_codes)]


class Results(NamedTuple):
    """What a batch of B runs gave.

    ``outcomes``: float64 (B, len(OUTCOMES)). ``groups``: int64 (B, months, groups, practices, 4): schools, teachers, adopters, mainstreamed
    schools. ``ties``: active mentoring ties, int64 (B, months). ``costs``: cents, int64 (B, months, countries, categories,
    payers).
    ``schools``: per school and month adopters by practice, then role, then mentor, int32 (B, months, P + 2, n).
    What was not asked for has length 0 on its first axis.
    """

    outcomes: Floats
    groups: Counts
    ties: Counts
    costs: Counts
    schools: Ints


def empty_results(world: World, practices: Practices, runs: int, months: int, monthly: bool, per_school: bool) -> Results:
    """Return the arrays that hold the results of ``runs`` runs, filled with zeros."""
    recorded = runs if monthly else 0
    schools = runs if per_school else 0
    n, p = world.teachers.size, practices.weight.size
    groups = len(GROUPS) + world.salary.size
    return Results(
        outcomes=np.zeros((runs, len(OUTCOMES))),
        groups=np.zeros((recorded, months, groups, p, 4), np.int64),
        ties=np.zeros((recorded, months), np.int64),
        costs=np.zeros((recorded, months, world.salary.size, len(CATEGORIES), len(PAYERS)), np.int64),
        schools=np.zeros((schools, months, p + 2, n), np.int32),
    )


@part
def _count_cells(world: World, par: Record, state: State, run: int, p: int, cells: Counts) -> None:
    """Count schools, teachers, adopters, mainstreamed schools and pupils reached in each cell of country x traits x experience."""
    ties, side = state.ties[run], state.ties.shape[0]
    cells[:] = 0
    for i in range(world.teachers.size):
        cell = world.country[i] * CELLS + (world.traits[i] >> 1) * 3 + ties[Tie.EXPERIENCE, i]
        adopters = state.adopters[p, i * side + run]
        cells[cell, _SCHOOLS] += 1
        cells[cell, _TEACHERS] += world.teachers[i]
        cells[cell, _ADOPTERS] += adopters
        cells[cell, _MAINSTREAMED] += state.spread[Spread.SHARE, p, i * side + run] >= par.mainstream_threshold
        cells[cell, _PUPILS] += np.int64(world.pupils[i]) * adopters // world.teachers[i]


@part
def sum_adopters(state: State) -> None:
    """Set the adopting teachers of each of the runs side by side, for ``observe``."""
    totals, adopters = state.runs[RunCounts.ADOPTERS], state.adopters.reshape(-1)
    totals[:] = 0
    if totals.size == 1:
        totals[0] = _sum(adopters)
        return
    for first in range(0, adopters.size, SIDE):
        for run in range(SIDE):
            totals[run] += adopters[first + run]


@part
def _sum(counts: Ints) -> np.int64:
    total = np.int64(0)
    for i in range(counts.size):
        total += counts[i]
    return total


@part
def _add(amounts: Counts, totals: Counts) -> None:
    for i in range(amounts.shape[0]):
        for j in range(amounts.shape[1]):
            totals[i, j] += amounts[i, j]


@part
def _copy(values: Ints, record: Ints) -> None:
    for i in range(values.size):
        record[i] = values[i]


@part
def _add_groups(cells: Counts, groups: Counts) -> None:
    """Write a practice's cells into its groups (group, 4), in the order of ``GROUPS`` and then countries."""
    for cell in range(cells.shape[0]):
        country, inside = cell // CELLS, cell % CELLS
        urban, advantaged, experience = 1 - (inside // 3) % 2, 1 - inside // 6, inside % 3
        mentored = 5 if experience == MENTOR else 6 if experience == MENTEE else 7
        for what in range(4):
            count = cells[cell, what]
            groups[0, what] += count
            groups[1 + advantaged, what] += count
            groups[3 + urban, what] += count
            groups[mentored, what] += count
            groups[8 + 2 * urban + advantaged, what] += count
            groups[len(GROUPS) + country, what] += count


@part
def _gap(cells: Counts, trait: int) -> float:
    """Return the adopting share outside minus inside the schools with a trait (0 rural, 1 disadvantaged); nan where either is empty."""
    adopters_in, adopters_out, teachers_in, teachers_out = 0.0, 0.0, 0.0, 0.0
    for cell in range(cells.shape[0]):
        if ((cell % CELLS) // 3 >> trait) & 1:
            adopters_in += cells[cell, _ADOPTERS]
            teachers_in += cells[cell, _TEACHERS]
        else:
            adopters_out += cells[cell, _ADOPTERS]
            teachers_out += cells[cell, _TEACHERS]
    if teachers_in == 0.0 or teachers_out == 0.0:
        return np.nan
    return adopters_out / teachers_out - adopters_in / teachers_in


@part
def _column(cells: Counts, what: int) -> np.int64:
    total = np.int64(0)
    for cell in range(cells.shape[0]):
        total += cells[cell, what]
    return total


@part
def _observe_end_of_funding(cells: Counts, ties: int, outcomes: Floats) -> None:
    outcomes[_FUNDED_ADOPTERS] = _column(cells, _ADOPTERS)
    outcomes[_FUNDED_MAINSTREAMED] = _column(cells, _MAINSTREAMED)
    outcomes[_FUNDED_GAP_D] = _gap(cells, 1)
    outcomes[_FUNDED_GAP_R] = _gap(cells, 0)
    outcomes[_FUNDED_TIES] = ties


@part
def _observe_end(cells: Counts, experience: Ints, ties: int, outcomes: Floats) -> None:
    adopters = _column(cells, _ADOPTERS)
    outcomes[_END_ADOPTERS] = adopters
    outcomes[_END_MAINSTREAMED] = _column(cells, _MAINSTREAMED)
    outcomes[_END_PUPILS] = _column(cells, _PUPILS)
    outcomes[_GAP_D] = _gap(cells, 1)
    outcomes[_GAP_R] = _gap(cells, 0)
    outcomes[_END_TIES] = ties
    outcomes[_SUSTAINED] = np.nan
    if outcomes[_FUNDED_ADOPTERS] > 0.0:
        outcomes[_SUSTAINED] = adopters / outcomes[_FUNDED_ADOPTERS]
    for i in range(experience.size):
        outcomes[_MENTORS] += experience[i] == MENTOR
        outcomes[_MENTEES] += experience[i] == MENTEE


@step
def _observe_costs(factor: float, ledger: Counts, outcomes: Floats) -> None:
    """Add one month's costs, in EUR times the discount ``factor``, to the outcomes of a run."""
    countries, categories, payers = ledger.shape
    for category in range(categories):
        for payer in range(payers):
            total = np.int64(0)
            for country in range(countries):
                total += ledger[country, category, payer]
            if total > 0:
                amount = total * factor / 100.0
                outcomes[_COST + payer] += amount
                outcomes[_COST + payers] += amount
                outcomes[_COST + payers + 1 + category] += amount


@step
def _observe_totals(par: Record, state: State, now: Moment, outcomes: Floats) -> None:
    """Add what every month adds to the outcomes of a run: adopter-years and costs, discounted."""
    factor, total = discount_factor(par, now.month), state.runs[RunCounts.ADOPTERS, now.run]
    outcomes[_YEARS] += total * factor / 12.0
    if now.month == 0:
        outcomes[_START] = total
    if state.runs[RunCounts.POSTED, now.run] > 0:
        _observe_costs(factor, state.ledger[now.run], outcomes)


@part
def _observe_groups(world: World, practices: Practices, par: Record, state: State, now: Moment, results: Results, r: int) -> None:
    """Count groups of schools, for the monthly records and for the outcomes at the end of funding and of the horizon."""
    ties, month, active = state.ties[now.run], now.month, state.runs[RunCounts.TIED, now.run]
    cells, total = state.cells[0], state.cells[1]
    total[:] = 0
    for p in range(practices.weight.size):
        _count_cells(world, par, state, now.run, p, cells)
        _add(cells, total)
        if results.groups.shape[0] > 0:
            _add_groups(cells, results.groups[r, month, :, p])
        if results.schools.shape[0] > 0:
            _copy(state.adopters[p, now.run :: state.ties.shape[0]], results.schools[r, month, p])
    if month == now.end_of_funding:
        _observe_end_of_funding(total, active, results.outcomes[r])
    if month == now.months - 1:
        _observe_end(total, ties[Tie.EXPERIENCE], active, results.outcomes[r])
    if results.groups.shape[0] > 0:
        results.ties[r, month] = active
        for country in range(state.ledger.shape[1]):
            _add(state.ledger[now.run, country], results.costs[r, month, country])
    if results.schools.shape[0] > 0:
        _copy(ties[Tie.ROLE], results.schools[r, month, -2])
        _copy(ties[Tie.MENTOR], results.schools[r, month, -1])


@step
def observe(world: World, practices: Practices, par: Record, state: State, now: Moment, results: Results, r: int) -> None:
    """Add one month of a run to row r of the results, once ``sum_adopters`` has counted the adopting teachers."""
    _observe_totals(par, state, now, results.outcomes[r])
    recorded = results.groups.shape[0] + results.schools.shape[0]
    if recorded > 0 or now.month == now.end_of_funding or now.month == now.months - 1:
        _observe_groups(world, practices, par, state, now, results, r)
