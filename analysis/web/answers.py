"""What the page shows of an answer: the tables of ``compare``, as rows of text and charts. No number is made here."""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from school_mentoring.analysis.curves import adoption_curve, costing, discounted_costs, spread, stacked_ends
from school_mentoring.analysis.economics.acceptability import acceptability
from school_mentoring.analysis.economics.psa import WILLINGNESS_TO_PAY, psa_sample
from school_mentoring.analysis.outcomes import CATEGORY_NAMES, COMPARATOR, PAYER_NAMES, design_name, group_name
from school_mentoring.analysis.palette import CATEGORY_COLOURS, design_styles
from school_mentoring.analysis.report.sentences import percent, ranking_sentence, sentences, with_error
from school_mentoring.analysis.summary import cost_effectiveness, ranking
from school_mentoring.experiments.whatif import DesignRuns, stacked
from school_mentoring.model.costs import PAYERS
from school_mentoring.scenarios import Scenario

from . import charts
from .texts import text

T = TypeVar("T")

GAPS = {name: group_name(name) for name in ("disadvantaged", "rural", "small")}
TIMES = {"_end_of_funding": "charts.end_of_funding", "": "charts.end"}
GRID_POINTS = 45


@dataclass(frozen=True)
class Answer:
    """``said``: sentences; ``rows``: a line of text per design; ``charts``: Vega-Lite descriptions by name; ``columns``: of the table."""

    said: list[str]
    columns: list[str]
    rows: list[dict[str, Any]]
    charts: dict[str, Any]


_KNOWN: "WeakKeyDictionary[DesignRuns, dict[Hashable, Any]]" = WeakKeyDictionary()


def _of_design(make: Callable[..., T]) -> Callable[..., T]:
    """Decorate a function of a design's runs, so that it is worked out once for as long as the runs are kept."""

    @wraps(make)
    def known(runs: DesignRuns, *rest: Hashable) -> T:
        found = _KNOWN.setdefault(runs, {})
        key = (make.__name__, rest)
        if key not in found:
            found[key] = make(runs, *rest)
        return cast(T, found[key])

    return known


@_of_design
def _curves(runs: DesignRuns) -> dict[str, pd.DataFrame]:
    """Return the adoption curve of each practice of a design."""
    assert runs.monthly is not None
    return {str(name): adoption_curve(rows) for name, rows in runs.monthly.groupby("practice", observed=True)}


def base_answer(scenario: Scenario, found: Mapping[str, DesignRuns], budget: float | None) -> Answer:
    """Return what the replicates at the base parameters say. ``scenario``: with the comparator; ``found``: the runs of each design."""
    runs, designs = stacked(dict(found)), list(found)
    effects = cost_effectiveness(runs, worlds=scenario.worlds)
    months = min(scenario.programme.last_month, scenario.months - 1), scenario.months - 1
    said = sentences(runs, worlds=scenario.worlds, effects=effects)
    if budget is not None:
        said.append(_within(effects, budget))
    columns = [
        text("results.design"), *(text("results.using", month=month) for month in months), text("results.added"), text("results.gap"),
        text("results.programme"), text("results.schools"), text("results.ratio"),
    ]  # fmt: skip
    if budget is not None:
        columns.append(text("results.within"))
    return Answer(said, columns, _rows(effects, runs, found, months, budget), _charts(scenario, found, effects, designs, budget))


def _within(effects: pd.DataFrame, budget: float) -> str:
    """Say which design adds most within the budget of the programme."""
    able = effects[
        (effects["cost_programme"] <= budget) & (effects["design"].astype(str) != COMPARATOR) & (effects["incremental_effect"] > 0)
    ]
    if able.empty:
        return text("results.within_none", budget=f"{budget:,.0f}")
    best = able.loc[able["incremental_effect"].idxmax()]
    effect = with_error(best["incremental_effect"], best["incremental_effect_se"])
    return text("results.within_best", budget=f"{budget:,.0f}", design=design_name(str(best["design"])), effect=effect)


def _rows(
    effects: pd.DataFrame, runs: pd.DataFrame, found: Mapping[str, DesignRuns], months: tuple[int, int], budget: float | None
) -> list[dict[str, Any]]:
    """Return the lines of the table, worded as ``compare`` prints them."""
    cells = {}
    for row in effects.to_dict("records"):
        design = str(row["design"])
        mine, none = found[design].runs, design == COMPARATOR
        gap, ratio = mine["gap_disadvantaged"].mean(), row["cost_per_effect"]
        cells[design] = [
            *(f"{_using(found[design], month):.1f}" for month in months),
            "-" if none else with_error(row["incremental_effect"], row["incremental_effect_se"]),
            "-" if math.isnan(gap) else f"{100 * gap:+.1f}",
            *(f"{mine[name].mean() / 1000:z,.0f}" for name in ("cost_programme", "cost_schools")),
            "-" if none or math.isnan(ratio) else with_error(ratio, row["cost_per_effect_se"]),
        ]
        if budget is not None:
            over = row["cost_programme"] - budget
            cells[design].append(text("results.yes") if over <= 0 else text("results.no", kilo=f"{over / 1000:,.0f}"))
    return _lines(cells, list(found))


