"""Budget impact: what a design costs whom, in which year, country and category of costs.

Cash as it is spent, in EUR of 2023 and by year of the study, not discounted, as guidance on budget impact asks for (Sullivan et al. 2014,
Value in Health 17, 5-14: ISPOR good practice).
"""

from collections.abc import Sequence

import pandas as pd

from school_mentoring.analysis.outcomes import names_in

KEYS = ["design", "parameter_set", "replicate"]
SPENT = "spent_"


def spending(runs: pd.DataFrame) -> pd.DataFrame:
    """Return what was spent in each run by payer, country and year, tidy.

    ``runs`` carry the columns ``spent_PAYER:country:CODE:YEAR``. Columns: ``design``, ``parameter_set``, ``replicate``, ``year`` (1: months
    0 to 11 of the study), ``country``, ``payer``, ``cost`` in EUR. Raises ValueError where the runs were not broken down.
    """
    columns = [name for name in runs if str(name).startswith(SPENT)]
    if not columns:
        raise ValueError("the runs do not hold what was spent by year (columns spent_programme:country:...)")
    table = runs[[*KEYS, *columns]].melt(KEYS, var_name="what", value_name="cost")
    parts = {name: str(name).removeprefix(SPENT).split(":") for name in columns}
    table["year"] = table["what"].map({name: int(part[3]) for name, part in parts.items()})
    for position, name in ((2, "country"), (0, "payer")):
        order = list(dict.fromkeys(part[position] for part in parts.values()))
        table[name] = pd.Categorical(table["what"].map({what: part[position] for what, part in parts.items()}), categories=order)
    return table[[*KEYS, "year", "country", "payer", "cost"]]


def budget_impact(
    spent: pd.DataFrame, runs: pd.DataFrame, *, by: Sequence[str] = ("year", "payer"), discount_rate: float = 0.0
) -> pd.DataFrame:
    """Return the mean cost of each design by year and payer, or by whatever ``by`` names, with its spread.

    ``spent``: the table of ``spending``, or that of monthly costs (columns ``month, country, category, payer, cost``; rows only where costs
    arose), from which the year follows. ``runs``: the runs that the table is about, as a run without costs has no rows. ``discount_rate``
    per year, by (1 + rate)^(-month / 12), needs months; 0 gives undiscounted sums.

    Columns: ``design``, those of ``by``, ``cost``: mean over parameter sets, each the mean over its replicates, in EUR; ``low``, ``high``:
    5 and 95 % quantiles over parameter sets, over replicates where there is one set. Raises ValueError for a column that is not there.
    """
    table = spent
    if discount_rate:
        if "month" not in table:
            raise ValueError("discounting needs the costs of months, not of years")
        table = table.assign(cost=table["cost"] * (1.0 + discount_rate) ** (-table["month"] / 12.0))
    if "year" not in table and "month" in table:
        table = table.assign(year=table["month"] // 12 + 1)
    for name in by:
        if name not in table:
            raise ValueError(f"no column {name!r} to split costs by; there are {', '.join(map(str, table.columns.drop(KEYS)))}")
    every = pd.MultiIndex.from_frame(runs[KEYS].astype({"design": str}))
    sums = table.astype({"design": str}).groupby([*KEYS, *by], observed=True)["cost"].sum()
    per_run = sums.unstack(list(by)).reindex(every).fillna(0.0)
    one_set = runs["parameter_set"].nunique() == 1
    units = per_run if one_set else per_run.groupby(level=["design", "parameter_set"]).mean()
    grouped = units.groupby(level="design")
    levels = list(range(units.columns.nlevels))
    found = {"cost": grouped.mean(), "low": grouped.quantile(0.05), "high": grouped.quantile(0.95)}
    columns = {name: part.stack(levels, future_stack=True) for name, part in found.items()}
    result = pd.DataFrame(columns).rename_axis(["design", *by]).reset_index()
    result["design"] = pd.Categorical(result["design"], categories=names_in(runs["design"], present=False))
    return result.sort_values(["design", *by]).reset_index(drop=True)
