"""Every cent has its cause and its payer: the ledger of a run is the one rebuilt in plain Python from who mentors whom."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given

from school_mentoring.model.costs import CATEGORIES, PAYERS, TRANSFERS
from school_mentoring.model.designs import PRESETS, design_table
from school_mentoring.model.engine import Task, run_batch
from school_mentoring.model.mesa_model import run_batch_with_mesa
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.model.parameters import parameter_table
from school_mentoring.model.state import MENTOR
from tests.worlds import Case, batch_of, build_practices, build_world, cases, design

from .taken_apart import EXAMPLES, Run, run, runs

PROGRAMME, SCHOOLS = range(2)
OF_TIES = ("release", "voluntary", "team", "meeting", "stipend", "grant", "travel", "recognition")
APART = ("platform", "learning")
"""Categories that need more than who mentors whom; they have tests of their own."""
NOTHING_LOST = {"d": 0.0, "turnover": 0.0}


def whole_cents(euros: float) -> int:
    """Return EUR as whole cents, half a cent up: what one school or teacher costs before it is multiplied by their number."""
    return math.floor(100 * euros + 0.5)


def with_values(case: Case, **values: float) -> Case:
    return case._replace(parameters=[{**drawn, **values} for drawn in case.parameters])


def years(r: Run) -> np.ndarray:
    """Return what a teacher's year costs in each country."""
    return r.world.salary * r.values["salary_level"] * r.values["teacher_cost_factor"] * r.factors


def expected_ledger(r: Run, month: int) -> dict[tuple[int, str, int], tuple[float, int]]:
    """Return EUR and number of postings by country, category and payer, rebuilt by the specification from who mentors whom."""
    world, q, des = r.world, r.values, r.design
    funded, mentor = r.funded(month), r.mentor[month]
    book: dict[tuple[int, str, int], tuple[float, int]] = {}

    def post(country: int, category: str, payer: int, euros: float) -> None:
        total, count = book.get((country, category, payer), (0.0, 0))
        book[country, category, payer] = total + euros, count + 1

    def pay_schools(country: int, category: str, euros: float) -> None:
        post(country, category, PROGRAMME, euros)
        post(country, category, SCHOOLS, -euros)

    payer = PROGRAMME if funded else SCHOOLS
    cover = PROGRAMME if funded and des.supply_cover else SCHOOLS
    mentees = Counter(mentor[mentor >= 0].tolist())
    own = years(r) / world.working_hours
    paid = q["cover_share"] * years(r) / world.taught_hours + (1 - q["cover_share"]) * own
    meeting = des.meeting_hours if funded or des.tier == "none" else 0.0
    before = r.role[month - 1] if month else np.zeros_like(r.role[0])
    for new in np.flatnonzero((r.role[month] == MENTOR) & (before != MENTOR)):
        post(world.country[new], "onboarding", payer, q["onboarding"])
    for m in mentees:
        home = world.country[m]
        post(home, "voluntary", SCHOOLS, q["voluntary_hours"] * own[home])
        post(home, "meeting", cover, r.team[m] * meeting * paid[home])
        if funded:
            post(home, "release", PROGRAMME, des.release_hours * paid[home])
            post(home, "recognition", PROGRAMME, des.recognition * q["recognition_cost"] / 12)
            pay_schools(home, "stipend", des.stipend / 12)
    for i in np.flatnonzero(mentor >= 0):
        m, home = mentor[i], world.country[i]
        hours = (q["voluntary_hours"] + (des.release_hours if funded else 0.0)) / mentees[m]
        by_road = 0.0 if home != world.country[m] else (1 - des.virtual_share) / q["visit_hours"]
        visits, trips = by_road * hours, by_road * meeting
        distance = math.hypot(world.x[i] - world.x[m], world.y[i] - world.y[m])
        met = max(0.0, visits * (q["visit_hours"] - 2 * distance / q["travel_speed"])) + des.virtual_share * hours
        post(home, "team", cover, r.team[i] * met * paid[home])
        post(home, "meeting", cover, r.team[i] * meeting * paid[home])
        post(home, "travel", cover, r.team[i] * (visits + trips) * 2 * distance / q["travel_speed"] * paid[home])
        post(home, "travel", payer, (visits + trips) * 2 * distance * q["km_rate"])
        if funded:
            pay_schools(home, "grant", des.mentee_grant / 12)
    for country, year in enumerate(years(r)) if funded else ():
        schools = world.country == country
        post(country, "outreach", PROGRAMME, schools.sum() * whole_cents(des.outreach * q["outreach_cost"]) / 100)
        reached = ((world.teachers - r.adopters[month]) * world.openness)[:, schools].sum()
        hours = (q["completion"] + 0.2 * (1 - q["completion"])) * q["course_hours"]
        post(country, "course", SCHOOLS, des.outreach * q["enrolment"] * reached * hours * own[country])
        units = {"none": 0, "platform": 1 / world.salary.size, "ministry": 1, "hub": (world.region_country == country).sum()}[des.tier]
        post(country, "coordination", PROGRAMME, des.fte * units * q["coordinator_cost_ratio"] * year / 12)
    return book


