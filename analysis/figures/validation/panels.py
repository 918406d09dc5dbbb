"""Panels of lines over numbers and points over words, with two standard errors: what a check of the model looks at."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from school_mentoring.analysis.figures.style import INK, axes_grid, design_styles, explain, new_figure, styled, wrapped
from school_mentoring.analysis.outcomes import design_name

# Okabe & Ito's colours that stand out from white, and marks to go with them, for series that are no designs.
_LOOKS = (("#0072b2", "o"), ("#d55e00", "s"), ("#009e73", "D"), ("#cc79a7", "^"), ("#56b4e9", "v"), ("#e69f00", "P"), ("#222222", "X"))
_KNOWN = ("none", "outreach", "top_down", "regional_hub", "virtual", "bottom_up", "hybrid")
_DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
ACROSS = 2


@styled
def panels(curves: pd.DataFrame, title: str, note: str = "") -> Figure:
    """Return a figure of a table of curves.

    ``curves``: columns panel, x_label, y_label, series, joined (whether a line joins its marks), label (a word on the axis, or empty), x,
    y, error (two standard errors or nan).
    """
    names = list(dict.fromkeys(curves["panel"]))
    rows = -(-len(names) // ACROSS)
    figure = new_figure(title, 0.9 + 4.3 * rows)
    for axes, name in zip(axes_grid(figure, rows, min(ACROSS, len(names)), len(names)), names, strict=True):
        _panel(axes, curves[curves["panel"] == name])
        axes.set_title(wrapped(name, 60), loc="left")
    spread = "Bars and bands: two standard errors." if curves["error"].notna().any() else ""
    explain(figure, [], note=" ".join(part for part in (note, spread) if part))
    return figure


def _panel(axes: Axes, rows: pd.DataFrame) -> None:
    series = list(dict.fromkeys(rows["series"]))
    words = bool((rows["label"] != "").all())
    looks = _looks(series)
    for position, name in enumerate(series):
        mine = rows[rows["series"] == name]
        colour, mark, dash = looks[name]
        x, y, error = (mine[column].to_numpy(float) for column in ("x", "y", "error"))
        label = design_name(name) if name in _KNOWN else name
        if words:
            shift = 0.12 * (position - (len(series) - 1) / 2)
            axes.errorbar(x + shift, y, np.nan_to_num(error), fmt=mark, color=colour, ms=7, capsize=3, label=label)
        elif len(x) <= 15:
            line = {"ls": dash, "lw": 1.2} if mine["joined"].all() else {"ls": ""}
            axes.errorbar(x, y, np.nan_to_num(error), fmt=mark, color=colour, ms=5, capsize=2, label=label, **line)
        else:
            axes.plot(x, y, color=colour, ls=dash, label=label)
            if np.isfinite(error).any():
                axes.fill_between(x, y - error, y + error, color=colour, alpha=0.2, lw=0)
    axes.set_xlabel(rows["x_label"].iloc[0])
    axes.set_ylabel(rows["y_label"].iloc[0])
    if words:
        labels = rows.drop_duplicates("label")
        axes.set_xticks(labels["x"], [wrapped(one, 16) for one in labels["label"]])
        axes.set_xlim(-0.6, len(labels) - 0.4)
        axes.grid(visible=False, axis="x")
    low, high = axes.get_ylim()
    if low < 0 < high:
        axes.axhline(0, color=INK, lw=0.9, zorder=1)
    elif low > 0 and low < 0.4 * high:
        axes.set_ylim(bottom=0)
    if len(series) > 1 or words:
        # Below the axes, where it covers nothing.
        axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.16), fontsize=9, ncols=2, columnspacing=1.2)


def _looks(series: list[str]) -> dict[str, tuple[str, str, object]]:
    """Return colour, mark and dashes of each series; designs look as they do everywhere."""
    styles = design_styles([name for name in series if name in _KNOWN])
    found: dict[str, tuple[str, str, object]] = {name: (style.colour, style.marker, "-") for name, style in styles.items()}
    others = [name for name in series if name not in found]
    return found | {name: (*_LOOKS[k % len(_LOOKS)], _DASHES[k % len(_DASHES)]) for k, name in enumerate(others)}
