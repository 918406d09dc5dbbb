"""What a validation says: checks of a statement, each made of readings that hold or not by a stated rule, and curves that show it.

A tolerance is a number of standard errors over independent worlds or replicates; seeds are fixed, so a verdict never changes by chance.
"""

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from school_mentoring.model.world.arrays import Floats

MARGIN = 4.0
"""Standard errors by which a difference must show (two-sided p = 6e-5), and within which one must vanish."""


@dataclass(frozen=True)
class Reading:
    """A figure and whether it is what a statement asks for.

    ``what``: what is measured; ``estimate`` and its ``error`` (one standard error; nan where it has none); ``rule``: when it holds.
    """

    what: str
    estimate: float
    error: float
    rule: str
    holds: bool


Measured = Floats | tuple[float, float]
"""Values over worlds, or their mean with its standard error."""

Readings = Iterator[Reading]
Curves = Iterator[pd.DataFrame]


def mean_se(values: Measured) -> tuple[float, float]:
    """Return the mean over worlds, and its standard error."""
    return values if isinstance(values, tuple) else (float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values))))


def above(what: str, values: Measured) -> Reading:
    """Return the reading that a mean is above 0 by ``MARGIN`` standard errors."""
    mean, error = mean_se(values)
    return Reading(what, mean, error, f"> {MARGIN:g} se", mean > MARGIN * error)


def below(what: str, values: Measured) -> Reading:
    """Return the reading that a mean is below 0 by ``MARGIN`` standard errors."""
    mean, error = mean_se(values)
    return Reading(what, mean, error, f"< -{MARGIN:g} se", mean < -MARGIN * error)


def vanishes(what: str, values: Measured, slack: float = 0.0) -> Reading:
    """Return the reading that a mean is 0 within ``MARGIN`` standard errors and ``slack``."""
    mean, error = mean_se(values)
    return Reading(what, mean, error, f"0 within {MARGIN:g} se" + (f" + {slack:g}" if slack else ""), abs(mean) < MARGIN * error + slack)


def not_above(what: str, values: Measured) -> Reading:
    """Return the reading that a mean is not above 0 by ``MARGIN`` standard errors."""
    mean, error = mean_se(values)
    return Reading(what, mean, error, f"< {MARGIN:g} se", mean < MARGIN * error)


def between(what: str, value: float, low: float = -math.inf, high: float = math.inf) -> Reading:
    """Return the reading that a figure lies between two bounds, both excluded."""
    ends = [f"> {low:g}"] * math.isfinite(low) + [f"< {high:g}"] * math.isfinite(high)
    return Reading(what, float(value), math.nan, " and ".join(ends), bool(low < value < high))


def exactly(what: str, differing: int) -> Reading:
    """Return the reading that nothing differs: the number of values that do is 0."""
    return Reading(what, float(differing), math.nan, "none, exactly", int(differing) == 0)


@dataclass(frozen=True)
class Check:
    """A statement, and the function that reads off whether it holds; ``contrast``: it says where the pattern must vanish."""

    statement: str
    read: Callable[[], Readings]
    contrast: bool


@dataclass
class Pattern:
    """A pattern of the world that the model must show: its statement, source, checks, and what is drawn of it."""

    number: int
    key: str
    title: str
    source: str
    setting: str
    checks: dict[str, Check] = field(default_factory=dict)
    curves: Callable[[], pd.DataFrame] = pd.DataFrame

    def check(self, statement: str, *, contrast: bool = False) -> Callable[[Callable[[], Readings]], None]:
        """Decorate a function that yields readings as the check of a statement."""

        def register(read: Callable[[], Readings]) -> None:
            self.checks[statement] = Check(statement, read, contrast)

        return register

    def drawn(self, curves: Callable[[], Curves]) -> None:
        """Decorate the function that yields the curves of the pattern's figure."""
        self.curves = lambda: pd.concat(curves(), ignore_index=True).dropna(subset=["y"])  # of what no school is

    def forget(self) -> None:
        """Let go of the runs that this pattern's functions keep for each other."""
        for check in self.checks.values():
            for value in vars(sys.modules[check.read.__module__]).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


COLUMNS = ("panel", "x_label", "y_label", "series", "joined", "label", "x", "y", "error")
"""Of a figure as a table: lines over numbers, and points over labels, in panels. ``joined``: whether a line joins the marks. ``label``: the
place on an axis of words, empty where x is a number. ``error``: two standard errors, nan where there is none."""


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
    place = np.arange(len(height), dtype=float) if words else np.asarray(x, float)
    errors = 2.0 * np.broadcast_to(np.asarray(error, float), height.shape)
    return pd.DataFrame(dict(zip(COLUMNS, (panel, *axes, series, joined, words or "", place, height, errors), strict=True)))


def over_worlds(panel: str, axes: tuple[str, str], series: str, x: ArrayLike | Sequence[str], values: ArrayLike) -> pd.DataFrame:
    """Return the curve of the means of values over worlds, (worlds, len(x)), with their errors."""
    table = np.asarray(values, float)
    return curve(panel, axes, series, x, table.mean(axis=0), table.std(axis=0, ddof=1) / np.sqrt(len(table)))