@EXAMPLES
@given(cases(max_schools=25))
def test_each_months_ledger_is_the_one_rebuilt_from_who_mentors_whom(case):
    # Half a cent for each posting rounded to whole cents; relative 1e-12 for sums of floating-point amounts.
    for r in runs(case):
        for month in range(r.months):
            book = expected_ledger(r, month)
            for country, c, payer in np.ndindex(r.country_costs.shape[1:]):
                key = country, CATEGORIES[c], payer
                euros, postings = book.get(key, (0.0, 0))
                error = abs(r.country_costs[month, country, c, payer] - 100 * euros)
                assert CATEGORIES[c] in APART or error <= 0.5 * postings + 1e-12 * 100 * abs(euros), (month, *key)


@EXAMPLES
@given(cases())
def test_the_platform_costs_by_the_schools_and_the_members_of_the_community_that_runs(case):
    # A tie may end in the month in which it began, unseen in the records of schools; the groups of mentors and mentees count it.
    for r in runs(case):
        intensity, countries = r.design.community, r.world.salary.size
        members = r.group("mentors")[:, 0, 0] + r.group("mentees")[:, 0, 0]
        platform = r.country_costs[:, :, CATEGORIES.index("platform")]
        share = np.bincount(r.world.country, minlength=countries) / r.world.teachers.size
        fixed = sum(whole_cents(intensity * r.values["platform_fixed"] * part) for part in share)
        for month in range(r.months):
            kept_up = r.design.community_after and month >= r.last and members[month] > 0
            runs_now = r.design.recruitment != "none" and intensity > 0.0 and (r.funded(month) or kept_up)
            whole = fixed + members[month] * whole_cents(intensity * r.values["platform_per_school"]) if runs_now else 0
            payer = PROGRAMME if r.funded(month) else SCHOOLS
            # A cent for each country, whose share of schools may be rounded in the last place.
            assert abs(platform[month, :, payer].sum() - whole) <= countries
            assert not platform[month, :, 1 - payer].any()


@EXAMPLES
@given(cases(runs=2))
def test_learning_is_paid_by_its_schools_for_each_teacher_who_has_taken_the_practice_up_since_last_month(case):
    # Where nobody is lost a country's new adopters are the rise of its adopters; where some are, at least that and at most all others.
    for lossless in (True, False):
        for r in runs(with_values(case, **NOTHING_LOST) if lossless else case):
            learning = r.country_costs[:, :, CATEGORIES.index("learning")]
            assert not learning[..., PROGRAMME].any() and not learning[0].any()
            for country, year in enumerate(years(r)):
                each = whole_cents(r.values["learning_hours"] * year / r.world.working_hours[country])
                schools = r.world.country == country
                rise = np.maximum(np.diff(r.adopters[..., schools], axis=0), 0).sum(axis=(1, 2))
                others = (r.world.teachers - r.adopters[:-1])[..., schools].sum(axis=(1, 2))
                cents = learning[1:, country, SCHOOLS]
                # A cent a teacher, where the price lies within rounding of half a cent.
                assert (cents >= (each - 1) * rise).all() and (cents <= (each + 1) * (rise if lossless else others)).all()


