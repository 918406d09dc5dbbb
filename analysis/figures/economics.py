"""Figures of costs, effects and decisions: functions of the tables that the economic analyses give."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from school_mentoring.analysis.outcomes import COMPARATOR, OWN_TERMS, PAYER_NAMES, Terms, design_name, group_name, names_in
from school_mentoring.analysis.palette import GREY, INK, design_styles
from school_mentoring.model.costs import PAYERS

from .style import explain, key, label_edges, label_rows, money, new_figure, place_labels, small_multiples, styled, thousands, wrapped

SHOWN = 0.01
BLUE = "#0072b2"
PAYER_COLOURS = dict(zip(PAYERS, (BLUE, "#e69f00"), strict=True))


@styled
def acceptability(table: pd.DataFrame, terms: Terms = OWN_TERMS) -> Figure:
    """Return the curves of ``acceptability.acceptability``: probability of being best above, expected loss below.

    Designs that are never best in 1 % of the parameter sets are left out above, those that nowhere lose less than ten times the least
    loss below.
    """
    designs = names_in(table["design"], present=False)
    styles = design_styles(designs)
    sets = int(table["sets"].iloc[0])
    figure = new_figure(f"Which design has the highest net benefit, by what {terms.a_unit} is worth ({sets} parameter sets)", 7.4)
    above, below = figure.subplots(2, 1, sharex=True)
    losses = table["expected_loss"] / 1e6
    top = 10 * float(losses.groupby(table["willingness_to_pay"]).min().max()) or float(losses.max()) or 1.0
    used = []
    for design in designs:
        rows, look = table[table["design"] == design], styles[design]
        best, loss, x = 100 * rows["probability_best"], rows["expected_loss"] / 1e6, rows["willingness_to_pay"]
        drawn = {above: rows["probability_best"].max() >= SHOWN, below: loss.min() <= top}
        for axes, y in ((above, best), (below, loss)):
            if drawn[axes]:
                axes.plot(x, y, color=look.colour, lw=1.5)
                axes.plot(x, y.where(rows["highest_mean"]), color=look.colour, lw=4.5, solid_capstyle="butt")
        if any(drawn.values()):
            used.append(key(look.label, color=look.colour))
    above.set(ylim=(0, 100), ylabel="parameter sets in which\nit is best, %")
    below.set(ylim=(0, min(top, float(losses.max()) * 1.05 or 1.0)), ylabel="expected loss of\nchoosing it, EUR million")
    below.set_xlabel(f"willingness to pay, EUR per {terms.unit}")
    below.set_xlim(table["willingness_to_pay"].min(), table["willingness_to_pay"].max())
    thousands(below.xaxis)
    note = (
        "Thick: the design with the highest mean net benefit, so the acceptability frontier. Its expected loss is the expected value of "
        "perfect information."
    )
    explain(figure, [*used, key("highest mean net benefit", color=INK, lw=4.5)], note=note)
    return figure


@styled
def plane(table: pd.DataFrame, willingness_to_pay: float, *, spread: bool, terms: Terms = OWN_TERMS) -> Figure:
    """Return the cost-effectiveness plane of ``incremental``'s table: means with bars from the 5 to the 95 % quantile where ``spread``.

    Below the dashed line a design is worth what it costs at the willingness to pay.
    """
    styles = design_styles([str(name) for name in table["design"]])
    unit, scale = ("EUR million", 1e6) if table["incremental_cost"].abs().max() >= 2e6 else ("EUR thousand", 1e3)
    figure = new_figure(f"What each design costs and adds beyond {terms.none}", 5.8)
    axes = figure.subplots()
    axes.axhline(0, color=INK, lw=0.8)
    axes.axvline(0, color=INK, lw=0.8)
    points = []
    for row in table.to_dict("records"):
        x, y, look = float(row["incremental_effect"]), float(row["incremental_cost"] / scale), styles[str(row["design"])]
        if spread and str(row["design"]) != terms.comparator:
            bar: dict[str, Any] = {"color": look.colour, "lw": 1.2, "alpha": 0.7}
            axes.plot([row["incremental_effect_low"], row["incremental_effect_high"]], [y, y], **bar)
            axes.plot([x, x], [row["incremental_cost_low"] / scale, row["incremental_cost_high"] / scale], **bar)
        axes.plot(x, y, ls="", marker=look.marker, ms=9, color=look.colour, mec="white", zorder=5)
        points.append((x, y))
    discounted = " (discounted)" if terms.ours else ""
    axes.set(xlabel=f"additional {terms.units}{discounted}", ylabel=f"additional cost, {unit}{discounted}")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.margins(0.1)
    limits, ends = (axes.get_xlim(), axes.get_ylim()), np.array(axes.get_xlim())
    worth = willingness_to_pay * ends / scale
    axes.plot(ends, worth, color=GREY, ls="--", lw=1.2)
    axes.set(xlim=limits[0], ylim=limits[1])
    handles = [key(f"EUR {willingness_to_pay:,.0f} per {terms.unit}: below it a design is worth its cost", color=GREY, ls="--")]
    if spread:
        handles.append(key("5 to 95 % of parameter sets", color=INK, lw=1.2))
    explain(figure, handles, columns=2)
    looks = list(styles.values())
    lines = [list(zip(ends.tolist(), worth.tolist(), strict=True))]
    place_labels(axes, points, [look.label for look in looks], [look.colour for look in looks], lines=lines)
    return figure


@styled
def budget(table: pd.DataFrame, whole: pd.DataFrame) -> Figure:
    """Return costs to the programme and the schools by year, a panel for each design that costs anything.

    ``table``: ``budget_impact`` by year and payer; ``whole``: the same by year alone, for the range of the sum.
    """
    spent = table.groupby("design", observed=False)["cost"].sum()
    styles = design_styles(names_in(table["design"], present=False))
    designs = [name for name in styles if spent[name] > 0]
    if not designs:
        raise ValueError("no design costs anything, so there is no budget to show")
    years = sorted(table["year"].unique())
    unit, scale = money(whole["high"].max())
    title = "What each design costs whom, year by year"
    figure, panels = small_multiples(title, len(designs), 3, 1.6, 2.4, sharex=True, sharey=True)
    for axes, design in zip(panels, designs, strict=True):
        above = np.zeros(len(years))
        for payer in PAYERS:
            mine = table[(table["design"] == design) & (table["payer"] == payer)].set_index("year")["cost"].reindex(years).fillna(0.0)
            part = mine.to_numpy() / scale
            axes.bar(years, part, bottom=np.where(part < 0, 0.0, above), color=PAYER_COLOURS[payer], width=0.75)
            above += np.maximum(part, 0.0)
        range_ = whole[whole["design"] == design].set_index("year").reindex(years)
        axes.vlines(years, range_["low"] / scale, range_["high"] / scale, color=INK, lw=1.2)
        axes.set_title(styles[design].label, loc="left", color=styles[design].colour, fontweight="bold")
        axes.set_xticks(years)
        axes.grid(visible=False, axis="x")
    label_edges(panels, 3, "year of the study", f"{unit} a year")
    note = "Bars: means, below 0 where schools receive more than they bear; lines: 5 to 95 % of parameter sets for both payers together. "
    note += "EUR of 2023, as spent, not discounted."
    explain(figure, [Patch(color=colour, label=f"paid by {PAYER_NAMES[payer]}") for payer, colour in PAYER_COLOURS.items()], note=note)
    return figure


@styled
def gains(table: pd.DataFrame, countries: Mapping[str, str] | None = None) -> Figure:
    """Return the gains of ``equity.gains``: added adopter-years per 100 teachers, by group and design; ``countries``: names by code."""
    styles = design_styles(names_in(table["design"], present=False))
    looks = {name: look for name, look in styles.items() if name != COMPARATOR}
    groups = list(dict.fromkeys(table["group"]))
    figure = new_figure(f"Who gains: adopter-years beyond {design_name(COMPARATOR)}, by group of schools", 2.0 + 0.75 * len(groups))
    axes = figure.subplots()
    axes.axvline(0, color=INK, lw=1.0, zorder=1)
    offsets = np.linspace(-0.32, 0.32, len(looks)) if len(looks) > 1 else [0.0]
    for (design, look), offset in zip(looks.items(), offsets, strict=True):
        rows = table[table["design"] == design].set_index("group").loc[groups]
        places = np.arange(len(groups)) + offset
        axes.hlines(places, rows["low"], rows["high"], color=look.colour, lw=1.6)
        axes.plot(rows["gain"], places, ls="", marker=look.marker, color=look.colour, mec="white", ms=7)
    shares = table.groupby("group", sort=False)["share_of_teachers"].first()
    label_rows(axes, [f"{wrapped(group_name(one, countries), 26)}\n({100 * shares[one]:.0f} % of teachers)" for one in groups])
    axes.set_xlabel("added adopter-years per 100 teachers (discounted)")
    handles = [key(look.label, color=look.colour, marker=look.marker) for look in looks.values()]
    explain(figure, handles, columns=6, note="Marks: means; lines: 5 to 95 % of parameter sets.")
    return figure


@styled
def information(table: pd.DataFrame, everything: float, *, willingness_to_pay: float, unit: str = Terms.unit) -> Figure:
    """Return the leading 15 rows of ``value_of_information.evppi`` that are worth anything as bars; ``everything``: the EVPI in EUR.

    Beside each value, what the same method makes of nothing.
    """
    shown = table[table["value"] > 0].head(15) if (table["value"] > 0).any() else table.head(1)
    currency, scale = money(everything)
    title = f"What it would be worth to know a parameter before choosing a design, at {willingness_to_pay:,.0f} EUR per {unit}"
    figure = new_figure(title, 1.9 + 0.3 * len(shown))
    axes = figure.subplots()
    mark: dict[str, Any] = {"marker": "|", "ms": 12, "mew": 1.5, "ls": ""}
    for place, row in enumerate(shown.to_dict("records")):
        axes.barh(place, row["value"] / scale, color=BLUE, alpha=1.0 if row["worth_knowing"] else 0.3, height=0.7)
        axes.plot([(row["value"] - 2 * row["se"]) / scale, (row["value"] + 2 * row["se"]) / scale], [place, place], color=INK, lw=1.1)
        axes.plot(row["floor"] / scale, place, color=INK, **mark)
    label_rows(axes, shown["name"].astype(str).tolist())
    axes.set_xlim(0, None)
    axes.set_xlabel(f"expected value of perfect information on it, {currency}; on everything: {everything / scale:,.3g}")
    handles = [
        Patch(color=BLUE, label="exceeds floor and error"),
        Patch(color=BLUE, alpha=0.3, label="cannot be told from nothing"),
        key("floor: what shuffled values seldom exceed", color=GREY if table.empty else INK, **mark),
        key("two standard errors", color=INK, lw=1.1),
    ]
    explain(figure, handles)
    return figure
