"""Value of information: what knowing a parameter exactly would be worth, beside what the same method makes of nothing."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from school_mentoring.analysis.figures.style import GREY, INK, explain, label_rows, money, new_figure, styled
from school_mentoring.analysis.outcomes import Terms

COLOUR = "#0072b2"


@styled
def information(table: pd.DataFrame, everything: float, *, willingness_to_pay: float, unit: str = Terms.unit, rows: int = 15) -> Figure:
    """Return the leading rows of ``value_of_information.evppi`` that are worth anything as bars; ``everything``: the EVPI in EUR."""
    shown = table[table["value"] > 0].head(rows) if (table["value"] > 0).any() else table.head(1)
    currency, scale = money(everything)
    figure = new_figure(
        f"What it would be worth to know a parameter before choosing a design, at {willingness_to_pay:,.0f} EUR per {unit}",
        1.9 + 0.3 * len(shown),
    )
    axes = figure.subplots()
    for place, row in enumerate(shown.to_dict("records")):
        axes.barh(place, row["value"] / scale, color=COLOUR, alpha=1.0 if row["worth_knowing"] else 0.3, height=0.7)
        axes.plot([(row["value"] - 2 * row["se"]) / scale, (row["value"] + 2 * row["se"]) / scale], [place, place], color=INK, lw=1.1)
        axes.plot(row["floor"] / scale, place, color=INK, marker="|", ms=12, mew=1.5, ls="")
    label_rows(axes, shown["name"].astype(str).tolist())
    axes.set_xlim(0, None)
    axes.set_xlabel(f"expected value of perfect information on it, {currency}; on everything: {everything / scale:,.3g}")
    handles = [
        Patch(color=COLOUR, label="exceeds floor and error"),
        Patch(color=COLOUR, alpha=0.3, label="cannot be told from nothing"),
        Line2D(
            [], [], color=GREY if table.empty else INK, marker="|", ms=12, mew=1.5, ls="", label="floor: what shuffled values seldom exceed"
        ),
        Line2D([], [], color=INK, lw=1.1, label="two standard errors"),
    ]
    explain(figure, handles)
    return figure
