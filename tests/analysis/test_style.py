from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex, to_rgb

from school_mentoring.analysis.figures.network import COLOURS
from school_mentoring.analysis.figures.style import CATEGORY_COLOURS, design_styles, new_figure, place_labels, save, save_bytes, styled
from school_mentoring.analysis.palette import SHARE
from school_mentoring.analysis.web.charts import map_chart
from school_mentoring.model.costs import CATEGORIES
from school_mentoring.model.designs import PRESETS
from tests.commands.program import python


@styled
def example():
    figure = new_figure("A title", 4)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1])
    axes.set_xlabel("month")
    return figure


def test_every_preset_keeps_its_colour_whatever_stands_beside_it() -> None:
    alone = {name: design_styles([name])[name] for name in PRESETS}
    assert design_styles(["mine", *PRESETS])["virtual"] == alone["virtual"]
    assert len({style.colour for style in alone.values()}) == len(PRESETS)
    assert len({style.marker for style in alone.values()}) == len(PRESETS)


def test_twelve_designs_of_users_are_told_apart() -> None:
    styles = design_styles([*PRESETS, *(f"design_{k}" for k in range(12))])
    assert len({(style.colour, style.marker) for style in styles.values()}) == len(styles)


def test_colours_of_designs_and_of_costs_differ_in_lightness_or_hue_for_the_colour_blind() -> None:
    # Hue alone may be lost; in the simulation of no red cones (Vienot et al. 1999, linear in RGB) all pairs still differ.
    for colours in ([style.colour for style in design_styles(list(PRESETS)).values()], CATEGORY_COLOURS.values()):
        seen = []
        for colour in colours:
            r, g, b = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
            yellow, blue = 0.112 * r + 0.888 * g, b
            seen.append((yellow, blue))
        nearest = min(abs(a[0] - b[0]) + abs(a[1] - b[1]) for k, a in enumerate(seen) for b in seen[:k])
        assert nearest > 0.15  # of 2; black and white are 2 apart, a grey at 0.5 and one at 0.42 are 0.15 apart


def test_every_category_of_costs_has_its_own_colour() -> None:
    assert tuple(CATEGORY_COLOURS) == CATEGORIES
    assert len(set(CATEGORY_COLOURS.values())) == len(CATEGORIES)


def test_a_figure_has_the_same_bytes_whenever_it_is_made() -> None:
    for kind in ("png", "svg"):
        assert save_bytes(example(), kind) == save_bytes(example(), kind)


def test_bytes_hold_no_date_and_no_version() -> None:
    svg = save_bytes(example(), "svg").decode()
    assert "dc:date" not in svg
    assert mpl.__version__ not in svg
    assert b"Software" not in save_bytes(example(), "png")


def test_a_users_settings_of_matplotlib_change_nothing_and_stay() -> None:
    plain = save_bytes(example(), "svg")
    with mpl.rc_context({"font.size": 30, "axes.grid": False}):
        assert save_bytes(example(), "svg") == plain
        assert mpl.rcParams["font.size"] == 30


def test_importing_figures_touches_neither_pyplot_nor_the_backend() -> None:
    backend = "type(dict.get(matplotlib.rcParams, 'backend'))"
    code = f"import sys, school_mentoring.analysis.figures, matplotlib; print('matplotlib.pyplot' in sys.modules, {backend})"
    assert python(code) == python(f"import matplotlib; print(False, {backend})")


def test_saving_writes_both_files_whole_and_nothing_else(tmp_path) -> None:
    paths = save(example(), tmp_path / "figures", "example")
    assert sorted(tmp_path.rglob("*.*")) == sorted(paths)
    assert paths[0].read_bytes().startswith(b"\x89PNG")
    assert paths[1].read_text().rstrip().endswith("</svg>")


def test_a_save_that_fails_leaves_what_was_there(tmp_path, monkeypatch) -> None:
    save(example(), tmp_path, "example")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        save(example(), tmp_path, "example")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_labels_of_near_points_do_not_overlap() -> None:
    figure = new_figure("Labels", 4)
    axes = figure.subplots()
    points = [(0.5, 0.5), (0.51, 0.5), (0.5, 0.52), (0.52, 0.51)]
    axes.set(xlim=(0, 1), ylim=(0, 1))
    place_labels(axes, points, ["first design", "second design", "third design", "fourth design"], ["black"] * 4)
    boxes = [text.get_window_extent() for text in axes.texts]
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


def test_shares_have_one_colour_scale_in_one_direction_on_paper_and_page():
    printed = [to_hex(COLOURS(share)) for share in np.linspace(0, 1, len(SHARE))]
    assert printed == list(SHARE)
    light = [np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)) for colour in SHARE]
    assert light == sorted(light, reverse=True)  # the darker the more
    schools = pd.DataFrame({"month": 0, "school": [0, 1], "school_id": ["a", "b"], "x_km": [0.0, 1.0], "y_km": [0.0, 1.0]})
    chart = map_chart(schools.assign(share=0.5, role=0, mentor=-1), pd.DataFrame({"month": [], "school": [], "partner": []}))
    (scale,) = [layer["encoding"]["color"]["scale"] for layer in chart["layer"] if "color" in layer["encoding"]]
    assert scale["range"] == list(SHARE) and "reverse" not in scale
