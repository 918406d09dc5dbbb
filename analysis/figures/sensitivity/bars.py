"""Indices as bars with intervals: how much of an outcome's variance each parameter, or group, has a part in."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from school_mentoring.analysis.figures.style import INK, explain, label_rows, styled
from school_mentoring.analysis.report.sensitivity_names import DECISION, INDEX_NAMES, output_of

from .common import GROUP_COLOURS, chosen, group_handles, panel_title, panels, scaled, subject, top

ROWS = 10
NOTE = "Lines: 95 % intervals. Faint: cannot be told from chance."
DIRECTION = " +: high values favour the design that is named first; -: low ones do."


@styled
def bars(rows: pd.DataFrame, *, kind: str = "parameter") -> Figure:
    """Return the ranking index of the leading parameters (``kind`` parameter) or of all groups, a panel for each design.

    ``rows``: indices of one output. Parameters keep their place over panels; first-order indices stand in the bars as marks. Faint bars
    cannot be told from chance.
    """
    index = str(chosen(rows)["index"].iloc[0])
    unit = ""
    if index == "mu_star":  # in the outcome's unit; other indices have none
        by, unit = scaled(chosen(rows)["high"], output_of(str(rows["output"].iloc[0])).unit)
        rows, unit = rows.assign(**{name: rows[name] / by for name in ("estimate", "low", "high")}), f", {unit}"
    ranked = chosen(rows)
    of_kind = ranked[ranked["kind"] == kind]
    names = top(of_kind, ROWS)
    if (ranked["kind"] == "dummy").any():
        names.append("dummy")
    contest = index == "ks" and rows["output"].iloc[0] != DECISION
    what = f"which design has the better {subject(rows)}" if contest else subject(rows)
    figure, grid = panels(ranked, f"What decides {what}: {INDEX_NAMES[index]}{unit}", 0.9 + 0.25 * len(names), sharex=True, sharey=True)
    for design, comparator, axes in grid:
        here = rows[(rows["design"] == design) & (rows["comparator"] == comparator)]
        _panel(axes, here, index, names)
        panel_title(axes, design, comparator)
        if index == "ST":
            axes.axvline(float(here.loc[here["index"] == "ST", "floor"].iloc[0]), color=INK, ls=":", lw=1.2)
    most = float(ranked[ranked["parameter"].isin(names)]["high"].max())
    for _, _, axes in grid:
        axes.set_xlim(0, min(most, 1.5 if index == "ST" else np.inf) * 1.05 or 1.0)
    handles = group_handles(ranked[ranked["parameter"].isin(names)]["group"])
    if index == "ST":
        handles = [
            *handles,
            Line2D([], [], color=INK, marker="D", ms=4, ls="", label="first-order index"),
            Line2D([], [], color=INK, ls=":", lw=1.2, label="share of chance"),
        ]
    explain(figure, handles, columns=7, note=NOTE + (DIRECTION if index == "ks" else ""))
    return figure


def _panel(axes: Axes, here: pd.DataFrame, index: str, names: list[str]) -> None:
    values = here[here["index"] == index].set_index("parameter")
    first = here[here["index"] == "S1"].set_index("parameter")
    shift = here[here["index"] == "shift"].set_index("parameter")
    shown, places = values.loc[names], np.arange(len(names))
    colours = [to_rgba(GROUP_COLOURS[str(r["group"])], 1.0 if r["distinguishable"] else 0.35) for r in shown.to_dict("records")]
    axes.barh(places, shown["estimate"], color=colours, height=0.7)
    axes.hlines(places, shown["low"], shown["high"], color=INK, lw=1.1)
    if index == "ST":
        axes.plot(first["estimate"].reindex(names).clip(lower=0.0), places, color=INK, marker="D", ms=3.5, ls="")
    for place, name in enumerate(names):
        row = shown.loc[name]
        if name in shift.index and row["distinguishable"]:
            sign = "+" if shift.loc[name, "estimate"] > 0 else "-"
            axes.annotate(sign, (row["high"], place), (3, 0), textcoords="offset points", va="center", fontweight="bold")
    label_rows(axes, names)
