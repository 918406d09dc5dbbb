"""What is observed of a run: monthly counts by group of schools, and the outcomes a run comes to.

Both engines hand their state to ``observe`` once a month, after delivery and before teachers adopt.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from school_mentoring.model.world.arrays import Counts, Floats, Ints, Practices, Record, World

from . import rules
from .compiled import part, step
from .costs import CATEGORIES, PAYERS, PROGRAMME, SCHOOLS, TRANSFERS, discount_factor
from .draws import Moment
from .state import CELLS, LASTING, MENTEE, MENTOR, SIDE, Member, RunCounts, Shared, Spread, State, Tie, TrackCounts, TrackNumbers

SCHOOL_TYPES = ("rural_disadvantaged", "rural_not_disadvantaged", "not_rural_disadvantaged", "not_rural_not_disadvantaged")
"""The four types that every school is exactly one of."""

GROUPS = (
    *("all", "disadvantaged", "not_disadvantaged", "rural", "not_rural", "small", "not_small"),
    *("mentors", "mentees", "unmentored", *SCHOOL_TYPES),
)
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
    "gap_small_end_of_funding",
    "gap_disadvantaged",
    "gap_rural",
    "gap_small",
    "use_team_end_of_funding",
    "use_colleagues_end_of_funding",
    "use_others_end_of_funding",
    "active_ties_end_of_funding",
    "active_ties_end",
    "contacts_end_of_funding",
    "contacts_end",
    "mentor_schools",
    "mentee_schools",
    "schools_reached",
    "teachers_in_team",
    "pupils_reached",
    *(f"cost_{payer}" for payer in PAYERS),
    "cost_total",
    "cost_society",
    *(f"cost_{category}" for category in CATEGORIES),
)
"""What each run comes to; units in ``analysis/outcomes.py``."""

TEAM_GROUPS = ("team", "colleagues", "others")
"""Groups of teachers: those in a team now, the others of schools with a tie now, those of all other schools."""

GROUP_COUNTS = ("schools", "teachers", "adopters", "mainstreamed")
"""What is counted in each group."""

_SCHOOLS, _TEACHERS, _ADOPTERS, _MAINSTREAMED, _PUPILS = range(5)
_YEARS, _START, _FUNDED_ADOPTERS, _END_ADOPTERS, _FUNDED_MAINSTREAMED, _END_MAINSTREAMED, _END_PUPILS, _SUSTAINED = range(8)
_FUNDED_GAP_D, _FUNDED_GAP_R, _FUNDED_GAP_S, _GAP_D, _GAP_R, _GAP_S, _USE = range(8, 15)
_FUNDED_TIES, _END_TIES, _FUNDED_CONTACTS, _END_CONTACTS = range(_USE + 3, _USE + 7)
_MENTORS, _MENTEES, _REACHED, _IN_TEAM, _PUPILS_REACHED, _COST = range(_USE + 7, _USE + 13)
_TOTAL = _COST + len(PAYERS)
_SOCIETY, _CATEGORY = _TOTAL + 1, _TOTAL + 2
_IS_TRANSFER = tuple(category in TRANSFERS for category in CATEGORIES)


def group_names(country_codes: Sequence[str]) -> list[str]:
    """Return the names of the groups of ``Results.groups`` in order."""
    return [*GROUPS, *(f"country:{code}" for code in country_codes)]


class Results(NamedTuple):
    """What a batch of B runs gave.

    ``outcomes``: float64 (B, len(OUTCOMES)). ``groups``: int64 (B, months, groups, practices, 4): schools, teachers, adopters, mainstreamed
    schools. ``teams``: int64 (B, months, len(TEAM_GROUPS), practices, 2): teachers, adopters. ``ties``: active mentoring ties,
    ``contacts``: pairs of schools in lasting contact, int64 (B, months). ``costs``: cents, int64 (B, months, countries, categories,
    payers). ``schools``: per school and month adopters by practice, then role, then mentor, int32 (B, months, P + 2, n);
    ``team_adopters``: those of its team, int32 (B, months, P, n). ``partners``: the schools of its lasting contacts at the end of funding
    and of the horizon, else -1, int32 (B, 2, 8, n), ``partner_weights``: what they weigh for it, float64. ``nodes``: the row of the designs
    that is in force in each track at the end, which tells the way it took, int32 (B, tracks); tracks are numbered by their first regions.
    ``found``: the share that the survey of each track's last gate found, nan where none was asked, float64 (B, tracks). What was not asked
    for has length 0 on its first axis.
    """

    outcomes: Floats
    groups: Counts
    teams: Counts
    ties: Counts
    contacts: Counts
    costs: Counts
    schools: Ints
    team_adopters: Ints
    partners: Ints
    partner_weights: Floats
    nodes: Ints
    found: Floats


def empty_results(world: World, practices: Practices, runs: int, months: int, monthly: bool, per_school: bool, tracks: int = 1) -> Results:
    """Return the arrays that hold the results of ``runs`` runs of up to so many ``tracks``, filled with zeros."""
    recorded = runs if monthly else 0
    schools = runs if per_school else 0
    n, p = world.teachers.size, practices.weight.size
    groups = len(GROUPS) + world.salary.size
    return Results(
        outcomes=np.zeros((runs, len(OUTCOMES))),
        groups=np.zeros((recorded, months, groups, p, 4), np.int64),
        teams=np.zeros((recorded, months, len(TEAM_GROUPS), p, 2), np.int64),
        ties=np.zeros((recorded, months), np.int64),
        contacts=np.zeros((recorded, months), np.int64),
        costs=np.zeros((recorded, months, world.salary.size, len(CATEGORIES), len(PAYERS)), np.int64),
        schools=np.zeros((schools, months, p + 2, n), np.int32),
        team_adopters=np.zeros((schools, months, p, n), np.int32),
        partners=np.full((schools, 2, LASTING, n), -1, np.int32),
        partner_weights=np.zeros((schools, 2, LASTING, n)),
        nodes=np.full((runs, tracks), -1, np.int32),
        found=np.full((runs, tracks), np.nan),
    )


@part
def _count_cells(world: World, par: Record, state: State, run: int, p: int, cells: Counts) -> None:
    """Count schools, teachers, adopters, mainstreamed schools and pupils reached in each cell of country x traits x experience."""
    ties, side = state.ties[run], state.ties.shape[0]
    cells[:] = 0
    for i in range(world.teachers.size):
        traits = (world.traits[i] >> 1) + 4 * rules.is_small(par, world.teachers[i])
        cell = world.country[i] * CELLS + traits * 3 + ties[Tie.EXPERIENCE, i]
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


@step
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
        urban, advantaged, large, experience = 1 - (inside // 3) % 2, 1 - (inside // 6) % 2, 1 - inside // 12, inside % 3
        mentored = 7 if experience == MENTOR else 8 if experience == MENTEE else 9
        for what in range(4):
            count = cells[cell, what]
            groups[0, what] += count
            groups[1 + advantaged, what] += count
            groups[3 + urban, what] += count
            groups[5 + large, what] += count
            groups[mentored, what] += count
            groups[10 + 2 * urban + advantaged, what] += count
            groups[len(GROUPS) + country, what] += count


@step
def _gap(cells: Counts, trait: int) -> float:
    """Return the adopting share outside minus inside schools with a trait (0 rural, 1 disadvantaged, 2 small); nan if one is empty."""
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


@step
def _column(cells: Counts, what: int) -> np.int64:
    total = np.int64(0)
    for cell in range(cells.shape[0]):
        total += cells[cell, what]
    return total


@part
def _count_teams(world: World, state: State, run: int, p: int, total: Counts, teams: Counts) -> None:
    """Count teachers and adopters in teams, among their colleagues and in other schools, (3, 2); ``total``: all of a practice, by cell."""
    ties, side = state.ties[run], state.ties.shape[0]
    teams[:] = 0
    teams[2, 0], teams[2, 1] = _column(total, _TEACHERS), _column(total, _ADOPTERS)
    for position in range(state.runs[RunCounts.TIED, run]):
        i = ties[Tie.TIED, position]
        row = ties[Tie.ROW, i]
        team = np.int64(state.member[run, row, Member.TEAM]), np.int64(state.member[run, row, Member.USERS + p])
        school = np.int64(world.teachers[i]), np.int64(state.adopters[p, i * side + run])
        for what in range(2):
            teams[0, what] += team[what]
            teams[1, what] += school[what] - team[what]
            teams[2, what] -= school[what]


@part
def _observe_end_of_funding(cells: Counts, teams: Counts, runs: Counts, outcomes: Floats) -> None:
    outcomes[_FUNDED_ADOPTERS] = _column(cells, _ADOPTERS)
    outcomes[_FUNDED_MAINSTREAMED] = _column(cells, _MAINSTREAMED)
    outcomes[_FUNDED_GAP_D] = _gap(cells, 1)
    outcomes[_FUNDED_GAP_R] = _gap(cells, 0)
    outcomes[_FUNDED_GAP_S] = _gap(cells, 2)
    for group in range(teams.shape[0]):
        outcomes[_USE + group] = teams[group, 1] / teams[group, 0] if teams[group, 0] > 0 else np.nan
    outcomes[_FUNDED_TIES] = runs[RunCounts.TIED]
    outcomes[_FUNDED_CONTACTS] = runs[RunCounts.CONTACTS] // 2


@part
def _observe_end(world: World, state: State, run: int, cells: Counts, outcomes: Floats) -> None:
    ties, adopters = state.ties[run], _column(cells, _ADOPTERS)
    outcomes[_END_ADOPTERS] = adopters
    outcomes[_END_MAINSTREAMED] = _column(cells, _MAINSTREAMED)
    outcomes[_END_PUPILS] = _column(cells, _PUPILS)
    outcomes[_GAP_D] = _gap(cells, 1)
    outcomes[_GAP_R] = _gap(cells, 0)
    outcomes[_GAP_S] = _gap(cells, 2)
    outcomes[_END_TIES] = state.runs[RunCounts.TIED, run]
    outcomes[_END_CONTACTS] = state.runs[RunCounts.CONTACTS, run] // 2
    outcomes[_SUSTAINED] = np.nan
    if outcomes[_FUNDED_ADOPTERS] > 0.0:
        outcomes[_SUSTAINED] = adopters / outcomes[_FUNDED_ADOPTERS]
    for i in range(world.teachers.size):
        outcomes[_MENTORS] += ties[Tie.EXPERIENCE, i] == MENTOR
        outcomes[_MENTEES] += ties[Tie.EXPERIENCE, i] == MENTEE
        if ties[Tie.TIE_START, i] >= 0:
            team = np.int64(state.member[run, ties[Tie.ROW, i], Member.TEAM])
            outcomes[_REACHED] += 1.0
            outcomes[_IN_TEAM] += team
            outcomes[_PUPILS_REACHED] += world.pupils[i] * team // world.teachers[i]


@step
def _observe_costs(par: Record, factor: float, ledger: Counts, outcomes: Floats) -> None:
    """Add one month's costs, in EUR times the discount ``factor``, to the outcomes of a run.

    A transfer cancels in the total; as a category it is what the programme paid.
    """
    countries, categories, _ = ledger.shape
    for category in range(categories):
        programme, schools = np.int64(0), np.int64(0)
        for country in range(countries):
            programme += ledger[country, category, PROGRAMME]
            schools += ledger[country, category, SCHOOLS]
        if programme == 0 and schools == 0:
            continue
        paid, borne = programme * factor / 100.0, schools * factor / 100.0
        outcomes[_COST + PROGRAMME] += paid
        outcomes[_COST + SCHOOLS] += borne
        outcomes[_TOTAL] += paid + borne
        outcomes[_SOCIETY] += paid + borne + par.public_funds * paid
        outcomes[_CATEGORY + category] += paid if _IS_TRANSFER[category] else paid + borne


@step
def _observe_totals(par: Record, state: State, now: Moment, outcomes: Floats) -> None:
    """Add what every month adds to the outcomes of a run: adopter-years and costs, discounted."""
    factor, total = discount_factor(par, now.month), state.runs[RunCounts.ADOPTERS, now.run]
    outcomes[_YEARS] += total * factor / 12.0
    if now.month == 0:
        outcomes[_START] = total
    _observe_costs(par, factor, state.ledger[now.run], outcomes)


@part
def _copy_team(state: State, run: int, p: int, record: Ints) -> None:
    """Write the adopters of each school's team, 0 where it has none."""
    record[:] = 0
    for position in range(state.runs[RunCounts.TIED, run]):
        i = state.ties[run, Tie.TIED, position]
        record[i] = state.member[run, state.ties[run, Tie.ROW, i], Member.USERS + p]