def _lines(cells: Mapping[str, list[str]], designs: Sequence[str]) -> list[dict[str, Any]]:
    styles = design_styles(designs)
    return [{"name": name, "label": design_name(name), "colour": styles[name].colour, "cells": mine} for name, mine in cells.items()]


@_of_design
def _using(runs: DesignRuns, month: int) -> float:
    """Return the mean share of adopting teachers in a month in per cent, over all practices."""
    assert runs.monthly is not None
    rows = runs.monthly.loc[runs.monthly["month"].to_numpy() == month, ["replicate", "adopters", "teachers"]].to_numpy()
    adopters, teachers = (np.bincount(rows[:, 0], weights=rows[:, column]) for column in (1, 2))
    return 100 * float((adopters / teachers).mean())


def _charts(
    scenario: Scenario, found: Mapping[str, DesignRuns], effects: pd.DataFrame, designs: list[str], budget: float | None
) -> dict[str, Any]:
    windows = {name: scenario.programme.window(design) for name, design in scenario.designs.items() if name != COMPARATOR}
    curves = {name: _curves(one) for name, one in found.items()}
    made: dict[str, Any] = {}
    for number, practice in enumerate(scenario.practices):
        mine, called = {name: by_practice[practice.name] for name, by_practice in curves.items()}, practice.name.replace("_", " ")
        made[f"adoption_{number}"] = _named(
            charts.adoption_chart(mine, windows, scenario.months),
            text("charts.adoption") + (f": {called}" if len(scenario.practices) > 1 else ""),
            text("charts.adoption_says", practice=called),
        )
    made["cost_effect"] = _named(charts.cost_effect_chart(effects, None), text("charts.cost_effect"), text("charts.cost_effect_says"))
    totals = discounted_costs(stacked(dict(found), "costs"), scenario.base_parameters()["discount_rate"]) / scenario.replicates
    legend = [{"label": CATEGORY_NAMES[name], "colour": CATEGORY_COLOURS[name]} for name in costing(totals)]
    lowest, largest = zip(*(stacked_ends(totals, payer) for payer in PAYERS), strict=True)
    for payer in PAYERS:
        chart = charts.cost_chart(totals, designs, payer, budget, (1.03 * min(lowest), 1.03 * max(largest)))
        made[f"costs_{payer}"] = _named(chart, *(text(key, payer=PAYER_NAMES[payer]) for key in ("charts.costs", "charts.costs_says")))
        made[f"costs_{payer}"]["legend"] = legend
    for name, kind in GAPS.items():
        rows = [{"design": design_name(design), **row} for design, one in found.items() for row in _gaps(one, name)]
        if rows:
            made[f"gap_{name}"] = _named(
                charts.gap_chart(rows, designs, name), text("charts.gap", kind=kind), text("charts.gap_says", kind=kind)
            )
    return made


def _named(chart: dict[str, Any], title: str, says: str) -> dict[str, Any]:
    return {"title": title, "says": says, "spec": chart}


@_of_design
def _gaps(runs: DesignRuns, name: str) -> list[dict[str, Any]]:
    """Return the gap of a type of schools in points: mean and spread over runs, at the end of funding and at the end."""
    spreads = {time: spread(100 * runs.runs[f"gap_{name}{suffix}"]) for suffix, time in TIMES.items()}
    return [{"time": text(time), "mean": one[0], "low": one[1], "high": one[2]} for time, one in spreads.items() if one is not None]


def sure_answer(effects_of: Mapping[str, DesignRuns], found: Mapping[str, DesignRuns], worlds: int, k: float) -> Answer:
    """Return how sure the ranking is. ``found``: runs under drawn parameter sets; ``effects_of``: at the base; ``k``: EUR a unit."""
    drawn, designs = stacked(dict(found)), list(found)
    ranks = ranking(drawn, willingness_to_pay=(k,))
    sample = psa_sample(drawn)
    top = max(k, *WILLINGNESS_TO_PAY) * 1.1
    table = acceptability(sample, sorted({k, *np.linspace(0.0, top, GRID_POINTS).tolist()}))
    effects = cost_effectiveness(stacked(dict(effects_of)), worlds=worlds)
    made = {
        "probability": _named(
            charts.probability_chart(table, designs, k), text("charts.probability"), text("charts.probability_says", sets=sample.sets)
        ),
        "cost_effect": _named(charts.cost_effect_chart(effects, drawn), text("charts.cost_effect"), text("charts.cost_effect_says")),
    }
    columns = [text("results.design"), text("charts.most_effect"), text("charts.best"), text("charts.interval")]
    return Answer([ranking_sentence(ranks)], columns, _ranks(ranks, designs), made)


def _ranks(ranks: pd.DataFrame, designs: Sequence[str]) -> list[dict[str, Any]]:
    cells = {}
    for design in designs:
        mine = ranks[ranks["design"].astype(str) == design]
        effect, benefit = (mine[mine["criterion"] == criterion].iloc[0] for criterion in ("effect_adopter_years", "net_benefit"))
        interval = f"{100 * benefit['low']:.0f} to {100 * benefit['high']:.0f} %"
        cells[design] = [percent(float(effect["probability_best"])), percent(float(benefit["probability_best"])), interval]
    return _lines(cells, designs)
