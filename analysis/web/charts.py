"""The page's charts: functions of a table that return a Vega-Lite description, in the colours and names of the printed figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from school_mentoring.analysis.curves import HULL, increments, outline
from school_mentoring.analysis.economics.frontier import FRONTIER
from school_mentoring.analysis.outcomes import COMPARATOR, category_name, design_name, names_in, payer_name
from school_mentoring.analysis.palette import CATEGORY_COLOURS, FUNDED, GREY, INK, SHARE, design_styles
from school_mentoring.model.costs import CATEGORIES
from school_mentoring.model.state import MENTOR

from .texts import text

Chart = dict[str, Any]
TIE = "#d55e00"
WIDE = {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}}


def _chart(height: int, layer: Sequence[Chart], **more: Any) -> Chart:
    return {**WIDE, "height": height, "layer": list(layer), **more}


def _colour(designs: Sequence[str], legend: bool = True) -> Chart:
    styles = design_styles([COMPARATOR, *(name for name in designs if name != COMPARATOR)])
    scale = {"domain": [styles[name].label for name in designs], "range": [styles[name].colour for name in designs]}
    shown = (
        {"title": None, "orient": "bottom", "columns": 3, "symbolType": "stroke", "symbolStrokeWidth": 3, "symbolOpacity": 1}
        if legend
        else None
    )
    return {"field": "design", "type": "nominal", "scale": scale, "legend": shown}


def adoption_chart(curves: Mapping[str, pd.DataFrame], windows: Mapping[str, tuple[int, int]], months: int) -> Chart:
    """Return adoption over months: a line and a band of runs per design, funded months shaded."""
    rows = [
        {"design": design_name(name), "month": int(month), "mean": row["mean"], "low": row["q05"], "high": row["q95"]}
        for name, curve in curves.items()
        for month, row in zip(curve.index, curve.to_dict("records"), strict=True)
    ]
    distinct = sorted({(first, min(last, months - 1)) for first, last in windows.values() if first < min(last, months - 1)})
    funded = [{"first": first, "last": last} for first, last in distinct]
    x = {
        "field": "month",
        "type": "quantitative",
        "title": text("charts.month"),
        "axis": {"tickMinStep": 1},
        "scale": {"domain": [0, months - 1], "nice": False},
    }
    y = {"type": "quantitative", "title": text("charts.adoption_y")}
    colour = _colour(list(curves))
    pick = {"name": "pick", "select": {"type": "point", "fields": ["design"]}, "bind": "legend"}
    dim = {"condition": {"param": "pick", "value": 1}, "value": 0.12}
    layers: list[Chart] = [
        {
            "data": {"name": "funded", "values": funded},
            "mark": {"type": "rect", "color": FUNDED, "opacity": 0.9 if len(funded) == 1 else 0.5},
            "encoding": {"x": {"field": "first", "type": "quantitative"}, "x2": {"field": "last"}},
        },
        {
            "mark": {"type": "area", "opacity": 0.15},
            "encoding": {
                "x": x,
                "y": {**y, "field": "low"},
                "y2": {"field": "high"},
                "color": colour,
                "opacity": {"condition": {"param": "pick", "value": 0.15}, "value": 0.02},
            },
        },
        {
            "params": [pick],
            "mark": {"type": "line", "strokeWidth": 2.5},
            "encoding": {
                "x": x,
                "y": {**y, "field": "mean"},
                "color": colour,
                "opacity": dim,
                "tooltip": _tips("design", "month", "mean", "low", "high"),
            },
        },
    ]
    return _chart(330, layers, data={"name": "curves", "values": rows})


def _tips(*fields: str) -> list[Chart]:
    return [
        {
            "field": field,
            "type": "nominal" if field in ("design", "category", "school_id", "kind", "time") else "quantitative",
            **({} if field in ("design", "month", "category", "school_id", "kind", "time") else {"format": ",.4~g"}),
        }
        for field in fields
    ]


def cost_effect_chart(effects: pd.DataFrame, uncertain: pd.DataFrame | None) -> Chart:
    """Return added cost against added effect: means of ``effects`` (see ``summary.cost_effectiveness``), the frontier, outlines of sets."""
    names = [str(name) for name in effects["design"]]
    points = [
        {"design": design_name(str(row["design"])), "effect": row["incremental_effect"], "cost": row["incremental_cost"]}
        for row in effects.to_dict("records")
    ]
    line = effects[effects["status"] == FRONTIER].sort_values(["cost", "effect"])
    frontier = [
        {"effect": row["incremental_effect"], "cost": row["incremental_cost"], "order": k} for k, row in enumerate(line.to_dict("records"))
    ]
    x = {"field": "effect", "type": "quantitative", "title": text("charts.cost_effect_x"), "axis": {"format": ",.0f"}}
    y = {"field": "cost", "type": "quantitative", "title": text("charts.cost_effect_y"), "axis": {"format": "~s"}}
    colour = _colour(names, legend=False)
    layers: list[Chart] = [
        {
            "data": {"name": "outlines", "values": [] if uncertain is None else _outlines(uncertain)},
            "mark": {"type": "line", "strokeWidth": 1.2, "opacity": 0.75, "interpolate": "linear-closed"},
            "encoding": {"x": x, "y": y, "color": colour, "order": {"field": "order"}, "detail": {"field": "design"}},
        },
        {
            "data": {"name": "frontier", "values": frontier},
            "mark": {"type": "line", "color": INK, "strokeWidth": 1.5},
            "encoding": {"x": x, "y": y, "order": {"field": "order"}},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1, "stroke": "white"},
            "encoding": {"x": x, "y": y, "color": colour, "tooltip": _tips("design", "effect", "cost")},
        },
        *_labels(x, y, colour),
    ]
    return _chart(360, layers, data={"name": "points", "values": points})


def _labels(x: Chart, y: Chart, colour: Chart) -> list[Chart]:
    """Return the names beside the points, each on a halo; the comparator stands where nothing is added."""
    layers = []
    for halo, shade in (({"stroke": "white", "strokeWidth": 4}, {"value": "white"}), ({}, colour)):
        mark: Chart = {"type": "text", "align": "left", "dx": 10, "dy": -2, "fontWeight": "bold", "fontSize": 12, **halo}
        encoding = {"x": x, "y": y, "text": {"field": "design"}, "color": shade}
        others = [{"filter": f"datum.design !== '{design_name(COMPARATOR)}'"}]
        layers.append({"transform": others, "mark": mark, "encoding": encoding})
    return layers


def _outlines(uncertain: pd.DataFrame) -> list[Chart]:
    """Return the corners of each design's outline, the first again at the end."""
    assert HULL < 1
    table = increments(uncertain)
    rows = []
    for name in names_in(uncertain["design"]):
        corners = outline(table.loc[table["design"] == name, ["effect", "cost"]].to_numpy())
        if corners is not None and name != COMPARATOR:
            rows += [{"design": design_name(name), "effect": e, "cost": c, "order": k} for k, (e, c) in enumerate(corners.tolist())]
    return rows


