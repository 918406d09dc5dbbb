"""A pilot's observations: what was seen of schools and when, read from ``observations.csv`` and checked row by row."""

from .answers import ScaleMapping, parse_mapping
from .observations import COLUMNS, KINDS, Observations, read_observations

__all__ = ["COLUMNS", "KINDS", "Observations", "ScaleMapping", "parse_mapping", "read_observations"]
