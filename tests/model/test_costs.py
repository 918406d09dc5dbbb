"""The ledger: each posting in cents computed by hand, who pays it, and when."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_mentoring.model import costs
from school_mentoring.model.costs import CATEGORIES, PAYERS, TRANSFERS, TieMonth
from school_mentoring.model.designs import design_table
from tests.worlds import design, parameter_record, source_of

# Round prices, so that every amount below can be checked in the head: a teacher's year costs 20,000 x 1.5 = EUR 30,000, an hour of own time
# 30,000 / 1,500 = EUR 20, a covered one 30,000 / 750 = EUR 40, and one of the programme a quarter of the second and three of the first, 25.
VALUES = {
    "teacher_cost_factor": 1.5,
    "cover_share": 0.25,
    "coordinator_cost_ratio": 1.2,
    "voluntary_hours": 4.0,
    "learning_hours": 10.0,
    "km_rate": 0.36,
    "platform_fixed": 4000.0,
    "platform_per_school": 8.0,
    "onboarding": 1000.0,
    "recognition_cost": 200.0,
    "outreach_cost": 8.0,
    "enrolment": 0.01,
    "completion": 0.5,
    "course_hours": 20.0,
}
PAR = parameter_record(VALUES)


def prices(par=PAR, salary=(20000.0,), taught=750.0, working=1500.0, factors=None) -> np.ndarray:
    """Return the prices of countries: a teacher's year, an hour of own time, one of the programme."""
    table = np.zeros((len(salary), 3))
    own = np.ones(len(salary)) if factors is None else np.array(factors)
    costs.set_prices(par, own, np.array(salary), np.full(len(salary), taught), np.full(len(salary), working), table)
    return table


PRICES = prices()[0]


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


# --- prices ----------------------------------------------------------------------------------------------------------


def test_an_own_hour_costs_by_working_hours_and_one_of_the_programme_partly_by_taught_hours():
    np.testing.assert_allclose(PRICES, [30000.0, 20.0, 25.0], rtol=1e-15)


@pytest.mark.parametrize(("cover_share", "price"), [(0.0, 20.0), (1.0, 40.0)])
def test_an_hour_of_the_programme_costs_as_much_of_cover_as_falls_into_lessons(cover_share, price):
    assert prices(parameter_record({**VALUES, "cover_share": cover_share}))[0, costs.PAID] == price


def test_each_country_has_a_factor_of_its_own():
    factors = 0.8 + 0.1 * np.arange(8)
    table = prices(parameter_record({**VALUES, "salary_level": 2.0}), salary=[20000.0] * 8, factors=factors)
    np.testing.assert_allclose(table, 2.0 * factors[:, None] * PRICES, rtol=1e-14)


def test_each_country_has_its_own_salary_and_hours():
    table = np.zeros((2, 3))
    costs.set_prices(PAR, np.ones(2), np.array([20000.0, 40000.0]), np.array([750.0, 600.0]), np.array([1500.0, 2000.0]), table)
    np.testing.assert_allclose(table, [PRICES, [60000.0, 30.0, 0.25 * 100.0 + 0.75 * 30.0]], rtol=1e-15)


def test_a_month_of_a_coordinator_is_that_of_so_many_teachers():
    assert costs.coordinator_month(PAR, 30000.0) == pytest.approx(1.2 * 30000.0 / 12.0, rel=1e-15)


# --- mentors and mentees ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cover", "payer"), [(False, "schools"), (True, "programme")])
def test_a_funded_mentor_costs_its_hours_meetings_stipend_and_recognition(cover, payer):
    book = ledger()
    costs.post_mentor(book, PRICES, PAR, record(release_hours=24.0, stipend=1500.0, recognition=True, supply_cover=cover), 3, 2.0, 1)
    assert posted(book) == {
        ("voluntary", "schools"): 8000,  # 4 h x EUR 20
        ("release", "programme"): 60000,  # 24 h x EUR 25
        ("meeting", payer): 15000,  # 3 teachers x 2 h x EUR 25
        ("stipend", "programme"): 12500,  # EUR 1,500 / 12, from the programme to the school
        ("stipend", "schools"): -12500,
        ("recognition", "programme"): 1667,  # EUR 200 / 12 = 16.666...
    }


