"""Acceptability curves: how likely each design is best at each willingness to pay, and what choosing it risks."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from school_mentoring.analysis.figures.style import INK, axes_grid, design_styles, explain, new_figure, styled
from school_mentoring.analysis.outcomes import OWN_TERMS, Terms, names_in

NOTE = (
    "Thick: the design with the highest mean net benefit, so the acceptability frontier. Its expected loss is the expected value of "
    "perfect information."
)
SHOWN = 0.01


@styled
def acceptability(table: pd.DataFrame, terms: Terms = OWN_TERMS) -> Figure:
    """Return the curves of ``acceptability.acceptability``: probability of being best above, expected loss below.

    Designs that are never best in 1 % of the parameter sets are left out above, those that nowhere lose less than ten times the least
    loss below.
    """
    designs = names_in(table["design"], present=False)
    styles = design_styles(designs)
    sets = int(table["sets"].iloc[0])
    figure = new_figure(f"Which design has the highest net benefit, by what {terms.a_unit} is worth ({sets} parameter sets)", 7.4)
    above, below = axes_grid(figure, 2, 1, 2, sharex=True)
    losses = table["expected_loss"] / 1e6
    top = 10 * float(losses.groupby(table["willingness_to_pay"]).min().max()) or float(losses.max()) or 1.0
    used = []
    for design in designs:
        rows = table[table["design"] == design]
        curves = {above: 100 * rows["probability_best"], below: rows["expected_loss"] / 1e6}
        drawn = {above: rows["probability_best"].max() >= SHOWN, below: curves[below].min() <= top}
        for axes, values in curves.items():
            if drawn[axes]:
                _curve(axes, rows, values, styles[design].colour)
        if any(drawn.values()):
            used.append(Line2D([], [], color=styles[design].colour, label=styles[design].label))
    above.set_ylim(0, 100)
    above.set_ylabel("parameter sets in which\nit is best, %")
    below.set_ylim(0, min(top, float(losses.max()) * 1.05 or 1.0))
    below.set_ylabel("expected loss of\nchoosing it, EUR million")
    below.set_xlabel(f"willingness to pay, EUR per {terms.unit}")
    below.set_xlim(table["willingness_to_pay"].min(), table["willingness_to_pay"].max())
    below.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    explain(figure, [*used, Line2D([], [], color=INK, lw=4.5, label="highest mean net benefit")], note=NOTE)
    return figure


def _curve(axes: Axes, rows: pd.DataFrame, values: "pd.Series[float]", colour: str) -> None:
    x = rows["willingness_to_pay"]
    axes.plot(x, values, color=colour, lw=1.5)
    axes.plot(x, values.where(rows["highest_mean"]), color=colour, lw=4.5, solid_capstyle="butt")
