"""The cost-effectiveness plane: what each design adds in cost and in effect over the comparator, how sure that is, and the frontier."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon
from numpy.typing import NDArray

from school_mentoring.analysis.curves import HULL, increments, outline
from school_mentoring.analysis.economics.frontier import FRONTIER, frontier
from school_mentoring.analysis.outcomes import COMPARATOR, design_name, names_in, outcome

from .style import GREY, INK, design_styles, explain, money, new_figure, place_labels, styled, wrapped


@styled
def cost_effect(
    runs: pd.DataFrame,
    uncertain: pd.DataFrame | None = None,
    *,
    comparator: str = COMPARATOR,
    cost: str = "cost_total",
    effect: str = "effect_adopter_years",
) -> Figure:
    """Return incremental cost against incremental effect: means of ``runs`` as marks, parameter sets of ``uncertain`` as outlines.

    An outline is the convex hull of the 90 % of a design's parameter sets nearest to their median (Mahalanobis distance); each set is the
    mean over its replicates. The frontier joins the designs that are neither dominated nor extended dominated by the means of ``runs``.
    """
    designs = names_in(runs["design"])
    if comparator not in designs:
        raise ValueError(f"no runs of {comparator!r} to compare with")
    styles = design_styles(names_in(runs["design"], present=False))
    points = increments(runs, comparator=comparator, cost=cost, effect=effect).groupby("design", sort=False)[["effect", "cost"]].mean()
    clouds = None if uncertain is None else increments(uncertain, comparator=comparator, cost=cost, effect=effect)
    extent = points["cost"] if clouds is None else pd.concat([points["cost"], clouds["cost"]])
    unit, scale = money(extent.abs().max())
    base, label = design_name(comparator), outcome(effect).label
    figure = new_figure(f"Cost and effect of each design beyond {base}", 6.4)
    axes = figure.subplots()
    axes.axhline(0, color=INK, lw=0.8, zorder=1)
    axes.axvline(0, color=INK, lw=0.8, zorder=1)
    if clouds is not None:
        for design in designs:
            if design != comparator:
                _cloud(axes, clouds.loc[clouds["design"] == design, ["effect", "cost"]].to_numpy() / [1, scale], styles[design].colour)
    standing = frontier(designs, points["cost"].tolist(), points["effect"].tolist())
    line = standing[standing["status"] == FRONTIER].sort_values(["cost", "effect"])
    axes.plot(line["effect"], line["cost"] / scale, color=INK, lw=1.3, zorder=4)
    for design in designs:
        at = points.loc[design]
        axes.plot(
            at["effect"], at["cost"] / scale, ls="", marker=styles[design].marker, ms=9, color=styles[design].colour, mec="white", zorder=5
        )
    axes.set_xlabel(f"additional {label} (discounted)" if effect == "effect_adopter_years" else f"additional {label}")
    axes.set_ylabel(f"additional {outcome(cost).label}, {unit} (discounted)")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.margins(0.08)
    handles: list[Any] = [Line2D([], [], color=INK, lw=1.3, label="frontier: no other design, or mix of two, does as much for less")]
    if clouds is not None:
        handles.append(Patch(facecolor=GREY, alpha=0.3, label=f"{100 * HULL:.0f} % of parameter sets"))
    explain(figure, handles, note="" if clouds is None else _note(clouds))
    path = list(zip(line["effect"].tolist(), (line["cost"] / scale).tolist(), strict=True))
    zero_cost = [(axes.get_xlim()[0], 0.0), (axes.get_xlim()[1], 0.0)]
    zero_effect = [(0.0, axes.get_ylim()[0]), (0.0, axes.get_ylim()[1])]
    xy = [(float(points.at[d, "effect"]), float(points.at[d, "cost"]) / scale) for d in designs]
    place_labels(
        axes, xy, [wrapped(styles[d].label, 24) for d in designs], [styles[d].colour for d in designs], lines=[path, zero_cost, zero_effect]
    )
    return figure


def _note(clouds: pd.DataFrame) -> str:
    sets = clouds["parameter_set"].nunique()
    return f"Marks and frontier: means at the base parameters. Outlines: {sets} sets drawn from the ranges; their middle may lie elsewhere."


def _cloud(axes: Axes, points: NDArray[np.float64], colour: str) -> None:
    corners = outline(points)
    if corners is None:
        axes.plot(points[:, 0], points[:, 1], ls="", marker="o", ms=3, color=colour, alpha=0.5, mec="none", zorder=2)
    else:
        axes.add_patch(Polygon(corners.tolist(), facecolor=colour, edgecolor="none", alpha=0.08, zorder=1.5))
        axes.add_patch(Polygon(corners.tolist(), facecolor="none", edgecolor=colour, lw=1.3, zorder=2.5))
