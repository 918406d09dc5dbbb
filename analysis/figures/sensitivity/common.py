"""What the figures of a sensitivity study share: colours of groups, panels of targets, which parameters are worth a row."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from school_mentoring.analysis.figures.style import GREY, axes_grid, new_figure
from school_mentoring.analysis.outcomes import COMPARATOR
from school_mentoring.analysis.report.sensitivity_names import RANKED, output_of, panel_name

GROUP_COLOURS: Mapping[str, str] = {
    "cost": "#cc6677",
    "incentive": "#ddaa33",
    "behaviour": "#4477aa",
    "network": "#228833",
    "world": "#aa4499",
    "design": "#332288",
    "dummy": "#bbbbbb",
}
"""Of the groups of parameters (Tol 2021, bright and muted schemes)."""

MOST_PANELS = 9


def chosen(rows: pd.DataFrame, index: str | None = None) -> pd.DataFrame:
    """Return the rows of one index, by default of that which ranks."""
    return rows[rows["index"] == (index or RANKED[str(rows["method"].iloc[0])])]


def panels(rows: pd.DataFrame, title: str, each: float, **share: Any) -> tuple[Figure, list[tuple[str, str, Axes]]]:
    """Return a figure with a panel for each design or pair of designs, three in a row, each so many inches high."""
    targets = targets_in(rows)
    left_out = len(targets) - MOST_PANELS
    targets = targets[:MOST_PANELS]
    columns = min(3, len(targets))
    lines = -(-len(targets) // columns)
    figure = new_figure(title + (f" (the first {MOST_PANELS} of {len(targets) + left_out})" if left_out > 0 else ""), 1.2 + each * lines)
    axes = axes_grid(figure, lines, columns, len(targets), **share)
    label_lowest(axes, columns)
    return figure, [(*target, one) for target, one in zip(targets, axes, strict=True)]


def targets_in(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the designs and pairs of designs in a table, each once."""
    return list(dict.fromkeys(zip(rows["design"].astype(str), rows["comparator"].astype(str), strict=True)))


def label_lowest(axes: list[Axes], columns: int) -> None:
    """Write numbers on the x axis of every panel that has none below it."""
    for one in axes[-columns:]:
        one.tick_params(axis="x", labelbottom=True)


def panel_title(axes: Axes, design: str, comparator: str) -> None:
    """Write above a panel which design, or which difference, it shows."""
    axes.set_title(panel_name(design, comparator), loc="left")


def subject(rows: pd.DataFrame) -> str:
    """Return what the rows are about, for a title."""
    label = output_of(str(rows["output"].iloc[0])).label
    return f"{label} beyond no programme" if (rows["comparator"] == COMPARATOR).all() else label


def top(rows: pd.DataFrame, count: int, *, by: str = "estimate") -> list[str]:
    """Return the parameters with the largest value in any panel, the largest first."""
    largest = rows.assign(size=rows[by].abs()).groupby("parameter", sort=False)["size"].max()
    return [str(name) for name in largest.sort_values(ascending=False, kind="stable").index[:count]]


def group_handles(groups: "pd.Series[Any]") -> list[Any]:
    """Return the legend of the groups that are there."""
    there = set(groups)
    return [Patch(facecolor=colour, label=name) for name, colour in GROUP_COLOURS.items() if name in there]


def scaled(values: "pd.Series[Any]", unit: str) -> tuple[float, str]:
    """Return by what to divide values for an axis, and what their unit is then called."""
    most = float(values.abs().max())
    if unit == "EUR" and most >= 1e6:
        return 1e6, "EUR million"
    return (1e3, "EUR thousand") if unit == "EUR" and most >= 1e4 else (1.0, unit)


def empty(axes: Axes, text: str) -> None:
    """Say in an empty panel why it is."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=GREY)
