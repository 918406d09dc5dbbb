"""Figures of a sensitivity study: functions of its tables."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from school_mentoring.analysis.outcomes import COMPARATOR, DECISION, INDEX_NAMES, RANKED, output_of, panel_name, target_name

from .style import BAND, GREY, INK, axes_grid, design_styles, explain, key, label_rows, new_figure, small_multiples, span_months, styled

GROUP_COLOURS: Mapping[str, str] = {
    "cost": "#cc6677",
    "incentive": "#ddaa33",
    "behaviour": "#4477aa",
    "network": "#228833",
    "world": "#aa4499",
    "design": "#332288",
    "dummy": "#bbbbbb",
}
"""Of the groups of parameters (Tol 2021, bright and muted schemes)."""

BAND_COLOURS = ("#332288", "#88ccee", "#cc6677", "#117733", "#ddcc77", "#aa4499", "#44aa99")
"""Of parameters over time (Tol 2021, muted scheme), in an order that keeps neighbours apart."""

OTHERS, BETWEEN, LOW, HIGH = "#bbbbbb", "#eeeeee", "#88ccee", "#882255"
MOST_PANELS, ROWS, PAIRED, FIXED, NAMED, SCATTERED, BINS, MOST_POINTS, BANDS, LINES = 9, 10, 8, 40, 5, 6, 12, 400, 7, 5
LEAST = 1e-4  # what lies below is drawn here, where a parameter may be fixed


# --- what they share ---------------------------------------------------------------------------------------------------


def _chosen(rows: pd.DataFrame, index: str | None = None) -> pd.DataFrame:
    """Return the rows of one index, by default of that which ranks."""
    return rows[rows["index"] == (index or RANKED[str(rows["method"].iloc[0])])]


def _targets(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the designs and pairs of designs in a table, each once."""
    return list(dict.fromkeys(zip(rows["design"].astype(str), rows["comparator"].astype(str), strict=True)))


def _panels(
    rows: pd.DataFrame, title: str, each: float, *, base: float = 1.2, most: int = MOST_PANELS, **share: Any
) -> tuple[Figure, list[tuple[Axes, pd.DataFrame]]]:
    """Return a figure with a panel for each design or pair of designs, three in a row, each so many inches high, and its rows."""
    targets = _targets(rows)
    more = f" (the first {most} of {len(targets)})" if len(targets) > most else ""
    targets = targets[:most]
    columns = min(3, len(targets))
    figure, grid = small_multiples(title + more, len(targets), columns, base, each, **share)
    for axes in grid[-columns:]:
        axes.tick_params(axis="x", labelbottom=True)
    for axes, target in zip(grid, targets, strict=True):
        axes.set_title(panel_name(*target), loc="left")
    here = [rows[(rows["design"] == design) & (rows["comparator"] == comparator)] for design, comparator in targets]
    return figure, list(zip(grid, here, strict=True))


def _subject(rows: pd.DataFrame) -> str:
    """Return what the rows are about, for a title."""
    label = output_of(str(rows["output"].iloc[0])).label
    return f"{label} beyond no programme" if (rows["comparator"] == COMPARATOR).all() else label


def _top(rows: pd.DataFrame, count: int, *, by: str = "estimate") -> list[str]:
    """Return the parameters with the largest value in any panel, the largest first."""
    largest = rows.assign(size=rows[by].abs()).groupby("parameter", sort=False)["size"].max()
    return [str(name) for name in largest.sort_values(ascending=False, kind="stable").index[:count]]


def _group_handles(groups: "pd.Series[Any]") -> list[Any]:
    """Return the legend of the groups that are there."""
    there = set(groups)
    return [Patch(facecolor=colour, label=name) for name, colour in GROUP_COLOURS.items() if name in there]


def _scaled(values: "pd.Series[Any]", rows: pd.DataFrame) -> tuple[float, str]:
    """Return by what to divide values for an axis, and what their unit, that of the rows' output, is then called."""
    most, unit = float(values.abs().max()), output_of(str(rows["output"].iloc[0])).unit
    if unit != "EUR" or most < 1e4:
        return 1.0, unit
    return (1e6, "EUR million") if most >= 1e6 else (1e3, "EUR thousand")


# --- indices -----------------------------------------------------------------------------------------------------------


