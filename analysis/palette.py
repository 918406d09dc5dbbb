"""Colours and marks of designs, categories of costs, paper and ink: figures and the page share them; nothing heavy is loaded here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .outcomes import design_name

INK, GREY, FUNDED = "#222222", "#666666", "#f3ecd8"

SHARE = ("#fde725", "#addc30", "#5ec962", "#28ae80", "#21918c", "#2c728e", "#3b528b", "#472d7b", "#440154")
"""Of shares from 0 to 100 %, the darker the more: viridis (Smith & van der Walt 2015), even to the eye and safe for the colour-blind."""

# Okabe & Ito (2008), Color Universal Design; yellow is left out, as it does not stand out from white.
PRESET_LOOKS: Mapping[str, tuple[str, str]] = {
    "none": (GREY, "o"),
    "outreach": ("#e69f00", "v"),
    "top_down": ("#d55e00", "^"),
    "regional_hub": ("#0072b2", "s"),
    "virtual": ("#009e73", "D"),
    "bottom_up": ("#cc79a7", "P"),
    "hybrid": ("#56b4e9", "X"),
    "specialist": ("#882255", "*"),
}
# Tol (2021), Colour Schemes, SRON technical note: those of the muted scheme that differ most from the above, of which one is there already.
_EXTRA_COLOURS = ("#332288", "#999933", "#44aa99", "#661100", "#117733", "#aa4499")
_EXTRA_MARKERS = ("h", "<", ">", "p", "d", "8")

CATEGORY_COLOURS: Mapping[str, str] = {
    "coordination": "#332288",
    "release": "#88ccee",
    "voluntary": "#44aa99",
    "team": "#117733",
    "meeting": "#0072b2",
    "stipend": "#999933",
    "grant": "#ddcc77",
    "travel": "#661100",
    "platform": "#cc6677",
    "outreach": "#e69f00",
    "course": "#d55e00",
    "learning": "#882255",
    "onboarding": "#aa4499",
    "recognition": "#bbbbbb",
}
"""Of the categories of costs (Tol's muted scheme and some of Okabe & Ito's)."""


@dataclass(frozen=True)
class DesignStyle:
    """How a design looks and what it is called."""

    label: str
    colour: str
    marker: str


def design_styles(designs: Sequence[str]) -> dict[str, DesignStyle]:
    """Return the look of every design. Presets always look the same; others take further colours and marks in the order given.

    Give all designs of a study (``outcomes.names_in(column, present=False)``), so that a design looks the same where others are left out.
    """
    styles, extra = {}, 0
    for name in designs:
        if name in PRESET_LOOKS:
            colour, marker = PRESET_LOOKS[name]
        else:  # a turn of the marks by one for each round of colours, so that pairs do not repeat
            colour = _EXTRA_COLOURS[extra % len(_EXTRA_COLOURS)]
            marker = _EXTRA_MARKERS[(extra + extra // len(_EXTRA_COLOURS)) % len(_EXTRA_MARKERS)]
            extra += 1
        styles[name] = DesignStyle(design_name(name), colour, marker)
    return styles
