"""The page's charts: functions of a table that return a Vega-Lite description, in the colours and names of the printed figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from school_mentoring.analysis.curves import HULL, costing, increments, outline
from school_mentoring.analysis.economics.frontier import FRONTIER
from school_mentoring.analysis.outcomes import CATEGORY_NAMES, COMPARATOR, design_name, names_in
from school_mentoring.analysis.palette import CATEGORY_COLOURS, FUNDED, GREY, INK, SHARE, design_styles
from school_mentoring.model.state import MENTOR

from .texts import text

Chart = dict[str, Any]
TIE = "#d55e00"
DASHED = {"type": "rule", "color": INK, "strokeDash": [5, 3], "strokeWidth": 1.5}
WIDE = {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}}


def _chart(height: int, layer: Sequence[Chart], **more: Any) -> Chart:
    return {**WIDE, "height": height, "layer": list(layer), **more}


def _layer(mark: Chart, *, over: Chart | None = None, **encoding: Any) -> Chart:
    """Return marks and how they are encoded; ``over``: what else holds of them, such as data of their own."""
    return {**(over or {}), "mark": mark, "encoding": encoding}


def _data(name: str, values: Sequence[Any]) -> Chart:
    return {"data": {"name": name, "values": list(values)}}


def _numbers(field: str | None = None, **more: Any) -> Chart:
    """Return what encodes a column of numbers; without one, what several share."""
    return {**({} if field is None else {"field": field}), "type": "quantitative", **more}


def _words(field: str, domain: Sequence[str], colours: Sequence[str] | None = None, **more: Any) -> Chart:
    """Return what encodes a column of words, in the order of ``domain``."""
    scale = {"domain": list(domain), **({} if colours is None else {"range": list(colours)})}
    return {"field": field, "type": "nominal", "scale": scale, **more}


def _colour(designs: Sequence[str], legend: bool = True) -> Chart:
    styles = design_styles([COMPARATOR, *(name for name in designs if name != COMPARATOR)])
    shown = {"title": None, "orient": "bottom", "columns": 3, "symbolType": "stroke", "symbolStrokeWidth": 3, "symbolOpacity": 1}
    labels, colours = zip(*((styles[name].label, styles[name].colour) for name in designs), strict=True)
    return _words("design", labels, colours, legend=shown if legend else None)


def adoption_chart(curves: Mapping[str, pd.DataFrame], windows: Mapping[str, tuple[int, int]], months: int) -> Chart:
    """Return adoption over months: a line and a band of runs per design, funded months shaded."""
    rows = [
        {"design": design_name(name), "month": int(month), "mean": row["mean"], "low": row["q05"], "high": row["q95"]}
        for name, curve in curves.items()
        for month, row in zip(curve.index, curve.to_dict("records"), strict=True)
    ]
    distinct = sorted({(first, min(last, months - 1)) for first, last in windows.values() if first < min(last, months - 1)})
    funded = [{"first": first, "last": last} for first, last in distinct]
    scale = {"domain": [0, months - 1], "nice": False}
    x = _numbers("month", title=text("charts.month"), axis={"tickMinStep": 1}, scale=scale)
    y = _numbers(title=text("charts.adoption_y"))
    colour = _colour(list(curves))
    pick = {"params": [{"name": "pick", "select": {"type": "point", "fields": ["design"]}, "bind": "legend"}]}
    band, line = ({"condition": {"param": "pick", "value": shown}, "value": dim} for shown, dim in ((0.15, 0.02), (1, 0.12)))
    shade = {"type": "rect", "color": FUNDED, "opacity": 0.9 if len(funded) == 1 else 0.5}
    tips = _tips("design", "month", "mean", "low", "high")
    layers = [
        _layer(shade, over=_data("funded", funded), x=_numbers("first"), x2={"field": "last"}),
        _layer({"type": "area", "opacity": 0.15}, x=x, y={**y, "field": "low"}, y2={"field": "high"}, color=colour, opacity=band),
        _layer({"type": "line", "strokeWidth": 2.5}, over=pick, x=x, y={**y, "field": "mean"}, color=colour, opacity=line, tooltip=tips),
    ]
    return _chart(330, layers, **_data("curves", rows))


def _tips(*fields: str) -> list[Chart]:
    words = ("design", "category", "school_id", "kind", "time")
    number = {"type": "quantitative", "format": ",.4~g"}
    kinds = {**dict.fromkeys(fields, number), **{word: {"type": "nominal"} for word in words}, "month": {"type": "quantitative"}}
    return [{"field": field, **kinds[field]} for field in fields]


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
    x = _numbers("effect", title=text("charts.cost_effect_x"), axis={"format": ",.0f"})
    y = _numbers("cost", title=text("charts.cost_effect_y"), axis={"format": "~s"})
    colour, order = _colour(names, legend=False), {"field": "order"}
    closed = {"type": "line", "strokeWidth": 1.2, "opacity": 0.75, "interpolate": "linear-closed"}
    outlines = _data("outlines", [] if uncertain is None else _outlines(uncertain))
    point = {"type": "point", "filled": True, "size": 110, "opacity": 1, "stroke": "white"}
    layers = [
        _layer(closed, over=outlines, x=x, y=y, color=colour, order=order, detail={"field": "design"}),
        _layer({"type": "line", "color": INK, "strokeWidth": 1.5}, over=_data("frontier", frontier), x=x, y=y, order=order),
        _layer(point, x=x, y=y, color=colour, tooltip=_tips("design", "effect", "cost")),
        *_labels(x, y, colour),
    ]
    return _chart(360, layers, **_data("points", points))


def _labels(x: Chart, y: Chart, colour: Chart) -> list[Chart]:
    """Return the names beside the points, each on a halo; the comparator stands where nothing is added."""
    others = {"transform": [{"filter": f"datum.design !== '{design_name(COMPARATOR)}'"}]}
    mark = {"type": "text", "align": "left", "dx": 10, "dy": -2, "fontWeight": "bold", "fontSize": 12}
    halo = {**mark, "stroke": "white", "strokeWidth": 4}
    words = {"field": "design"}
    return [_layer(one, over=others, x=x, y=y, text=words, color=shade) for one, shade in ((halo, {"value": "white"}), (mark, colour))]


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


def cost_chart(totals: "pd.Series[float]", designs: Sequence[str], payer: str, budget: float | None, ends: tuple[float, float]) -> Chart:
    """Return a stacked bar per design of what a payer pays, EUR by category, what it receives to the left of 0.

    ``budget`` is drawn where the programme pays; ``ends``: of the axis.
    """
    categories = costing(totals)
    rows = [
        {"design": design_name(design), "category": CATEGORY_NAMES[name], "cost": float(totals[design, name, payer]), "order": k}
        for design in designs
        for k, name in enumerate(categories)
    ]
    names = [design_name(name) for name in designs]
    scale = {"domain": [ends[0], ends[1] or 1], "nice": False}
    x = _numbers("cost", aggregate="sum", title=text("charts.costs_x"), axis={"format": "~s", "tickCount": 5}, scale=scale)
    colour = _words("category", [CATEGORY_NAMES[name] for name in categories], [CATEGORY_COLOURS[name] for name in categories], legend=None)
    bar = {"type": "bar", "stroke": "white", "strokeWidth": 0.5}
    limit = [{"budget": budget}] if budget is not None and payer == "programme" else []
    layers = [
        _layer(bar, x=x, y=_designs(names), color=colour, order={"field": "order"}, tooltip=_tips("design", "category", "cost")),
        _layer({**DASHED, "clip": True}, over=_data("budget", limit), x=_numbers("budget")),
    ]
    return _chart(28 * len(names) + 10, layers, **_data(f"costs_{payer}", rows))


def _designs(names: Sequence[str]) -> Chart:
    return _words("design", names, sort=list(names), title=None, axis={"labelLimit": 130, "ticks": False, "domain": False})


def gap_chart(rows: Sequence[Mapping[str, Any]], designs: Sequence[str], name: str) -> Chart:
    """Return the gap of a type of schools by design: a mark and a bar of runs at the end of funding and at the end."""
    names = [design_name(design) for design in designs]
    times = [text("charts.end_of_funding"), text("charts.end")]
    y = {**_designs(names), "scale": {"domain": names, "paddingInner": 0.2}}
    x = _numbers(title=text("charts.gap_x"))
    legend = {"title": None, "orient": "bottom", "symbolFillColor": GREY}
    where = {"y": y, "yOffset": _words("time", times, sort=times), "color": _colour(designs, legend=False)}
    shape, tips = _words("time", times, ["circle", "square"], legend=legend), _tips("design", "time", "mean", "low", "high")
    point = {"type": "point", "filled": True, "size": 70, "opacity": 1}
    layers = [
        _layer({"type": "rule", "color": INK}, over=_data("zero", [{"at": 0}]), x=_numbers("at")),
        _layer({"type": "rule", "strokeWidth": 2.5}, x={**x, "field": "low"}, x2={"field": "high"}, **where),
        _layer(point, x={**x, "field": "mean"}, **where, shape=shape, tooltip=tips),
    ]
    return _chart(34 * len(names) + 10, layers, **_data(f"gap_{name}", rows))


def probability_chart(table: pd.DataFrame, designs: Sequence[str], k: float) -> Chart:
    """Return the probability of the highest net benefit against the willingness to pay (see ``acceptability.acceptability``)."""
    rows = [
        {"design": design_name(str(row["design"])), "k": row["willingness_to_pay"], "probability": row["probability_best"]}
        for row in table[["design", "willingness_to_pay", "probability_best"]].to_dict("records")
    ]
    x = _numbers("k", title=text("charts.probability_x"), axis={"format": ",.0f", "tickCount": 6}, scale={"nice": False})
    y = _numbers("probability", title=text("charts.probability_y"), axis={"format": ".0%"}, scale={"domain": [0, 1]})
    layers = [
        _layer({"type": "line", "strokeWidth": 2.5}, x=x, y=y, color=_colour(designs), tooltip=_tips("design", "k", "probability")),
        _layer(DASHED, over=_data("chosen", [{"at": k}]), x=_numbers("at")),
    ]
    return _chart(300, layers, **_data("probability", rows))


def map_chart(schools: pd.DataFrame, contacts: pd.DataFrame) -> Chart:
    """Return the schools of one country (of a ``Snapshot``, one design), a picture per month that the signal ``month`` chooses.

    ``contacts``: those that outlast mentoring, of the months in which they are recorded.
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
    words = [text("charts.ties"), text("charts.contacts")]
    inside = schools[(schools["mentor"] >= 0) & ~away].rename(columns={"mentor": "other"})
    lasting = contacts[contacts["school"] < contacts["partner"]].rename(columns={"partner": "other"})  # each once
    pairs = pd.concat([table[["month", "school", "other"]].assign(line=word) for word, table in zip(words, (inside, lasting), strict=True)])
    for side, two in (("school", ""), ("other", "2")):
        pairs[[f"x{two}", f"y{two}"]] = place.loc[pairs[side], ["x_km", "y_km"]].to_numpy()
    lines = pairs.drop(columns=["school", "other"]).to_dict("records")
    # Both axes span as much, so that the square map is true to distances.
    low, high = place[["x_km", "y_km"]].min(), place[["x_km", "y_km"]].max()
    half = 0.54 * max(float((high - low).max()), 1.0)
    x, y = (
        _numbers(
            name,
            title=title,
            scale={"domain": [float(low[f"{name}_km"] + high[f"{name}_km"]) / 2 + side * half for side in (-1, 1)], "nice": False},
            axis={"grid": False, "tickCount": 5},
        )
        for name, title in (("x", text("charts.x_km")), ("y", text("charts.y_km")))
    )
    scale = {"range": list(SHARE), "domain": [0, 100], "interpolate": "rgb"}
    colour = _numbers("share", title=text("charts.share"), scale=scale, legend={"orient": "bottom", "gradientLength": 160})
    shape = _words("kind", kinds, ["circle", "triangle-up"], legend={"title": None, "orient": "bottom"})
    size = {"condition": {"test": f"datum.kind == '{kinds[1]}'", "value": 150}, "value": 70}
    now = {"filter": "datum.month == month"}
    dash = {"field": "line", "type": "nominal", "scale": {"domain": words, "range": [[1, 0], [5, 3]]}}
    dash["legend"] = {"title": None, "orient": "top", "symbolType": "stroke", "symbolSize": 400}
    kind = {"condition": {"test": f"datum.line == '{words[0]}'", "value": TIE}, "value": INK}
    rule, drawn = {"type": "rule", "strokeWidth": 1.6}, {**_data("lines", lines), "transform": [now]}
    mark = {"type": "point", "filled": True, "opacity": 1, "stroke": INK, "strokeWidth": 0.6}
    tips = _tips("school_id", "share", "kind")
    layers = [
        _layer(rule, over=drawn, x=x, y=y, x2={"field": "x2"}, y2={"field": "y2"}, stroke=kind, strokeDash=dash),
        _layer({"type": "point", "size": 260, "color": TIE}, over={"transform": [now, {"filter": "datum.away == 1"}]}, x=x, y=y),
        _layer(mark, over={"transform": [now]}, x=x, y=y, color=colour, shape=shape, size=size, tooltip=tips),
    ]
    values = _data("schools", pd.DataFrame(columns).to_dict("records"))
    return _chart(430, layers, params=[{"name": "month", "value": 0}], **values)
