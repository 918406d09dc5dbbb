"""Figures of a recommendation: the plane of cost and effect, acceptability, who gains, spending by year, what is worth knowing."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.outcomes import COMPARATOR, design_name, group_name, payer_name
from analysis.style import GREY, INK, axes_grid, design_styles, explain, new_figure, place_labels, styled, wrapped

__all__ = ["acceptability", "gains", "plane", "spending", "worth_knowing"]

PAYERS = {"programme": "#0072b2", "schools": "#e69f00"}


def _unit(largest: float) -> tuple[str, float]:
    return ("EUR million", 1e6) if largest >= 2e6 else ("EUR thousand", 1e3)


@styled
def plane(table: pd.DataFrame, willingness_to_pay: float, *, spread: bool) -> Figure:
    """Return the cost-effectiveness plane of ``incremental``'s table: means with bars from the 5 to the 95 % quantile where ``spread``.

    Below the dashed line a design is worth what it costs at the willingness to pay.
    """
    names = [str(name) for name in table["design"]]
    styles = design_styles(names)
    unit, scale = _unit(float(table["incremental_cost"].abs().max()))
    figure = new_figure(f"What each design costs and adds beyond {design_name(COMPARATOR)}", 5.8)
    axes = figure.subplots()
    axes.axhline(0, color=INK, lw=0.8)
    axes.axvline(0, color=INK, lw=0.8)
    points, labels, colours = [], [], []
    for row in table.to_dict("records"):
        name = str(row["design"])
        x, y, look = row["incremental_effect"], row["incremental_cost"] / scale, styles[name]
        if spread and name != COMPARATOR:
            axes.plot([row["incremental_effect_low"], row["incremental_effect_high"]], [y, y], color=look.colour, lw=1.2, alpha=0.7)
            axes.plot(
                [x, x], [row["incremental_cost_low"] / scale, row["incremental_cost_high"] / scale], color=look.colour, lw=1.2, alpha=0.7
            )
        axes.plot(x, y, ls="", marker=look.marker, ms=9, color=look.colour, mec="white", zorder=5)
        points.append((float(x), float(y)))
        labels.append(look.label)
        colours.append(look.colour)
    axes.set_xlabel("additional adopter-years (discounted)")
    axes.set_ylabel(f"additional cost, {unit} (discounted)")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.margins(0.1)
    limits = axes.get_xlim(), axes.get_ylim()
    ends = np.array(limits[0])
    axes.plot(ends, willingness_to_pay * ends / scale, color=GREY, ls="--", lw=1.2)
    axes.set_xlim(*limits[0])
    axes.set_ylim(*limits[1])
    handles = [
        Line2D([], [], color=GREY, ls="--", label=f"EUR {willingness_to_pay:,.0f} per adopter-year: below it a design is worth its cost")
    ]
    if spread:
        handles.append(Line2D([], [], color=INK, lw=1.2, label="5 to 95 % of parameter sets"))
    explain(figure, handles, columns=2)
    lines = [[(float(x), float(willingness_to_pay * x / scale)) for x in ends]]
    place_labels(axes, points, labels, colours, lines=lines)
    return figure


@styled
def acceptability(table: pd.DataFrame, willingness_to_pay: float) -> Figure:
    """Return acceptability curves of ``cost_effectiveness.acceptability``, the frontier (highest mean net benefit) drawn thick."""
    names = [str(name) for name in table["design"].unique()]
    styles = design_styles(names)
    figure = new_figure("How likely each design is the best one, by what an adopter-year is worth", 4.8)
    axes = figure.subplots()
    ends: list[tuple[float, float]] = []
    for name in names:
        rows = table[table["design"].astype(str) == name]
        share = 100 * rows["probability_best"].to_numpy()
        axes.plot(rows["willingness_to_pay"], share, color=styles[name].colour, lw=1.4)
        axes.plot(rows["willingness_to_pay"], np.where(rows["highest_mean"], share, np.nan), color=styles[name].colour, lw=4.5, alpha=0.55)
        peak = int(np.argmax(share))
        ends.append((float(rows["willingness_to_pay"].iloc[peak]), float(share[peak])))
    axes.axvline(willingness_to_pay, color=GREY, ls="--", lw=1.2)
    axes.set_xlabel("worth of an added adopter-year, EUR")
    axes.set_ylabel("% of parameter sets in which it is best")
    axes.set_ylim(0, 104)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    handles = [
        Line2D([], [], color=INK, lw=4.5, alpha=0.55, label="highest mean net benefit (frontier)"),
        Line2D([], [], color=GREY, ls="--", label=f"EUR {willingness_to_pay:,.0f}, as in this report"),
    ]
    explain(figure, handles, columns=2)
    shown = [k for k in range(len(names)) if ends[k][1] >= 4.0]
    place_labels(axes, [ends[k] for k in shown], [styles[names[k]].label for k in shown], [styles[names[k]].colour for k in shown])
    return figure


@styled
def gains(types: pd.DataFrame, countries: pd.DataFrame, names: dict[str, str], *, spread: bool) -> Figure:
    """Return what each design adds per 100 teachers in school types (left) and countries (right), tables of ``equity.gains``."""
    figure = new_figure("Who gains: adopter-years added per 100 teachers", 5.2)
    designs = [str(name) for name in types["design"].unique() if name != COMPARATOR]
    styles = design_styles([str(name) for name in types["design"].unique()])
    panels = [table for table in (types, countries) if len(table)]
    for axes, table in zip(axes_grid(figure, 1, len(panels), len(panels)), panels, strict=True):
        groups = [str(name) for name in table["group"].unique()]
        height = 0.8 / max(1, len(designs))
        for position, design in enumerate(designs):
            rows = table[table["design"].astype(str) == design].set_index("group").loc[groups]
            y = np.arange(len(groups)) + (position - (len(designs) - 1) / 2) * height
            look = styles[design]
            if spread:
                axes.hlines(y, rows["low"], rows["high"], color=look.colour, lw=1.2, alpha=0.7)
            axes.plot(rows["gain"], y, ls="", marker=look.marker, ms=6, color=look.colour, mec="white")
        axes.axvline(0, color=INK, lw=0.8)
        axes.set_yticks(range(len(groups)), [wrapped(_group(name, names), 22) for name in groups])
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        for between in range(1, len(groups)):
            axes.axhline(between - 0.5, color="#e3e3e3", lw=0.7)
        axes.set_xlabel("adopter-years per 100 teachers")
    handles = [Line2D([], [], ls="", marker=styles[d].marker, ms=7, color=styles[d].colour, label=styles[d].label) for d in designs]
    explain(figure, handles, columns=6, note="Lines: 5 to 95 % of parameter sets." if spread else "")
    return figure


def _group(name: str, names: dict[str, str]) -> str:
    return group_name(name, names).removeprefix("schools in ")


@styled
def spending(table: pd.DataFrame) -> Figure:
    """Return spending by year and payer of each design (columns ``design, year, payer, cost``), not discounted."""
    designs = [str(name) for name in table["design"].unique() if name != COMPARATOR]
    unit, scale = _unit(float(table.groupby(["design", "year"], observed=True)["cost"].sum().max()))
    columns = min(3, max(1, len(designs)))
    rows = max(1, -(-len(designs) // columns))
    figure = new_figure("What it costs whom and when: spending by year of the study, not discounted", 1.2 + 2.0 * rows)
    years = sorted(table["year"].unique())
    for axes, design in zip(axes_grid(figure, rows, columns, len(designs), sharex=True, sharey=True), designs, strict=True):
        floor = np.zeros(len(years))
        for payer, colour in PAYERS.items():
            mine = table[(table["design"].astype(str) == design) & (table["payer"].astype(str) == payer)].set_index("year")["cost"]
            values = mine.reindex(years, fill_value=0.0).to_numpy() / scale
            axes.bar(years, values, bottom=floor, color=colour, width=0.75)
            floor += values
        axes.set_title(design_name(design), loc="left")
        axes.set_xticks(years, [str(year) for year in years])
        axes.tick_params(labelbottom=True)
    figure.supylabel(unit, fontsize=10.5)
    handles = [
        Line2D([], [], ls="", marker="s", ms=8, color=colour, label=f"paid by {payer_name(payer)}") for payer, colour in PAYERS.items()
    ]
    explain(figure, handles, note="Year 1 is months 0 to 11 of the study.")
    return figure


@styled
def worth_knowing(table: pd.DataFrame, names: dict[str, str]) -> Figure:
    """Return the value of knowing single parameters (``value_of_information.evppi``), the highest first, with two standard errors."""
    rows = table.head(10).iloc[::-1]
    unit, scale = _unit(float(rows["value"].max()))
    figure = new_figure("What is not known and worth knowing before the choice is made", 1.4 + 0.42 * len(rows))
    axes = figure.subplots()
    colours = ["#0072b2" if known else "#bbbbbb" for known in rows["worth_knowing"]]
    axes.barh(range(len(rows)), rows["value"] / scale, xerr=2 * rows["se"] / scale, color=colours, ecolor=INK, error_kw={"lw": 1})
    axes.plot(rows["floor"] / scale, range(len(rows)), ls="", marker="|", ms=14, color="#d55e00", mew=2)
    axes.set_yticks(range(len(rows)), [wrapped(names.get(str(name), str(name)), 45) for name in rows["name"]])
    axes.set_xlim(left=0)
    axes.set_xlabel(f"expected value of knowing it, {unit}")
    handles = [
        Line2D([], [], ls="", marker="s", ms=8, color="#0072b2", label="worth knowing"),
        Line2D([], [], ls="", marker="s", ms=8, color="#bbbbbb", label="not told apart from nothing"),
        Line2D([], [], ls="", marker="|", ms=12, mew=2, color="#d55e00", label="what shuffled values seem worth"),
    ]
    explain(figure, handles, columns=3, note="Bars with two standard errors.")
    return figure
