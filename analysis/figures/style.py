"""The one style of all figures: fonts, colours and marks of designs, where labels go, and how a figure is written.

Nothing here touches matplotlib's global state or its backend: figures are ``matplotlib.figure.Figure`` objects made inside ``styled``,
which applies the style while a figure is made.
"""

import io
import textwrap
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from itertools import pairwise
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from school_mentoring.analysis.palette import CATEGORY_COLOURS, FUNDED, GREY, INK, DesignStyle, design_styles

__all__ = ["CATEGORY_COLOURS", "FUNDED", "GREY", "INK", "DesignStyle", "design_styles"]  # of the palette, handed on

WIDTH, DPI = 10.0, 150  # inches; shown 1000 pixels wide, a point is 1.4 pixels
BAND = 0.2  # opacity of a band of quantiles

_RC: Mapping[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10.5,
    "axes.titlesize": 11,
    "axes.labelsize": 10.5,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "figure.titlesize": 12.5,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "lines.linewidth": 1.8,
    "svg.fonttype": "path",
    "svg.hashsalt": "school-mentoring",
    "path.simplify": True,
    "text.usetex": False,
}
Rectangle = tuple[float, float, float, float]  # left, bottom, right, top
_LOCK = threading.RLock()  # matplotlib's settings are shared by all threads, such as those of a web server

P = ParamSpec("P")


def styled(make: Callable[P, Figure]) -> Callable[P, Figure]:
    """Decorate a function that makes a figure, so that the style holds inside it and nowhere else."""

    @wraps(make)
    def inside(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with _style():
            return make(*args, **kwargs)

    return inside


@contextmanager
def _style() -> Iterator[None]:
    with _LOCK, mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)
        yield


def new_figure(title: str, height: float) -> Figure:
    """Return an empty figure, so many inches high, with its title above at the left."""
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(textwrap.fill(title, 95), x=0.01, ha="left", fontweight="bold")
    return figure


def explain(figure: Figure, handles: Sequence[Any], *, columns: int = 4, note: str = "") -> None:
    """Write below a figure how to read it: a note and the legend."""
    title = textwrap.fill(note, 145) or None
    figure.legend(handles=list(handles), loc="outside lower left", ncols=columns, title=title, title_fontsize=9, alignment="left")


def key(label: str, **look: Any) -> Line2D:
    """Return an entry of a legend that looks like a line or, with ``ls=""`` and a marker, like a mark."""
    return Line2D([], [], label=label, **look)


def axes_grid(figure: Any, rows: int, columns: int, count: int, **share: Any) -> list[Axes]:
    """Return ``count`` axes in a grid, row by row; places left over are taken away."""
    axes = figure.subplots(rows, columns, squeeze=False, **share).ravel().tolist()
    for left_over in axes[count:]:
        left_over.remove()
    return list(axes[:count])


