"""Gaps between types of schools: how far disadvantaged and rural schools are behind the others, by design."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from school_mentoring.analysis.curves import spread
from school_mentoring.analysis.outcomes import names_in

from .style import GREY, INK, DesignStyle, axes_grid, design_styles, explain, key, label_rows, new_figure, styled, wrapped

TYPES = {"disadvantaged": "disadvantaged schools", "rural": "rural schools"}
TIMES = (("_end_of_funding", -0.14, "white", "end of funding"), ("", 0.14, None, "end of the horizon"))


@styled
def gaps(runs: pd.DataFrame) -> Figure:
    """Return the gap of disadvantaged and of rural schools at the end of funding and of the horizon: mean, 5 and 95 % of runs.

    ``runs``: columns ``design`` and the four ``gap_...`` outcomes. A gap is the adopting share outside minus inside the type of schools.
    """
    designs = names_in(runs["design"])
    styles = design_styles(names_in(runs["design"], present=False))
    figure = new_figure("How far disadvantaged and rural schools are behind the other schools", 1.9 + 0.55 * len(designs))
    panels = axes_grid(figure, 1, 2, 2, sharey=True, sharex=True)
    for axes, (name, called) in zip(panels, TYPES.items(), strict=True):
        _panel(axes, runs, name, designs, styles)
        label_rows(axes, [wrapped(styles[d].label, 22) for d in designs])
        axes.set_title(called, loc="left")
        axes.set_xlabel("gap, percentage points\n← these schools ahead        these schools behind →")
    handles = [key(label, color=INK, marker="o", ls="", mfc=face or INK) for _, _, face, label in TIMES]
    note = (
        "Gap: share of teachers who use the practice outside minus inside the schools of the type. Marks: means; bars: 5 to 95 % of runs."
    )
    explain(figure, handles, note=note)
    return figure


def _panel(axes: Axes, runs: pd.DataFrame, name: str, designs: list[str], styles: dict[str, DesignStyle]) -> None:
    axes.axvline(0, color=INK, lw=1.2, zorder=1)
    shown = False
    for row, design in enumerate(designs):
        rows, style = runs[runs["design"] == design], styles[design]
        for suffix, offset, face, _ in TIMES:
            found = spread(100 * rows[f"gap_{name}{suffix}"])
            if found is None:
                continue
            shown = True
            mean, low, high = found
            axes.plot([low, high], [row + offset] * 2, color=style.colour, lw=2.2, solid_capstyle="butt")
            axes.plot(mean, row + offset, marker=style.marker, ms=7, color=style.colour, mfc=face or style.colour, ls="")
    if not shown:
        axes.text(0.5, 0.5, f"no {TYPES[name]}, or no others", transform=axes.transAxes, ha="center", color=GREY)
