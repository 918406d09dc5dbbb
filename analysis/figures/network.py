"""Schools on the map of a country before, during and after a programme: who uses the practice, who mentors whom."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from school_mentoring.analysis.outcomes import COMPARATOR, design_name, names_in
from school_mentoring.analysis.palette import SHARE
from school_mentoring.model.state import MENTOR

from .style import GREY, INK, axes_grid, explain, key, new_figure, styled

TIE, CONTACT = "#d55e00", "#444444"
MOST_ARROWS, MOST_SCHOOLS = 400, 1000
COLOURS = LinearSegmentedColormap.from_list("share", SHARE, N=257)


@styled
def network(
    schools: pd.DataFrame,
    peers: pd.DataFrame | None = None,
    contacts: pd.DataFrame | None = None,
    *,
    design: str | None = None,
    funding: tuple[int, int] | None = None,
    place: str = "",
) -> Figure:
    """Return one country's schools on its map, a panel per month, coloured by the share of teachers who use the practice.

    ``schools``: columns ``design, month, school, x_km, y_km, share, role, mentor`` (school: its number; mentor: its mentor's number or -1)
    of the schools of one country. ``peers``: columns ``source, target``: pairs of school numbers, each tie once. ``contacts``: columns
    ``design, month, school, partner``: those that outlast mentoring, by both schools. ``design``: the first that has mentoring ties, where
    none is named. ``funding``: first funded month and first without funding again, for the titles. ``place``:
    what the country is called. A mentor that is not in the table lives in another country; its mentee is ringed. Of
    more than 1,000 schools the peer ties are left out: choose a region instead.
    """
    design = design or _first_mentoring(schools)
    rows = schools[schools["design"] == design]
    if rows.empty:
        raise ValueError(f"no schools of the design {design!r}")
    months = sorted(int(month) for month in rows["month"].unique())
    where = f" in {place}" if place else ""
    wide, high = np.ptp(rows["x_km"]), np.ptp(rows["y_km"])
    shape = float(np.clip(high / wide if wide > 0 else 1.0, 0.4, 1.6))
    extra = 0.0 if contacts is None else 0.2  # a third line of titles
    title = f"Use of the practice and mentoring in the schools{where}: {design_name(design)}"
    figure = new_figure(title, 1.45 + extra + 8.4 / len(months) * shape)
    panels = axes_grid(figure, 1, len(months), len(months), sharex=True, sharey=True)
    abroad = False
    for axes, month in zip(panels, months, strict=True):
        here = rows[rows["month"] == month].set_index("school")
        marks, away = _map(axes, here, peers)
        abroad = abroad or away > 0
        said = f"mean school {100 * here['share'].mean():.0f} %, {int((here['mentor'] >= 0).sum()):,} mentees"
        if contacts is not None:
            said += f"\nlasting contacts: {_draw_contacts(axes, here, contacts, design, month):,}"
        axes.set_title(f"{_when(month, months, funding)}\n{said}", loc="left")
    _scale(panels[0], float(wide))
    figure.colorbar(marks, ax=panels, shrink=0.85, pad=0.01, label="share of teachers who use it, %")
    handles = _handles(abroad, peers is not None and len(rows) <= MOST_SCHOOLS * len(months), contacts is not None)
    explain(figure, handles, columns=len(handles))
    return figure


def _first_mentoring(schools: pd.DataFrame) -> str:
    with_ties = set(names_in(schools.loc[schools["mentor"] >= 0, "design"]))
    found = [d for d in names_in(schools["design"]) if d != COMPARATOR]
    return next((d for d in found if d in with_ties), (found or names_in(schools["design"]) or [""])[0])


def _map(axes: Axes, here: pd.DataFrame, peers: pd.DataFrame | None) -> tuple[PathCollection, int]:
    """Draw one month; return the marks of the schools and the number of mentees whose mentor lives elsewhere."""
    place = here[["x_km", "y_km"]]
    many = len(here) > MOST_SCHOOLS
    if peers is not None and not many:
        inside = peers[peers["source"].isin(here.index) & peers["target"].isin(here.index)]
        lines = np.stack([place.loc[inside["source"]].to_numpy(), place.loc[inside["target"]].to_numpy()], axis=1)
        axes.add_collection(LineCollection(list(lines), colors="#d8d8d8", linewidths=0.6, zorder=1))
    mentored = here[here["mentor"] >= 0]
    away = mentored[~mentored["mentor"].isin(here.index)]
    _draw_ties(axes, place, mentored.loc[mentored["mentor"].isin(here.index), "mentor"])
    axes.scatter(away["x_km"], away["y_km"], s=95, facecolors="none", edgecolors=TIE, linewidths=1.3, zorder=2.5)
    size = float(np.clip(5200 / max(len(here), 1), 3, 40))
    mentor = here["role"] == MENTOR
    look: dict[str, Any] = {"cmap": COLOURS, "vmin": 0, "vmax": 100, "edgecolors": INK, "rasterized": many, "zorder": 3}
    marks = [
        axes.scatter(rows["x_km"], rows["y_km"], c=100 * rows["share"], s=size * scale, marker=marker, linewidths=line * (not many), **look)
        for rows, marker, scale, line in ((here[~mentor], "o", 1.0, 0.4), (here[mentor], "^", 2.2, 0.9))
    ]
    axes.set_aspect("equal")
    axes.grid(visible=False)
    axes.margins(0.06)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color("#cccccc")
    return marks[0], len(away)


def _draw_ties(axes: Axes, place: pd.DataFrame, mentor: "pd.Series[int]") -> None:
    """Draw an arrow from each mentor to its mentee; plain lines where there are so many that heads would cover the map."""
    starts, ends = place.loc[mentor].to_numpy(), place.loc[mentor.index].to_numpy()
    if len(mentor) > MOST_ARROWS:
        axes.add_collection(LineCollection(list(np.stack([starts, ends], axis=1)), colors=TIE, linewidths=0.3, zorder=2, rasterized=True))
        return
    arrow = {"arrowstyle": "-|>", "color": TIE, "lw": 1.3, "shrinkA": 2, "shrinkB": 3, "mutation_scale": 8}
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        axes.annotate("", tuple(end), tuple(start), arrowprops=arrow, zorder=2)


def _draw_contacts(axes: Axes, here: pd.DataFrame, contacts: pd.DataFrame, design: str, month: int) -> int:
    """Draw a dashed line for each lasting contact within the map; return their number."""
    now = contacts[(contacts["design"] == design) & (contacts["month"] == month) & (contacts["school"] < contacts["partner"])]
    now = now[now["school"].isin(here.index) & now["partner"].isin(here.index)]
    place = here[["x_km", "y_km"]]
    lines = np.stack([place.loc[now["school"]].to_numpy(), place.loc[now["partner"]].to_numpy()], axis=1)
    axes.add_collection(LineCollection(list(lines), colors=CONTACT, linewidths=0.9, linestyles="--", zorder=1.5))
    return len(now)


def _when(month: int, months: Sequence[int], funding: tuple[int, int] | None) -> str:
    named = {} if funding is None else {funding[0]: "start of the programme", funding[1]: "end of funding"}
    if month in named:
        return f"{named[month]} (month {month})"
    return f"end (month {month})" if funding is not None and month == months[-1] else f"month {month}"


def _scale(axes: Axes, wide: float) -> None:
    """Draw a bar of round length, about a quarter of the map, below it."""
    if not wide > 0:
        return
    power = 10.0 ** np.floor(np.log10(wide / 4))
    length = max(step * power for step in (1, 2, 5) if step * power <= wide / 4)
    left = axes.get_xlim()[0]
    transform: Any = axes.get_xaxis_transform()
    axes.plot([left, left + length], [-0.03, -0.03], color=INK, lw=3, transform=transform, clip_on=False, solid_capstyle="butt")
    axes.text(left + length, -0.03, f"  {length:g} km", transform=transform, va="center", fontsize=9.5)


def _handles(abroad: bool, peers: bool, contacts: bool) -> list[Any]:
    handles = [
        key("school", ls="", marker="o", color=GREY, mec=INK, ms=6),
        key("mentor school", ls="", marker="^", color=GREY, mec=INK, ms=8),
        key("mentors", color=TIE, lw=1.3, marker=">", ms=5, markevery=[1]),
    ]
    if abroad:
        handles.append(key("mentored from another country", ls="", marker="o", ms=9, mfc="none", mec=TIE))
    if contacts:
        handles.append(key("lasting contact", color=CONTACT, lw=1, ls="--"))
    if peers:
        handles.append(key("peers", color="#d8d8d8", lw=1))
    return handles
