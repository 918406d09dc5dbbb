"""The ledger: each posting in cents computed by hand, who pays it, and when."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_mentoring.model import costs
from school_mentoring.model.costs import CATEGORIES, PAYERS
from school_mentoring.model.designs import design_table
from tests.worlds import design, parameter_record, source_of

# Round prices, so that every amount below can be checked in the head: a teacher's hour costs 20,000 x 1.5 / 1,500 = EUR 20.
SALARY = 20000.0
PRICES = {
    "teacher_cost_factor": 1.5,
    "work_hours": 1500.0,
    "coordinator_cost_ratio": 1.2,
    "voluntary_hours": 4.0,
    "team": 3.0,
    "km_rate": 0.36,
    "platform_fixed": 4000.0,
    "platform_per_school": 8.0,
    "onboarding": 1000.0,
    "recognition_cost": 200.0,
    "outreach_cost": 8.0,
}
PAR = parameter_record(PRICES)


def record(**fields):
    return design_table([design("none", **fields)], 6, 34).view(np.recarray)[0]


def ledger() -> np.ndarray:
    return np.zeros((len(CATEGORIES), len(PAYERS)), np.int64)


def posted(book: np.ndarray) -> dict[tuple[str, str], int]:
    """Return what is not zero, in cents by category and payer."""
    return {(CATEGORIES[c], PAYERS[p]): int(book[c, p]) for c, p in np.argwhere(book)}


@pytest.mark.parametrize(("euros", "whole"), [(0.0, 0), (0.01, 1), (1.0, 100), (12.344, 1234), (12.346, 1235), (0.125, 13), (1e9, 10**11)])
def test_cents_rounds_to_the_nearest_and_half_up(euros, whole):
    assert costs.cents(euros) == whole


@given(st.integers(0, 10**12))
def test_cents_keeps_whole_cents(whole):
    assert costs.cents(whole / 100.0) == whole


def test_an_hour_of_a_teacher_is_salary_with_contributions_over_paid_hours():
    assert costs.teacher_hour(PAR, SALARY) == 20.0


def test_a_month_of_a_coordinator_is_that_of_so_many_teachers():
    assert costs.coordinator_month(PAR, SALARY) == pytest.approx(1.2 * 30000.0 / 12.0, rel=1e-15)


def test_a_funded_mentor_costs_its_hours_stipend_and_recognition():
    book = ledger()
    costs.post_mentor(book, PAR, record(release_hours=24.0, stipend=1500.0, recognition=True), SALARY, 1)
    assert posted(book) == {
        ("voluntary", "schools"): 8000,  # 4 h x EUR 20
        ("release", "programme"): 48000,  # 24 h x EUR 20
        ("stipend", "programme"): 12500,  # EUR 1,500 / 12
        ("recognition", "programme"): 1667,  # EUR 200 / 12 = 16.666...
    }


def test_an_unfunded_mentor_costs_only_its_unpaid_hours():
    book = ledger()
    costs.post_mentor(book, PAR, record(release_hours=24.0, stipend=1500.0, recognition=True), SALARY, 0)
    assert posted(book) == {("voluntary", "schools"): 8000}


@pytest.mark.parametrize(
    ("funded", "cover", "expected"),
    [
        (1, True, {("team", "programme"): 30000, ("grant", "programme"): 5000, ("travel", "programme"): 12000 + 4320}),
        (1, False, {("team", "schools"): 30000, ("grant", "programme"): 5000, ("travel", "schools"): 12000, ("travel", "programme"): 4320}),
        (0, True, {("team", "schools"): 30000, ("travel", "schools"): 12000 + 4320}),
        (0, False, {("team", "schools"): 30000, ("travel", "schools"): 12000 + 4320}),
    ],
)
def test_a_mentee_costs_its_teams_hours_grant_and_travel_paid_by_cover_and_funding(funded, cover, expected):
    # 3 teachers x 5 h x EUR 20 = 300, 3 teachers x 2 h on the road x EUR 20 = 120; grant EUR 600 / 12 = 50; 120 km x 0.36 = 43.20.
    book = ledger()
    costs.post_mentee(book, PAR, record(mentee_grant=600.0, supply_cover=cover), SALARY, funded, 5.0, 2.0, 120.0)
    assert posted(book) == expected


@pytest.mark.parametrize("funded", [0, 1])
@pytest.mark.parametrize("cover", [False, True])
def test_a_teams_hour_costs_the_same_payer_as_much_on_the_road_as_in_session(funded, cover):
    books = ledger(), ledger()
    for book, (session, road) in zip(books, [(6.0, 0.0), (2.5, 3.5)], strict=True):
        costs.post_mentee(book, PAR, record(supply_cover=cover), SALARY, funded, session, road, 0.0)
    np.testing.assert_array_equal(books[0].sum(axis=0), books[1].sum(axis=0))
    assert posted(books[0]).keys() == {("team", "programme" if funded and cover else "schools")}


@pytest.mark.parametrize(("funded", "payer"), [(1, "programme"), (0, "schools")])
def test_a_new_mentor_is_trained_by_the_programme_or_later_by_its_school(funded, payer):
    book = ledger()
    costs.post_new_mentor(book, PAR, funded)
    assert posted(book) == {("onboarding", payer): 100000}


@pytest.mark.parametrize(("units", "whole"), [(1.0, 150000), (4.0, 600000), (1.0 / 6.0, 25000)])
def test_coordinators_cost_by_unit(units, whole):
    # Half a coordinator per unit at EUR 3,000 a month.
    book = ledger()
    costs.post_coordination(book, PAR, record(fte=0.5), SALARY, units)
    assert posted(book) == {("coordination", "programme"): whole}


@pytest.mark.parametrize("recruitment", ["assigned", "volunteer"])
@pytest.mark.parametrize("virtual_share", [0.0, 0.5, 1.0])
def test_every_mentoring_programme_costs_the_platform_by_its_share_and_by_active_school(recruitment, virtual_share):
    book = ledger()
    costs.post_programme(book, PAR, record(recruitment=recruitment, virtual_share=virtual_share), 50, 10, 0.25, 1)
    assert posted(book) == {("platform", "programme"): 100000 + 8000}  # 4,000 / 4, and 10 x 8


@pytest.mark.parametrize("recruitment", ["assigned", "volunteer"])
@pytest.mark.parametrize("virtual_share", [0.0, 0.5, 1.0])
def test_after_funding_schools_pay_for_the_platform_they_still_use(recruitment, virtual_share):
    book = ledger()
    costs.post_programme(book, PAR, record(recruitment=recruitment, virtual_share=virtual_share), 50, 10, 0.25, 0)
    assert posted(book) == {("platform", "schools"): 8000}


@pytest.mark.parametrize("funded", [0, 1])
def test_nobody_pays_for_a_platform_where_nobody_mentors(funded):
    book = ledger()
    costs.post_programme(book, PAR, record(recruitment="none", virtual_share=1.0), 50, 10, 0.25, funded)
    assert posted(book) == {}


def test_outreach_costs_by_school_reached_while_funded():
    book = ledger()
    costs.post_programme(book, PAR, record(outreach=0.5), 50, 0, 1.0, 1)
    assert posted(book) == {("outreach", "programme"): 50 * 400}


def test_outreach_ends_with_the_funding():
    book = ledger()
    costs.post_programme(book, PAR, record(outreach=0.5), 50, 0, 1.0, 0)
    assert posted(book) == {}


def test_postings_add_to_what_stands_in_the_ledger():
    book = ledger()
    for _ in range(3):
        costs.post_new_mentor(book, PAR, 1)
    assert posted(book) == {("onboarding", "programme"): 300000}


@given(st.floats(0.0, 1.0), st.integers(0, 1200))
def test_discount_factor_is_compound_interest_by_month(rate, month):
    # Relative 1e-12: the logarithm's error of 2 units times an exponent of up to 69.
    factor = costs.discount_factor(parameter_record({"discount_rate": rate}), month)
    assert factor == pytest.approx((1.0 + rate) ** (-month / 12.0), rel=1e-12)


def test_without_discounting_every_month_weighs_one():
    assert all(costs.discount_factor(parameter_record({"discount_rate": 0.0}), month) == 1.0 for month in range(1200))


def test_a_year_is_discounted_by_one_years_rate():
    assert costs.discount_factor(parameter_record({"discount_rate": 0.25}), 12) == pytest.approx(0.8, rel=4e-16)


@pytest.mark.parametrize("posting", ["post_mentor", "post_mentee", "post_new_mentor", "post_coordination", "post_programme"])
def test_compiled_and_interpreted_posting_are_the_same(posting):
    des = record(recruitment="assigned", virtual_share=0.3, release_hours=7.7, stipend=1234.5, mentee_grant=77.7, fte=1.3, outreach=0.3)
    tail = {
        "post_mentor": (des, SALARY, 1),
        "post_mentee": (des, SALARY, 1, 3.33, 1.77, 47.11),
        "post_new_mentor": (1,),
        "post_coordination": (des, SALARY, 3.0),
        "post_programme": (des, 50, 7, 1.0 / 3.0, 1),
    }[posting]
    by_machine, by_python = ledger(), ledger()
    getattr(costs, posting)(by_machine, PAR, *tail)
    source_of(getattr(costs, posting))(by_python, PAR, *tail)
    assert by_machine.any()
    np.testing.assert_array_equal(by_machine, by_python)


def test_payers_and_categories_are_named_once():
    assert [getattr(costs, name.upper()) for name in CATEGORIES + PAYERS] == [*range(len(CATEGORIES)), *range(len(PAYERS))]