@styled
def bars(rows: pd.DataFrame, *, kind: str = "parameter") -> Figure:
    """Return the ranking index of the leading parameters (``kind`` parameter) or of all groups, a panel for each design.

    ``rows``: indices of one output. Parameters keep their place over panels; first-order indices stand in the bars as marks. Faint bars
    cannot be told from chance.
    """
    index = str(_chosen(rows)["index"].iloc[0])
    unit = ""
    if index == "mu_star":  # in the outcome's unit; other indices have none
        by, unit = _scaled(_chosen(rows)["high"], rows)
        rows, unit = rows.assign(**{name: rows[name] / by for name in ("estimate", "low", "high")}), f", {unit}"
    ranked = _chosen(rows)
    names = _top(ranked[ranked["kind"] == kind], ROWS)
    if (ranked["kind"] == "dummy").any():
        names.append("dummy")
    contest = index == "ks" and rows["output"].iloc[0] != DECISION
    what = f"which design has the better {_subject(rows)}" if contest else _subject(rows)
    title = f"What decides {what}: {INDEX_NAMES[index]}{unit}"
    figure, grid = _panels(rows, title, 0.9 + 0.25 * len(names), sharex=True, sharey=True)
    shown = ranked[ranked["parameter"].isin(names)]
    most = min(float(shown["high"].max()), 1.5 if index == "ST" else np.inf)
    for axes, here in grid:
        _bar_panel(axes, here, index, names)
        if index == "ST":
            axes.axvline(float(here.loc[here["index"] == "ST", "floor"].iloc[0]), color=INK, ls=":", lw=1.2)
        axes.set_xlim(0, most * 1.05 or 1.0)
    handles = _group_handles(shown["group"])
    if index == "ST":
        handles += [key("first-order index", color=INK, marker="D", ms=4, ls=""), key("share of chance", color=INK, ls=":", lw=1.2)]
    note = "Lines: 95 % intervals. Faint: cannot be told from chance."
    if index == "ks":
        note += " +: high values favour the design that is named first; -: low ones do."
    explain(figure, handles, columns=7, note=note)
    return figure


def _bar_panel(axes: Axes, here: pd.DataFrame, index: str, names: list[str]) -> None:
    values, first, shift = (_chosen(here, name).set_index("parameter") for name in (index, "S1", "shift"))
    shown, places = values.loc[names], np.arange(len(names))
    colours = [to_rgba(GROUP_COLOURS[str(r["group"])], 1.0 if r["distinguishable"] else 0.35) for r in shown.to_dict("records")]
    axes.barh(places, shown["estimate"], color=colours, height=0.7)
    axes.hlines(places, shown["low"], shown["high"], color=INK, lw=1.1)
    if index == "ST":
        axes.plot(first["estimate"].reindex(names).clip(lower=0.0), places, color=INK, marker="D", ms=3.5, ls="")
    for place, name in enumerate(names):
        row = shown.loc[name]
        if name in shift.index and row["distinguishable"]:
            sign = "+" if shift.loc[name, "estimate"] > 0 else "-"
            axes.annotate(sign, (row["high"], place), (3, 0), textcoords="offset points", va="center", fontweight="bold")
    label_rows(axes, names)


@styled
def pairs(rows: pd.DataFrame) -> Figure:
    """Return the second-order indices among the parameters with the largest total ones as a heat map, a panel for each design.

    Only pairs that can be told from 0 have their number written in.
    """
    ranked = _chosen(rows)
    names = _top(ranked[ranked["kind"] == "parameter"], PAIRED)
    second = _chosen(rows, "S2")
    second = second[second["parameter"].isin(names) & second["with_parameter"].isin(names)]
    most = max(0.05, float(second["estimate"].max()))
    figure, grid = _panels(second, f"Interactions of pairs: {_subject(rows)}, second-order index", 3.2)
    for axes, here in grid:
        matrix = np.full((len(names), len(names)), np.nan)
        for row in here.to_dict("records"):
            j, k = sorted((names.index(row["parameter"]), names.index(row["with_parameter"])), reverse=True)
            matrix[j, k] = max(0.0, row["estimate"])
            if row["distinguishable"] and row["estimate"] >= 0.005:
                colour = "white" if matrix[j, k] > 0.6 * most else "black"
                axes.text(k, j, f"{row['estimate']:.2f}", ha="center", va="center", fontsize=7.5, color=colour)
        axes.imshow(matrix, cmap="Blues", vmin=0, vmax=most, aspect="auto")
        axes.set(xlim=(-0.5, len(names) - 1.5), ylim=(len(names) - 0.5, 0.5))
        axes.set_xticks(range(len(names) - 1), names[:-1], rotation=60, ha="right", rotation_mode="anchor", fontsize=8)
        axes.set_yticks(range(1, len(names)), names[1:], fontsize=8)
        axes.grid(visible=False)
    figure.colorbar(grid[-1][0].images[0], ax=[axes for axes, _ in grid], label="second-order index", shrink=0.7)
    return figure


