"""What the designs cost: a stacked bar per design, by category, of what the programme pays and of what the schools pay."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from school_mentoring.analysis.curves import costing, discounted_costs
from school_mentoring.analysis.outcomes import CATEGORY_NAMES, PAYER_NAMES, design_name, names_in
from school_mentoring.model.costs import PAYERS

from .style import CATEGORY_COLOURS, axes_grid, explain, money, new_figure, styled, wrapped


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
    largest = max((totals.xs(payer, level="payer").groupby(level="design").sum().max() for payer in PAYERS if len(totals)), default=0.0)
    unit, scale = money(largest)
    present = costing(totals)
    discounted = f"discounted at {100 * discount_rate:.3g} % a year" if discount_rate else "not discounted"
    title = f"What each design costs, by category and payer (EUR of 2023, {discounted})"
    figure = new_figure(title, 1.9 + 0.26 * -(-len(present) // 4) + 0.5 * len(designs))
    panels = axes_grid(figure, 1, 2, 2, sharex=True, sharey=True)
    for axes, payer in zip(panels, PAYERS, strict=True):
        _bars(axes, totals, designs, payer, present, scale)
        axes.set_title(f"paid by {PAYER_NAMES[payer]}", loc="left")
        axes.set_xlabel(f"mean of {runs} runs, {unit}" if runs > 1 else f"cost of one run, {unit}")
    whole = totals.groupby(level="design").sum() / scale
    for row, design in enumerate(designs):
        panels[1].text(1.02, row, _figure(float(whole[design])), transform=panels[1].get_yaxis_transform(), va="center", fontweight="bold")
    panels[1].text(1.02, -0.5, "both", transform=panels[1].get_yaxis_transform(), va="bottom")
    panels[0].set_xlim(0, largest / scale * 1.16 or 1.0)
    panels[0].set_yticks(range(len(designs)), [wrapped(design_name(d), 22) for d in designs])
    panels[0].invert_yaxis()
    explain(figure, [Patch(color=CATEGORY_COLOURS[c], label=CATEGORY_NAMES[c]) for c in present])
    return figure


def _bars(axes: Axes, totals: "pd.Series[float]", designs: list[str], payer: str, categories: list[str], scale: float) -> None:
    start = np.zeros(len(designs))
    for category in categories:
        width = np.array([totals[design, category, payer] for design in designs]) / scale
        axes.barh(range(len(designs)), width, left=start, color=CATEGORY_COLOURS[category], edgecolor="white", linewidth=0.6, height=0.7)
        start += width
    for row, total in enumerate(start):
        axes.annotate(_figure(total), (total, row), (4, 0), textcoords="offset points", va="center", fontsize=9.5)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)


def _figure(value: float) -> str:
    """Return a total with three figures."""
    if value == 0:
        return "0"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
