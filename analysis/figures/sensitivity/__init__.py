"""Figures of a sensitivity study: functions of its tables."""

from .bars import bars
from .effects import mu_sigma, tornado
from .fixed import may_be_fixed
from .pairs import pairs
from .scatter import scatter
from .time import over_time, total_over_time

__all__ = ["bars", "may_be_fixed", "mu_sigma", "over_time", "pairs", "scatter", "tornado", "total_over_time"]
