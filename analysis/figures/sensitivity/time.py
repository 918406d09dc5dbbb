"""What decides adoption when: shares of its variance month by month, as stacked bands and as lines with intervals."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from school_mentoring.analysis.figures.style import BAND, GREY, axes_grid, explain, new_figure, span_months, styled

from .common import label_lowest, panel_title, targets_in

SHOWN, LINES = 7, 5
# Tol (2021), muted scheme, in an order that keeps neighbours apart.
COLOURS = ("#332288", "#88ccee", "#cc6677", "#117733", "#ddcc77", "#aa4499", "#44aa99")
OTHERS, BETWEEN = "#bbbbbb", "#eeeeee"


@styled
def over_time(time: pd.DataFrame) -> Figure:
    """Return first-order indices of the adopting share by month, stacked, a panel for each design; above them what interactions add.

    ``time``: columns design, comparator, month (-1 for the whole course), parameter, kind, and S1 and ST with their intervals (``S1_low``,
    ``S1_high``). Leading parameters have their own bands.
    """
    single, names = _leading(time, "S1", SHOWN)
    figure, grid = _panels(single, f"What decides {_share(single)}, month by month")
    for design, comparator, axes in grid:
        table = _here(single, design, comparator).pivot(index="month", columns="parameter", values="S1").clip(lower=0.0)
        parts = [table[name].to_numpy() for name in names]
        parts.append(table.drop(columns=names).sum(axis=1).to_numpy())
        total = np.maximum(1.0, np.sum(parts, axis=0))  # first-order indices of a small sample may add up to more than all
        axes.stackplot(table.index, *(part / total for part in parts), colors=[*COLOURS[: len(names)], OTHERS], lw=0)
        axes.set_facecolor(BETWEEN)
        span_months(axes, float(table.index.min()), float(table.index.max()))
        axes.grid(visible=False)
    handles = [Patch(facecolor=colour, label=name) for name, colour in zip(names, COLOURS, strict=False)]
    handles += [
        Patch(facecolor=OTHERS, label="other parameters alone"),
        Patch(facecolor=BETWEEN, edgecolor=GREY, lw=0.5, label="interactions"),
    ]
    figure.supylabel("share of variance", fontsize=10.5)
    explain(figure, handles, columns=5, note="First-order indices, stacked; what is left to 1 is interaction (and chance).")
    return figure


@styled
def total_over_time(time: pd.DataFrame) -> Figure:
    """Return total-order indices of the adopting share by month with their intervals, a panel for each design; ``time`` as above."""
    single, names = _leading(time, "ST", LINES)
    figure, grid = _panels(single, f"What has a part in {_share(single)}, month by month")
    for design, comparator, axes in grid:
        here = _here(single, design, comparator).set_index("parameter")
        for name, colour in zip(names, COLOURS, strict=False):
            line = here.loc[name].sort_values("month")
            axes.fill_between(line["month"], line["ST_low"], line["ST_high"].clip(upper=1.2), color=colour, alpha=BAND, lw=0)
            axes.plot(line["month"], line["ST"], color=colour, lw=1.6)
    figure.supylabel("total-order index", fontsize=10.5)
    handles = [Line2D([], [], color=colour, label=name) for name, colour in zip(names, COLOURS, strict=False)]
    explain(figure, handles, columns=5, note="Bands: 95 % intervals. Interactions count for each of their parties.")
    return figure


def _leading(time: pd.DataFrame, index: str, count: int) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of parameters (of groups where there are none) and the names that lead over the whole course."""
    single = time[time["kind"] == "parameter"]
    if single.empty:
        single = time[time["kind"] == "group"]
    whole = single[single["month"] < 0].groupby("parameter")[index].max().sort_values(ascending=False, kind="stable")
    return single, [str(name) for name in whole.index[:count]]


def _share(single: pd.DataFrame) -> str:
    less = " and its differences" if (single["comparator"] != "").all() else ""
    return f"the share of teachers who use the practice{less}"


def _panels(single: pd.DataFrame, title: str) -> tuple[Figure, list[tuple[str, str, Axes]]]:
    targets = targets_in(single)
    columns = min(3, len(targets))
    lines = -(-len(targets) // columns)
    figure = new_figure(title, 1.4 + 2.4 * lines)
    grid = axes_grid(figure, lines, columns, len(targets), sharex=True, sharey=True)
    label_lowest(grid, columns)
    for (design, comparator), axes in zip(targets, grid, strict=True):
        panel_title(axes, design, comparator)
        axes.set_ylim(0, 1)
    for axes in grid[-columns:]:
        axes.set_xlabel("month")
    return figure, [(*target, axes) for target, axes in zip(targets, grid, strict=True)]


def _here(single: pd.DataFrame, design: str, comparator: str) -> pd.DataFrame:
    return single[(single["design"] == design) & (single["comparator"] == comparator) & (single["month"] >= 0)]