@EXAMPLES
@given(cases(runs=2))
def test_without_a_programme_learning_is_all_that_costs(case):
    for r in runs(case._replace(designs=[PRESETS["none"]] * 3)):
        assert r.costs.sum() == r.cost("learning").sum()


@EXAMPLES
@given(cases())
def test_no_cost_of_mentoring_without_a_tie(case):
    for r in runs(case):
        for category in OF_TIES:
            assert not r.cost(category)[r.ties == 0].any(), category


@pytest.mark.parametrize("engine", [run_batch, run_batch_with_mesa])
@pytest.mark.parametrize("after", [False, True])
def test_the_community_keeps_its_members_after_their_ties_and_its_schools_may_keep_it_after_the_funding(engine, after):
    # Two schools at EUR 5 a month; every tie lasts a year, the programme two.
    way = design(
        "regional_hub", mentor_share=0.5, community=1.0, community_after=after, tie_months=12, first_month=0, last_month=24, cascade=0.0
    )
    values = {"attrition": 0.0, "platform_fixed": 0.0, "platform_per_school": 5.0}
    inputs = build_world([10, 10]), build_practices(), parameter_table([values]), design_table([way], 0, 30), batch_of(1)
    results = engine(Task(*inputs, seed=1, months=30, end_of_funding=29), monthly=True)
    assert results.ties[0].tolist() == [1] * 12 + [0] * 18
    platform = results.costs[0, :, 0, CATEGORIES.index("platform")]
    assert platform.tolist() == [[1000, 0]] * 24 + [[0, 1000 * after]] * 6


@pytest.mark.parametrize("cover", [False, True])
def test_a_mentee_farther_away_never_costs_less(cover):
    # One mentor, one mentee, at 0 to 300 km (the road takes all of a visit from 180 km on); a cent for the rounding of two amounts.
    way = design("regional_hub", virtual_share=0.2, mentor_share=0.5, places=1, supply_cover=cover, scope="anywhere")
    paid = []
    for distance in range(0, 301, 20):
        world = build_world([10] * 2, capacity=[0.9, 0.1], x=[0, distance])
        inputs = world, build_practices(), parameter_table([{"attrition": 0.0}]), design_table([way], 0, 10), batch_of(1)
        results = run_batch(Task(*inputs, seed=1, months=1, end_of_funding=1), monthly=True)
        assert results.ties[0, 0] == 1
        paid.append(int(results.costs[0, 0].sum()))
    assert (np.diff(paid) >= -1).all()
    assert paid[-1] > paid[0]


@EXAMPLES
@given(cases())
def test_a_programme_pays_nothing_outside_its_window(case):
    for r in runs(case):
        unfunded = [month for month in range(r.months) if not r.funded(month)]
        assert not r.costs[unfunded][:, :, PROGRAMME].any()


@EXAMPLES
@given(cases())
def test_a_cost_arises_only_under_a_design_that_causes_it(case):
    for r in runs(case):
        des = r.design
        causes = {
            "coordination": des.tier != "none" and des.fte > 0.0,
            "release": des.release_hours > 0.0,
            "meeting": des.meeting_hours > 0.0,
            "stipend": des.stipend > 0.0,
            "grant": des.mentee_grant > 0.0,
            "recognition": des.recognition,
            "travel": des.virtual_share < 1.0,
            "platform": des.recruitment != "none" and des.community > 0.0,
            "outreach": des.outreach > 0.0,
            "course": des.outreach > 0.0,
        }
        for category, caused in causes.items():
            if not caused:
                assert not r.cost(category).any(), category


