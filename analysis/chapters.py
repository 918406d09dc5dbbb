"""The chapters of a recommendation: costs and effects, who gains, who pays when, what it depends on, what is worth knowing.

Each returns a section, and puts the tables that it rests on among ``tables`` by file name.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from model.parameters import PARAMETERS

from .advice import Standing, about, euros
from .budget_impact import budget_impact, spending
from .document import Items, Picture, Section, Table, Text
from .equity import Distribution, best_by_aversion, distribution, gains
from .figures import economics as draw
from .figures.plane import plane
from .outcomes import COMPARATOR, design_name, group_name
from .psa import Sample
from .robustness import agreement, robustness
from .scenario_discovery import Box, best_box, cart, prim, where_better
from .scenario_discovery import in_words as box_in_words
from .sentences import in_words, percent
from .value_of_information import Perfect

__all__ = [
    "ENOUGH_SETS",
    "Evidence",
    "Facts",
    "budget_section",
    "costs_section",
    "depends_section",
    "gains_section",
    "size_in_words",
    "unknown_section",
]

ENOUGH_SETS = 20
"""Parameter sets below which no regression says what is worth knowing."""

MOST_LIMITS = 3
"""Conditions that a reader can keep in mind."""

CONTESTED = 0.05
"""A rival that is better in fewer parameter sets, or in all but as few, has no conditions worth stating."""


@dataclass(frozen=True)
class Evidence:
    """What a recommendation rests on.

    ``runs``: one row per run, broken down where the study recorded it; ``parameters``: the drawn values by ``parameter_set``. ``title``,
    ``months``, ``funding`` (first month, first without), ``schools`` (number, or how they came), ``countries``: names by code; ``ranges``:
    of the scenario's parameters (base, low, high, distribution); ``commands``: to make it again; ``source``: versions and seed in a line;
    ``notes``: what a reader must know of the data.
    """

    runs: pd.DataFrame
    parameters: pd.DataFrame
    title: str
    months: int
    funding: tuple[int, int]
    schools: str
    countries: Mapping[str, str]
    ranges: Mapping[str, Mapping[str, Any]]
    commands: Sequence[str]
    source: str
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Facts:
    """What the chapters share."""

    evidence: Evidence
    sample: Sample
    used: pd.DataFrame
    found: Standing
    k: float
    perspective: str
    names: Mapping[str, str]

    @property
    def spread(self) -> bool:
        """Whether there are several parameter sets, so ranges."""
        return self.sample.sets > 1

    @property
    def chosen(self) -> str:
        """The design that the report looks at most: the first that is not doing nothing."""
        return next((str(name) for name in self.found.table["design"] if name != COMPARATOR), COMPARATOR)

    def parameter(self, name: str) -> str:
        """Return what a varied thing is called."""
        return self.names.get(name, name.replace("_", " "))


def size_in_words(sample: Sample) -> str:
    """Say how many parameter sets and runs a study has."""
    replicates = len(sample.cost_runs) // max(1, sample.sets)
    if sample.sets == 1:
        return f"one parameter set, {replicates} {'run' if replicates == 1 else 'runs'} of each design"
    return f"{sample.sets:,} parameter sets, {replicates} {'run' if replicates == 1 else 'runs'} of each design under each"


def costs_section(facts: Facts, table: pd.DataFrame, curves: pd.DataFrame) -> Section:
    """Return what each design costs and does: ``table`` of ``incremental``, ``curves`` of ``acceptability``."""
    rows, spread = [], facts.spread
    for row in table.to_dict("records"):
        name = str(row["design"])
        place = facts.found.row(name)
        cells = [design_name(name)]
        for what in ("incremental_effect", "incremental_cost"):
            scale, digits = (1.0, about) if what == "incremental_effect" else (1000.0, about)
            cells.append("-" if name == COMPARATOR else digits(row[what] / scale))
            if spread:
                cells.append(
                    "-" if name == COMPARATOR else f"{digits(row[f'{what}_low'] / scale)} to {digits(row[f'{what}_high'] / scale)}"
                )
        cells.append(_price(row))
        cells.append(_status(row))
        if spread:
            cells += [percent(place["probability_best"]), about(place["expected_loss"] / 1000)]
        rows.append(cells)
    columns = [
        "design",
        "added adopter-years",
        *(["90 % range"] if spread else []),
        "added cost, kEUR",
        *(["90 % range"] if spread else []),
    ]
    columns += ["EUR per adopter-year", "by the means"]
    if spread:
        columns += [f"best at EUR {facts.k:,.0f}", "expected loss, kEUR"]
    words = (columns.index("by the means"),)
    widths = (13, 15, 16, 10, 15, 15, 21, 9, 13) if spread else (18, 14, 14, 14, 30)
    best = facts.found.first
    means = table.assign(design=table["design"].astype(str)).set_index("design")
    listed = "; ".join(
        f"{design_name(d)} {about(means.loc[d, 'incremental_effect'])} adopter-years for {euros(means.loc[d, 'incremental_cost'])}"
        for d in means.index
        if d != COMPARATOR
    )
    blocks: list[Any] = [
        Table(
            f"Costs and effects beyond {design_name(COMPARATOR)}, discounted; by cost-effectiveness over {size_in_words(facts.sample)}",
            columns,
            rows,
            words,
            widths,
        ),
        Text(
            "An adopter-year is one teacher who uses the practice for a year. Dominated: another design does as much for less; "
            "extended dominated: a mix of two others does. The expected loss is what choosing the design forgoes on average against "
            "choosing the best one of each parameter set."
        ),
        Picture(
            "plane",
            lambda: plane(table, facts.k, spread=spread),
            f"Scatter plot of added cost against added effect. {listed}.",
            _plane_caption(spread),
        ),
    ]
    if spread and len(facts.sample.designs) > 1:
        at = curves.iloc[(curves["willingness_to_pay"] - facts.k).abs().argsort(kind="stable")[: len(facts.sample.designs)]]
        said = "; ".join(f"{design_name(str(r['design']))} {percent(r['probability_best'])}" for r in at.to_dict("records"))
        blocks.append(
            Picture(
                "acceptability",
                lambda: draw.acceptability(curves),
                f"Curves of the probability that each design is best by the worth of an adopter-year. Near EUR {facts.k:,.0f}: {said}. "
                f"The highest mean net benefit is that of {design_name(best)}.",
                "Cost-effectiveness acceptability curves: the share of parameter sets in which each design has the highest net benefit.",
            )
        )
    return Section("costs", "What each design costs and does", blocks)


def _plane_caption(spread: bool) -> str:
    start = "Marks are means over the parameter sets" if spread else "Marks are means over the runs"
    return f"{start}. To the right is more effect, above is more cost."


def _price(row: Mapping[str, Any]) -> str:
    if str(row["design"]) == COMPARATOR:
        return "-"
    if not math.isnan(row["cost_per_effect"]):
        return f"{row['cost_per_effect']:,.0f}"
    return str(row["quadrant"])


def _status(row: Mapping[str, Any]) -> str:
    if row["status"] == "frontier":
        return (
            "on the frontier"
            if math.isnan(row["icer"])
            else f"on the frontier, {row['icer']:,.0f} EUR against {design_name(row['icer_against'])}"
        )
    by = in_words([design_name(name) for name in str(row["dominated_by"]).split("+")])
    return f"{row['status']} by {by}"


def gains_section(facts: Facts, tables: dict[str, pd.DataFrame]) -> Section:
    """Return who gains, by school type and country, and whether minding inequality changes the choice."""
    title = "Who gains"
    if "teachers:rural_disadvantaged" not in facts.used:
        return Section("gains", title, [Text(_not_recorded("by school type and country"))])
    parameters = facts.evidence.parameters if len(facts.evidence.parameters) else None
    spread = distribution(facts.used, parameters, over="school_types", perspective=facts.perspective)
    types = gains(spread)
    places = [name for name in facts.used.columns if name.startswith("teachers:country:")]
    countries = pd.DataFrame(columns=types.columns)
    if len(places) > 1:
        countries = gains(distribution(facts.used, parameters, over="countries", perspective=facts.perspective))
    tables["gains.csv"] = pd.concat([types, countries], ignore_index=True) if len(countries) else types
    names = dict(facts.evidence.countries)
    rows = [
        [design_name(str(row["design"])), _group(row["group"], names), percent(row["share_of_teachers"]), about(row["gain"]), _share(row)]
        for row in tables["gains.csv"].to_dict("records")
        if str(row["design"]) in (facts.chosen, *facts.found.beside) and str(row["design"]) != COMPARATOR
    ]
    flips = _flips(spread, facts.k, tables)
    blocks: list[Any] = [
        Picture(
            "gains",
            lambda: draw.gains(tables["gains.csv"], names),
            f"Dot plot of adopter-years added per 100 teachers by school type and country. {_who(types, facts.chosen, names)}",
            "What each design adds in each group of schools, per 100 teachers, so that large and small groups compare.",
        ),
        Text(_who(types, facts.chosen, names)),
        Text(flips),
    ]
    if rows:
        caption = "Adopter-years added per 100 teachers, and the share of all that is added"
        blocks.append(
            Table(
                caption,
                ["design", "group", "of all teachers", "per 100 teachers", "of all that is added"],
                rows,
                (1,),
                (16, 30, 14, 14, 16),
            )
        )
    return Section("gains", title, blocks)


def _flips(spread: Distribution, k: float, tables: dict[str, pd.DataFrame]) -> str:
    """Say whether minding inequality between school types changes the choice."""
    try:
        flips = best_by_aversion(spread, k)
    except ValueError:  # a group of schools is left with less than nothing, of which Atkinson's index says nothing
        return "Costs exceed what some group of schools has in adopter-years, so minding inequality cannot be weighed at this worth of one."
    tables["aversion.csv"] = flips
    return _aversion(flips)


def _group(name: str, names: Mapping[str, str]) -> str:
    return group_name(str(name), names).removeprefix("schools in ")


def _share(row: Mapping[str, Any]) -> str:
    return "-" if pd.isna(row["share_of_gain"]) else percent(max(0.0, row["share_of_gain"])) if row["share_of_gain"] >= 0 else "loses"


def _who(types: pd.DataFrame, design: str, names: Mapping[str, str]) -> str:
    """Say which school type gains most and least of a design, where the ranges over parameter sets do not overlap."""
    rows = types[types["design"].astype(str) == design].sort_values("gain", ascending=False)
    if rows.empty:
        return "No design is there whose gains could be shared out."
    top, last = rows.iloc[0], rows.iloc[-1]
    start = f"With {design_name(design)}"
    if top["gain"] == last["gain"]:
        return f"{start} all school types gain alike."
    most, least = (f"{_group(row['group'], names)} gain {word}" for row, word in ((top, "most"), (last, "least")))
    said = f"{most} ({about(top['gain'])} adopter-years per 100 teachers) and {least} ({about(last['gain'])})"
    sure = "" if top["low"] > last["high"] else "; the ranges over parameter sets overlap"
    return f"{start}, by the means, {said}{sure}."


def _aversion(flips: pd.DataFrame) -> str:
    if len(flips) < 2:
        most = f"Atkinson aversion up to {flips['to'].iloc[-1]:g}"
        return f"However much inequality between school types is minded ({most}), the best design stays the same."
    row = flips.iloc[1]
    return (
        f"Someone who minds inequality between school types with an Atkinson aversion above {row['from']:.3g} would choose "
        f"{design_name(str(row['design']))} instead of {design_name(str(flips['design'].iloc[0]))} (0 is indifference)."
    )


def _not_recorded(what: str) -> str:
    return f"This study did not record its runs {what}. A comparison does, and so does a sweep with --broken-down."


def budget_section(facts: Facts, tables: dict[str, pd.DataFrame]) -> Section:
    """Return spending by year and payer."""
    title = "What it costs whom and when"
    if not any(name.startswith("spent_") for name in facts.used.columns):
        return Section("budget", title, [Text(_not_recorded("by year and payer"))])
    spent = spending(facts.used)
    by_year = budget_impact(spent, facts.used)
    if not by_year["cost"].gt(0).any():
        return Section("budget", title, [Text("No design costs anybody anything.")])
    whole = budget_impact(spent, facts.used, by=("year",))
    tables["budget.csv"] = by_year
    years = sorted(by_year["year"].unique())
    rows = []
    for design in [name for name in facts.sample.designs if name != COMPARATOR]:
        for payer in ("programme", "schools"):
            mine = by_year[(by_year["design"].astype(str) == design) & (by_year["payer"].astype(str) == payer)].set_index("year")["cost"]
            values = [float(mine.get(year, 0.0)) for year in years]
            rows.append([design_name(design), payer, *(about(value / 1000) for value in values), about(math.fsum(values) / 1000)])
    totals = by_year.groupby("design", observed=True)["cost"].sum()
    said = "; ".join(f"{design_name(str(name))} {euros(float(value))}" for name, value in totals.items() if str(name) != COMPARATOR)
    return Section(
        "budget",
        title,
        [
            Picture(
                "spending",
                lambda: draw.budget(by_year, whole),
                f"Stacked bars of spending by year and payer, in all: {said}.",
                _budget_caption(),
            ),
            Table(
                "Spending by year of the study and payer, kEUR of 2023, not discounted (means)",
                ["design", "paid by", *(f"year {year}" for year in years), "in all"],
                rows,
                (1,),
                (16, 12, *(9 for _ in years), 10),
            ),
        ],
    )


def _budget_caption() -> str:
    return "Cash as it is spent, not discounted. Unpaid hours of teachers count as paid by the schools, at what a teacher's hour costs."


def depends_section(facts: Facts, ranges: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> Section:
    """Return threshold values of an adopter-year's worth, criteria of robustness, and where rivals are better."""
    rows = [
        [design_name(str(r["design"])) + (f" (and {in_words([design_name(o) for o in str(r['equal']).split('+')])})" if r["equal"] else ""),
         about(r["from"]), "any higher" if math.isinf(r["to"]) else about(r["to"])]
        for r in ranges.to_dict("records")
    ]  # fmt: skip
    blocks: list[Any] = [
        Table(
            "Threshold values: the design with the highest mean net benefit, by the worth of an adopter-year in EUR",
            ["design", "from", "to"],
            rows,
            (),
            (30, 12, 12),
        )
    ]
    if not facts.spread:
        blocks.append(Text("No assumption was varied, so nothing can be said of what else the choice hangs on."))
        return Section("depends", "What it depends on", blocks)
    benefit = facts.sample.net_benefit(facts.k)
    if len(facts.sample.designs) > 1:
        tables["robustness.csv"] = robustness(benefit, COMPARATOR)
        criteria, _ = agreement(tables["robustness.csv"])
        criteria = criteria[criteria["criterion"] != "satisfied"]  # doing nothing is never worse than doing nothing
        listed = [[str(r["meaning"]), in_words([design_name(n) for n in str(r["best"]).split("+")])] for r in criteria.to_dict("records")]
        caption = f"Which design comes first by which criterion, at EUR {facts.k:,.0f} per adopter-year"
        same = criteria["best"].nunique() == 1
        blocks += [
            Table(caption, ["criterion", "first"], listed, (1,), (50, 30)),
            Text("All criteria put the same design first." if same else "The criteria do not all put the same design first."),
        ]
    conditions = _conditions_of_rivals(facts)
    if conditions:
        blocks += [Text("When another design would be better:"), Items(conditions)]
    return Section("depends", "What it depends on", blocks)


