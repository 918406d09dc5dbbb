"""Adoption curves: the share of teachers who use a practice, month by month, one panel per design against the comparator."""

from collections.abc import Mapping, Sequence
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
    runs = table[["parameter_set", "replicate"]].drop_duplicates().shape[0]
    title = f"Share of teachers who use {'each' if len(practices) > 1 else 'the'} practice, by design ({group_name(group)})"
    tops = [float(curve["q95"].max()) for by_design in curves.values() for curve in by_design.values()]
    figure, panels = month_panels(title, practices, {d: styles[d] for d in shown}, (low, high), tops)
    for (practice, design), axes in panels.items():
        if design != COMPARATOR:
            mark_funding(axes, funding, design, (low, high))
            if COMPARATOR in curves[practice]:
                draw_curve(axes, curves[practice][COMPARATOR], styles[COMPARATOR])
        draw_curve(axes, curves[practice][design], styles[design])
    handles: list[Any] = [key(f"mean of {runs} runs" if runs > 1 else "a single run", color="black")]
    if COMPARATOR in present and shown != [COMPARATOR]:
        handles.insert(0, key(styles[COMPARATOR].label, color=styles[COMPARATOR].colour))
    if runs > 1:
        handles.append(Patch(color=GREY, alpha=2 * BAND, lw=0, label="5 to 95 % of runs"))
    explain(figure, handles)
    return figure


def month_panels(
    title: str, practices: Sequence[str], designs: Mapping[str, DesignStyle], months: tuple[int, int], tops: Sequence[float]
) -> tuple[Figure, dict[tuple[str, str], Axes]]:
    """Return a figure of shares over months and its axes by practice and design: a panel per design, a block of panels per practice.

    ``tops``: the highest value, in per cent, of each curve that will be drawn.
    """
    columns = _columns(len(designs))
    rows, several = -(-len(designs) // columns), len(practices) > 1
    figure = new_figure(title, 1.0 + len(practices) * (2.5 * rows + (0.4 if several else 0)))
    blocks: list[Any] = figure.subfigures(len(practices), 1, squeeze=False).ravel().tolist() if several else [figure]
    found = {}
    for practice, block in zip(practices, blocks, strict=True):
        if several:
            block.suptitle(practice.replace("_", " "), x=0.01, ha="left", fontsize=11)
        panels = axes_grid(block, rows, columns, len(designs), sharex=True, sharey=True)
        panels[0].set(ylim=(0, min(100.0, 1.05 * max((value for value in tops if value > 0), default=1.0))), xticks=_ticks(*months))
        span_months(panels[0], *months)
        for axes, (design, style) in zip(panels, designs.items(), strict=True):
            axes.set_title(wrapped(style.label, 26), color=style.colour, fontweight="bold", loc="left")
            found[practice, design] = axes
        label_edges(panels, columns, "month of the simulation", "share of teachers, %")
    return figure, found


def draw_curve(axes: Axes, curve: pd.DataFrame, style: DesignStyle, *, band: float = BAND, line: str = "-") -> None:
    """Draw the mean and the band of a curve of ``curves.adoption_curve``."""
    axes.fill_between(curve.index, curve["q05"], curve["q95"], color=style.colour, alpha=band, lw=0)
    axes.plot(curve.index, curve["mean"], marker="o" if len(curve) == 1 else None, color=style.colour, ls=line, label=style.label)


def mark_funding(axes: Axes, funding: tuple[int, int] | Mapping[str, tuple[int, int]], design: str, months: tuple[int, int]) -> None:
    """Shade and label the funded months of a design that are in view; ``funding``: of all designs or by design."""
    window = funding if isinstance(funding, tuple) else funding.get(design)
    if window is not None and window[0] < months[1] and window[1] > months[0]:
        shade_funding(axes, window)
        place = blended_transform_factory(axes.transData, axes.transAxes)
        axes.text(max(window[0], months[0]), 0.02, " funded", transform=place, fontsize=9, color="#8a7a45", clip_on=True)


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