@styled
def may_be_fixed(table: pd.DataFrame, bound: float) -> Figure:
    """Return one line per parameter: its total-order index where the interval reaches highest, that interval's upper end, and where it is.

    ``table``: columns parameter, group, estimate, high, output, design, comparator, may_be_fixed, lost_at_most, the lowest upper end first;
    ``bound``: below which a parameter may be fixed.
    """
    shown = table.iloc[:FIXED]
    more = f" (the lowest {FIXED} of {len(table)})" if len(table) > FIXED else ""
    figure = new_figure(f"Which parameters may be fixed{more}", 1.6 + 0.24 * len(shown))
    (axes,) = axes_grid(figure, 1, 1, 1)
    axes.axvspan(LEAST / 2, bound, color="#eaf3ea", lw=0, zorder=0)
    for place, row in enumerate(shown.to_dict("records")):
        colour = GROUP_COLOURS[str(row["group"])]
        low, high = max(LEAST, row["estimate"]), max(LEAST, row["high"])
        axes.plot([low, high], [place, place], color=colour, lw=1.4)
        axes.plot(low, place, "o", ms=5, color=colour)
        axes.plot(high, place, "|", ms=9, mew=2, color=colour)
        where = target_name(str(row["output"]), str(row["design"]), str(row["comparator"]))
        axes.annotate(where, (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=8, color=GREY, annotation_clip=False)
    axes.axvline(bound, color=INK, lw=1, ls="--")
    axes.set_xscale("log")
    axes.set_xlim(LEAST / 2, max(1.0, float(shown["high"].max()) * 1.3))
    label_rows(axes, [f"{'may be fixed  ' if r['may_be_fixed'] else ''}{r['parameter']}" for r in shown.to_dict("records")])
    axes.set_xlabel("total-order index where its interval reaches highest (right: there)")
    handles = [
        *_group_handles(shown["group"]),
        key("estimate", color=GREY, marker="o", ms=5, lw=0),
        key("upper end of its interval", color=GREY, marker="|", ms=9, mew=2, lw=0),
        key(f"{bound:g} of the variance", color=INK, lw=1, ls="--"),
    ]
    explain(figure, handles, columns=6, note="Below the line at the upper end for every output and design analysed: may be fixed.")
    return figure


# --- effects in the outcome's own unit ---------------------------------------------------------------------------------


@styled
def mu_sigma(rows: pd.DataFrame) -> Figure:
    """Return Morris's mu* against sigma of every parameter, a panel for each design, the largest named.

    Points near the axis act nearly linearly; those above sigma = mu* bend, or depend on others.
    """
    rows = rows[rows["kind"] != "group"]  # of groups there is no sigma
    by, unit = _scaled(_chosen(rows)["high"], rows)
    figure, grid = _panels(rows, f"Screening by Morris: {_subject(rows)}", 2.9)
    for axes, here in grid:
        mu, sigma = (_chosen(here, name).set_index("parameter") for name in ("mu_star", "sigma"))
        high, x, y = mu["high"] / by, mu["estimate"] / by, sigma["estimate"].reindex(mu.index) / by
        for name in mu.index:
            colour = GROUP_COLOURS[str(mu.loc[name, "group"])]
            axes.plot([mu.loc[name, "low"] / by, high[name]], [y[name], y[name]], color=colour, lw=1, alpha=0.6)
            axes.plot(x[name], y[name], "o", ms=5, color=colour, mec="white", mew=0.5)
        most, span = max(float(mu["high"].max()), 1e-12) / by, max(float(sigma["estimate"].max()) / by, 1e-12)
        # The largest are named at the ends of their intervals, from the top down and apart from each other.
        named, last = x.sort_values(ascending=False).head(NAMED), np.inf
        for name in y[named[named > 0].index].sort_values(ascending=False, kind="stable").index:
            last = min(float(y[name]), last - 0.09 * span)
            place = (float(high[name]) + 0.03 * most, last)
            axes.annotate(str(name), (float(high[name]), float(y[name])), place, fontsize=8, va="center", textcoords="data")
        axes.plot([0, most], [0, most], color=GREY, lw=0.8, ls="--", zorder=1)
        axes.set(xlim=(0, most * 1.75), ylim=(0, span * 1.25), xlabel=f"mu*, {unit}", ylabel=f"sigma, {unit}")
    handles = [*_group_handles(rows["group"]), key("sigma = mu*", color=GREY, ls="--", lw=0.8)]
    note = "mu*: mean size of the change when the parameter moves over its whole range; sigma: its standard deviation."
    explain(figure, handles, columns=7, note=f"{note} Lines: 95 % intervals.")
    return figure


@styled
def tornado(local: pd.DataFrame, rows: pd.DataFrame) -> Figure:
    """Return what one parameter alone does at the low and at the high end of its range, others at their base, in the outcome's unit.

    A local view: it says nothing of interactions, nor of the rest of the ranges. ``rows``: the indices, which choose panels.
    """
    differences = (rows["comparator"] != "").all()
    table = local[(local["output"] == rows["output"].iloc[0]) & ((local["comparator"] != "") == differences)]
    base = table[table["end"] == "base"].set_index(["design", "comparator"])["mean"]
    target = pd.MultiIndex.from_frame(table[["design", "comparator"]])
    table = table.assign(change=table["mean"] - base.reindex(target).to_numpy())
    shown = pd.MultiIndex.from_frame(rows[["design", "comparator"]].drop_duplicates())
    table = table[target.isin(shown) & (table["end"] != "base")]
    names = _top(table, ROWS, by="change")
    by, unit = _scaled(table["change"], rows)
    figure, grid = _panels(table, f"One at a time (local): {_subject(rows)}", 0.9 + 0.25 * len(names), sharey=True, sharex=True)
    for axes, here in grid:
        change = here.set_index(["parameter", "end"])["change"] / by
        for end, colour in (("low", LOW), ("high", HIGH)):
            axes.barh(range(len(names)), [change[name, end] for name in names], color=colour, height=0.7, alpha=0.9)
        axes.axvline(0, color=INK, lw=1)
        if not change.abs().max() > 0:
            axes.text(0.5, 0.5, "no change", transform=axes.transAxes, ha="center", va="center", color=GREY)
        label_rows(axes, names)
        axes.set_xlabel(f"change, {unit}")
    handles = [Patch(facecolor=LOW, label="at the low end of its range"), Patch(facecolor=HIGH, label="at the high end")]
    note = "Change from the outcome at the base parameters when one parameter alone is moved. Local: interactions are not in it."
    explain(figure, handles, note=note)
    return figure


@styled
def scatter(points: pd.DataFrame, rows: pd.DataFrame) -> Figure:
    """Return an outcome against the six leading parameters: parameter sets as dots, means of twelve equally large bins as lines.

    ``points``: a column per parameter and one per target, ``output|design|comparator``; ``rows``: the indices of one output.
    """
    ranked = _chosen(rows)
    names = _top(ranked[ranked["kind"] == "parameter"], 99)
    names = [name for name in names if pd.api.types.is_numeric_dtype(points.get(name))][:SCATTERED]
    names = names or [name for name in points.columns if "|" not in name and name != "dummy"][:SCATTERED]
    output = str(rows["output"].iloc[0])
    targets = [target for target in _targets(ranked) if target[0]]
    columns = {target: f"{output}|{target[0]}|{target[1]}" for target in targets}
    labels, designs = [panel_name(*target).replace("\n", " ") for target in targets], [design for design, _ in targets]
    if len(set(designs)) < len(designs):  # of differences among designs, where one may stand twice, each pair has a look of its own
        designs = [f"{design} less {comparator}" for design, comparator in targets]
        labels = [look.label for look in design_styles(designs).values()]
    colours = dict(zip(targets, (look.colour for look in design_styles(designs).values()), strict=True))
    by, unit = _scaled(points[list(columns.values())].stack(), rows)
    figure = new_figure(f"{_subject(rows)[0].upper()}{_subject(rows)[1:]} against the parameters that matter most", 6.6)
    for name, axes in zip(names, axes_grid(figure, 2, 3, len(names), sharey=True), strict=True):
        order = np.argsort(points[name].to_numpy(), kind="stable")
        x = points[name].to_numpy()[order]
        thin, cuts = slice(None, None, max(1, len(x) // MOST_POINTS)), _bins(x)
        for target, column in columns.items():
            y = points[column].to_numpy()[order] / by
            if output != DECISION:
                axes.plot(x[thin], y[thin], ".", ms=2, color=colours[target], alpha=0.25, zorder=1)
            axes.plot([x[cut].mean() for cut in cuts], [y[cut].mean() for cut in cuts], color=colours[target], lw=2, zorder=3)
        axes.set_xlabel(name)
    figure.supylabel(unit, fontsize=10.5)
    handles = [key(label, color=colour, lw=2) for label, colour in zip(labels, colours.values(), strict=True)]
    note = "Lines: local means." if output == DECISION else "Dots: parameter sets, all others varying too. Lines: local means."
    explain(figure, handles, columns=4, note=note)
    return figure


def _bins(x: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Return the positions of each bin of sorted values: one for each value where there are few, else equally large ones."""
    starts = np.flatnonzero(np.diff(x)) + 1
    if len(starts) < BINS:
        return np.split(np.arange(len(x)), starts)
    return np.array_split(np.arange(len(x)), min(BINS, max(1, len(x) // 8)))


# --- what decides adoption when ----------------------------------------------------------------------------------------


@styled
def over_time(time: pd.DataFrame) -> Figure:
    """Return first-order indices of the adopting share by month, stacked, a panel for each design; above them what interactions add.

    ``time``: columns design, comparator, month (-1 for the whole course), parameter, kind, and S1 and ST with their intervals (``S1_low``,
    ``S1_high``). Leading parameters have their own bands.
    """
    figure, grid, names = _months(time, "S1", BANDS, "What decides")
    for axes, here in grid:
        table = here.pivot(index="month", columns="parameter", values="S1").clip(lower=0.0)
        parts = [*(table[name].to_numpy() for name in names), table.drop(columns=names).sum(axis=1).to_numpy()]
        total = np.maximum(1.0, np.sum(parts, axis=0))  # first-order indices of a small sample may add up to more than all
        axes.stackplot(table.index, *(part / total for part in parts), colors=[*BAND_COLOURS[: len(names)], OTHERS], lw=0)
        axes.set_facecolor(BETWEEN)
        span_months(axes, float(table.index.min()), float(table.index.max()))
        axes.grid(visible=False)
    handles = [Patch(facecolor=colour, label=name) for name, colour in zip(names, BAND_COLOURS, strict=False)]
    handles += [
        Patch(facecolor=OTHERS, label="other parameters alone"),
        Patch(facecolor=BETWEEN, edgecolor=GREY, lw=0.5, label="interactions"),
    ]
    figure.supylabel("share of variance", fontsize=10.5)
    explain(figure, handles, columns=5, note="First-order indices, stacked; what is left to 1 is interaction (and chance).")
    return figure


@styled
def total_over_time(time: pd.DataFrame) -> Figure:
    """Return total-order indices of the adopting share by month with their intervals, a panel for each design; ``time`` as above."""
    figure, grid, names = _months(time, "ST", LINES, "What has a part in")
    colours = dict(zip(names, BAND_COLOURS, strict=False))
    for axes, here in grid:
        for name, colour in colours.items():
            line = here[here["parameter"] == name].sort_values("month")
            axes.fill_between(line["month"], line["ST_low"], line["ST_high"].clip(upper=1.2), color=colour, alpha=BAND, lw=0)
            axes.plot(line["month"], line["ST"], color=colour, lw=1.6)
    figure.supylabel("total-order index", fontsize=10.5)
    handles = [key(name, color=colour) for name, colour in colours.items()]
    explain(figure, handles, columns=5, note="Bands: 95 % intervals. Interactions count for each of their parties.")
    return figure


def _months(time: pd.DataFrame, index: str, count: int, asked: str) -> tuple[Figure, list[tuple[Axes, pd.DataFrame]], list[str]]:
    """Return a figure, its panels with their rows, and the names that lead over the whole course: parameters, or groups if none."""
    single = time[time["kind"] == ("parameter" if (time["kind"] == "parameter").any() else "group")]
    whole = single[single["month"] < 0].groupby("parameter")[index].max().sort_values(ascending=False, kind="stable")
    less = " and its differences" if (single["comparator"] != "").all() else ""
    title = f"{asked} the share of teachers who use the practice{less}, month by month"
    figure, grid = _panels(single, title, 2.4, base=1.4, most=len(single), sharex=True, sharey=True)
    for axes, _ in grid:
        axes.set_ylim(0, 1)
    for axes, _ in grid[-min(3, len(grid)) :]:
        axes.set_xlabel("month")
    return figure, [(axes, here[here["month"] >= 0]) for axes, here in grid], [str(name) for name in whole.index[:count]]