def cost_chart(totals: "pd.Series[float]", designs: Sequence[str], payer: str, budget: float | None, largest: float) -> Chart:
    """Return a stacked bar per design of what a payer pays, EUR by category; ``budget`` is drawn where the programme pays."""
    present = [name for name in CATEGORIES if totals.xs(name, level="category").sum() > 0]
    rows = [
        {"design": design_name(design), "category": category_name(name), "cost": float(totals[design, name, payer]), "order": k}
        for design in designs
        for k, name in enumerate(present)
    ]
    names = [design_name(name) for name in designs]
    scale = {"domain": [category_name(name) for name in present], "range": [CATEGORY_COLOURS[name] for name in present]}
    x = {
        "field": "cost",
        "type": "quantitative",
        "aggregate": "sum",
        "title": text("charts.costs_x"),
        "axis": {"format": "~s", "tickCount": 5},
        "scale": {"domain": [0, largest or 1], "nice": False},
    }
    layers: list[Chart] = [
        {
            "mark": {"type": "bar", "stroke": "white", "strokeWidth": 0.5},
            "encoding": {
                "x": x,
                "y": _designs_axis(names),
                "color": {"field": "category", "type": "nominal", "scale": scale, "legend": None},
                "order": {"field": "order"},
                "tooltip": _tips("design", "category", "cost"),
            },
        }
    ]
    limit = [{"budget": budget}] if budget is not None and payer == "programme" else []
    layers.append(
        {
            "data": {"name": "budget", "values": limit},
            "mark": {"type": "rule", "color": INK, "strokeDash": [5, 3], "strokeWidth": 1.5, "clip": True},
            "encoding": {"x": {"field": "budget", "type": "quantitative"}},
        }
    )
    return _chart(28 * len(names) + 10, layers, data={"name": f"costs_{payer}", "values": rows})


