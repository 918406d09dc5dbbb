"""Figures of a sensitivity study: functions of its tables."""

from .bars import bars
from .effects import mu_sigma, tornado
from .pairs import pairs
from .scatter import scatter
from .time import over_time

__all__ = ["bars", "mu_sigma", "over_time", "pairs", "scatter", "tornado"]