def _conditions_of_rivals(facts: Facts) -> list[str]:
    """Say under which conditions the rivals that are best now and then beat the chosen design (PRIM)."""
    if facts.sample.sets < ENOUGH_SETS or facts.sample.parameters.shape[1] == 0:
        return []
    rivals = [
        n for n in facts.found.table.sort_values("probability_best", ascending=False, kind="stable")["design"] if n != facts.found.first
    ]
    said = []
    for rival in rivals[:3]:
        better = where_better(facts.sample, str(rival), facts.found.first, facts.k)
        share = float(better.mean())
        what = f"{design_name(str(rival))} beats {design_name(facts.found.first)} in {percent(share)} of parameter sets"
        if not CONTESTED < share < 1 - CONTESTED:
            said.append(f"{what}.")
            continue
        box = _telling_box(facts.sample.parameters, better)
        if box is None:
            said.append(f"{what}; no simple conditions set them apart.")
            continue
        words = box_in_words(box, facts.parameter)
        said.append(
            f"{what}; where {words}, in {percent(box.density)} of them, which covers {percent(box.coverage)} of the cases in which it does."
        )
    return said


def _telling_box(inputs: pd.DataFrame, better: "pd.Series[bool]") -> Box | None:
    """Return the conditions (by PRIM or CART) that best tell where a rival is better: mostly so inside, a fair part of all sets."""
    boxes = [box for box in (*prim(inputs, better), *cart(inputs, better)) if box.limits and len(box.limits) <= MOST_LIMITS]
    telling = [box for box in boxes if box.density >= max(0.5, 1.3 * float(better.mean())) and box.coverage >= 0.25]
    return best_box(telling) if telling else None