def test_an_unfunded_mentor_costs_only_its_unpaid_hours_and_meetings():
    book = ledger()
    costs.post_mentor(book, PRICES, PAR, record(release_hours=24.0, stipend=1500.0, recognition=True, supply_cover=True), 3, 2.0, 0)
    assert posted(book) == {("voluntary", "schools"): 8000, ("meeting", "schools"): 15000}


GRANT = {("grant", "programme"): 5000, ("grant", "schools"): -5000}


@pytest.mark.parametrize(
    ("funded", "cover", "hours_by", "kilometres_by", "grant"),
    [
        (1, True, "programme", "programme", GRANT),
        (1, False, "schools", "programme", GRANT),
        (0, True, "schools", "schools", {}),
        (0, False, "schools", "schools", {}),
    ],
)
def test_a_mentee_costs_its_teams_hours_grant_and_travel_paid_by_cover_and_funding(funded, cover, hours_by, kilometres_by, grant):
    # 3 teachers x EUR 25 x 5 h of sessions, 2 h of meetings and 4 h on the road; grant EUR 600 / 12 = 50; 120 km x 0.36 = 43.20.
    book = ledger()
    costs.post_mentee(book, PRICES, PAR, record(mentee_grant=600.0, supply_cover=cover), 3, TieMonth(5.0, 2.0, 4.0, 120.0), funded)
    expected = {("team", hours_by): 37500, ("meeting", hours_by): 15000, ("travel", hours_by): 30000, **grant}
    expected["travel", kilometres_by] = expected.get(("travel", kilometres_by), 0) + 4320
    assert posted(book) == expected


@pytest.mark.parametrize("funded", [0, 1])
@pytest.mark.parametrize("cover", [False, True])
def test_a_teams_hour_costs_the_same_payer_as_much_in_session_in_a_meeting_and_on_the_road(funded, cover):
    books = ledger(), ledger(), ledger()
    months = TieMonth(6.0, 0.0, 0.0, 0.0), TieMonth(2.5, 0.5, 3.0, 0.0), TieMonth(0.0, 6.0, 0.0, 0.0)
    for book, spent in zip(books, months, strict=True):
        costs.post_mentee(book, PRICES, PAR, record(supply_cover=cover), 3, spent, funded)
    payers = books[0].sum(axis=0)
    assert payers.tolist() == ([45000, 0] if funded and cover else [0, 45000])
    for book in books:
        np.testing.assert_array_equal(book.sum(axis=0), payers)


@pytest.mark.parametrize(("funded", "payer"), [(1, "programme"), (0, "schools")])
def test_a_new_mentor_is_trained_by_the_programme_or_later_by_its_school(funded, payer):
    book = ledger()
    costs.post_new_mentor(book, PAR, funded)
    assert posted(book) == {("onboarding", payer): 100000}


def test_who_takes_a_practice_up_learns_it_in_own_time():
    book = ledger()
    costs.post_learning(book, PRICES, PAR, 7)
    assert posted(book) == {("learning", "schools"): 7 * 20000}  # 10 h x EUR 20


# --- programmes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("units", "whole"), [(1.0, 150000), (4.0, 600000), (1.0 / 6.0, 25000)])
def test_coordinators_cost_by_unit(units, whole):
    # Half a coordinator per unit at EUR 3,000 a month.
    book = ledger()
    costs.post_coordination(book, PRICES, PAR, 0.5, units)
    assert posted(book) == {("coordination", "programme"): whole}


@pytest.mark.parametrize(("funded", "payer"), [(1, "programme"), (0, "schools")])
@pytest.mark.parametrize(("community", "whole"), [(1.0, 108000), (0.5, 54000), (0.25, 27000), (0.0, 0)])
def test_a_community_costs_by_its_intensity_members_and_share_of_schools(community, whole, funded, payer):
    # EUR 4,000 / 4 and 10 members x EUR 8, in proportion to the intensity.
    book = ledger()
    costs.post_community(book, PAR, community, community, 10, 0.25, funded)
    assert posted(book) == ({("platform", payer): whole} if whole else {})


