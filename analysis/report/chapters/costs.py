"""What each design costs and does, and what it costs whom and when."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from school_mentoring.analysis.economics.advice import about, euros
from school_mentoring.analysis.economics.budget_impact import budget_impact, spending
from school_mentoring.analysis.figures import economics as draw
from school_mentoring.analysis.outcomes import COMPARATOR, design_name
from school_mentoring.analysis.report.budget import budget_rows, budget_said
from school_mentoring.analysis.report.document import Items, Picture, Section, Table, Text
from school_mentoring.analysis.report.sentences import in_words, percent
from school_mentoring.analysis.summary import REACHED, cost_of_reach

from .facts import Facts, StudyFacts, not_recorded, size_in_words

OURS = "An adopter-year is one teacher who uses the practice for a year. "
MEANING = (
    "EUR per {unit}: added cost over added {units}, both "
    "against {none}. By the means: a design on the frontier does more than the one named, at so much for each further {unit}; "
    "dominated: another design does as much for less; extended dominated: a mix of two others does."
)
LOSS = "The expected loss is what choosing the design forgoes on average against choosing the best one of each parameter set."


def costs_section(facts: Facts, table: pd.DataFrame, curves: pd.DataFrame) -> Section:
    """Return what each design costs and does: ``table`` of ``incremental``, ``curves`` of ``acceptability``."""
    terms = facts.terms
    meaning = (OURS if terms.ours else "") + MEANING.format(unit=terms.unit, units=terms.units, none=terms.none)
    blocks: list[Any] = [
        _table(facts, table),
        Text(meaning + (f" {LOSS}" if facts.spread else "")),
        Picture(
            "plane",
            lambda: draw.plane(table, facts.k, spread=facts.spread, terms=terms),
            f"Scatter plot of added cost against added effect. {_listed(facts, table)}.",
            f"Marks are means over the {'parameter sets' if facts.spread else 'runs'}. To the right is more effect, above is more cost.",
        ),
    ]
    if facts.spread and len(facts.sample.designs) > 1:
        blocks.append(_acceptability(facts, curves))
    # Model 1 did not count them.
    if isinstance(facts, StudyFacts) and "schools_reached" in facts.used and (facts.used["schools_reached"] > 0).any():
        blocks.append(_reach(cost_of_reach(facts.used)))
    if isinstance(facts, StudyFacts) and facts.evidence.budget is not None:
        columns, rows = budget_rows(facts.evidence.budget)
        caption = f"Each design at its largest size within {facts.evidence.budget_words}; means at the base parameters"
        blocks.append(Table(caption, [column.replace("-\n", "-").replace("\n", " ") for column in columns], rows))
        blocks.append(Items(budget_said(facts.evidence.budget, facts.evidence.budget_words)))
    return Section("costs", "What each design costs and does", blocks)


def _table(facts: Facts, table: pd.DataFrame) -> Table:
    range_ = ["90 % range"] if facts.spread else []
    columns = ["design", f"added {facts.terms.units}", *range_, "added cost, kEUR", *range_, f"EUR per {facts.terms.unit}", "by the means"]
    columns += [f"best in, at EUR {facts.k:,.0f}", "expected loss, kEUR"] if facts.spread else []
    caption = (
        f"Costs and effects beyond {facts.terms.none}{', discounted' if facts.terms.ours else ''}; means over {size_in_words(facts.sample)}"
    )
    rows = [_row(facts, row) for row in table.to_dict("records")]
    return Table(caption, columns, rows, (columns.index("by the means"),), (13, 11, 17, 9, 16, 11, 25, 14, 12) if facts.spread else ())


def _row(facts: Facts, row: Mapping[str, Any]) -> list[str]:
    name = str(row["design"])
    cells = [design_name(name)]
    for what, scale in (("incremental_effect", 1.0), ("incremental_cost", 1000.0)):
        value, low, high = (about(row[what + end] / scale) for end in ("", "_low", "_high"))
        cells += ["-"] * (1 + facts.spread) if name == facts.terms.comparator else [value, f"{low} to {high}"][: 1 + facts.spread]
    cells += [_price(facts, row), _status(row)]
    if facts.spread:
        place = facts.found.row(name)
        cells += [percent(place["probability_best"]), about(place["expected_loss"] / 1000)]
    return cells


def _price(facts: Facts, row: Mapping[str, Any]) -> str:
    if str(row["design"]) == facts.terms.comparator:
        return "-"
    return str(row["quadrant"]) if math.isnan(row["cost_per_effect"]) else f"{row['cost_per_effect']:,.0f}"


def _status(row: Mapping[str, Any]) -> str:
    if row["status"] != "frontier":
        return f"{row['status']} by {in_words([design_name(name) for name in str(row['dominated_by']).split('+')])}"
    if math.isnan(row["icer"]):
        return "on the frontier"
    return f"on the frontier: EUR {row['icer']:,.0f} against {design_name(row['icer_against'])}"


def _reach(table: pd.DataFrame) -> Table:
    """Return what a mentored school, a teacher in a team and a pupil cost, of the designs that reach any."""
    rows = []
    for row in table[table["schools_reached"] > 0].to_dict("records"):
        costs = [about(row[f"{payer}_per_{one}"]) for one in REACHED for payer in ("programme", "society")]
        rows.append([design_name(str(row["design"])), *(about(row[name]) for name in REACHED.values()), *costs])
    columns = ["design", "schools mentored", "teachers in teams", "their pupils"]
    columns += [f"EUR a {one}, {payer}" for one in REACHED for payer in ("programme", "society")]
    caption = "Whom each design reaches, and what that costs the programme and, beyond no programme, society (discounted; ratios of means)"
    return Table(caption, columns, rows, (), (14, 10, 10, 10, *[9] * (2 * len(REACHED))))


def _listed(facts: Facts, table: pd.DataFrame) -> str:
    return "; ".join(
        f"{design_name(str(r['design']))} {about(r['incremental_effect'])} {facts.terms.units} for {euros(r['incremental_cost'])}"
        for r in table.to_dict("records")
        if str(r["design"]) != facts.terms.comparator
    )


def _acceptability(facts: Facts, curves: pd.DataFrame) -> Picture:
    at = curves.iloc[(curves["willingness_to_pay"] - facts.k).abs().argsort(kind="stable")[: len(facts.sample.designs)]]
    said = "; ".join(f"{design_name(str(r['design']))} {percent(r['probability_best'])}" for r in at.to_dict("records"))
    return Picture(
        "acceptability",
        lambda: draw.acceptability(curves, facts.terms),
        f"Curves of the share of parameter sets in which each design is best, by the worth of {facts.terms.a_unit}. At EUR "
        f"{at['willingness_to_pay'].iloc[0]:,.0f}: {said}. The highest mean net benefit is that of {design_name(facts.found.first)}.",
        "Cost-effectiveness acceptability curves: the share of parameter sets in which each design has the highest net benefit.",
    )


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
        "Cash as it is spent, not discounted. Hours that nobody pays for count as paid by the schools; what schools receive is taken off.",
    )
    return Section("budget", title, [picture, _by_year(facts, by_year)])


def _by_year(facts: StudyFacts, by_year: pd.DataFrame) -> Table:
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