def small_multiples(title: str, count: int, across: int, base: float, each: float, **share: Any) -> tuple[Figure, list[Axes]]:
    """Return a figure and its ``count`` axes, so many across, of rows ``each`` inches high and ``base`` inches for all else."""
    rows = max(1, -(-count // across))
    figure = new_figure(title, base + each * rows)
    return figure, axes_grid(figure, rows, across, count, **share)


def thousands(axis: Axis) -> None:
    """Write whole numbers on an axis, thousands apart."""
    axis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def label_edges(panels: Sequence[Axes], columns: int, x: str, y: str, **words: Any) -> None:
    """Label the axes of a grid: y at its left, x on every panel that has none below it, with its numbers."""
    for axes in panels[::columns]:
        axes.set_ylabel(y, **words)
    for axes in panels[-columns:]:
        axes.set_xlabel(x, **words)
        axes.tick_params(labelbottom=True)


def label_rows(axes: Axes, labels: Sequence[str]) -> None:
    """Give each row its label, the first at the top, and take away what only numbers need."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)


def money(largest: float) -> tuple[str, float]:
    """Return the unit in which amounts up to so many EUR are shown, and what to divide them by."""
    return ("EUR million", 1e6) if largest >= 1e6 else ("EUR thousand", 1e3)


def wrapped(label: str, width: int = 18) -> str:
    """Return a label in lines of at most so many characters."""
    return textwrap.fill(label, width, break_on_hyphens=False)


def span_months(axes: Axes, low: float, high: float) -> None:
    """Let an axis of months end at these; around a single month it leaves room for a mark."""
    axes.set_xlim((low, high) if low < high else (low - 0.5, high + 0.5))


def shade_funding(axes: Axes, funding: tuple[int, int]) -> None:
    """Shade the funded months: from the first to the first without funding again."""
    axes.axvspan(*funding, color=FUNDED, lw=0, zorder=0)


def place_labels(
    axes: Axes,
    points: Sequence[tuple[float, float]],
    labels: Sequence[str],
    colours: Sequence[str],
    *,
    lines: Sequence[Sequence[tuple[float, float]]] = (),
    size: float = 10,
) -> None:
    """Write labels beside points so that they cover neither each other, nor a point, nor ``lines``, as far as there is room.

    Each label in turn takes the place with the least overlap, the nearest one first, with a line to its point where that is far. Lays the
    figure out and fixes its layout, so call it when all else is drawn.
    """
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    canvas = FigureCanvasAgg(figure)
    edges = axes.get_window_extent()
    pixels = [tuple(axes.transData.transform(point)) for point in points]
    unit = figure.dpi / 72
    taken = [(x - 6 * unit, y - 6 * unit, x + 6 * unit, y + 6 * unit) for x, y in pixels]
    for start, stop in (pair for line in lines for pair in pairwise(axes.transData.transform(line))):
        for x, y in np.linspace(start, stop, max(2, int(np.hypot(*(stop - start)) / (4 * unit)))).tolist():
            taken.append((x - 2 * unit, y - 2 * unit, x + 2 * unit, y + 2 * unit))
    halo = [withStroke(linewidth=2.5, foreground="white")]
    for (x, y), point, label, colour in zip(pixels, points, labels, colours, strict=True):
        text = axes.annotate(
            label, point, (0, 0), textcoords="offset points", color=colour, fontsize=size, fontweight="bold", va="center", path_effects=halo
        )
        extent = text.get_window_extent(canvas.get_renderer())
        width, height = extent.width, extent.height
        best: tuple[float, float, float, Rectangle] | None = None
        for far in (1.0, 1.8, 3.0, 4.5, 6.0):
            for dx, dy in ((1, 0), (1, 0.7), (1, -0.7), (-1, 0), (-1, 0.7), (-1, -0.7), (0, 1), (0, -1)):
                left = x + dx * 9 * unit * far - (width if dx < 0 else width / 2 if dx == 0 else 0)
                bottom = y + dy * (9 * unit * far + height / 2 * abs(dy)) - height / 2
                box = (left, bottom, left + width, bottom + height)
                outside = _overlap(box, box) - _overlap(box, (edges.x0, edges.y0, edges.x1, edges.y1))
                cost = sum(_overlap(box, other) for other in taken) + 3 * outside + far * 5 * unit
                if best is None or cost < best[0]:
                    best = (cost, left, far, box)
        assert best is not None
        _, left, far, box = best
        text.set_position(((left - x) / unit, ((box[1] + box[3]) / 2 - y) / unit))
        if far > 2:
            end = min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3])
            axes.plot(*zip(point, axes.transData.inverted().transform(end), strict=True), color=colour, lw=0.7, zorder=2)
        taken.append(box)


def save_bytes(figure: Figure, kind: str) -> bytes:
    """Return a figure as ``png`` or ``svg``: the same bytes whenever it is made (no dates, fixed ids, no versions)."""
    buffer = io.BytesIO()
    with _style():
        figure.savefig(buffer, format=kind, dpi=DPI, metadata={"Software": None} if kind == "png" else {"Date": None, "Creator": None})
    return buffer.getvalue()


def save(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write ``name.png`` (150 dots per inch) and ``name.svg`` into a folder, each as a whole or not at all; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f"{name}.png", folder / f"{name}.svg"
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # laid out once for both
    for path in paths:
        draft = folder / f".{path.name}.draft"
        try:
            draft.write_bytes(save_bytes(figure, path.suffix[1:]))
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    return paths


def _overlap(a: Rectangle, b: Rectangle) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
