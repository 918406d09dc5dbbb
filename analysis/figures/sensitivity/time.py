"""What decides adoption when: shares of the variance of the adopting share, month by month, as a stacked band."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.style import GREY, axes_grid, explain, new_figure, styled

from .common import label_lowest, panel_title

__all__ = ["over_time"]

SHOWN = 7
# Tol (2021), muted scheme, in an order that keeps neighbours apart.
COLOURS = ("#332288", "#88ccee", "#cc6677", "#117733", "#ddcc77", "#aa4499", "#44aa99")
OTHERS, BETWEEN = "#bbbbbb", "#eeeeee"


@styled
def over_time(time: pd.DataFrame) -> Figure:
    """Return first-order indices of the adopting share by month, stacked, a panel for each design; above them what interactions add.

    ``time``: columns design, month (-1 for the whole course), variance, parameter, kind, S1. Leading parameters have their own bands.
    """
    single = time[time["kind"] == "parameter"]
    if single.empty:
        single = time[time["kind"] == "group"]
    whole = single[single["month"] < 0].groupby("parameter")["S1"].max().sort_values(ascending=False, kind="stable")
    names = [str(name) for name in whole.index[:SHOWN]]
    designs = list(dict.fromkeys(single["design"].astype(str)))
    columns = min(3, len(designs))
    lines = -(-len(designs) // columns)
    figure = new_figure("What decides the share of teachers who use the practice, month by month", 1.4 + 2.4 * lines)
    grid = axes_grid(figure, lines, columns, len(designs), sharex=True, sharey=True)
    label_lowest(grid, columns)
    for axes in grid[-columns:]:
        axes.set_xlabel("month")
    for design, axes in zip(designs, grid, strict=True):
        here = single[(single["design"] == design) & (single["month"] >= 0)]
        table = here.pivot(index="month", columns="parameter", values="S1").clip(lower=0.0)
        parts = [table[name].to_numpy() for name in names]
        parts.append(table.drop(columns=names).sum(axis=1).to_numpy())
        total = np.maximum(1.0, np.sum(parts, axis=0))  # first-order indices of a small sample may add up to more than all
        axes.stackplot(table.index, *(part / total for part in parts), colors=[*COLOURS[: len(names)], OTHERS], lw=0)
        axes.set_facecolor(BETWEEN)
        axes.set_ylim(0, 1)
        axes.set_xlim(table.index.min(), table.index.max())
        axes.grid(visible=False)
        panel_title(axes, design, "")
    figure.supylabel("share of variance", fontsize=10.5)
    handles = [Patch(facecolor=colour, label=name) for name, colour in zip(names, COLOURS, strict=False)]
    handles += [
        Patch(facecolor=OTHERS, label="other parameters alone"),
        Patch(facecolor=BETWEEN, edgecolor=GREY, lw=0.5, label="interactions"),
    ]
    explain(figure, handles, columns=5, note="First-order indices, stacked; what is left to 1 is interaction (and chance).")
    return figure
