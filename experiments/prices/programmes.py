"""What documented programmes cost for each school that they reached, in EUR of 2023."""

import pandas as pd

from school_mentoring.model.world.countries import COUNTRIES, PILOT

from .conversion import at_salaries_of, in_euros, read_rows


def programmes() -> pd.DataFrame:
    """Return a row for each programme of programmes.csv.

    Columns: those of the file (``country``: where it ran; ``design``: the preset that stands on it, blank where none does; ``per``: school,
    or school and year); ``price``, as seen; ``euros`` of 2023; ``euros_at_pilot_salaries``, carried over to the six countries of the pilot
    by their teachers' salaries.
    """
    table = []
    for row in read_rows("programmes"):
        amount, currency, year = float(row["amount"]), row["currency"], row["price_year"]
        home = COUNTRIES[row["country"]]
        euros = in_euros(amount, currency, int(year), home.code.partition("-")[0])
        carried = at_salaries_of(euros, home, [COUNTRIES[code] for code in PILOT])
        table.append({**row, "price": f"{amount:,.0f} {currency} of {year}", "euros": euros, "euros_at_pilot_salaries": carried})
    return pd.DataFrame(table)
