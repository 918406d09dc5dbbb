"""What a figure of a validation shows, as a table: lines over numbers, and points over labels, in panels."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

COLUMNS = ("panel", "x_label", "y_label", "series", "joined", "label", "x", "y", "error")
"""``joined``: whether a line joins the marks. ``label``: the place on an axis of words, empty where x is a number. ``error``: two standard
errors, nan where there is none."""


def curve(
    panel: str,
    axes: tuple[str, str],
    series: str,
    x: ArrayLike | Sequence[str],
    y: ArrayLike,
    error: ArrayLike = np.nan,
    *,
    joined: bool = True,
) -> pd.DataFrame:
    """Return a line (x numbers) or points (x words) of a panel, with its axes' labels; ``error``: one standard error."""
    height = np.asarray(y, float)
    words = [one for one in x if isinstance(one, str)] if isinstance(x, Sequence) else []
    return pd.DataFrame(
        {
            "panel": panel,
            "x_label": axes[0],
            "y_label": axes[1],
            "series": series,
            "joined": joined,
            "label": words or "",
            "x": np.arange(len(height), dtype=float) if words else np.asarray(x, float),
            "y": height,
            "error": 2.0 * np.broadcast_to(np.asarray(error, float), height.shape),
        }
    )


def over_worlds(panel: str, axes: tuple[str, str], series: str, x: ArrayLike | Sequence[str], values: ArrayLike) -> pd.DataFrame:
    """Return the curve of the means of values over worlds, (worlds, len(x)), with their errors."""
    table = np.asarray(values, float)
    return curve(panel, axes, series, x, table.mean(axis=0), table.std(axis=0, ddof=1) / np.sqrt(len(table)))
