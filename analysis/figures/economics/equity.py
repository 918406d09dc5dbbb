"""Equity: who gains by school type or country, and designs on the plane of efficiency and equality."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from school_mentoring.analysis.figures.style import (
    INK,
    design_styles,
    explain,
    label_rows,
    money,
    new_figure,
    place_labels,
    styled,
    wrapped,
)
from school_mentoring.analysis.outcomes import COMPARATOR, design_name, group_name, names_in


@styled
def gains(table: pd.DataFrame, countries: Mapping[str, str] | None = None, *, comparator: str = COMPARATOR) -> Figure:
    """Return the gains of ``equity.gains``: added adopter-years per 100 teachers, by group and design; ``countries``: names by code."""
    designs = [name for name in names_in(table["design"], present=False) if name != comparator]
    groups = list(dict.fromkeys(table["group"]))
    styles = design_styles(names_in(table["design"], present=False))
    figure = new_figure(f"Who gains: adopter-years beyond {design_name(comparator)}, by group of schools", 2.0 + 0.75 * len(groups))
    axes = figure.subplots()
    axes.axvline(0, color=INK, lw=1.0, zorder=1)
    offsets = np.linspace(-0.32, 0.32, len(designs)) if len(designs) > 1 else [0.0]
    for design, offset in zip(designs, offsets, strict=True):
        rows = table[table["design"] == design].set_index("group").loc[groups]
        places = np.arange(len(groups)) + offset
        axes.hlines(places, rows["low"], rows["high"], color=styles[design].colour, lw=1.6)
        axes.plot(rows["gain"], places, ls="", marker=styles[design].marker, color=styles[design].colour, mec="white", ms=7)
    shares = table.groupby("group", sort=False)["share_of_teachers"].first()
    names = [f"{wrapped(group_name(group, countries), 26)}\n({100 * shares[group]:.0f} % of teachers)" for group in groups]
    label_rows(axes, names)
    axes.set_xlabel("added adopter-years per 100 teachers (discounted)")
    handles = [Line2D([], [], color=styles[d].colour, marker=styles[d].marker, label=styles[d].label) for d in designs]
    explain(figure, handles, columns=6, note="Marks: means; lines: 5 to 95 % of parameter sets.")
    return figure


@styled
def equity_plane(table: pd.DataFrame, *, willingness_to_pay: float, aversion: float, kind: str, comparator: str = COMPARATOR) -> Figure:
    """Return the plane of ``equity.equity_plane``: added net benefit against the fall in the cost of inequality."""
    styles = design_styles(names_in(table["design"], present=False))
    unit, scale = money(table.select_dtypes("number").abs().max().max())
    figure = new_figure(f"Efficiency and equality beyond {design_name(comparator)}", 6.4)
    axes = figure.subplots()
    axes.axhline(0, color=INK, lw=0.9, zorder=1)
    axes.axvline(0, color=INK, lw=0.9, zorder=1)
    points, labels, colours = [(0.0, 0.0)], [design_name(comparator)], [styles[comparator].colour]
    axes.plot(0, 0, ls="", marker=styles[comparator].marker, ms=9, color=styles[comparator].colour, mec="white")
    for row in table.to_dict("records"):
        style = styles[str(row["design"])]
        x, y = row["efficiency"] / scale, row["equity"] / scale
        axes.plot([row["efficiency_low"] / scale, row["efficiency_high"] / scale], [y, y], color=style.colour, lw=1.0, alpha=0.6)
        axes.plot([x, x], [row["equity_low"] / scale, row["equity_high"] / scale], color=style.colour, lw=1.0, alpha=0.6)
        axes.plot(x, y, ls="", marker=style.marker, ms=9, color=style.colour, mec="white", zorder=5)
        points.append((x, y))
        labels.append(style.label)
        colours.append(style.colour)
    axes.set_xlabel(
        f"added net benefit at {willingness_to_pay:,.0f} EUR per adopter-year, {unit}\n← less efficient        more efficient →"
    )
    axes.set_ylabel(f"fall in the cost of inequality, {unit}\n← less equal        more equal →")
    axes.margins(0.1)
    index = {"atkinson": "Atkinson's index", "kolm": "Kolm's index"}[kind]
    note = f"Marks: means; lines: 5 to 95 % of parameter sets. Inequality by {index} at an aversion of {aversion:g}."
    explain(figure, [], note=note)
    place_labels(axes, points, labels, colours)
    return figure
