"""Interactions: second-order indices of pairs of parameters as a heat map."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from school_mentoring.analysis.figures.style import styled

from .common import chosen, panel_title, panels, subject, top

ROWS = 8


@styled
def pairs(rows: pd.DataFrame) -> Figure:
    """Return the second-order indices among the parameters with the largest total ones, a panel for each design.

    Only pairs that can be told from 0 have their number written in.
    """
    ranked = chosen(rows)
    names = top(ranked[ranked["kind"] == "parameter"], ROWS)
    second = chosen(rows, "S2")
    second = second[second["parameter"].isin(names) & second["with_parameter"].isin(names)]
    most = max(0.05, float(second["estimate"].max()))
    figure, grid = panels(second, f"Interactions of pairs: {subject(rows)}, second-order index", 3.2)
    image = None
    for design, comparator, axes in grid:
        matrix = np.full((len(names), len(names)), np.nan)
        for row in second[(second["design"] == design) & (second["comparator"] == comparator)].to_dict("records"):
            j, k = sorted((names.index(row["parameter"]), names.index(row["with_parameter"])), reverse=True)
            matrix[j, k] = max(0.0, row["estimate"])
            if row["distinguishable"] and row["estimate"] >= 0.005:
                colour = "white" if matrix[j, k] > 0.6 * most else "black"
                axes.text(k, j, f"{row['estimate']:.2f}", ha="center", va="center", fontsize=7.5, color=colour)
        image = axes.imshow(matrix, cmap="Blues", vmin=0, vmax=most, aspect="auto")
        axes.set_xlim(-0.5, len(names) - 1.5)
        axes.set_ylim(len(names) - 0.5, 0.5)
        axes.set_xticks(range(len(names) - 1), names[:-1], rotation=60, ha="right", rotation_mode="anchor", fontsize=8)
        axes.set_yticks(range(1, len(names)), names[1:], fontsize=8)
        axes.grid(visible=False)
        panel_title(axes, design, comparator)
    assert image is not None
    figure.colorbar(image, ax=[axes for _, _, axes in grid], label="second-order index", shrink=0.7)
    return figure
