"""Robustness: how much each design may be regretted, and which criterion puts which design first."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from school_mentoring.analysis.economics.robustness import CRITERIA, regrets
from school_mentoring.analysis.figures.style import INK, axes_grid, design_styles, explain, label_rows, money, new_figure, styled, wrapped
from school_mentoring.analysis.outcomes import names_in

COLUMNS = {
    "worst": "worst\ncase",
    "mean": "mean",
    "regret_max": "largest\nregret",
    "regret_90": "regret\n90 %",
    "satisfied": "satis-\nfactory",
}


@styled
def robustness(benefit: pd.DataFrame, table: pd.DataFrame) -> Figure:
    """Return the spread of regrets by design, and the ranks that the criteria of ``robustness`` give.

    ``benefit``: net benefits in EUR by parameter set and design; ``table``: what ``robustness`` says of them.
    """
    designs = names_in(table["design"], present=False)
    styles = design_styles(designs)
    short = regrets(benefit)
    unit, scale = money(short.to_numpy().max())
    figure = new_figure("How far each design stays behind the best one, and its rank by five criteria", 1.9 + 0.5 * len(designs))
    left, right = axes_grid(figure, 1, 2, 2, sharey=True, width_ratios=[3, 2])
    for place, design in enumerate(designs):
        q05, q25, q50, q75, q90, worst = np.quantile(short[design], [0.05, 0.25, 0.5, 0.75, 0.9, 1.0]) / scale
        colour = styles[design].colour
        left.plot([q05, q90], [place, place], color=colour, lw=1.6)
        left.plot([q25, q75], [place, place], color=colour, lw=7, solid_capstyle="butt")
        left.plot(q50, place, marker="|", color="white", ms=9, mew=2)
        left.plot(worst, place, marker="x", color=colour, ms=6, mew=1.8)
    left.set_xlim(0, None)
    left.set_xlabel(f"regret, {unit}")
    rows = table.assign(design=table["design"].astype(str)).set_index("design")
    for column, name in enumerate(CRITERIA):
        for place, design in enumerate(designs):
            rank = int(rows.at[design, f"rank_{name}"])
            right.text(column, place, str(rank), ha="center", va="center", color="white" if rank == 1 else INK, zorder=3)
            if rank == 1:
                right.plot(column, place, marker="o", ms=19, color=INK, zorder=2)
    right.set_xlim(-0.5, len(CRITERIA) - 0.5)
    right.set_xticks(range(len(CRITERIA)), [COLUMNS[name] for name in CRITERIA])
    right.set_title("rank (1 is best)", loc="left")
    right.grid(visible=False)
    for axes in (left, right):
        label_rows(axes, [wrapped(styles[d].label, 22) for d in designs])
    explain(
        figure,
        [],
        note="Regret: net benefit of the best design in a parameter set less its own. Bars: middle half; lines: 5 to 90 %; crosses: worst.",
    )
    return figure
