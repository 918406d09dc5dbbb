"""What the designs cost: a stacked bar per design, by category, of what the programme pays and of what the schools pay."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from school_mentoring.analysis.curves import costing, discounted_costs, stacked_ends
from school_mentoring.analysis.outcomes import CATEGORY_NAMES, PAYER_NAMES, design_name, names_in
from school_mentoring.model.costs import PAYERS

from .style import CATEGORY_COLOURS, INK, axes_grid, explain, money, new_figure, styled, wrapped


@styled
def costs(table: pd.DataFrame, *, runs: int, discount_rate: float) -> Figure:
    """Return mean costs per run by design, category and payer.

    ``table``: columns ``design, month, category, payer, cost`` (EUR of the month, not discounted, rows only where costs arose; further
    columns, such as the run's, are not looked at). ``runs``: runs per design, as runs without costs have no rows. ``discount_rate``: per
    year, applied here by (1 + rate)^(-month / 12); 0 shows undiscounted sums. Designs are the categories of the column, so that those
    without costs are shown.
    """
    designs = names_in(table["design"], present=False)
    totals = discounted_costs(table, discount_rate) / runs
    lowest, largest = zip(*(stacked_ends(totals, payer) for payer in PAYERS), strict=True)
    low, high = min(lowest), max(largest)
    unit, scale = money(high)
    present = costing(totals)
    discounted = f"discounted at {100 * discount_rate:.3g} % a year" if discount_rate else "not discounted"
    title = f"What each design costs, by category and payer (EUR of 2023, {discounted})"
    figure = new_figure(title, 1.9 + 0.26 * -(-len(present) // 4) + 0.5 * len(designs))
    panels = axes_grid(figure, 1, 2, 2, sharex=True, sharey=True)
    for axes, payer in zip(panels, PAYERS, strict=True):
        _bars(axes, totals, designs, payer, present, scale)
        axes.set_title(f"paid by {PAYER_NAMES[payer]}", loc="left")
        if low < 0:
            axes.axvline(0, color=INK, lw=1.0)
        axes.set_xlabel(f"mean of {runs} runs, {unit}" if runs > 1 else f"cost of one run, {unit}")
    whole = totals.groupby(level="design").sum() / scale
    for row, design in enumerate(designs):
        panels[1].text(1.02, row, _figure(float(whole[design])), transform=panels[1].get_yaxis_transform(), va="center", fontweight="bold")
    panels[1].text(1.02, -0.5, "both", transform=panels[1].get_yaxis_transform(), va="bottom")
    panels[0].set_xlim(1.05 * low / scale, (high + 0.16 * (high - low)) / scale or 1.0)
    panels[0].set_yticks(range(len(designs)), [wrapped(design_name(d), 22) for d in designs])
    panels[0].invert_yaxis()
    note = "Left of 0: what the programme pays to the schools." if low < 0 else ""
    explain(figure, [Patch(color=CATEGORY_COLOURS[c], label=CATEGORY_NAMES[c]) for c in present], note=note)
    return figure


def _bars(axes: Axes, totals: "pd.Series[float]", designs: list[str], payer: str, categories: list[str], scale: float) -> None:
    ends = np.zeros((2, len(designs)))  # of what is paid, and of what is received, to the left of 0
    for category in categories:
        width = np.array([totals[design, category, payer] for design in designs]) / scale
        start = np.where(width < 0, ends[1], ends[0])
        axes.barh(range(len(designs)), width, left=start, color=CATEGORY_COLOURS[category], edgecolor="white", linewidth=0.6, height=0.7)
        ends += np.maximum(width, 0.0), np.minimum(width, 0.0)
    for row, (paid, received) in enumerate(ends.T):
        axes.annotate(_figure(paid + received), (paid, row), (4, 0), textcoords="offset points", va="center", fontsize=9.5)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)


def _figure(value: float) -> str:
    """Return a total with three figures."""
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:z.2f}"
