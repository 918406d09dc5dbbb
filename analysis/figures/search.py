"""What a search of designs found: the front with the scenario's designs before it, how designs change with cost, and whether it settled."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from school_mentoring.analysis.outcomes import COMPARATOR, design_name, names_in, outcome
from school_mentoring.analysis.summary import wide
from school_mentoring.model.designs import CHOICES, FIELDS, SWITCHES

from .style import GREY, INK, design_styles, explain, key, money, new_figure, place_labels, small_multiples, styled, thousands, wrapped

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
        look: dict[str, Any] = {"marker": "o", "ms": 5, "color": FOUND, "lw": 1.3, "elinewidth": 1.0, "zorder": 4}
        axes.errorbar(rows["effect"], rows["cost"] / scale, xerr=spread[0], yerr=spread[1] / scale, **look)
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
    thousands(axes.xaxis)
    axes.margins(0.06)
    handles = [
        key("designs tried (by the search's own runs)", ls="", marker=".", color=GREY),
        key("best for each budget, with 95 % intervals", marker="o", ms=5, color=FOUND, lw=1.3),
        key("to a design that does more at no more cost", color=INK, lw=1.2, marker=">", ms=4),
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
    title = f"The designs on the front: each field against the additional {outcome(cost).label} ({unit}, discounted)"
    figure, panels = small_multiples(title, len(varied), 4, 1.0, 2.1, sharex=True)
    mark: dict[str, Any] = {"ls": "", "marker": "o", "color": FOUND}
    for axes, name in zip(panels, varied, strict=True):
        for table, size, alpha in zip(tables, (3.5, 7.0), (0.45, 1), strict=False):
            axes.plot(table[cost] / scale, _shown(table[name], name), ms=size, alpha=alpha, mec="none", clip_on=False, **mark)
        words = CHOICES.get(name) or (("no", "yes") if name in SWITCHES else None)
        if words:
            axes.set_yticks(range(len(words)), [wrapped(word.replace("_", " "), 12) for word in words])
            axes.set_ylim(-0.4, len(words) - 0.6)
        axes.set_title(name, loc="left", fontsize=10)
        axes.set_ylabel("" if words else FIELDS[name].unit.replace(" per ", "\nper "), fontsize=8)
        axes.tick_params(labelsize=8, labelbottom=True)
    note = "No quota of mentors is shown as a share of -0.05. Where a field means nothing for a design it is that of no programme."
    explain(figure, [key("on the front", ms=3.5, alpha=0.45, **mark), key("best for a budget", ms=7, **mark)], note=note)
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
    axes.set(xlabel="designs tried", ylabel="% of the volume at the end", ylim=(0, 104))
    thousands(axes.xaxis)
    return figure
