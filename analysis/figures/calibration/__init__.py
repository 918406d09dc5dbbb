"""Figures of a calibration: what data taught, how the fitted model looks beside them, and whether the method itself is calibrated."""

from .checks import rank_histograms, recovery
from .curves import clusters, fit
from .posterior import learned, pairs

__all__ = ["clusters", "fit", "learned", "pairs", "rank_histograms", "recovery"]
