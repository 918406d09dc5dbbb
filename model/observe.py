"""What is observed of a run: monthly counts by group of schools, and the outcomes a run comes to.

Both engines hand their state to ``observe`` once a month, after delivery and before teachers adopt.
"""

from collections.abc import Sequence

import numpy as np

from .compiled import compiled, inlined
from .costs import CATEGORIES, PAYERS
from .state import MENTEE, MENTOR, SIDE
from .vectors import sum_8

__all__ = ["CELLS", "GROUPS", "GROUP_COUNTS", "OUTCOMES", "SCHOOL_TYPES", "group_names", "observe", "sum_adopters"]

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
CELLS = 12  # per country: rural x disadvantaged x experience
_YEARS, _START, _FUNDED_ADOPTERS, _END_ADOPTERS, _FUNDED_MAINSTREAMED, _END_MAINSTREAMED, _END_PUPILS, _SUSTAINED = range(8)
_FUNDED_GAP_D, _FUNDED_GAP_R, _GAP_D, _GAP_R, _FUNDED_TIES, _END_TIES, _MENTORS, _MENTEES, _COST = range(8, 17)


def group_names(country_codes: Sequence[str]) -> list[str]:
    """Return the names of the groups of ``Results.groups`` in order."""
    return [*GROUPS, *(f"country:{code}" for code in country_codes)]


@compiled
def _count_cells(world, par, state, p, cells):
    """Count schools, teachers, adopters, mainstreamed schools and pupils reached in each cell of country x traits x experience."""
    cells[:] = 0
    for i in range(world.teachers.size):
        cell = world.country[i] * CELLS + (world.traits[i] >> 1) * 3 + state.experience[i]
        adopters = state.adopters[p, i]
        cells[cell, _SCHOOLS] += 1
        cells[cell, _TEACHERS] += world.teachers[i]
        cells[cell, _ADOPTERS] += adopters
        cells[cell, _MAINSTREAMED] += state.share[p, i] >= par.mainstream_threshold
        cells[cell, _PUPILS] += np.int64(world.pupils[i]) * adopters // world.teachers[i]


@compiled
def _sum(counts):
    # Four sums, so that an addition need not wait for the one before it.
    a, b, c, d = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    for i in range(0, counts.size - 3, 4):
        a += counts[i]
        b += counts[i + 1]
        c += counts[i + 2]
        d += counts[i + 3]
    for i in range(counts.size - counts.size % 4, counts.size):
        a += counts[i]
    return a + b + c + d


@compiled
def sum_adopters(state):
    """Set the adopting teachers of each of the runs side by side, ``state.total``, for ``observe``."""
    if state.total.size == SIDE:
        sum_8(state.total, state.adopters.reshape(-1))
    else:
        state.total[0] = _sum(state.adopters.reshape(-1))


@compiled
def _add(amounts, totals):
    for i in range(amounts.shape[0]):
        for j in range(amounts.shape[1]):
            totals[i, j] += amounts[i, j]


@compiled
def _copy(values, record):
    for i in range(values.size):
        record[i] = values[i]


@compiled
def _add_groups(cells, groups):
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


@compiled
def _gap(cells, trait):
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


@compiled
def _column(cells, what):
    total = np.int64(0)
    for cell in range(cells.shape[0]):
        total += cells[cell, what]
    return total


@compiled
def _observe_end_of_funding(cells, ties, outcomes):
    outcomes[_FUNDED_ADOPTERS] = _column(cells, _ADOPTERS)
    outcomes[_FUNDED_MAINSTREAMED] = _column(cells, _MAINSTREAMED)
    outcomes[_FUNDED_GAP_D] = _gap(cells, 1)
    outcomes[_FUNDED_GAP_R] = _gap(cells, 0)
    outcomes[_FUNDED_TIES] = ties


@compiled
def _observe_end(cells, state, ties, outcomes):
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
    for i in range(state.experience.size):
        outcomes[_MENTORS] += state.experience[i] == MENTOR
        outcomes[_MENTEES] += state.experience[i] == MENTEE


@compiled
def _observe_costs(factor, ledger, outcomes):
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


@compiled
def _observe_totals(factor, state, month, outcomes):
    """Add what every month adds to the outcomes of a run: adopter-years and costs, discounted."""
    total = state.total[0]
    outcomes[_YEARS] += total * factor / 12.0
    if month == 0:
        outcomes[_START] = total
    if state.posted[0]:
        _observe_costs(factor, state.ledger, outcomes)


@compiled
def _observe_groups(world, practices, par, state, ties, month, months, end_of_funding, cells, outcomes, record):
    """Count groups of schools, for the monthly records and for the outcomes at the end of funding and of the horizon."""
    groups, ties_record, costs_record, schools_record = record
    cells[1] = 0
    for p in range(practices.weight.size):
        _count_cells(world, par, state, p, cells[0])
        _add(cells[0], cells[1])
        if groups.shape[0] > 0:
            _add_groups(cells[0], groups[0, month, :, p])
        if schools_record.shape[0] > 0:
            _copy(state.adopters[p], schools_record[0, month, p])
    if month == end_of_funding:
        _observe_end_of_funding(cells[1], ties, outcomes)
    if month == months - 1:
        _observe_end(cells[1], state, ties, outcomes)
    if groups.shape[0] > 0:
        ties_record[0, month] = ties
        for country in range(state.ledger.shape[0]):
            _add(state.ledger[country], costs_record[0, month, country])
    if schools_record.shape[0] > 0:
        _copy(state.role, schools_record[0, month, -2])
        _copy(state.mentor, schools_record[0, month, -1])


@inlined
def observe(world, practices, par, state, ties, factor, month, months, end_of_funding, cells, outcomes, record):
    """Add one month to a run's outcomes and, where ``record`` holds any, to its monthly records.

    Each array of ``record`` has length 1 on its first axis where it is wanted and 0 where it is not.
    ``factor`` discounts the month. ``cells`` is scratch, int64 (2, cells, 5): one practice, and the sum over practices.
    """
    _observe_totals(factor, state, month, outcomes)
    recorded = record[0].shape[0] + record[3].shape[0]
    if recorded > 0 or month == end_of_funding or month == months - 1:
        _observe_groups(world, practices, par, state, ties, month, months, end_of_funding, cells, outcomes, record)
