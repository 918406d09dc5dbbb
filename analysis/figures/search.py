"""What a search of designs found: the front with the scenario's designs before it, how designs change with cost, and whether it settled."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from school_mentoring.analysis.outcomes import COMPARATOR, design_name, names_in, outcome
from school_mentoring.analysis.summary import wide
from school_mentoring.model.designs import CHOICES, FIELDS, SWITCHES

from .style import GREY, INK, axes_grid, design_styles, explain, money, new_figure, place_labels, styled

FOUND = "#332288"


@styled
def front(
    runs: pd.DataFrame, evaluations: pd.DataFrame, stand: pd.DataFrame, best: pd.DataFrame, *, cost: str, own: Sequence[str]
) -> Figure:
    """Return additional cost against additional effect: every design tried (grey), the best for each budget, the scenario's own designs.

    An arrow leads from each design of the scenario that is beaten at no more cost to the design that beats it. Bars are 95 % intervals of
    fresh runs.
    """
    names = names_in(runs["design"])
    styles = design_styles([name for name in names if name == COMPARATOR or name in own])
    effects, costs = wide(runs, "effect_adopter_years"), wide(runs, cost)
    unit, scale = money(float(costs.mean().max()))
    figure = new_figure("What designs cost and add beyond no programme: those tried, the best found, the scenario's own", 6.6)
    axes = figure.subplots()
    tried = evaluations[evaluations[cost] <= 1.25 * costs.mean().max()]
    axes.plot(tried["effect"], tried[cost] / scale, ls="", marker=".", ms=4, color=GREY, alpha=0.35, mec="none", zorder=1, rasterized=True)

    def point(design: str) -> tuple[float, float]:
        return float((effects[design] - effects[COMPARATOR]).mean()), float((costs[design] - costs[COMPARATOR]).mean()) / scale

    shown: list[tuple[str, str]] = []
    listed = best.drop_duplicates("design").sort_values("cost")
    found = [name for name in listed["design"] if name not in own]
    if found:
        rows = listed[listed["design"].isin(found)]
        spread = [np.abs(rows[[f"{n}_low", f"{n}_high"]].to_numpy() - rows[[n]].to_numpy()).T for n in ("effect", "cost")]
        axes.errorbar(
            rows["effect"], rows["cost"] / scale, xerr=spread[0], yerr=spread[1] / scale,
            marker="o", ms=5, color=FOUND, lw=1.3, elinewidth=1.0, zorder=4,
        )  # fmt: skip
        shown += [(name, FOUND) for name in found]
    for name in own:
        axes.plot(*point(name), ls="", marker=styles[name].marker, ms=9, color=styles[name].colour, mec="white", zorder=5)
        shown.append((name, styles[name].colour))
    beaten = stand[(stand["kind"] == "equal_cost") & (stand["verdict"] == "beaten")].to_dict("records")
    for row in beaten:
        arrow = {"arrowstyle": "->", "color": styles[row["design"]].colour, "lw": 1.2, "shrinkA": 6, "shrinkB": 3}
        axes.annotate("", point(row["rival"]), point(row["design"]), arrowprops=arrow, zorder=3)
    axes.set_xlabel(f"additional {outcome('effect_adopter_years').label} (discounted)")
    axes.set_ylabel(f"additional {outcome(cost).label}, {unit} (discounted)")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.margins(0.06)
    handles: list[Any] = [
        Line2D([], [], ls="", marker=".", color=GREY, label="designs tried (by the search's own runs)"),
        Line2D([], [], marker="o", ms=5, color=FOUND, lw=1.3, label="best for each budget, with 95 % intervals"),
        Line2D([], [], color=INK, lw=1.2, marker=">", ms=4, label="to a design that does more at no more cost"),
    ]
    explain(figure, handles, columns=2)
    xy = [point(name) for name, _ in shown]
    lines = [[point(name) for name in found], *([point(row["design"]), point(row["rival"])] for row in beaten)]
    place_labels(axes, xy, [design_name(name) for name, _ in shown], [colour for _, colour in shown], lines=lines, size=9)
    return figure


@styled
def designs_by_cost(front_: pd.DataFrame, best: pd.DataFrame, *, cost: str) -> Figure:
    """Return each field of the designs on the front (small marks) and of the best ones (large marks) against what the design costs."""
    tables = [table for table in (front_, best.assign(**{cost: best["cost"]})) if len(table)]
    both = pd.concat([table[[cost, *FIELDS]] for table in tables], ignore_index=True)
    varied = [name for name in FIELDS if both[name].nunique(dropna=False) > 1]
    unit, scale = money(float(both[cost].max()))
    columns = 4
    rows = max(1, -(-len(varied) // columns))
    title = f"The designs on the front: each field against the additional {outcome(cost).label} ({unit}, discounted)"
    figure = new_figure(title, 1.0 + 2.1 * rows)
    for axes, name in zip(axes_grid(figure, rows, columns, len(varied), sharex=True), varied, strict=True):
        for table, size in zip(tables, (3.5, 7.0), strict=False):
            values = _shown(table[name], name)
            axes.plot(
                table[cost] / scale,
                values,
                ls="",
                marker="o",
                ms=size,
                color=FOUND,
                alpha=0.45 if size < 5 else 1,
                mec="none",
                clip_on=False,
            )
        words = CHOICES.get(name) or (("no", "yes") if name in SWITCHES else None)
        if words:
            axes.set_yticks(range(len(words)), words)
            axes.set_ylim(-0.4, len(words) - 0.6)
        axes.set_title(name, loc="left", fontsize=10)
        axes.set_ylabel("" if words else FIELDS[name].unit.replace(" per ", "\nper "), fontsize=8)
        axes.tick_params(labelsize=8, labelbottom=True)
    note = "No quota of mentors is shown as a share of -0.05. Where a field means nothing for a design it is that of no programme."
    handles = [
        Line2D([], [], ls="", marker="o", ms=3.5, color=FOUND, alpha=0.45, label="on the front"),
        Line2D([], [], ls="", marker="o", ms=7, color=FOUND, label="best for a budget"),
    ]
    explain(figure, handles, note=note)
    return figure


def _shown(values: "pd.Series[Any]", name: str) -> list[float]:
    if name in CHOICES:
        return [float(CHOICES[name].index(str(value))) for value in values]
    missing = -0.05 if name == "mentor_share" else math.nan  # the programme's own months, which a design without mentors has none of
    return [missing if pd.isna(value) else float(value) for value in values]


@styled
def convergence(table: pd.DataFrame) -> Figure:
    """Return the volume that the designs found so far dominate, generation by generation, as a share of that at the end."""
    figure = new_figure("How the search went: volume dominated by the designs found so far", 3.6)
    axes = figure.subplots()
    axes.plot(table["evaluations"], 100 * table["volume"], color=FOUND)
    axes.set_xlabel("designs tried")
    axes.set_ylabel("% of the volume at the end")
    axes.set_ylim(0, 104)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    return figure