@EXAMPLES
@given(cases())
def test_nothing_is_negative_but_what_schools_receive(case):
    costs = run(case).costs
    received = [CATEGORIES.index(category) for category in TRANSFERS]
    assert (costs[..., PROGRAMME] >= 0).all()
    assert (np.delete(costs, received, axis=3) >= 0).all()
    np.testing.assert_array_equal(costs[..., received, SCHOOLS], -costs[..., received, PROGRAMME])


@EXAMPLES
@given(cases())
def test_schools_never_pay_for_what_only_a_programme_gives(case):
    for r in runs(case):
        for category in ("coordination", "release", "outreach", "recognition"):
            assert not r.cost(category)[:, SCHOOLS].any(), category


def euros(r: Run, factor: np.ndarray) -> np.ndarray:
    """Return EUR by category and payer, each month weighted by a factor."""
    return (r.costs * factor[:, None, None]).sum(axis=0) / 100


@EXAMPLES
@given(cases())
def test_outcome_costs_are_the_discounted_sum_of_the_months_by_payer_and_category(case):
    # Relative 1e-9 of all that is paid, as of sums over up to 50 months and 28 entries in floating point.
    for r in runs(case):
        book, slack = euros(r, r.discount()), 1e-9 * np.abs(r.costs).sum() / 100
        for p, payer in enumerate(PAYERS):
            assert r.outcomes[f"cost_{payer}"] == pytest.approx(book[:, p].sum(), abs=slack)
        for c, category in enumerate(CATEGORIES):
            expected = book[c, PROGRAMME] if category in TRANSFERS else book[c].sum()
            assert r.outcomes[f"cost_{category}"] == pytest.approx(expected, abs=slack)


@EXAMPLES
@given(cases())
def test_costs_add_up_over_payers_and_over_all_categories_but_transfers_to_the_total(case):
    for r in runs(case):
        total = pytest.approx(r.outcomes["cost_total"], abs=1e-9 * np.abs(r.costs).sum() / 100)
        assert sum(r.outcomes[f"cost_{payer}"] for payer in PAYERS) == total
        assert sum(r.outcomes[f"cost_{category}"] for category in CATEGORIES if category not in TRANSFERS) == total


@EXAMPLES
@given(cases())
def test_to_society_a_programme_costs_what_is_used_up_and_the_raising_of_what_it_pays(case):
    for r in runs(case):
        expected = r.outcomes["cost_total"] + r.values["public_funds"] * r.outcomes["cost_programme"]
        assert r.outcomes["cost_society"] == pytest.approx(expected, rel=1e-9)


@EXAMPLES
@given(cases())
def test_without_discounting_the_total_is_the_sum_of_all_cents(case):
    for r in runs(with_values(case, discount_rate=0.0)):
        assert r.outcomes["cost_total"] == pytest.approx(int(r.costs.sum()) / 100, rel=1e-9)


def test_a_stipend_moves_money_and_uses_nothing_up():
    # The same ties (assigned, none ends), with and without: the programme pays what the schools receive.
    ways = [design("regional_hub", cascade=0.0, stipend=stipend) for stipend in (0.0, 6000.0)]
    world = build_world([10] * 20, capacity=np.linspace(0.1, 0.9, 20))
    inputs = world, build_practices(), parameter_table([{"attrition": 0.0, "public_funds": 0.5}]), design_table(ways, 0, 20)
    found = [run_batch(Task(*inputs, batch_of(1, design=d), seed=1, months=30, end_of_funding=20)).outcomes[0] for d in (0, 1)]
    without, with_it = (dict(zip(OUTCOMES, row.tolist(), strict=True)) for row in found)
    paid = with_it["cost_stipend"]
    assert paid > 0.0 == without["cost_stipend"]
    assert with_it["cost_total"] == pytest.approx(without["cost_total"], rel=1e-12)
    for name, sign in (("cost_programme", 1.0), ("cost_schools", -1.0), ("cost_society", 0.5)):
        assert with_it[name] - without[name] == pytest.approx(sign * paid, rel=1e-9)
