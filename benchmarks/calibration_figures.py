"""Figures of ``benchmarks.calibration``: whether the method of calibration is itself calibrated, and what it recovers."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from school_mentoring.analysis.figures.calibration import HELD, POSTERIOR
from school_mentoring.analysis.figures.style import GREY, axes_grid, explain, key, new_figure, styled

BINS = 20


def simultaneous_band(count: int, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the band, less the diagonal, that the distribution function of uniform ranks stays in at all points at once.

    Found by simulation: pointwise binomial intervals, as wide as it takes for 95 % of uniform samples to stay inside
    (Säilynoja, Bürkner & Vehtari 2022).
    """
    from scipy import stats

    samples = np.random.default_rng(1).random((2000, count))
    below = (samples[:, :, None] <= points).sum(axis=1)
    pointwise = np.minimum(stats.binom.cdf(below, count, points), stats.binom.sf(below - 1, count, points)).min(axis=1)
    gamma = float(np.quantile(pointwise, 1.0 - 0.95))
    return stats.binom.ppf(gamma, count, points) / count - points, stats.binom.isf(gamma, count, points) / count - points


@styled
def rank_histograms(fits: pd.DataFrame, ranks: int) -> Figure:
    """Draw, for each parameter, the ranks of truths among ``ranks`` draws, and how far their distribution is from uniform."""
    names = list(dict.fromkeys(fits["parameter"]))
    count = fits["dataset"].nunique()
    figure = new_figure(f"Simulation-based calibration: where {count} known truths rank among posterior draws", 5.2)
    axes = axes_grid(figure, 2, len(names), 2 * len(names), sharey="row")
    points = np.linspace(0.0, 1.0, 101)[1:-1]
    low, high = simultaneous_band(count, points)
    expected = count / BINS
    grey: dict[str, Any] = {"color": GREY, "alpha": 0.25, "lw": 0}
    for name, top, bottom in zip(names, axes[: len(names)], axes[len(names) :], strict=True):
        u = (fits.loc[fits["parameter"] == name, "rank"].to_numpy() + 0.5) / (ranks + 1)
        top.hist(u, bins=np.linspace(0, 1, BINS + 1).tolist(), color=POSTERIOR, alpha=0.8)
        top.axhspan(expected - 1.96 * np.sqrt(expected), expected + 1.96 * np.sqrt(expected), **grey)
        top.set_title(name)
        bottom.fill_between(points, low, high, **grey)
        bottom.plot(points, (u[:, None] <= points).mean(axis=0) - points, color=HELD)
        bottom.axhline(0.0, color=GREY, lw=0.8)
        bottom.set_xlabel("rank (share)")
        for one in (top, bottom):
            one.set_xlim(0, 1)
            one.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes[0].set_ylabel("data sets")
    axes[len(names)].set_ylabel("distribution function\nless uniform")
    note = (
        "Ranks are uniform where the posterior says neither too much nor too little. Grey above: what 95 % of single bars hold; "
        "grey below: what 95 % of uniform samples stay in everywhere (Säilynoja et al. 2022)."
    )
    explain(figure, [Patch(color=POSTERIOR, alpha=0.8, label="data sets"), key("difference from uniform", color=HELD)], note=note)
    return figure


@styled
def recovery(fits: pd.DataFrame) -> Figure:
    """Draw the posterior mean with its 90 % interval against the truth, for each parameter."""
    names = list(dict.fromkeys(fits["parameter"]))
    figure = new_figure(f"Recovery: what was found against the truth, {fits['dataset'].nunique()} data sets of the pilot's size", 3.6)
    for axes, name in zip(axes_grid(figure, 1, len(names), len(names)), names, strict=True):
        mine = fits[fits["parameter"] == name]
        inside = (mine["truth"] >= mine["low"]) & (mine["truth"] <= mine["high"])
        for held, colour in ((inside, POSTERIOR), (~inside, HELD)):
            part = mine[held]
            axes.vlines(part["truth"], part["low"], part["high"], color=colour, alpha=0.25, lw=0.9)
            axes.plot(part["truth"], part["mean"], ".", color=colour, ms=3.5)
        ends = [min(mine["truth"].min(), mine["low"].min()), max(mine["truth"].max(), mine["high"].max())]
        axes.plot(ends, ends, color=GREY, lw=0.8, zorder=0)
        axes.set_title(name)
        axes.set_xlabel("truth, per month")
        axes.locator_params(nbins=4)
    handles = [
        key(label, color=colour, marker=".") for label, colour in (("the 90 % interval holds the truth", POSTERIOR), ("it does not", HELD))
    ]
    note = "Dots are posterior means, lines 90 % intervals; where lines lie flat the data cannot tell the parameter."
    explain(figure, handles, note=note)
    return figure
