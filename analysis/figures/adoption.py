"""Adoption curves: the share of teachers who use a practice, month by month, one panel per design against the comparator."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.transforms import blended_transform_factory

from school_mentoring.analysis.curves import adoption_curve
from school_mentoring.analysis.outcomes import COMPARATOR, group_name, names_in
from school_mentoring.analysis.palette import GREY, DesignStyle, design_styles

from .style import BAND, axes_grid, explain, key, label_edges, new_figure, shade_funding, span_months, styled, wrapped

COLUMNS = 4


@styled
def adoption(monthly: pd.DataFrame, funding: tuple[int, int] | Mapping[str, tuple[int, int]], *, group: str = "all") -> Figure:
    """Return adoption curves with 5 to 95 % bands over runs: a panel per design, a block of panels per practice.

    ``monthly``: columns ``design, parameter_set, replicate, month, practice, group, teachers, adopters``. ``funding``: first funded month
    and first without funding again, of all designs or by design.
    """
    table = monthly[monthly["group"] == group]
    if table.empty:
        raise ValueError(f"no rows of the group {group!r} in the monthly table")
    low, high = int(table["month"].min()), int(table["month"].max())
    styles = design_styles(names_in(monthly["design"], present=False))
    practices, present = names_in(table["practice"]), names_in(table["design"])
    curves = {p: {d: adoption_curve(table[(table["practice"] == p) & (table["design"] == d)]) for d in present} for p in practices}
    shown = [d for d in present if d != COMPARATOR] or present
    columns = _columns(len(shown))
    rows = -(-len(shown) // columns)
    runs = table[["parameter_set", "replicate"]].drop_duplicates().shape[0]
    several = len(practices) > 1
    title = f"Share of teachers who use {'each' if several else 'the'} practice, by design ({group_name(group)})"
    figure = new_figure(title, 1.0 + len(practices) * (2.5 * rows + (0.4 if several else 0)))
    blocks: list[Any] = figure.subfigures(len(practices), 1, squeeze=False).ravel().tolist() if several else [figure]
    tops = [float(curve["q95"].max()) for by_design in curves.values() for curve in by_design.values()]
    top = min(100.0, 1.05 * max((value for value in tops if value > 0), default=1.0))
    for practice, block in zip(practices, blocks, strict=True):
        if several:
            block.suptitle(practice.replace("_", " "), x=0.01, ha="left", fontsize=11)
        panels = axes_grid(block, rows, columns, len(shown), sharex=True, sharey=True)
        panels[0].set(ylim=(0, top), xticks=_ticks(low, high))
        span_months(panels[0], low, high)
        for axes, design in zip(panels, shown, strict=True):
            if design != COMPARATOR:
                _shade(axes, funding if isinstance(funding, tuple) else funding.get(design), low, high)
                if COMPARATOR in curves[practice]:
                    _draw(axes, curves[practice][COMPARATOR], styles[COMPARATOR])
            _draw(axes, curves[practice][design], styles[design])
            axes.set_title(wrapped(styles[design].label, 26), color=styles[design].colour, fontweight="bold", loc="left")
        label_edges(panels, columns, "month of the simulation", "share of teachers, %")
    handles: list[Any] = [key(f"mean of {runs} runs" if runs > 1 else "a single run", color="black")]
    if COMPARATOR in present and shown != [COMPARATOR]:
        handles.insert(0, key(styles[COMPARATOR].label, color=styles[COMPARATOR].colour))
    if runs > 1:
        handles.append(Patch(color=GREY, alpha=2 * BAND, lw=0, label="5 to 95 % of runs"))
    explain(figure, handles)
    return figure


def _draw(axes: Axes, curve: pd.DataFrame, style: DesignStyle) -> None:
    axes.fill_between(curve.index, curve["q05"], curve["q95"], color=style.colour, alpha=BAND, lw=0)
    axes.plot(curve.index, curve["mean"], marker="o" if len(curve) == 1 else None, color=style.colour, label=style.label)


def _shade(axes: Axes, window: tuple[int, int] | None, low: float, high: float) -> None:
    """Shade and label the funded months that are in view."""
    if window is not None and window[0] < high and window[1] > low:
        shade_funding(axes, window)
        place = blended_transform_factory(axes.transData, axes.transAxes)
        axes.text(max(window[0], low), 0.02, " funded", transform=place, fontsize=9, color="#8a7a45", clip_on=True)


def _columns(panels: int) -> int:
    """Return the number of columns that leaves fewest places empty, at most four; three rather than four where that is even."""
    if panels <= 3:
        return panels
    return min((3, COLUMNS), key=lambda c: (-(-panels // c) * c - panels, c))


def _ticks(low: int, high: int) -> list[int]:
    """Return whole school years, at most seven of them."""
    step = 12 * max(1, -(-(high - low) // 84))
    if high - low < 24:
        step = max(1, (high - low) // 6)
    return list(range(-(-low // step) * step, high + 1, step))