def unknown_section(facts: Facts, perfect: Perfect, known: pd.DataFrame | None) -> Section:
    """Return what would be worth knowing before the choice: ``perfect`` of ``evpi``, ``known`` of ``evppi`` (None: too little to tell)."""
    title = "What is not known and worth knowing"
    if not facts.spread:
        return Section("unknown", title, [Text("The study varies no assumption: it cannot say what would be worth knowing.")])
    text = (
        f"Knowing every uncertain assumption before the choice would be worth {euros(perfect.value)} on average (EVPI), for this decision."
    )
    if perfect.noise_share > 0.1:
        text += (
            f" Part of that is chance between runs ({percent(perfect.noise_share)} of the variance of the difference to the best rival)."
        )
    blocks: list[Any] = [Text(text)]
    if known is None:
        blocks.append(
            Text(f"With {facts.sample.sets} parameter sets it cannot be said which assumption matters; {ENOUGH_SETS} or more are needed.")
        )
        return Section("unknown", title, blocks)
    top = known[known["worth_knowing"]]
    if top.empty:
        blocks.append(Text("No single assumption is worth knowing by itself: each value is not told apart from that of shuffled numbers."))
        return Section("unknown", title, blocks)
    names = {str(name): facts.parameter(str(name)) for name in known["name"]}
    rows = [
        [names[str(r["name"])], euros(r["value"]), euros(2 * r["se"]), percent(min(1.0, r["share"])), _kind(str(r["name"]))]
        for r in top.head(12).to_dict("records")
    ]
    said = "; ".join(f"{names[str(r['name'])]} {euros(r['value'])}" for r in top.head(3).to_dict("records"))
    caption = "Expected value of partial perfect information (EVPPI) of single assumptions. Values do not add up: assumptions act together."
    picture = Picture(
        "worth_knowing",
        lambda: draw.information(known, perfect.value, willingness_to_pay=facts.k),
        f"Bars of the value of knowing single assumptions, the highest: {said}.",
        caption,
    )
    columns = ["assumption", "value", "two standard errors", "of the EVPI", "known by"]
    blocks += [picture, Table("What knowing single assumptions exactly would be worth", columns, rows, (4,), (46, 16, 16, 12, 14))]
    return Section("unknown", title, blocks)


def _kind(name: str) -> str:
    return PARAMETERS[name].kind if name in PARAMETERS else "choice"
