"""The plane of cost and effect of a recommendation: means over parameter sets, their ranges, and what an adopter-year is worth."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from school_mentoring.analysis.outcomes import OWN_TERMS, Terms

from .style import GREY, INK, design_styles, explain, new_figure, place_labels, styled


@styled
def plane(table: pd.DataFrame, willingness_to_pay: float, *, spread: bool, terms: Terms = OWN_TERMS) -> Figure:
    """Return the cost-effectiveness plane of ``incremental``'s table: means with bars from the 5 to the 95 % quantile where ``spread``.

    Below the dashed line a design is worth what it costs at the willingness to pay.
    """
    names = [str(name) for name in table["design"]]
    styles = design_styles(names)
    unit, scale = ("EUR million", 1e6) if table["incremental_cost"].abs().max() >= 2e6 else ("EUR thousand", 1e3)
    figure = new_figure(f"What each design costs and adds beyond {terms.none}", 5.8)
    axes = figure.subplots()
    axes.axhline(0, color=INK, lw=0.8)
    axes.axvline(0, color=INK, lw=0.8)
    points, labels, colours = [], [], []
    for row in table.to_dict("records"):
        name = str(row["design"])
        x, y, look = row["incremental_effect"], row["incremental_cost"] / scale, styles[name]
        if spread and name != terms.comparator:
            axes.plot([row["incremental_effect_low"], row["incremental_effect_high"]], [y, y], color=look.colour, lw=1.2, alpha=0.7)
            axes.plot(
                [x, x], [row["incremental_cost_low"] / scale, row["incremental_cost_high"] / scale], color=look.colour, lw=1.2, alpha=0.7
            )
        axes.plot(x, y, ls="", marker=look.marker, ms=9, color=look.colour, mec="white", zorder=5)
        points.append((float(x), float(y)))
        labels.append(look.label)
        colours.append(look.colour)
    discounted = " (discounted)" if terms.ours else ""
    axes.set_xlabel(f"additional {terms.units}{discounted}")
    axes.set_ylabel(f"additional cost, {unit}{discounted}")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.margins(0.1)
    limits = axes.get_xlim(), axes.get_ylim()
    ends = np.array(limits[0])
    axes.plot(ends, willingness_to_pay * ends / scale, color=GREY, ls="--", lw=1.2)
    axes.set_xlim(*limits[0])
    axes.set_ylim(*limits[1])
    handles = [
        Line2D([], [], color=GREY, ls="--", label=f"EUR {willingness_to_pay:,.0f} per {terms.unit}: below it a design is worth its cost")
    ]
    if spread:
        handles.append(Line2D([], [], color=INK, lw=1.2, label="5 to 95 % of parameter sets"))
    explain(figure, handles, columns=2)
    lines = [[(float(x), float(willingness_to_pay * x / scale)) for x in ends]]
    place_labels(axes, points, labels, colours, lines=lines)
    return figure
