"""What data taught of parameters: posterior against prior, and pairs of parameters."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from school_mentoring.analysis.figures.style import GREY, axes_grid, explain, new_figure, styled
from school_mentoring.model.parameters import PARAMETERS

PRIOR, POSTERIOR = GREY, "#0072b2"
MOST_PAIRS = 8
MARGIN = 0.05


def _unit(name: str) -> str:
    return PARAMETERS[name].unit if name in PARAMETERS and PARAMETERS[name].unit != "-" else ""


def _density(axes: Axes, values: np.ndarray, span: tuple[float, float], colour: str, *, fill: bool) -> None:
    """Draw a smoothed histogram on a span (a normal kernel, reflected at its ends, as priors end there)."""
    from scipy.ndimage import gaussian_filter1d

    bins = 240
    counts, edges = np.histogram(values, bins=bins, range=span, density=True)
    width = 1.06 * values.std() * len(values) ** -0.2 / (edges[1] - edges[0])
    smooth = gaussian_filter1d(counts, max(width, 1.0), mode="reflect")
    middle = (edges[1:] + edges[:-1]) / 2
    if fill:
        axes.fill_between(middle, smooth, color=colour, alpha=0.35, lw=0)
    axes.plot(middle, smooth, color=colour, lw=1.6)


@styled
def learned(parameters: pd.DataFrame, draws: pd.DataFrame, prior: pd.DataFrame) -> Figure:
    """Draw the posterior of every parameter over its prior, with how much narrower it is."""
    names = list(draws)
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = new_figure("What the data taught: each parameter before and after", 1.2 + 2.1 * rows)
    table = parameters.set_index("parameter")
    for axes, name in zip(axes_grid(figure, rows, columns, len(names)), names, strict=True):
        span = float(min(prior[name].min(), draws[name].min())), float(max(prior[name].max(), draws[name].max()))
        _density(axes, prior[name].to_numpy(), span, PRIOR, fill=False)
        _density(axes, draws[name].to_numpy(), span, POSTERIOR, fill=True)
        row = table.loc[name]
        axes.axvspan(row["posterior_low"], row["posterior_high"], ymax=0.03, color=POSTERIOR, lw=0)
        axes.set_ylim(bottom=0)
        axes.set_yticks([])
        axes.set_title(f"{name}: {100 * row['sd_ratio']:.0f} % as wide as the prior")
        axes.set_xlabel(_unit(name))
        axes.locator_params(axis="x", nbins=5)
    handles = [Line2D([], [], color=PRIOR, label="prior"), Patch(color=POSTERIOR, alpha=0.35, label="posterior")]
    explain(figure, handles, note="Widths are standard deviations; the bar at the foot is the 90 % interval. Heights are densities.")
    return figure


@styled
def pairs(draws: pd.DataFrame, prior: pd.DataFrame) -> Figure:
    """Draw the joint posterior of every pair of parameters, over the prior, with their correlations above the diagonal."""
    names = list(draws)[:MOST_PAIRS]
    count = len(names)
    figure = new_figure("Which parameters go together in the posterior", 1.2 + 1.55 * count)
    grid = figure.subplots(count, count, squeeze=False)
    spans = {name: (float(prior[name].quantile(0.001)), float(prior[name].quantile(0.999))) for name in names}
    for i, below in enumerate(names):
        for j, across in enumerate(names):
            axes = grid[i, j]
            axes.grid(visible=False)
            if j > i:
                value = float(draws[below].corr(draws[across]))
                axes.axis("off")
                weight = "bold" if abs(value) >= 0.6 else "normal"
                axes.text(0.5, 0.5, f"{value:+.2f}", ha="center", va="center", fontsize=12, fontweight=weight)
                continue
            axes.set_xlim(*spans[across])
            axes.locator_params(nbins=3)
            if i == j:
                _density(axes, prior[across].to_numpy(), spans[across], PRIOR, fill=False)
                _density(axes, draws[across].to_numpy(), spans[across], POSTERIOR, fill=True)
                axes.set_ylim(bottom=0)
                axes.set_yticks([])
            else:
                axes.plot(prior[across], prior[below], ".", color=PRIOR, ms=1, alpha=0.12, rasterized=True)
                axes.plot(draws[across], draws[below], ".", color=POSTERIOR, ms=1.5, alpha=0.2, rasterized=True)
                axes.set_ylim(*spans[below])
            axes.tick_params(labelsize=8, labelleft=j == 0 and i > 0, labelbottom=i == count - 1)
            if i == count - 1:
                axes.set_xlabel(across)
            if j == 0:
                axes.set_ylabel(below)
    handles = [
        Line2D([], [], color=PRIOR, marker=".", ls="", label="draws of the prior"),
        Line2D([], [], color=POSTERIOR, marker=".", ls="", label="draws of the posterior"),
    ]
    explain(
        figure, handles, note="Above the diagonal: correlations of posterior draws. Axes span the priors, in the parameters' own units."
    )
    return figure