def _designs_axis(names: Sequence[str]) -> Chart:
    return {
        "field": "design",
        "type": "nominal",
        "sort": list(names),
        "title": None,
        "scale": {"domain": list(names)},
        "axis": {"labelLimit": 130, "ticks": False, "domain": False},
    }


def gap_chart(rows: Sequence[Mapping[str, Any]], designs: Sequence[str], name: str) -> Chart:
    """Return the gap of a type of schools by design: a mark and a bar of runs at the end of funding and at the end."""
    names = [design_name(design) for design in designs]
    times = [text("charts.end_of_funding"), text("charts.end")]
    y = {**_designs_axis(names), "scale": {"domain": names, "paddingInner": 0.2}}
    offset = {"field": "time", "type": "nominal", "sort": times, "scale": {"domain": times}}
    x = {"type": "quantitative", "title": text("charts.gap_x")}
    colour = _colour(designs, legend=False)
    shape = {
        "field": "time",
        "type": "nominal",
        "scale": {"domain": times, "range": ["circle", "square"]},
        "legend": {"title": None, "orient": "bottom", "symbolFillColor": GREY},
    }
    layers: list[Chart] = [
        {
            "data": {"name": "zero", "values": [{"at": 0}]},
            "mark": {"type": "rule", "color": INK},
            "encoding": {"x": {"field": "at", "type": "quantitative"}},
        },
        {
            "mark": {"type": "rule", "strokeWidth": 2.5},
            "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y, "yOffset": offset, "color": colour},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
            "encoding": {
                "x": {**x, "field": "mean"},
                "y": y,
                "yOffset": offset,
                "color": colour,
                "shape": shape,
                "tooltip": _tips("design", "time", "mean", "low", "high"),
            },
        },
    ]
    return _chart(34 * len(names) + 10, layers, data={"name": f"gap_{name}", "values": list(rows)})


def probability_chart(table: pd.DataFrame, designs: Sequence[str], k: float) -> Chart:
    """Return the probability of the highest net benefit against the willingness to pay (see ``cost_effectiveness.acceptability``)."""
    rows = [
        {"design": design_name(str(row["design"])), "k": row["willingness_to_pay"], "probability": row["probability_best"]}
        for row in table[["design", "willingness_to_pay", "probability_best"]].to_dict("records")
    ]
    x = {
        "field": "k",
        "type": "quantitative",
        "title": text("charts.probability_x"),
        "axis": {"format": ",.0f", "tickCount": 6},
        "scale": {"nice": False},
    }
    y = {
        "field": "probability",
        "type": "quantitative",
        "title": text("charts.probability_y"),
        "axis": {"format": ".0%"},
        "scale": {"domain": [0, 1]},
    }
    layers: list[Chart] = [
        {
            "mark": {"type": "line", "strokeWidth": 2.5},
            "encoding": {"x": x, "y": y, "color": _colour(designs), "tooltip": _tips("design", "k", "probability")},
        },
        {
            "data": {"name": "chosen", "values": [{"at": k}]},
            "mark": {"type": "rule", "color": INK, "strokeDash": [5, 3], "strokeWidth": 1.5},
            "encoding": {"x": {"field": "at", "type": "quantitative"}},
        },
    ]
    return _chart(300, layers, data={"name": "probability", "values": rows})


