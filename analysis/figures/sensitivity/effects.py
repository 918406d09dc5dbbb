"""Effects in the outcome's own unit: Morris's mu* against sigma, and the tornado of one parameter at a time."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from school_mentoring.analysis.figures.style import GREY, INK, explain, label_rows, styled
from school_mentoring.analysis.report.sensitivity_names import output_of

from .common import GROUP_COLOURS, chosen, empty, group_handles, panel_title, panels, scaled, subject, top

NAMED, ROWS = 5, 10
LOW, HIGH = "#88ccee", "#882255"


@styled
def mu_sigma(rows: pd.DataFrame) -> Figure:
    """Return mu* against sigma of every parameter, a panel for each design, the largest named.

    Points near the axis act nearly linearly; those above sigma = mu* bend, or depend on others.
    """
    rows = rows[rows["kind"] != "group"]  # of groups there is no sigma
    by, unit = scaled(chosen(rows)["high"], output_of(str(rows["output"].iloc[0])).unit)
    figure, grid = panels(rows, f"Screening by Morris: {subject(rows)}", 2.9)
    for design, comparator, axes in grid:
        here = rows[(rows["design"] == design) & (rows["comparator"] == comparator)]
        mu, sigma = (here[here["index"] == name].set_index("parameter") for name in ("mu_star", "sigma"))
        for name in mu.index:
            x, y = mu.loc[name, "estimate"] / by, sigma.loc[name, "estimate"] / by
            colour = GROUP_COLOURS[str(mu.loc[name, "group"])]
            axes.plot([mu.loc[name, "low"] / by, mu.loc[name, "high"] / by], [y, y], color=colour, lw=1, alpha=0.6)
            axes.plot(x, y, "o", ms=5, color=colour, mec="white", mew=0.5)
        most = max(float(mu["high"].max()), 1e-12) / by
        _name(axes, mu, sigma, by, most)
        axes.plot([0, most], [0, most], color=GREY, lw=0.8, ls="--", zorder=1)
        axes.set_xlim(0, most * 1.75)
        axes.set_ylim(0, max(float(sigma["estimate"].max()) / by, 1e-12) * 1.25)
        panel_title(axes, design, comparator)
        axes.set_xlabel(f"mu*, {unit}")
        axes.set_ylabel(f"sigma, {unit}")
    handles = [*group_handles(rows["group"]), Line2D([], [], color=GREY, ls="--", lw=0.8, label="sigma = mu*")]
    note = (
        "mu*: mean size of the change when the parameter moves over its whole range; sigma: its standard deviation. Lines: 95 % intervals."
    )
    explain(figure, handles, columns=7, note=note)
    return figure


def _name(axes: Axes, mu: pd.DataFrame, sigma: pd.DataFrame, by: float, most: float) -> None:
    """Name the largest effects at the ends of their intervals, from the top down and apart from each other."""
    named = mu.sort_values("estimate", ascending=False).head(NAMED)
    named = named[named["estimate"] > 0]
    span = max(float(sigma["estimate"].max()) / by, 1e-12)
    last = np.inf
    for name in sorted(named.index, key=lambda name: -float(sigma.loc[name, "estimate"])):
        x, y = float(mu.loc[name, "high"]) / by, float(sigma.loc[name, "estimate"]) / by
        last = min(y, last - 0.09 * span)
        axes.annotate(str(name), (x, y), (x + 0.03 * most, last), fontsize=8, va="center", textcoords="data")


@styled
def tornado(local: pd.DataFrame, rows: pd.DataFrame) -> Figure:
    """Return what one parameter alone does at the low and at the high end of its range, others at their base, in the outcome's unit.

    A local view: it says nothing of interactions, nor of the rest of the ranges. ``rows``: the indices, which choose panels.
    """
    output = str(rows["output"].iloc[0])
    table = local[
        (local["output"] == output) & (local["comparator"] != "" if (rows["comparator"] != "").all() else local["comparator"] == "")
    ]
    base = table[table["end"] == "base"].set_index(["design", "comparator"])["mean"]
    key = pd.MultiIndex.from_frame(table[["design", "comparator"]])
    table = table.assign(change=table["mean"] - base.reindex(key).to_numpy())
    shown = pd.MultiIndex.from_frame(rows[["design", "comparator"]].drop_duplicates())
    table = table[key.isin(shown) & (table["end"] != "base")]
    names = top(table, ROWS, by="change")
    by, unit = scaled(table["change"], output_of(output).unit)
    figure, grid = panels(table, f"One at a time (local): {subject(rows)}", 0.9 + 0.25 * len(names), sharey=True, sharex=True)
    for design, comparator, axes in grid:
        here = table[(table["design"] == design) & (table["comparator"] == comparator)].set_index(["parameter", "end"])["change"] / by
        for end, colour in (("low", LOW), ("high", HIGH)):
            axes.barh(range(len(names)), [here[name, end] for name in names], color=colour, height=0.7, alpha=0.9)
        axes.axvline(0, color=INK, lw=1)
        if not here.abs().max() > 0:
            empty(axes, "no change")
        label_rows(axes, names)
        panel_title(axes, design, comparator)
        axes.set_xlabel(f"change, {unit}")
    handles = [Patch(facecolor=LOW, label="at the low end of its range"), Patch(facecolor=HIGH, label="at the high end")]
    explain(
        figure,
        handles,
        note="Change from the outcome at the base parameters when one parameter alone is moved. Local: interactions are not in it.",
    )
    return figure
