"""What a validation says: checks of a statement, each made of readings that hold or not by a stated rule.

A tolerance is a number of standard errors over independent worlds or replicates; seeds are fixed, so a verdict never changes by chance.
"""

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

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


def mean_se(values: Floats) -> tuple[float, float]:
    """Return the mean over worlds, and its standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))


def _measured(values: Floats | tuple[float, float]) -> tuple[float, float]:
    return values if isinstance(values, tuple) else mean_se(values)


def above(what: str, values: Floats | tuple[float, float]) -> Reading:
    """Return the reading that a mean (of values over worlds, or given with its error) is above 0 by ``MARGIN`` standard errors."""
    mean, error = _measured(values)
    return Reading(what, mean, error, f"> {MARGIN:g} se", mean > MARGIN * error)


def below(what: str, values: Floats | tuple[float, float]) -> Reading:
    """Return the reading that a mean is below 0 by ``MARGIN`` standard errors."""
    mean, error = _measured(values)
    return Reading(what, mean, error, f"< -{MARGIN:g} se", mean < -MARGIN * error)


def vanishes(what: str, values: Floats | tuple[float, float], slack: float = 0.0) -> Reading:
    """Return the reading that a mean is 0 within ``MARGIN`` standard errors and ``slack``."""
    mean, error = _measured(values)
    return Reading(what, mean, error, f"0 within {MARGIN:g} se" + (f" + {slack:g}" if slack else ""), abs(mean) < MARGIN * error + slack)


def not_above(what: str, values: Floats | tuple[float, float]) -> Reading:
    """Return the reading that a mean is not above 0 by ``MARGIN`` standard errors."""
    mean, error = _measured(values)
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
    read: Callable[[], Iterator[Reading]]
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
    curves: Callable[[], pd.DataFrame] | None = None

    def check(
        self, statement: str, *, contrast: bool = False
    ) -> Callable[[Callable[[], Iterator[Reading]]], Callable[[], Iterator[Reading]]]:
        """Decorate a function that yields readings as the check of a statement."""

        def register(read: Callable[[], Iterator[Reading]]) -> Callable[[], Iterator[Reading]]:
            self.checks[statement] = Check(statement, read, contrast)
            return read

        return register

    def forget(self) -> None:
        """Let go of the runs that this pattern's functions keep for each other."""
        for check in self.checks.values():
            for value in vars(sys.modules[check.read.__module__]).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()

    def drawn(self, curves: Callable[[], pd.DataFrame]) -> Callable[[], pd.DataFrame]:
        """Decorate the function that returns what the pattern's figure shows."""
        self.curves = curves
        return curves
