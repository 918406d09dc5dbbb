"""What a mentored school costs with each design, beside the documented programme that the design stands on."""

import pandas as pd


def beside_programmes(reach: pd.DataFrame, programmes: pd.DataFrame, years: float) -> pd.DataFrame:
    """Return the programmes with what their design costs the programme for each mentored school.

    ``reach``: as ``cost_of_reach`` returns it. ``programmes``: ``programme, design, per, euros_at_pilot_salaries``; ``design`` is blank
    where none stands on it. ``years``: how long designs are funded, by which the outlay is divided where a programme is stated per year.
    Adds ``outlay`` (EUR) and ``ratio`` to the programme; designs without a programme follow, programmes without a design come last.
    """
    outlay = reach.set_index("design")["programme_per_school"].dropna()
    without = pd.DataFrame({"design": [design for design in outlay.index if design not in set(programmes["design"])]})
    table = pd.concat([programmes, without], ignore_index=True)
    table["outlay"] = table["design"].map(outlay) / table["per"].map({"school and year": years}).fillna(1.0)
    table["ratio"] = table["outlay"] / table["euros_at_pilot_salaries"]
    return table.sort_values("design", key=lambda design: design == "", kind="stable", ignore_index=True)
