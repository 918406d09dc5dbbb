"""The cost-effectiveness plane: what each design adds in cost and in effect over the comparator, how sure that is, and the frontier."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Polygon
from numpy.typing import NDArray

from school_mentoring.analysis.curves import COST, EFFECT, HULL, increments, outline
from school_mentoring.analysis.economics.frontier import FRONTIER, frontier
from school_mentoring.analysis.outcomes import COMPARATOR, design_name, names_in, outcome

from .style import GREY, INK, design_styles, explain, key, money, new_figure, place_labels, styled, thousands, wrapped


@styled
def cost_effect(runs: pd.DataFrame, uncertain: pd.DataFrame | None = None) -> Figure:
    """Return incremental cost against incremental effect: means of ``runs`` as marks, parameter sets of ``uncertain`` as outlines.

    An outline is the convex hull of the 90 % of a design's parameter sets nearest to their median (Mahalanobis distance); each set is the
    mean over its replicates. The frontier joins the designs that are neither dominated nor extended dominated by the means of ``runs``.
    """
    designs = names_in(runs["design"])
    if COMPARATOR not in designs:
        raise ValueError(f"no runs of {COMPARATOR!r} to compare with")
    styles = design_styles(names_in(runs["design"], present=False))
    looks = [styles[design] for design in designs]
    points = increments(runs).groupby("design", sort=False)[["effect", "cost"]].mean()
    clouds = None if uncertain is None else increments(uncertain)
    extent = points["cost"] if clouds is None else pd.concat([points["cost"], clouds["cost"]])
    unit, scale = money(extent.abs().max())
    figure = new_figure(f"Cost and effect of each design beyond {design_name(COMPARATOR)}", 6.4)
    axes = figure.subplots()
    axes.axhline(0, color=INK, lw=0.8, zorder=1)
    axes.axvline(0, color=INK, lw=0.8, zorder=1)
    if clouds is not None:
        for design in designs:
            if design != COMPARATOR:
                _cloud(axes, clouds.loc[clouds["design"] == design, ["effect", "cost"]].to_numpy() / [1, scale], styles[design].colour)
    standing = frontier(designs, points["cost"].tolist(), points["effect"].tolist())
    line = standing[standing["status"] == FRONTIER].sort_values(["cost", "effect"])
    axes.plot(line["effect"], line["cost"] / scale, color=INK, lw=1.3, zorder=4)
    xy = [(float(points.at[d, "effect"]), float(points.at[d, "cost"]) / scale) for d in designs]
    for (x, y), look in zip(xy, looks, strict=True):
        axes.plot(x, y, ls="", marker=look.marker, ms=9, color=look.colour, mec="white", zorder=5)
    axes.set_xlabel(f"additional {outcome(EFFECT).label} (discounted)")
    axes.set_ylabel(f"additional {outcome(COST).label}, {unit} (discounted)")
    thousands(axes.xaxis)
    axes.margins(0.08)
    handles: list[Any] = [key("frontier: no other design, or mix of two, does as much for less", color=INK, lw=1.3)]
    note = ""
    if clouds is not None:
        handles.append(Patch(facecolor=GREY, alpha=0.3, label=f"{100 * HULL:.0f} % of parameter sets"))
        drawn = f"{clouds['parameter_set'].nunique()} drawn sets; their middle may lie elsewhere."
        note = f"Marks and frontier: means at the base parameters. Outlines: {drawn}"
    explain(figure, handles, note=note)
    path = list(zip(line["effect"].tolist(), (line["cost"] / scale).tolist(), strict=True))
    zeros = [[(x, 0.0) for x in axes.get_xlim()], [(0.0, y) for y in axes.get_ylim()]]
    place_labels(axes, xy, [wrapped(look.label, 24) for look in looks], [look.colour for look in looks], lines=[path, *zeros])
    return figure


def _cloud(axes: Axes, points: NDArray[np.float64], colour: str) -> None:
    corners = outline(points)
    if corners is None:
        axes.plot(points[:, 0], points[:, 1], ls="", marker="o", ms=3, color=colour, alpha=0.5, mec="none", zorder=2)
    else:
        axes.add_patch(Polygon(corners.tolist(), facecolor=colour, edgecolor="none", alpha=0.08, zorder=1.5))
        axes.add_patch(Polygon(corners.tolist(), facecolor="none", edgecolor=colour, lw=1.3, zorder=2.5))
