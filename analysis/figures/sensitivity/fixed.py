"""Which parameters may be fixed: a table with, for each, the largest share of any output's variance that it may have a part in."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from school_mentoring.analysis.figures.style import GREY, INK, axes_grid, explain, label_rows, new_figure, styled
from school_mentoring.analysis.report.sensitivity_names import target_name

from .common import GROUP_COLOURS, group_handles

ROWS = 40
LEAST = 1e-4  # what lies below is drawn here


@styled
def may_be_fixed(table: pd.DataFrame, bound: float) -> Figure:
    """Return one line per parameter: its total-order index where the interval reaches highest, that interval's upper end, and where it is.

    ``table``: columns parameter, group, estimate, high, output, design, comparator, may_be_fixed, lost_at_most, the lowest upper end first;
    ``bound``: below which a parameter may be fixed.
    """
    left_out = max(0, len(table) - ROWS)
    shown = table.iloc[:ROWS]
    more = f" (the lowest {ROWS} of {len(table)})" if left_out else ""
    figure = new_figure(f"Which parameters may be fixed{more}", 1.6 + 0.24 * len(shown))
    (axes,) = axes_grid(figure, 1, 1, 1)
    most = max(1.0, float(shown["high"].max()) * 1.3)
    axes.axvspan(LEAST / 2, bound, color="#eaf3ea", lw=0, zorder=0)
    for place, row in enumerate(shown.to_dict("records")):
        colour = GROUP_COLOURS[str(row["group"])]
        low, high = max(LEAST, row["estimate"]), max(LEAST, row["high"])
        axes.plot([low, high], [place, place], color=colour, lw=1.4)
        axes.plot(low, place, "o", ms=5, color=colour)
        axes.plot(high, place, "|", ms=9, mew=2, color=colour)
        where = target_name(str(row["output"]), str(row["design"]), str(row["comparator"]))
        axes.annotate(where, (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=8, color=GREY, annotation_clip=False)
    axes.axvline(bound, color=INK, lw=1, ls="--")
    axes.set_xscale("log")
    axes.set_xlim(LEAST / 2, most)
    label_rows(axes, [f"{'may be fixed  ' if r['may_be_fixed'] else ''}{r['parameter']}" for r in shown.to_dict("records")])
    axes.set_xlabel("total-order index where its interval reaches highest (right: there)")
    handles = [
        *group_handles(shown["group"]),
        Line2D([], [], color=GREY, marker="o", ms=5, lw=0, label="estimate"),
        Line2D([], [], color=GREY, marker="|", ms=9, mew=2, lw=0, label="upper end of its interval"),
        Line2D([], [], color=INK, lw=1, ls="--", label=f"{bound:g} of the variance"),
    ]
    explain(figure, handles, columns=6, note="Below the line at the upper end for every output and design analysed: may be fixed.")
    return figure
