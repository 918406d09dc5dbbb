"""What a budget buys: a table and sentences on designs that were scaled to it, for the terminal and for the report to hand over."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from school_mentoring.analysis.outcomes import COMPARATOR, design_name
from school_mentoring.analysis.summary import cost_effectiveness, cost_of_reach, wilson
from school_mentoring.model.designs import FIELDS

from .sentences import in_words, percent, with_error
from .terminal import Report, records

COLUMNS = (
    *("design", "clusters", "places\nof each", "mentor\nschools", "mentored\nschools", "added\nadopter-\nyears", "cost\nkEUR"),
    *("left\nover\nkEUR", "within\nbudget"),
)


def budget_report(table: pd.DataFrame, runs: pd.DataFrame, *, worlds: int, words: str) -> Report:
    """Return the report on designs scaled to a budget.

    ``table``: of ``Comparison.budget``; ``runs``: of the scaled designs at the base parameters; ``words``: what the budget is. Its file
    ``budget.csv`` is the table with what the designs add over the comparator (``effect``, ``effect_se``), the schools that they mentor
    (``mentor_schools``, ``schools_reached``) and the 90 % interval of ``chance_within`` by the parameter sets (Wilson 1927).
    """
    effects = cost_effectiveness(runs, worlds=worlds).astype({"design": str}).set_index("design")
    means = runs.astype({"design": str}).groupby("design")["mentor_schools"].mean()
    reach = cost_of_reach(runs).astype({"design": str}).set_index("design")
    name, sets = table["design"], table["sets"].where(table["sets"] > 1, table["runs"])
    low, high = zip(*map(wilson, table["chance_within"], sets), strict=True)
    found = {
        "mentor_schools": name.map(means),
        "schools_reached": name.map(reach["schools_reached"]),
        "effect": name.map(effects["incremental_effect"]),
        "effect_se": name.map(effects["incremental_effect_se"]),
        "chance_low": low,
        "chance_high": high,
    }
    full = table.assign(**found)
    full = full.reindex(columns=[*(column for column in full if column not in FIELDS), *FIELDS])  # blank of a programme
    columns, rows = budget_rows(full)
    said = budget_said(full, words)
    return Report(columns, rows, said, {"budget.csv": full}, {"words": words, "designs": records(full), "said": said})


def budget_rows(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return the columns and rows that people read of ``budget.csv``."""
    return list(COLUMNS), [_cells(row) for row in table.to_dict("records")]


def _cells(row: Mapping[Any, Any]) -> list[str]:
    mentored = row["recruitment"] != "none"
    clusters = f"{row['clusters']:,.0f}"
    if math.isnan(row["clusters"]):
        clusters = "-" if not mentored else "no quota" if row["scaled"] else "as named"
    cells = [design_name(row["design"]), clusters, "-" if not mentored or math.isnan(row["places"]) else f"{row['places']:,.0f}"]
    cells += [*(f"{row[name]:,.0f}" for name in ("mentor_schools", "schools_reached")), with_error(row["effect"], row["effect_se"])]
    return [*cells, *(f"{row[name] / 1000:z,.1f}" for name in ("cost", "left_over")), percent(row["chance_within"])]


def budget_said(table: pd.DataFrame, words: str) -> list[str]:
    """Say how designs were scaled, which could not be so far, and what the chance to stay within the budget is over."""
    scaled = _named(table[table["one_more"].notna()])
    said = [f"The budget: {words}."]
    if scaled:
        said.append(f"As large as it allows, where one step more (a cluster, or a place in each) is too much: {in_words(scaled)}.")
    ended = table[table["limit"] != ""]
    within = ended["left_over"] >= 0
    for what, rows in (
        ("Not scaled so far as the money would reach", ended[within]),
        ("Yet dearer than the budget", ended[~within]),
    ):
        if len(rows):
            listed = "; ".join(f"{in_words(_named(some))} ({limit})" for limit, some in rows.groupby("limit", sort=False))
            said.append(f"{what}: {listed}.")
    said.append(f"The comparator, {design_name(COMPARATOR)}, has nothing to scale.")
    for row in table.to_dict("records"):
        if row["scaled"] == "campaign":
            said.append(f"Of {design_name(row['design'])} the campaign is scaled: to {100 * row['outreach']:.0f} % of its full intensity.")
        elif row["scaled"] == "places":
            said.append(f"Of {design_name(row['design'])} the places are scaled too: to {row['places']} of each cluster.")
    runs, sets = int(table["runs"].iloc[0]), int(table["sets"].iloc[0])
    under = f"under {sets:,} drawn parameter sets" if sets > 1 else "at the base parameters"
    year = " of the dearest year" if table["per"].iloc[0] == "year" else ""
    dearer = _named(table[(table["cost_drawn"] > table["budget"]) & (table["cost"] <= table["budget"])])
    if dearer:
        said.append(
            f"Under the drawn parameter sets the mean cost exceeds the budget with {in_words(dearer)}: --budget-risk scales by these."
        )
    said.append(f"Within budget: share of {runs:,} runs of each design {under}; cost: the mean{year} at the base parameters (budget.csv).")
    return said


def _named(rows: pd.DataFrame) -> Sequence[str]:
    return [design_name(str(name)) for name in rows["design"]]
