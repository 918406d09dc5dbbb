"""Figures of a calibration: what data taught, and how the fitted model looks beside them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from school_mentoring.model.parameters import row_of

from .style import FUNDED, GREY, INK, explain, key, new_figure, shade_funding, small_multiples, styled, wrapped

PRIOR, POSTERIOR, HELD = GREY, "#0072b2", "#d55e00"
MOST_PAIRS, MOST_CLUSTERS = 8, 30


# --- what data taught --------------------------------------------------------------------------------------------------


def _densities(axes: Axes, prior: np.ndarray, posterior: np.ndarray, span: tuple[float, float]) -> None:
    """Draw smoothed histograms on a span (a normal kernel, reflected at its ends, as priors end there)."""
    from scipy.ndimage import gaussian_filter1d

    for values, colour in ((prior, PRIOR), (posterior, POSTERIOR)):
        counts, edges = np.histogram(values, bins=240, range=span, density=True)
        width = 1.06 * values.std() * len(values) ** -0.2 / (edges[1] - edges[0])
        smooth = gaussian_filter1d(counts, max(width, 1.0), mode="reflect")
        middle = (edges[1:] + edges[:-1]) / 2
        if colour == POSTERIOR:
            axes.fill_between(middle, smooth, color=colour, alpha=0.35, lw=0)
        axes.plot(middle, smooth, color=colour, lw=1.6)
    axes.set_ylim(bottom=0)
    axes.set_yticks([])


@styled
def learned(parameters: pd.DataFrame, draws: pd.DataFrame, prior: pd.DataFrame) -> Figure:
    """Draw the posterior of every parameter over its prior, with how much narrower it is."""
    title = "What the data taught: each parameter before and after"
    figure, panels = small_multiples(title, draws.shape[1], min(3, draws.shape[1]), 1.2, 2.1)
    table = parameters.set_index("parameter")
    for axes, name in zip(panels, draws, strict=True):
        span = float(min(prior[name].min(), draws[name].min())), float(max(prior[name].max(), draws[name].max()))
        _densities(axes, prior[name].to_numpy(), draws[name].to_numpy(), span)
        row = table.loc[name]
        axes.axvspan(row["posterior_low"], row["posterior_high"], ymax=0.03, color=POSTERIOR, lw=0)
        axes.set_title(f"{name}: {100 * row['sd_ratio']:.0f} % as wide as the prior")
        known = row_of(name)
        axes.set_xlabel(known.unit if known and known.unit != "-" else "")
        axes.locator_params(axis="x", nbins=5)
    handles = [key("prior", color=PRIOR), Patch(color=POSTERIOR, alpha=0.35, label="posterior")]
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
                _densities(axes, prior[across].to_numpy(), draws[across].to_numpy(), spans[across])
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
        key(f"draws of the {what}", color=colour, marker=".", ls="") for what, colour in (("prior", PRIOR), ("posterior", POSTERIOR))
    ]
    note = "Above the diagonal: correlations of posterior draws. Axes span the priors, in the parameters' own units."
    explain(figure, handles, note=note)
    return figure


# --- the fitted model beside the data ----------------------------------------------------------------------------------


@styled
def fit(curves: pd.DataFrame, observed: pd.DataFrame, groups: Sequence[str], funding: tuple[int, int] | None) -> Figure:
    """Draw what the model leads to before and after fitting, with the data on top, for all schools and each structure."""
    columns = min(3, len(groups))
    figure, panels = small_multiples("The fitted model beside the data", len(groups), columns, 1.4, 2.7, sharex=True, sharey=True)
    for k, (axes, group) in enumerate(zip(panels, groups, strict=True)):
        _draw(axes, curves, observed, group, funding, 6)
        axes.set_title(group)
        axes.set_xlabel("month")
        if k % columns == 0:
            axes.set_ylabel("teachers who use the practice, %")
    note = "Curves are shares of all teachers of a group; observations weigh schools by who answered, so the two may differ a little."
    _explain_fit(figure, observed, funding, note)
    return figure


@styled
def clusters(curves: pd.DataFrame, observed: pd.DataFrame, groups: Sequence[str], funding: tuple[int, int] | None) -> Figure:
    """Draw the same for every cluster, as small multiples."""
    shown, columns = list(groups)[:MOST_CLUSTERS], 6
    more = "" if len(shown) == len(groups) else f", the first {len(shown)} of {len(groups)}"
    title = f"Cluster by cluster: the fitted model and the data{more}"
    figure, panels = small_multiples(title, len(shown), columns, 1.5, 1.55, sharex=True, sharey=True)
    for k, (axes, group, name) in enumerate(zip(panels, shown, _without_common(shown), strict=True)):
        _draw(axes, curves, observed, group, funding, 4)
        axes.set_title(wrapped(name, 24), fontsize=8.5)
        axes.tick_params(labelsize=8)
        if k % columns == 0:
            axes.set_ylabel("%", fontsize=9)
        if k >= len(shown) - columns:
            axes.set_xlabel("month", fontsize=9)
    _explain_fit(figure, observed, funding, "Share of the cluster's teachers who use the practice.")
    return figure


def _draw(axes: Axes, curves: pd.DataFrame, observed: pd.DataFrame, group: str, funding: tuple[int, int] | None, size: float) -> None:
    if funding is not None:
        shade_funding(axes, funding)
    practice = curves["practice"].iloc[0]
    mine, seen = (table[(table["group"] == group) & (table["practice"] == practice)] for table in (curves, observed))
    for source, colour, alpha in (("prior", PRIOR, 0.16), ("posterior", POSTERIOR, 0.25)):
        part = mine[mine["source"] == source]
        axes.fill_between(part["month"], 100 * part["low"], 100 * part["high"], color=colour, alpha=alpha, lw=0)
        axes.plot(part["month"], 100 * part["median"], color=colour, lw=1.4)
    for held, colour, marker in ((False, INK, "o"), (True, HELD, "D")):
        part = seen[seen["held_out"] == held]
        axes.vlines(part["month"], 100 * part["low"], 100 * part["high"], color=colour, lw=1.2, zorder=4)
        axes.plot(part["month"], 100 * part["share"], marker, color=colour, ms=size, mec="white", mew=0.6, zorder=5)
    axes.set(ylim=(0, 100), xlim=(0, int(curves["month"].max()) + 1))


def _explain_fit(figure: Figure, observed: pd.DataFrame, funding: tuple[int, int] | None, note: str) -> None:
    handles: list[object] = [
        Patch(color=POSTERIOR, alpha=0.35, label="after fitting: 90 % of runs"),
        Patch(color=PRIOR, alpha=0.25, label="before: 90 % of runs"),
        key("observed, 90 % sampling interval", color=INK, marker="o"),
    ]
    if observed["held_out"].any():
        handles.append(key("observed, held out", color=HELD, marker="D"))
    if funding is not None:
        handles.append(Patch(color=FUNDED, label="funded months"))
    explain(figure, handles, note=note)


def _without_common(names: Sequence[str]) -> list[str]:
    """Return names without what all begin and end with, where that leaves something of each."""
    before, after = _common(names), _common([name[::-1] for name in names])
    cut = [name[before : len(name) - after].strip(" -_") for name in names]
    return cut if all(cut) else list(names)


def _common(names: Sequence[str]) -> int:
    """Return how many letters all names begin with."""
    return next((k for k, letters in enumerate(zip(*names, strict=False)) if len(set(letters)) > 1), min(map(len, names)))
