"""The fitted model beside the data: adoption curves by structure and by cluster, before and after fitting, with observations on top."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from school_mentoring.analysis.figures.style import FUNDED, GREY, INK, axes_grid, explain, new_figure, shade_funding, styled, wrapped

PRIOR, POSTERIOR, HELD = GREY, "#0072b2", "#d55e00"
MOST_CLUSTERS = 30


def _draw(axes: Axes, curves: pd.DataFrame, observed: pd.DataFrame, group: str, size: float) -> None:
    mine = curves[(curves["group"] == group) & (curves["practice"] == curves["practice"].iloc[0])]
    for source, colour, alpha in (("prior", PRIOR, 0.16), ("posterior", POSTERIOR, 0.25)):
        part = mine[mine["source"] == source]
        axes.fill_between(part["month"], 100 * part["low"], 100 * part["high"], color=colour, alpha=alpha, lw=0)
        axes.plot(part["month"], 100 * part["median"], color=colour, lw=1.4)
    seen = observed[(observed["group"] == group) & (observed["practice"] == curves["practice"].iloc[0])]
    for held, colour, marker in ((False, INK, "o"), (True, HELD, "D")):
        part = seen[seen["held_out"] == held]
        axes.vlines(part["month"], 100 * part["low"], 100 * part["high"], color=colour, lw=1.2, zorder=4)
        axes.plot(part["month"], 100 * part["share"], marker, color=colour, ms=size, mec="white", mew=0.6, zorder=5)
    axes.set_ylim(0, 100)
    axes.set_xlim(left=0)


def _handles(observed: pd.DataFrame, funding: tuple[int, int] | None) -> list[object]:
    handles: list[object] = [
        Patch(color=POSTERIOR, alpha=0.35, label="after fitting: 90 % of runs"),
        Patch(color=PRIOR, alpha=0.25, label="before: 90 % of runs"),
        Line2D([], [], color=INK, marker="o", label="observed, 90 % sampling interval"),
    ]
    if observed["held_out"].any():
        handles.append(Line2D([], [], color=HELD, marker="D", label="observed, held out"))
    if funding is not None:
        handles.append(Patch(color=FUNDED, label="funded months"))
    return handles


@styled
def fit(curves: pd.DataFrame, observed: pd.DataFrame, groups: Sequence[str], funding: tuple[int, int] | None) -> Figure:
    """Draw what the model leads to before and after fitting, with the data on top, for all schools and each structure."""
    columns = min(3, len(groups))
    rows = -(-len(groups) // columns)
    figure = new_figure("The fitted model beside the data", 1.4 + 2.7 * rows)
    for k, (axes, group) in enumerate(zip(axes_grid(figure, rows, columns, len(groups), sharex=True, sharey=True), groups, strict=True)):
        if funding is not None:
            shade_funding(axes, funding)
        _draw(axes, curves, observed, group, 6)
        axes.set_title(group)
        axes.set_xlabel("month")
        if k % columns == 0:
            axes.set_ylabel("teachers who use the practice, %")
    _trim(figure, curves)
    note = "Curves are shares of all teachers of a group; observations weigh schools by who answered, so the two may differ a little."
    explain(figure, _handles(observed, funding), note=note)
    return figure


def _trim(figure: Figure, curves: pd.DataFrame) -> None:
    for axes in figure.axes:
        axes.set_xlim(0, int(curves["month"].max()) + 1)


def _without_common(names: Sequence[str]) -> list[str]:
    """Return names without what all begin and end with, where that leaves something of each."""
    before, after = _common(names), _common([name[::-1] for name in names])
    cut = [name[before : len(name) - after] for name in names]
    return [name.strip(" -_") for name in cut] if all(name.strip(" -_") for name in cut) else list(names)


def _common(names: Sequence[str]) -> int:
    """Return how many letters all names begin with."""
    return next((k for k, letters in enumerate(zip(*names, strict=False)) if len(set(letters)) > 1), min(map(len, names)))


@styled
def clusters(curves: pd.DataFrame, observed: pd.DataFrame, groups: Sequence[str], funding: tuple[int, int] | None) -> Figure:
    """Draw the same for every cluster, as small multiples."""
    shown = list(groups)[:MOST_CLUSTERS]
    titles = _without_common(shown)
    columns = 6
    rows = -(-len(shown) // columns)
    more = "" if len(shown) == len(groups) else f", the first {len(shown)} of {len(groups)}"
    figure = new_figure(f"Cluster by cluster: the fitted model and the data{more}", 1.5 + 1.55 * rows)
    for k, (axes, group) in enumerate(zip(axes_grid(figure, rows, columns, len(shown), sharex=True, sharey=True), shown, strict=True)):
        if funding is not None:
            shade_funding(axes, funding)
        _draw(axes, curves, observed, group, 4)
        axes.set_title(wrapped(titles[k], 24), fontsize=8.5)
        axes.tick_params(labelsize=8)
        if k % columns == 0:
            axes.set_ylabel("%", fontsize=9)
        if k >= len(shown) - columns:
            axes.set_xlabel("month", fontsize=9)
    _trim(figure, curves)
    explain(figure, _handles(observed, funding), note="Share of the cluster's teachers who use the practice.")
    return figure
