"""From answers on a scale of whole numbers to the share of teachers who use a practice: the mapping that a user states."""

import re
from dataclasses import dataclass

import numpy as np

from school_mentoring.model.errors import InputError
from school_mentoring.model.world.arrays import Floats

ROUNDING = 1.0 / 12.0
"""Variance of an answer that is rounded to whole numbers: what even unanimous answers leave unknown (Sheppard 1898)."""

_ALLOWED = (
    "allowed: linear:1:5 (share = (mean - 1) / 4), or threshold:4 or threshold:4:1:5 "
    "(share of answers of 4 and more, normal around the mean)"
)


@dataclass(frozen=True)
class ScaleMapping:
    """How the mean and sd of answers on ``low``..``high`` become a share.

    ``linear``: share = (mean - low) / (high - low). ``threshold``: the share of answers of ``threshold`` and more, of answers that are a
    normal variable with that mean and sd, rounded: 1 - Phi((threshold - 1/2 - mean) / sd).
    """

    kind: str
    low: float = 1.0
    high: float = 5.0
    threshold: float = 0.0

    def __str__(self) -> str:
        """Return the text that ``parse_mapping`` reads."""
        first = f"threshold:{self.threshold:g}:" if self.kind == "threshold" else "linear:"
        return f"{first}{self.low:g}:{self.high:g}"

    def shares(self, mean: Floats, sd: Floats, respondents: Floats) -> tuple[Floats, Floats]:
        """Return the shares in [0, 1] and their standard errors, from sampling and rounding (of a threshold by the delta method)."""
        spread = np.sqrt(sd**2 + ROUNDING)
        if self.kind == "linear":
            width = self.high - self.low
            return np.clip((mean - self.low) / width, 0.0, 1.0), spread / np.sqrt(respondents) / width
        from scipy.special import ndtr

        z = (self.threshold - 0.5 - mean) / spread
        density = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
        error = density * np.sqrt((1.0 + 0.5 * z**2) / respondents)
        # Far from the threshold the slope vanishes, but a single teacher could still have answered otherwise.
        return ndtr(-z), np.maximum(error, 0.5 / (respondents + 1.0))


def parse_mapping(text: str) -> ScaleMapping:
    """Return the mapping of a text such as ``linear:1:5`` or ``threshold:4``. Raises InputError for anything else."""
    kind, *parts = text.strip().split(":")
    where = f"--mapping {text}"
    if kind not in ("linear", "threshold") or not all(re.fullmatch(r"[0-9]{1,3}", part) for part in parts):
        raise InputError(where, "is no mapping of a scale to a share", _ALLOWED)
    numbers = [float(part) for part in parts]
    ends = numbers[1:] if kind == "threshold" else numbers
    if len(numbers) - len(ends) != (kind == "threshold") or len(ends) not in ((0, 2) if kind == "threshold" else (2,)):
        raise InputError(where, "is no mapping of a scale to a share", _ALLOWED)
    low, high = ends or (1.0, 5.0)
    if low >= high:
        raise InputError(where, f"the scale runs from {low:g} to {high:g}", "allowed: the lower end first")
    if kind == "threshold" and not low < numbers[0] <= high:
        raise InputError(where, f"the threshold {numbers[0]:g} tells no answers apart", f"allowed: above {low:g}, at most {high:g}")
    return ScaleMapping(kind, low, high, numbers[0] if kind == "threshold" else 0.0)
