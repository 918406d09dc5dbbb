"""What designs cost and do as the number of their clusters grows."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from school_mentoring.analysis.outcomes import names_in

from .style import INK, design_styles, explain, key, money, small_multiples, styled, thousands

FIXED: Mapping[str, Any] = {"ls": ":", "lw": 1.1, "alpha": 0.8}
LABELLED = 7  # sizes on the axis of clusters, beyond which their numbers would run into each other


@styled
def scale(table: pd.DataFrame, *, whose: str) -> Figure:
    """Return effect, cost, and cost of a mentored school on average and at the margin, by clusters; ``table``: of ``growth``."""
    styles = design_styles(names_in(table["design"], present=False))
    designs = [name for name in styles if name in set(table["design"])]
    unit, per = money(table["cost"].max())
    figure, panels = small_multiples(f"Designs as the number of their clusters grows: effect, and {whose}", 4, 2, 1.4, 3.2)
    shown: list[tuple[str, str, str, float]] = [
        ("effect", "What it adds", "adopter-years", 1.0),
        ("cost", "What it costs", f"{unit}, discounted", per),
        ("cost_per_school", "A mentored school on average", "EUR", 1.0),
        ("marginal_per_school", "One mentored school more", "EUR", 1.0),
    ]
    for axes, (name, title, label, divisor) in zip(panels, shown, strict=True):
        for design in designs:
            rows = table[(table["design"] == design) & (table["clusters"] > 0) & table[name].notna()]
            colour = styles[design].colour
            axes.plot(rows["clusters"], rows[name] / divisor, marker=styles[design].marker, color=colour, ms=6.5, lw=1.5)
            if name == "cost_per_school":
                axes.plot(rows["clusters"], rows["fixed_per_school"], color=colour, **FIXED)
        axes.set_title(title, loc="left", fontweight="bold")
        axes.set_ylabel(label)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.6g}")
        _clusters(axes, sorted(set(table["clusters"]) - {0}))
    for axes, (name, _, label, _) in zip(panels[2:], shown[2:], strict=True):
        values = table[name].dropna()
        if values.empty or values.min() <= 0.0:
            continue
        axes.set_yscale("log")
        axes.set_ylabel(f"{label} (logarithmic)")
        thousands(axes.yaxis)
        axes.yaxis.set_minor_formatter(lambda value, _: f"{value:,.0f}" if f"{value:e}"[0] in "25" else "")
    handles = [key(styles[name].label, color=styles[name].colour, marker=styles[name].marker) for name in designs]
    handles.append(key("fixed part of a school's cost", color=INK, **FIXED))
    note = "Means beyond no programme. Clusters are those funded: fewer schools may volunteer. Where lines end there are no more schools."
    explain(figure, handles, columns=4, note=note)
    return figure


def _clusters(axes: Axes, sizes: list[int]) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xlabel("clusters (logarithmic)")
    shown = sizes[:: -(-len(sizes) // LABELLED)]
    axes.set_xticks(shown, [f"{size:,}" for size in shown])
    axes.set_xticks([], minor=True)
