"""Every cent has its cause and its payer: the ledger of a run is the one rebuilt in plain Python from who mentors whom."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given

from school_mentoring.model.costs import CATEGORIES, PAYERS
from school_mentoring.model.designs import design_table
from school_mentoring.model.engine import Task, run_batch
from school_mentoring.model.mesa_model import run_batch_with_mesa
from school_mentoring.model.parameters import parameter_table
from school_mentoring.model.state import MENTOR
from tests.worlds import batch_of, build_practices, build_world, cases, design

from .taken_apart import EXAMPLES, Run, run, runs

PROGRAMME, SCHOOLS = range(2)
OF_TIES = ("release", "voluntary", "team", "stipend", "grant", "travel", "recognition")


def whole_cents(euros: float) -> float:
    """Return EUR rounded to whole cents, half a cent up: what one school costs before it is multiplied by schools."""
    return math.floor(100 * euros + 0.5) / 100


def expected_ledger(r: Run, month: int) -> dict[tuple[str, int], tuple[float, int]]:
    """Return EUR and number of postings by category and payer, rebuilt by the specification from who mentors whom."""
    world, q, des = r.world, r.values, r.design
    funded, mentor = r.funded(month), r.mentor[month]
    book: dict[tuple[int, str, int], tuple[float, int]] = {}

    def post(country: int, category: str, payer: int, euros: float) -> None:
        total, count = book.get((country, category, payer), (0.0, 0))
        book[country, category, payer] = total + euros, count + 1

    payer = PROGRAMME if funded else SCHOOLS
    mentees = Counter(mentor[mentor >= 0].tolist())
    hour = world.salary * q["teacher_cost_factor"] / q["work_hours"]
    before = r.role[month - 1] if month else np.zeros_like(r.role[0])
    for new in np.flatnonzero((r.role[month] == MENTOR) & (before != MENTOR)):
        post(world.country[new], "onboarding", payer, q["onboarding"])
    for m in mentees:
        post(world.country[m], "voluntary", SCHOOLS, q["voluntary_hours"] * hour[world.country[m]])
        if funded:
            post(world.country[m], "release", PROGRAMME, des.release_hours * hour[world.country[m]])
            post(world.country[m], "stipend", PROGRAMME, des.stipend / 12)
            post(world.country[m], "recognition", PROGRAMME, des.recognition * q["recognition_cost"] / 12)
    for i in np.flatnonzero(mentor >= 0):
        m = mentor[i]
        hours = (q["voluntary_hours"] + (des.release_hours if funded else 0.0)) / mentees[m]
        abroad = world.country[i] != world.country[m]
        visits = 0.0 if abroad else (1 - des.virtual_share) * hours / q["visit_hours"]
        distance = math.hypot(world.x[i] - world.x[m], world.y[i] - world.y[m])
        met = max(0.0, visits * (q["visit_hours"] - 2 * distance / q["travel_speed"])) + des.virtual_share * hours
        cover = PROGRAMME if funded and des.supply_cover else SCHOOLS
        post(world.country[i], "team", cover, q["team"] * met * hour[world.country[i]])
        post(world.country[i], "travel", cover, q["team"] * visits * 2 * distance / q["travel_speed"] * hour[world.country[i]])
        post(world.country[i], "travel", payer, visits * 2 * distance * q["km_rate"])
        if funded:
            post(world.country[i], "grant", PROGRAMME, des.mentee_grant / 12)
    active = world.country[sorted(set(mentees) | set(np.flatnonzero(mentor >= 0).tolist()))]
    mentoring = des.recruitment != "none"
    for country, salary in enumerate(world.salary):
        schools = (world.country == country).sum()
        if mentoring:
            post(country, "platform", payer, (active == country).sum() * whole_cents(q["platform_per_school"]))
        if funded and mentoring:
            post(country, "platform", PROGRAMME, q["platform_fixed"] * schools / world.teachers.size)
        if funded:
            post(country, "outreach", PROGRAMME, schools * whole_cents(des.outreach * q["outreach_cost"]))
            units = {"none": 0, "platform": 1 / world.salary.size, "ministry": 1, "hub": (world.region_country == country).sum()}[des.tier]
            post(country, "coordination", PROGRAMME, des.fte * units * q["coordinator_cost_ratio"] * salary * q["teacher_cost_factor"] / 12)
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
                assert error <= 0.5 * postings + 1e-12 * 100 * euros, (month, *key)


@EXAMPLES
@given(cases())
def test_no_cost_of_mentoring_without_a_tie(case):
    for r in runs(case):
        for category in OF_TIES:
            assert not r.cost(category)[r.ties == 0].any(), category


@pytest.mark.parametrize("engine", [run_batch, run_batch_with_mesa])
def test_a_platform_loses_its_users_when_the_last_mentee_becomes_a_mentor(engine):
    # Two schools: one mentors the other, which becomes a mentor itself a year later; from then on nobody meets online.
    way = design("bottom_up", recruitment="assigned", mentor_share=0.5, scope="country", virtual_share=1.0, cascade=1.0, first_month=0)
    values = {"mainstream_threshold": 0.0, "attrition": 0.0, "platform_fixed": 0.0}
    inputs = build_world([10, 10]), build_practices(), parameter_table([values]), design_table([way], 0, 30), batch_of(1)
    results = engine(Task(*inputs, seed=1, months=30, end_of_funding=29), monthly=True)
    platform = results.costs[0, :, :, CATEGORIES.index("platform")].sum(axis=(1, 2))
    assert (platform[:12] > 0).all()
    assert not platform[12:].any()


@pytest.mark.parametrize("engine", [run_batch, run_batch_with_mesa])
@pytest.mark.parametrize("virtual_share", [0.0, 0.3, 1.0])
def test_whoever_is_tied_uses_the_platform_and_nobody_else(engine, virtual_share):
    # Ties end fast, so the number of users moves: EUR 5 for each mentee and for each mentor that has one, month by month.
    world = build_world([10] * 40, capacity=np.linspace(0.1, 0.9, 40))
    way = design("regional_hub", virtual_share=virtual_share, mentor_share=0.2, places=3, first_month=2, last_month=20)
    values = {"attrition": 0.2, "platform_fixed": 0.0, "platform_per_school": 5.0}
    inputs = world, build_practices(), parameter_table([values]), design_table([way], 0, 30), batch_of(2)
    results = engine(Task(*inputs, seed=1, months=30, end_of_funding=20), monthly=True, per_school=True)
    mentor = results.schools[:, :, -1].astype(int)
    users = np.array([[len({*row[row >= 0].tolist(), *np.flatnonzero(row >= 0).tolist()}) for row in run] for run in mentor])
    assert users.max() > 0 == users.min()
    np.testing.assert_array_equal(results.costs[:, :, :, CATEGORIES.index("platform")].sum(axis=(2, 3)), 500 * users)


@pytest.mark.parametrize("cover", [False, True])
def test_a_mentee_farther_away_never_costs_less(cover):
    # One mentor, one mentee, at 0 to 300 km (the road takes all of a visit from 120 km on); a cent for the rounding of two amounts.
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
            "stipend": des.stipend > 0.0,
            "grant": des.mentee_grant > 0.0,
            "recognition": des.recognition,
            "travel": des.virtual_share < 1.0,
            "platform": des.recruitment != "none",
            "outreach": des.outreach > 0.0,
        }
        for category, caused in causes.items():
            if not caused:
                assert not r.cost(category).any(), category


@EXAMPLES
@given(cases())
def test_costs_are_never_negative(case):
    assert (run(case).costs >= 0).all()


@EXAMPLES
@given(cases())
def test_schools_never_pay_for_what_only_a_programme_gives(case):
    for r in runs(case):
        for category in ("coordination", "release", "stipend", "grant", "outreach", "recognition"):
            assert not r.cost(category)[:, SCHOOLS].any(), category


@EXAMPLES
@given(cases())
def test_outcome_costs_are_the_discounted_sum_of_the_months_by_payer_and_category(case):
    # Relative 1e-9, as of sums over up to 50 months and 22 entries in floating point.
    for r in runs(case):
        euros = (r.costs * r.discount()[:, None, None]).sum(axis=0) / 100
        for p, payer in enumerate(PAYERS):
            assert r.outcomes[f"cost_{payer}"] == pytest.approx(euros[:, p].sum(), rel=1e-9)
        for c, category in enumerate(CATEGORIES):
            assert r.outcomes[f"cost_{category}"] == pytest.approx(euros[c].sum(), rel=1e-9)


@EXAMPLES
@given(cases())
def test_costs_add_up_over_payers_and_over_categories_to_the_total(case):
    for r in runs(case):
        total = pytest.approx(r.outcomes["cost_total"], rel=1e-9)
        assert sum(r.outcomes[f"cost_{payer}"] for payer in PAYERS) == total
        assert sum(r.outcomes[f"cost_{category}"] for category in CATEGORIES) == total


@EXAMPLES
@given(cases())
def test_without_discounting_the_total_is_the_sum_of_all_cents(case):
    flat = case._replace(parameters=[{**values, "discount_rate": 0.0} for values in case.parameters])
    for r in runs(flat):
        assert r.outcomes["cost_total"] == pytest.approx(int(r.costs.sum()) / 100, rel=1e-9)
