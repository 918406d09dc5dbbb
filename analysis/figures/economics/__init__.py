"""Figures of costs, effects and decisions: functions of the tables that the economic analyses give."""

from .acceptability import acceptability
from .budget import budget
from .conditions import conditions
from .equity import equity_plane, gains
from .information import information
from .robustness import robustness

__all__ = ["acceptability", "budget", "conditions", "equity_plane", "gains", "information", "robustness"]
