"""How designs stand under each structural choice: the probability of being best, and the mean net benefit."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from school_mentoring.analysis.figures.style import INK, axes_grid, design_styles, explain, new_figure, styled
from school_mentoring.analysis.outcomes import COMPARATOR, names_in


@styled
def choices(standings: pd.DataFrame, k: float) -> Figure:
    """Return a figure of two panels, a row for each variant and a mark for each design.

    ``standings``: columns variant, design, probability_best, low, high, net_benefit (mean, over no programme, EUR); ``k``: EUR per
    adopter-year.
    """
    variants = list(dict.fromkeys(standings["variant"]))
    designs = names_in(standings["design"])
    styles = design_styles(designs)
    figure = new_figure("Which design is best, by how the model is built", 2.2 + 0.42 * len(variants))
    chance, benefit = axes_grid(figure, 1, 2, 2, sharey=True)
    for row, variant in enumerate(variants):
        here = standings[standings["variant"] == variant]
        for position, design in enumerate(designs):
            one = here[here["design"] == design].iloc[0]
            style, at = styles[design], row + 0.09 * (position - (len(designs) - 1) / 2)
            low, high = 100 * one["low"], 100 * one["high"]
            chance.plot([low, high], [at, at], color=style.colour, lw=1.4)
            chance.plot(100 * one["probability_best"], at, marker=style.marker, color=style.colour, ms=6, ls="")
            if design != COMPARATOR:
                benefit.plot(one["net_benefit"] / 1e6, at, marker=style.marker, color=style.colour, ms=6, ls="")
    for axes in (chance, benefit):
        axes.axhline(0.5, color=INK, lw=0.8)
        axes.grid(visible=False, axis="y")
    benefit.axvline(0, color=INK, lw=0.9, zorder=1)
    chance.set_yticks(range(len(variants)), [variant.replace("_", " ") for variant in variants])
    chance.set_ylim(len(variants) - 0.4, -0.6)
    chance.set_xlabel("% of parameter sets in which it is best")
    benefit.set_xlabel("mean net benefit over no programme, EUR million")
    handles = [Line2D([], [], color=style.colour, marker=style.marker, ls="", label=style.label) for style in styles.values()]
    note = f"Net benefit at EUR {k:,.0f} per adopter-year. Lines: 90 % intervals of the probability. Each row changes one choice."
    explain(figure, handles, note=note)
    return figure
