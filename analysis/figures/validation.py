"""Figures of a validation: panels of lines and points, and how designs stand under each structural choice."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from school_mentoring.analysis.outcomes import COMPARATOR, design_name, names_in
from school_mentoring.analysis.palette import PRESET_LOOKS

from .style import INK, axes_grid, design_styles, explain, key, new_figure, small_multiples, styled, wrapped

# Okabe & Ito's colours that stand out from white, and marks to go with them, for series that are no designs.
_LOOKS = (("#0072b2", "o"), ("#d55e00", "s"), ("#009e73", "D"), ("#cc79a7", "^"), ("#56b4e9", "v"), ("#e69f00", "P"), ("#222222", "X"))
_DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
ACROSS = 2


@styled
def panels(curves: pd.DataFrame, title: str, note: str = "") -> Figure:
    """Return a figure of a table of curves: lines over numbers and points over words, with two standard errors.

    ``curves``: columns panel, x_label, y_label, series, joined (whether a line joins its marks), label (a word on the axis, or empty), x,
    y, error (two standard errors or nan).
    """
    names = list(dict.fromkeys(curves["panel"]))
    figure, grid = small_multiples(title, len(names), min(ACROSS, len(names)), 0.9, 4.3)
    for axes, name in zip(grid, names, strict=True):
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
        label = design_name(name) if name in PRESET_LOOKS else name
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
    axes.set(xlabel=rows["x_label"].iloc[0], ylabel=rows["y_label"].iloc[0])
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
    found: dict[str, tuple[str, str, object]] = {name: (*PRESET_LOOKS[name], "-") for name in series if name in PRESET_LOOKS}
    others = [name for name in series if name not in found]
    return found | {name: (*_LOOKS[k % len(_LOOKS)], _DASHES[k % len(_DASHES)]) for k, name in enumerate(others)}


@styled
def choices(standings: pd.DataFrame, k: float) -> Figure:
    """Return the probability of being best and the mean net benefit, a row for each structural choice and a mark for each design.

    ``standings``: columns variant, design, probability_best, low, high, net_benefit (mean, over no programme, EUR); ``k``: EUR per
    adopter-year.
    """
    variants = list(dict.fromkeys(standings["variant"]))
    styles = design_styles(names_in(standings["design"]))
    figure = new_figure("Which design is best, by how the model is built", 2.2 + 0.42 * len(variants))
    chance, benefit = axes_grid(figure, 1, 2, 2, sharey=True)
    for row, variant in enumerate(variants):
        here = standings[standings["variant"] == variant]
        for position, (design, style) in enumerate(styles.items()):
            one = here[here["design"] == design].iloc[0]
            at = row + 0.09 * (position - (len(styles) - 1) / 2)
            mark: dict[str, Any] = {"marker": style.marker, "color": style.colour, "ms": 6, "ls": ""}
            chance.plot([100 * one["low"], 100 * one["high"]], [at, at], color=style.colour, lw=1.4)
            chance.plot(100 * one["probability_best"], at, **mark)
            if design != COMPARATOR:
                benefit.plot(one["net_benefit"] / 1e6, at, **mark)
    for axes in (chance, benefit):
        axes.axhline(0.5, color=INK, lw=0.8)
        axes.grid(visible=False, axis="y")
    benefit.axvline(0, color=INK, lw=0.9, zorder=1)
    chance.set_yticks(range(len(variants)), [variant.replace("_", " ") for variant in variants])
    chance.set_ylim(len(variants) - 0.4, -0.6)
    chance.set_xlabel("% of parameter sets in which it is best")
    benefit.set_xlabel("mean net benefit over no programme, EUR million")
    handles = [key(style.label, color=style.colour, marker=style.marker, ls="") for style in styles.values()]
    note = f"Net benefit at EUR {k:,.0f} per adopter-year. Lines: 90 % intervals of the probability. Each row changes one choice."
    explain(figure, handles, note=note)
    return figure
