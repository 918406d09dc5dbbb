"""The cost-effectiveness plane: what each design adds in cost and in effect over the comparator, how sure that is, and the frontier."""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from analysis.economics import FRONTIER, frontier
from analysis.outcomes import COMPARATOR, design_name, names_in, outcome
from analysis.style import GREY, INK, design_styles, explain, new_figure, place_labels, styled, wrapped
from analysis.summary import wide

__all__ = ["cost_effect"]

HULL = 0.9  # share of parameter sets inside an outline


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
    points = _increments(runs, designs, comparator, cost, effect).groupby("design", sort=False)[["effect", "cost"]].mean()
    clouds = None if uncertain is None else _increments(uncertain, designs, comparator, cost, effect)
    extent = points["cost"] if clouds is None else pd.concat([points["cost"], clouds["cost"]])
    unit, scale = ("EUR million", 1e6) if extent.abs().max() >= 1e6 else ("EUR thousand", 1e3)
    base, label = design_name(comparator), outcome(effect).label
    figure = new_figure(
        f"Cost and effect of each design beyond {base}",
        6.4,
    )
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


def _increments(runs: pd.DataFrame, designs: list[str], comparator: str, cost: str, effect: str) -> pd.DataFrame:
    """Return cost and effect beyond the comparator by design and parameter set, means over replicates."""
    parts = []
    tables = {name: wide(runs, name).groupby(level="parameter_set").mean() for name in (cost, effect)}
    for design in designs:
        extra = {name: (table[design] - table[comparator]) for name, table in tables.items()}
        parts.append(pd.DataFrame({"effect": extra[effect], "cost": extra[cost]}).assign(design=design).reset_index())
    return pd.concat(parts, ignore_index=True)


def _cloud(axes: Axes, points: NDArray[np.float64], colour: str) -> None:
    outline = _hull(points)
    if outline is None:
        axes.plot(points[:, 0], points[:, 1], ls="", marker="o", ms=3, color=colour, alpha=0.5, mec="none", zorder=2)
    else:
        axes.add_patch(Polygon(outline.tolist(), facecolor=colour, edgecolor="none", alpha=0.08, zorder=1.5))
        axes.add_patch(Polygon(outline.tolist(), facecolor="none", edgecolor=colour, lw=1.3, zorder=2.5))


def _hull(points: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the corners of the hull of the inner 90 % of points; None where they are too few or lie on a line."""
    if len(points) < 10:
        return None
    centred = points - np.median(points, axis=0)
    spread = np.cov(points.T)
    if np.linalg.matrix_rank(spread) < 2:
        return None
    distance = np.einsum("ij,jk,ik->i", centred, np.linalg.inv(spread), centred)
    inner = points[np.argsort(distance, kind="stable")[: math.ceil(HULL * len(points))]]
    try:
        return np.asarray(inner[ConvexHull(inner).vertices], np.float64)
    except QhullError:
        return None
