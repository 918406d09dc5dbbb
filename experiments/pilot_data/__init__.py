"""A pilot's observations: what was seen of schools and when, read from ``observations.csv`` and checked row by row."""

from .observations import COLUMNS, KINDS, Observations, read_observations
from .scales import ScaleMapping, parse_mapping

__all__ = ["COLUMNS", "KINDS", "Observations", "ScaleMapping", "parse_mapping", "read_observations"]