@part
def _copy_contacts(state: State, run: int, partners: Ints, weights: Floats) -> None:
    """Write each school's lasting contacts, (8, n)."""
    for position in range(state.runs[RunCounts.MEMBERS, run]):
        i = state.ties[run, Tie.MEMBERS, position]
        row = state.ties[run, Tie.ROW, i]
        for slot in range(state.member[run, row, Member.CONTACTS]):
            partners[slot, i] = state.member[run, row, Member.PARTNER + slot]
            weights[slot, i] = state.shared[run, row, Shared.WEIGHT + slot]


@part
def _observe_groups(world: World, practices: Practices, par: Record, state: State, now: Moment, results: Results, r: int) -> None:
    """Count groups of schools and of teachers, for the monthly records and for the outcomes at the end of funding and of the horizon."""
    run, month = now.run, now.month
    cells, total, teams, all_teams = state.cells[0], state.cells[1], state.cells[2, :3, :2], state.cells[2, 3:6, :2]
    ends = (now.end_of_funding, now.months - 1)
    total[:] = 0
    all_teams[:] = 0
    for p in range(practices.weight.size):
        _count_cells(world, par, state, run, p, cells)
        _count_teams(world, state, run, p, cells, teams)
        _add(cells, total)
        _add(teams, all_teams)
        if results.groups.shape[0] > 0:
            _add_groups(cells, results.groups[r, month, :, p])
            _add(teams, results.teams[r, month, :, p])
        if results.schools.shape[0] > 0:
            _copy(state.adopters[p, run :: state.ties.shape[0]], results.schools[r, month, p])
            _copy_team(state, run, p, results.team_adopters[r, month, p])
    if month == ends[0]:
        _observe_end_of_funding(total, all_teams, state.runs[:, run], results.outcomes[r])
    if month == ends[1]:
        _observe_end(world, state, run, total, results.outcomes[r])
    if results.groups.shape[0] > 0:
        results.ties[r, month] = state.runs[RunCounts.TIED, run]
        results.contacts[r, month] = state.runs[RunCounts.CONTACTS, run] // 2
        for country in range(state.ledger.shape[1]):
            _add(state.ledger[run, country], results.costs[r, month, country])
    if results.schools.shape[0] > 0:
        _copy(state.ties[run, Tie.ROLE], results.schools[r, month, -2])
        _copy(state.ties[run, Tie.MENTOR], results.schools[r, month, -1])
        for end in range(2):
            if month == ends[end]:
                _copy_contacts(state, run, results.partners[r, end], results.partner_weights[r, end])


@step
def observe(world: World, practices: Practices, par: Record, state: State, now: Moment, results: Results, r: int) -> None:
    """Add one month of a run to row r of the results, once ``sum_adopters`` has counted the adopting teachers."""
    _observe_totals(par, state, now, results.outcomes[r])
    if now.month == now.months - 1:
        for track in range(state.runs[RunCounts.TRACKS, now.run]):
            results.nodes[r, track] = state.tracks[now.run, TrackCounts.NODE, track]
            results.found[r, track] = state.numbers[now.run, TrackNumbers.FOUND, track]
    recorded = results.groups.shape[0] + results.schools.shape[0]
    if recorded > 0 or now.month == now.end_of_funding or now.month == now.months - 1:
        _observe_groups(world, practices, par, state, now, results, r)
