"""What it costs whom and when."""

import math

import pandas as pd

from school_mentoring.analysis.economics.advice import about, euros
from school_mentoring.analysis.economics.budget_impact import budget_impact, spending
from school_mentoring.analysis.figures import economics as draw
from school_mentoring.analysis.outcomes import COMPARATOR, design_name
from school_mentoring.analysis.report.document import Picture, Section, Table, Text

from .facts import StudyFacts, not_recorded


def budget_section(facts: StudyFacts, tables: dict[str, pd.DataFrame]) -> Section:
    """Return spending by year and payer."""
    title = "What it costs whom and when"
    if not any(name.startswith("spent_") for name in facts.used.columns):
        return Section("budget", title, [Text(not_recorded("by year and payer"))])
    spent = spending(facts.used)
    by_year = budget_impact(spent, facts.used)
    if not by_year["cost"].gt(0).any():
        return Section("budget", title, [Text("No design costs anybody anything.")])
    whole = budget_impact(spent, facts.used, by=("year",))
    tables["budget.csv"] = by_year
    totals = by_year.groupby("design", observed=True)["cost"].sum()
    said = "; ".join(f"{design_name(str(name))} {euros(float(value))}" for name, value in totals.items() if str(name) != COMPARATOR)
    picture = Picture(
        "spending",
        lambda: draw.budget(by_year, whole),
        f"Stacked bars of spending by year and payer, in all: {said}.",
        "Cash as it is spent, not discounted. Unpaid hours of teachers count as paid by the schools, at what a teacher's hour costs.",
    )
    return Section("budget", title, [picture, _table(facts, by_year)])


def _table(facts: StudyFacts, by_year: pd.DataFrame) -> Table:
    years = sorted(by_year["year"].unique())
    rows = []
    for design in [name for name in facts.sample.designs if name != COMPARATOR]:
        for payer in ("programme", "schools"):
            mine = by_year[(by_year["design"].astype(str) == design) & (by_year["payer"].astype(str) == payer)].set_index("year")["cost"]
            values = [float(mine.get(year, 0.0)) for year in years]
            rows.append([design_name(design), payer, *(about(value / 1000) for value in values), about(math.fsum(values) / 1000)])
    caption = "Spending by year of the study and payer, kEUR of 2023, not discounted (means over parameter sets)"
    columns = ["design", "paid by", *(f"year {year}" for year in years), "in all"]
    return Table(caption, columns, rows, (1,), (16, 12, *(9 for _ in years), 10))
