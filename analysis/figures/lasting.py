"""What lasts, and for whom: adopting teachers and gaps between types of schools when the funding ends, and at the end."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from school_mentoring.analysis.curves import spread
from school_mentoring.analysis.outcomes import COMPARATOR, design_name, group_name, names_in
from school_mentoring.analysis.summary import wide

from .style import GREY, INK, DesignStyle, axes_grid, design_styles, explain, key, label_rows, new_figure, styled, thousands, wrapped

TYPES = {name: group_name(name) for name in ("disadvantaged", "rural", "small")}
TIMES = (("_end_of_funding", -0.14, "white", "end of funding"), ("", 0.14, None, "end of the horizon"))


@styled
def durability(runs: pd.DataFrame, *, end_of_funding: int, end: int) -> Figure:
    """Return adopting teachers over the comparator's at both times, with 5 to 95 % of runs, and the second in per cent of the first.

    ``runs``: columns ``design, parameter_set, replicate, adopters_end_of_funding, adopters_end``.
    ``end_of_funding`` and ``end`` are their months.
    """
    designs = [d for d in names_in(runs["design"]) if d != COMPARATOR]
    if not designs or COMPARATOR not in names_in(runs["design"]):
        raise ValueError(f"needs runs of {COMPARATOR!r} and of another design")
    styles = design_styles(names_in(runs["design"], present=False))
    base = design_name(COMPARATOR)
    figure = new_figure(f"What lasts: adopting teachers beyond those with {base}", 1.9 + 0.6 * len(designs))
    axes = figure.subplots()
    axes.axvline(0, color=INK, lw=1.2, zorder=1)
    times = (
        ("adopters_end_of_funding", -0.15, "white", f"end of funding (month {end_of_funding})"),
        ("adopters_end", 0.15, None, f"end (month {end})"),
    )
    for row, design in enumerate(designs):
        style, middles = styles[design], []
        for name, offset, face, _ in times:
            table = wide(runs, name)
            difference = (table[design] - table[COMPARATOR]).dropna().to_numpy()
            low, high = np.quantile(difference, [0.05, 0.95])
            middles.append(float(difference.mean()))
            axes.plot([low, high], [row + offset] * 2, color=style.colour, lw=1.6, solid_capstyle="butt")
            axes.plot(middles[-1], row + offset, marker=style.marker, ms=8.5, color=style.colour, mfc=face or style.colour, ls="", zorder=3)
        axes.plot(middles, [row - 0.15, row + 0.15], color=style.colour, lw=4, alpha=0.3, zorder=2)
        first, last = middles
        kept = f"{100 * last / first:.0f} %" if first > 0 and not math.isnan(last) else ""
        axes.text(1.01, row, kept, transform=axes.get_yaxis_transform(), va="center", fontsize=9.5)
    axes.text(1.01, -0.5, "end, in % of\nend of funding", transform=axes.get_yaxis_transform(), va="bottom", fontsize=9.5)
    label_rows(axes, [wrapped(styles[d].label, 22) for d in designs])
    axes.set_xlabel(f"adopting teachers more than with {base}")
    thousands(axes.xaxis)
    handles = [key(label, color=INK, marker="o", ls="", mfc=face or INK) for *_, face, label in times]
    note = f"Marks: means; thin bars: 5 to 95 % of runs, each less the run with {base} that shares its random numbers."
    explain(figure, handles, note=note)
    return figure


@styled
def gaps(runs: pd.DataFrame) -> Figure:
    """Return the gaps of disadvantaged, rural and small schools at the end of funding and of the horizon: mean, 5 and 95 % of runs.

    ``runs``: columns ``design`` and the ``gap_...`` outcomes. A gap is the adopting share outside minus inside the type of schools.
    """
    designs = names_in(runs["design"])
    styles = design_styles(names_in(runs["design"], present=False))
    figure = new_figure("How far disadvantaged, rural and small schools are behind the other schools", 1.9 + 0.55 * len(designs))
    panels = axes_grid(figure, 1, len(TYPES), len(TYPES), sharey=True, sharex=True)
    for axes, (name, called) in zip(panels, TYPES.items(), strict=True):
        _panel(axes, runs, name, designs, styles)
        label_rows(axes, [wrapped(styles[d].label, 22) for d in designs])
        axes.set_title(called, loc="left")
        axes.set_xlabel("gap, percentage points\n← these ahead    these behind →")
    handles = [key(label, color=INK, marker="o", ls="", mfc=face or INK) for _, _, face, label in TIMES]
    note = "Gap: share of teachers who use the practice outside minus inside the schools of the type."
    explain(figure, handles, note=f"{note} Marks: means; bars: 5 to 95 % of runs.")
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