@pytest.mark.parametrize(
    ("community", "recruitment", "after", "months"),
    [
        (0.3, "assigned", False, range(6, 34)),
        (0.3, "volunteer", True, range(6, 40)),
        (0.0, "volunteer", True, range(0)),
        (0.3, "none", True, range(0)),
    ],
)
def test_a_community_runs_while_mentoring_is_funded_and_longer_where_its_schools_keep_it_up(community, recruitment, after, months):
    des = record(community=community, recruitment=recruitment, community_after=after)
    assert [month for month in range(40) if costs.community_runs(des, month, int(6 <= month < 34))] == list(months)


def test_outreach_costs_by_school_and_the_hours_of_all_who_are_expected_to_enrol():
    # 50 schools x EUR 8 / 2; of openness 1,000 in all 0.5 x 0.01 enrol, 5 teachers: half spend 20 h, half a fifth of them, at EUR 20.
    book = ledger()
    costs.post_outreach(book, PRICES, PAR, record(outreach=0.5), 50, 1000.0)
    assert posted(book) == {("outreach", "programme"): 50 * 400, ("course", "schools"): 5 * 12 * 2000}


def test_postings_add_to_what_stands_in_the_ledger():
    book = ledger()
    for _ in range(3):
        costs.post_new_mentor(book, PAR, 1)
    assert posted(book) == {("onboarding", "programme"): 300000}


# --- discounting -----------------------------------------------------------------------------------------------------


@given(st.floats(0.0, 1.0), st.integers(0, 1200))
def test_discount_factor_is_compound_interest_by_month(rate, month):
    # Relative 1e-12: the logarithm's error of 2 units times an exponent of up to 69.
    factor = costs.discount_factor(parameter_record({"discount_rate": rate}), month)
    assert factor == pytest.approx((1.0 + rate) ** (-month / 12.0), rel=1e-12)


def test_without_discounting_every_month_weighs_one():
    assert all(costs.discount_factor(parameter_record({"discount_rate": 0.0}), month) == 1.0 for month in range(1200))


def test_a_year_is_discounted_by_one_years_rate():
    assert costs.discount_factor(parameter_record({"discount_rate": 0.25}), 12) == pytest.approx(0.8, rel=4e-16)


# --- both ways -------------------------------------------------------------------------------------------------------

DES = record(
    recruitment="assigned", virtual_share=0.3, release_hours=7.7, stipend=1234.5, mentee_grant=77.7, fte=1.3, outreach=0.3, community=0.7
)
POSTINGS = {
    "post_mentor": (PRICES, PAR, DES, 5, 1.23, 1),
    "post_mentee": (PRICES, PAR, DES, 5, TieMonth(3.33, 0.77, 1.77, 47.11), 1),
    "post_new_mentor": (PAR, 1),
    "post_learning": (PRICES, PAR, 13),
    "post_coordination": (PRICES, PAR, 0.5, 3.0),
    "post_community": (PAR, 0.3, 0.6, 7, 1.0 / 3.0, 1),
    "post_outreach": (PRICES, PAR, DES, 50, 123.45),
    "post_survey": (200.0,),
}


@pytest.mark.parametrize("posting", POSTINGS)
def test_compiled_and_interpreted_posting_are_the_same(posting):
    by_machine, by_python = ledger(), ledger()
    getattr(costs, posting)(by_machine, *POSTINGS[posting])
    source_of(getattr(costs, posting))(by_python, *POSTINGS[posting])
    assert by_machine.any()
    np.testing.assert_array_equal(by_machine, by_python)


def test_every_posting_is_tried_both_ways():
    assert set(POSTINGS) == {name for name in vars(costs) if name.startswith("post_")}


def test_payers_and_categories_are_named_once():
    assert [getattr(costs, name.upper()) for name in CATEGORIES + PAYERS] == [*range(len(CATEGORIES)), *range(len(PAYERS))]
    assert set(TRANSFERS) < set(CATEGORIES)
