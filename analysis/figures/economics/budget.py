"""Budget impact: what each design costs the programme and the schools in every year."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from school_mentoring.analysis.figures.style import INK, axes_grid, design_styles, explain, label_edges, money, new_figure, styled
from school_mentoring.analysis.outcomes import names_in, payer_name
from school_mentoring.model.costs import PAYERS

PAYER_COLOURS = dict(zip(PAYERS, ("#0072b2", "#e69f00"), strict=True))
NOTE = "Bars: means; lines: 5 to 95 % of parameter sets for both payers together. EUR of 2023, as spent, not discounted."


@styled
def budget(table: pd.DataFrame, whole: pd.DataFrame) -> Figure:
    """Return costs by year, a panel for each design that costs anything.

    ``table``: ``budget_impact`` by year and payer; ``whole``: the same by year alone, for the range of the sum.
    """
    spent = table.groupby("design", observed=False)["cost"].sum()
    designs = [name for name in names_in(table["design"], present=False) if spent[name] > 0]
    if not designs:
        raise ValueError("no design costs anything, so there is no budget to show")
    years = sorted(table["year"].unique())
    unit, scale = money(whole["high"].max())
    rows = -(-len(designs) // 3)
    figure = new_figure("What each design costs whom, year by year", 1.6 + 2.4 * rows)
    labels = design_styles(names_in(table["design"], present=False))
    panels = axes_grid(figure, rows, 3, len(designs), sharex=True, sharey=True)
    for axes, design in zip(panels, designs, strict=True):
        start = np.zeros(len(years))
        for payer in PAYERS:
            part = table[(table["design"] == design) & (table["payer"] == payer)].set_index("year")["cost"].reindex(years).fillna(0.0)
            axes.bar(years, part / scale, bottom=start, color=PAYER_COLOURS[payer], width=0.75)
            start += part.to_numpy() / scale
        range_ = whole[whole["design"] == design].set_index("year").reindex(years)
        axes.vlines(years, range_["low"] / scale, range_["high"] / scale, color=INK, lw=1.2)
        axes.set_title(labels[design].label, loc="left", color=labels[design].colour, fontweight="bold")
        axes.set_xticks(years)
        axes.grid(visible=False, axis="x")
    label_edges(panels, 3, "year of the study", f"{unit} a year")
    explain(figure, [Patch(color=PAYER_COLOURS[p], label=f"paid by {payer_name(p)}") for p in PAYERS], note=NOTE)
    return figure