def map_chart(schools: pd.DataFrame) -> Chart:
    """Return the schools of one country, a picture per month that the signal ``month`` chooses.

    ``schools``: as ``experiments.compare.Snapshot`` has them, of one design.
    """
    place = schools.drop_duplicates("school").set_index("school")[["x_km", "y_km", "school_id"]]
    kinds = [text("charts.schools"), text("charts.mentors")]
    away = (schools["mentor"] >= 0) & ~schools["mentor"].isin(place.index)
    columns = {
        "month": schools["month"],
        "school_id": schools["school_id"],
        "x": schools["x_km"],
        "y": schools["y_km"],
        "share": (100 * schools["share"]).round(2),
        "kind": np.where(schools["role"] == MENTOR, kinds[1], kinds[0]),
        "away": away.astype(int),
    }
    inside = schools[(schools["mentor"] >= 0) & ~away]
    ends = place.loc[inside["mentor"]]
    ties = {
        "month": inside["month"],
        "x": inside["x_km"],
        "y": inside["y_km"],
        "x2": ends["x_km"].to_numpy(),
        "y2": ends["y_km"].to_numpy(),
    }
    # Both axes span as much, so that the square map is true to distances.
    low, high = place[["x_km", "y_km"]].min(), place[["x_km", "y_km"]].max()
    half = 0.54 * max(float((high - low).max()), 1.0)
    domain = {axis: [float(low[axis] + high[axis]) / 2 + side * half for side in (-1, 1)] for axis in ("x_km", "y_km")}
    now = [{"filter": "datum.month == month"}]
    axis = {"grid": False, "tickCount": 5}
    x, y = (
        {
            "field": name,
            "type": "quantitative",
            "title": title,
            "scale": {"domain": domain[f"{name}_km"], "nice": False},
            "axis": axis,
        }
        for name, title in (("x", text("charts.x_km")), ("y", text("charts.y_km")))
    )
    colour = {
        "field": "share",
        "type": "quantitative",
        "title": text("charts.share"),
        "scale": {"range": list(SHARE), "domain": [0, 100], "interpolate": "rgb"},
        "legend": {"orient": "bottom", "gradientLength": 160},
    }
    shape = {
        "field": "kind",
        "type": "nominal",
        "scale": {"domain": kinds, "range": ["circle", "triangle-up"]},
        "legend": {"title": None, "orient": "bottom"},
    }
    size = {"condition": {"test": f"datum.kind == '{kinds[1]}'", "value": 150}, "value": 70}
    layers: list[Chart] = [
        {
            "data": {"name": "ties", "values": pd.DataFrame(ties).to_dict("records")},
            "transform": now,
            "mark": {"type": "rule", "color": TIE, "strokeWidth": 1.6},
            "encoding": {"x": x, "y": y, "x2": {"field": "x2"}, "y2": {"field": "y2"}},
        },
        {
            "transform": [*now, {"filter": "datum.away == 1"}],
            "mark": {"type": "point", "size": 260, "color": TIE},
            "encoding": {"x": x, "y": y},
        },
        {
            "transform": now,
            "mark": {"type": "point", "filled": True, "opacity": 1, "stroke": INK, "strokeWidth": 0.6},
            "encoding": {"x": x, "y": y, "color": colour, "shape": shape, "size": size, "tooltip": _tips("school_id", "share", "kind")},
        },
    ]
    return _chart(
        430, layers, params=[{"name": "month", "value": 0}], data={"name": "schools", "values": pd.DataFrame(columns).to_dict("records")}
    )


def cost_legend(totals: "pd.Series[float]") -> list[dict[str, str]]:
    """Return name and colour of the categories that cost anything."""
    present = [name for name in CATEGORIES if totals.xs(name, level="category").sum() > 0]
    return [{"label": category_name(name), "colour": CATEGORY_COLOURS[name]} for name in present]


def payer_title(payer: str) -> str:
    """Return the heading of a chart of costs."""
    return text("charts.costs", payer=payer_name(payer))
