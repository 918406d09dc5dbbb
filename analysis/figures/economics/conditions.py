"""Conditions under which a design is better: states of the world on two parameters with the box around them, and other boxes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from school_mentoring.analysis.economics.scenario_discovery import Box, best_box
from school_mentoring.analysis.figures.style import GREY, INK, axes_grid, explain, new_figure, styled

YES, NO = "#0072b2", "#e69f00"


@styled
def conditions(inputs: pd.DataFrame, of_interest: "pd.Series[bool]", path: Sequence[Box], *, title: str, yes: str, no: str) -> Figure:
    """Return PRIM's best box over the two parameters that limit it most, and coverage against density along its path.

    ``title``: what is asked, ``yes`` and ``no``: what a state of interest is called, and another. Raises ValueError where the best box has
    no limits.
    """
    box = best_box(path)
    if not box.limits:
        raise ValueError("no condition tells the states apart, so there is no box to draw")
    names = sorted(box.limits, key=lambda name: box.p_values[name])[:2]
    if len(names) == 1:
        names.append(next(name for name in inputs if name != names[0]) if inputs.shape[1] > 1 else names[0])
    figure = new_figure(title, 5.6)
    left, right = axes_grid(figure, 1, 2, 2, width_ratios=[3, 2])
    flags = of_interest.loc[inputs.index].to_numpy(bool)
    for chosen, colour, marker in ((~flags, NO, "x"), (flags, YES, "o")):
        left.plot(inputs.loc[chosen, names[0]], inputs.loc[chosen, names[1]], ls="", marker=marker, ms=4.5, color=colour, alpha=0.75)
    bounds = []
    for name in names:
        low, high = box.limits.get(name, (-np.inf, np.inf))
        ends = float(inputs[name].min()), float(inputs[name].max())
        margin = 0.02 * (ends[1] - ends[0])
        bounds.append((low if np.isfinite(low) else ends[0] - margin, high if np.isfinite(high) else ends[1] + margin))
    (x0, x1), (y0, y1) = bounds
    left.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, facecolor="none", edgecolor=INK, lw=2.0, zorder=5))
    left.set_xlabel(names[0])
    left.set_ylabel(names[1])
    right.plot([100 * b.coverage for b in path], [100 * b.density for b in path], color=GREY, marker="o", ms=3.5, lw=1.0)
    right.plot(100 * box.coverage, 100 * box.density, marker="s", ms=9, color=INK, ls="")
    right.set_xlim(0, 102)
    right.set_ylim(0, 102)
    right.set_xlabel(f"coverage: share of all states where\n{yes} that lie inside, %")
    right.set_ylabel(f"density: share inside where\n{yes}, %")
    handles = [
        Line2D([], [], color=YES, marker="o", ls="", label=yes),
        Line2D([], [], color=NO, marker="x", ls="", label=no),
        Line2D([], [], color=INK, lw=2, marker="s", label="the box chosen"),
        Line2D([], [], color=GREY, marker="o", ms=3.5, lw=1, label="smaller and larger boxes"),
    ]
    more = len(box.limits) > 2
    note = "Further parameters limit the box, so points inside its outline may lie outside it." if more else ""
    explain(figure, handles, note=note)
    return figure
