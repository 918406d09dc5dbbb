"""Every price of the model follows from what was seen of it, by the index and the rate of exchange that are named."""

import pytest

from school_mentoring.experiments.prices.conversion import YEAR, at_salaries_of, in_euros, prices
from school_mentoring.model.errors import InputError
from school_mentoring.model.parameters import PARAMETERS
from school_mentoring.model.world.countries import COUNTRIES, PILOT

PRICED = [name for name, row in PARAMETERS.items() if row.unit.startswith("EUR per") and row.unit != "EUR per EUR"]
PAID = [code for code, country in COUNTRIES.items() if "teacher_salary_eur_per_year" not in country.assumed]


def test_every_price_and_every_salary_says_what_was_seen_and_in_which_year():
    assert set(prices()) == {*PRICED, *PAID}
    for name in PRICED:
        assert f"{prices()[name].price_year}" in PARAMETERS[name].source, name


@pytest.mark.parametrize("name", PRICED)
def test_the_base_value_of_a_price_is_what_was_seen_brought_to_2023(name):
    """To two figures, and to one where the price is put together from assumed quantities."""
    base = PARAMETERS[name].base
    assert base == pytest.approx(prices()[name].euros, rel=0.08 if PARAMETERS[name].kind == "inference" and name == "onboarding" else 0.01)


@pytest.mark.parametrize("code", PAID)
def test_a_salary_is_what_was_seen_brought_to_2023_and_rounded_to_hundreds(code):
    assert COUNTRIES[code].teacher_salary_eur_per_year == round(prices()[code].euros, -2)


def test_the_portuguese_allowance_of_2011_by_hand():
    assert in_euros(0.36, "EUR", 2011, "PT") == pytest.approx(0.36 * 117.70 / 96.83)


def test_english_pounds_are_raised_by_english_prices_and_then_exchanged():
    assert in_euros(1000, "GBP", 2018, "GB") == pytest.approx(1000 * 128.64 / 105.97 / 0.8698)


def test_an_amount_of_2023_is_only_exchanged():
    assert in_euros(24.0043, "CZK", YEAR, "CZ") == pytest.approx(1.0)


def test_costs_are_carried_over_by_what_teachers_earn():
    england, six = COUNTRIES["GB-ENG"], [COUNTRIES[code] for code in PILOT]
    mean = sum(country.teacher_salary_eur_per_year for country in six) / 6
    assert at_salaries_of(1000, england, six) == pytest.approx(1000 * mean / england.teacher_salary_eur_per_year)
    assert at_salaries_of(1000, england, [england]) == 1000


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ((1, "GPB", 2018, "GB"), "exchange_rates.csv: no rate of the currency 'GPB'; did you mean 'GBP'?"),
        ((1, "GBP", 2018, "UK"), "consumer_prices.csv: no prices of 'UK'; did you mean"),
        ((1, "GBP", 1998, "GB"), "consumer_prices.csv: no prices of GB in 1998; allowed: 2009 to 2024"),
    ],
)
def test_an_unknown_currency_place_or_year_is_refused_with_what_is_known(asked, message):
    with pytest.raises(InputError) as refused:
        in_euros(*asked)
    assert str(refused.value).startswith(message)
