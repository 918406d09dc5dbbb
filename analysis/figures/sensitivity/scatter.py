"""What the runs look like: an outcome against each of the leading parameters, with its local mean, for every design."""

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from school_mentoring.analysis.figures.style import DesignStyle, axes_grid, design_styles, explain, new_figure, styled
from school_mentoring.analysis.report.sensitivity_names import DECISION, output_of, panel_name

from .common import chosen, scaled, subject, targets_in, top

SHOWN, BINS, MOST_POINTS = 6, 12, 400


@styled
def scatter(points: pd.DataFrame, rows: pd.DataFrame) -> Figure:
    """Return an outcome against the six leading parameters: parameter sets as dots, means of twelve equally large bins as lines.

    ``points``: a column per parameter and one per target, ``output|design|comparator``; ``rows``: the indices of one output.
    """
    ranked = chosen(rows)
    names = [name for name in top(ranked[ranked["kind"] == "parameter"], 99) if pd.api.types.is_numeric_dtype(points.get(name))][:SHOWN]
    if not names:
        names = [name for name in points.columns if "|" not in name and name != "dummy"][:SHOWN]
    output = str(rows["output"].iloc[0])
    columns = {target: f"{output}|{target[0]}|{target[1]}" for target in targets_in(ranked) if target[0]}
    styles = _styles(list(columns))
    by, unit = scaled(points[list(columns.values())].stack(), output_of(output).unit)
    figure = new_figure(f"{subject(rows)[0].upper()}{subject(rows)[1:]} against the parameters that matter most", 6.6)
    for name, axes in zip(names, axes_grid(figure, 2, 3, len(names), sharey=True), strict=True):
        order = np.argsort(points[name].to_numpy(), kind="stable")
        x = points[name].to_numpy()[order]
        for design, column in columns.items():
            y = points[column].to_numpy()[order] / by
            thin = slice(None, None, max(1, len(x) // MOST_POINTS))
            if output != DECISION:
                axes.plot(x[thin], y[thin], ".", ms=2, color=styles[design].colour, alpha=0.25, zorder=1)
            cuts = _bins(x)
            axes.plot([x[cut].mean() for cut in cuts], [y[cut].mean() for cut in cuts], color=styles[design].colour, lw=2, zorder=3)
        axes.set_xlabel(name)
    figure.supylabel(unit, fontsize=10.5)
    handles = [Line2D([], [], color=styles[design].colour, lw=2, label=styles[design].label) for design in columns]
    note = "Lines: local means." if output == DECISION else "Dots: parameter sets, all others varying too. Lines: local means."
    explain(figure, handles, columns=4, note=note)
    return figure


def _styles(targets: list[tuple[str, str]]) -> dict[tuple[str, str], DesignStyle]:
    """Return the look of each design; of differences among designs, where a design may stand twice, one for each pair."""
    designs = [design for design, _ in targets]
    if len(set(designs)) == len(designs):
        looks = design_styles(designs)
        return {target: replace(looks[target[0]], label=panel_name(*target).replace("\n", " ")) for target in targets}
    looks = design_styles([f"{design} less {comparator}" for design, comparator in targets])
    return dict(zip(targets, looks.values(), strict=True))


def _bins(x: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Return the positions of each bin of sorted values: one for each value where there are few, else equally large ones."""
    starts = np.flatnonzero(np.diff(x)) + 1
    if len(starts) < BINS:
        return np.split(np.arange(len(x)), starts)
    return np.array_split(np.arange(len(x)), min(BINS, max(1, len(x) // 8)))
