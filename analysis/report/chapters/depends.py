"""What the choice depends on: the worth of an adopter-year, criteria of robustness, conditions under which rivals are better."""

import math
from typing import Any

import pandas as pd

from school_mentoring.analysis.economics.advice import about
from school_mentoring.analysis.economics.robustness import agreement, robustness
from school_mentoring.analysis.economics.scenario_discovery import SIGNIFICANT, Box, best_box, cart, prim, where_better
from school_mentoring.analysis.economics.scenario_discovery import in_words as box_in_words
from school_mentoring.analysis.economics.structural import by_structure, structure_sentence
from school_mentoring.analysis.economics.value_of_information import ENOUGH_SETS
from school_mentoring.analysis.outcomes import design_name
from school_mentoring.analysis.report.document import Items, Section, Table, Text
from school_mentoring.analysis.report.sentences import in_words, percent

from .facts import Facts, StudyFacts

MOST_LIMITS = 3
"""Conditions that a reader can keep in mind."""

CONTESTED = 0.05
"""A rival that is better in fewer parameter sets, or in all but as few, has no conditions worth stating."""


def depends_section(facts: Facts, ranges: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> Section:
    """Return threshold values of an adopter-year's worth, criteria of robustness, and where rivals are better."""
    blocks: list[Any] = [_thresholds(facts, ranges)]
    if not facts.spread:
        blocks.append(Text("No assumption was varied, so nothing can be said of what else the choice hangs on."))
        return Section("depends", "What it depends on", blocks)
    blocks += _criteria(facts, tables)
    if isinstance(facts, StudyFacts):
        blocks += _structures(facts, tables)
    conditions, searched = _conditions_of_rivals(facts)
    if conditions:
        blocks += [Text("When another design would be better (have the higher net benefit):"), Items(conditions)]
    if searched:
        blocks.append(Text("Such conditions were searched for in the very parameter sets they describe (PRIM, CART), which flatters them."))
    return Section("depends", "What it depends on", blocks)


def _thresholds(facts: Facts, ranges: pd.DataFrame) -> Table:
    rows = []
    for row in ranges.to_dict("records"):
        equal = f" (and {in_words([design_name(o) for o in str(row['equal']).split('+')])})" if row["equal"] else ""
        to = "any higher" if math.isinf(row["to"]) else about(row["to"])
        rows.append([design_name(str(row["design"])) + equal, about(row["from"]), to])
    caption = f"Threshold values: the design with the highest mean net benefit, by what {facts.terms.a_unit} is worth"
    return Table(caption, ["design", "from, EUR", "to, EUR"], rows, (), (30, 12, 12))


def _criteria(facts: Facts, tables: dict[str, pd.DataFrame]) -> list[Any]:
    tables["robustness.csv"] = robustness(facts.sample.net_benefit(facts.k), facts.terms.comparator)
    criteria, _ = agreement(tables["robustness.csv"])
    criteria = criteria[criteria["criterion"] != "satisfied"]  # doing nothing is never worse than doing nothing
    listed = [[str(r["meaning"]), in_words([design_name(n) for n in str(r["best"]).split("+")])] for r in criteria.to_dict("records")]
    same = criteria["best"].nunique() == 1
    caption = f"Which design comes first by which criterion, at EUR {facts.k:,.0f} per {facts.terms.unit}"
    return [
        Table(caption, ["criterion", "first"], listed, (1,), (50, 30)),
        Text("All criteria put the same design first." if same else "The criteria do not all put the same design first."),
    ]


def _structures(facts: StudyFacts, tables: dict[str, pd.DataFrame]) -> list[Any]:
    """Return what the sets of each structure alone would advise, where structures vary over the sets."""
    table = by_structure(facts.used, facts.evidence.parameters, facts.k, facts.perspective)
    if table.empty:
        return []
    tables["structures.csv"] = table
    rows = [
        [
            f"{row.choice} {row.value}".replace("_", " "),
            f"{row.sets}",
            design_name(row.design),
            f"{percent(row.probability_best)} ({100 * row.low:.0f} to {100 * row.high:.0f})",
            design_name(row.most_effect),
        ]
        for row in table.itertuples()
    ]
    caption = f"What each structure of the model alone would advise, at EUR {facts.k:,.0f} per {facts.terms.unit}"
    columns = ["structure", "sets", "highest mean net benefit", "best in (90 %)", "most effect"]
    return [Table(caption, columns, rows, (2, 4), (34, 8, 24, 20, 20)), Text(structure_sentence(table, facts.k))]


def _conditions_of_rivals(facts: Facts) -> tuple[list[str], bool]:
    """Say under which conditions the rivals that are best now and then beat the chosen design, and whether any were found (PRIM, CART)."""
    if facts.sample.sets < ENOUGH_SETS or facts.sample.parameters.shape[1] == 0:
        return [], False
    first, searched = facts.found.first, False
    rivals = [n for n in facts.found.table.sort_values("probability_best", ascending=False, kind="stable")["design"] if n != first]
    said = []
    for rival in rivals[:3]:
        better = where_better(facts.sample, str(rival), first, facts.k)
        share = float(better.mean())
        what = f"{design_name(str(rival))} beats {design_name(first)} in {percent(share)} of parameter sets"
        if not CONTESTED < share < 1 - CONTESTED:
            said.append(f"{what}.")
        elif (box := _telling_box(facts.sample.parameters, better)) is None:
            said.append(f"{what}; no simple conditions set them apart.")
        else:
            searched = True
            inside = f"it does so in {percent(box.density)} of {box.states} sets"
            all_ = f"these are {percent(box.coverage)} of all in which it does"
            said.append(f"{what}. Where {box_in_words(box, facts.parameter)}, {inside}, and {all_}.")
    return said, searched


def _telling_box(inputs: pd.DataFrame, better: "pd.Series[bool]") -> Box | None:
    """Return the conditions (by PRIM or CART) that best tell where a rival is better: mostly so inside, a fair part of all sets.

    Each must make the box denser by more than luck would, among as many parameters as there are to choose from (Bonferroni).
    """
    found = (*prim(inputs, better), *cart(inputs, better), *cart(inputs, better, leaves=2))
    boxes = [box for box in found if 0 < len(box.limits) <= MOST_LIMITS and max(box.p_values.values()) <= SIGNIFICANT / inputs.shape[1]]
    telling = [box for box in boxes if box.density >= max(0.5, 1.3 * float(better.mean())) and box.coverage >= 0.25]
    return best_box(telling) if telling else None
