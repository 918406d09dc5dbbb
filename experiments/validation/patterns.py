"""The nine patterns that the model must show to be trusted, each at the base parameters and with the contrast under which it vanishes."""

from . import centrality, critical_mass, discontinuance, gap, growth, s_curve, scale, spillover, virtual
from .checks import Pattern

PATTERNS: tuple[Pattern, ...] = (
    s_curve.PATTERN,
    critical_mass.PATTERN,
    spillover.PATTERN,
    discontinuance.PATTERN,
    virtual.PATTERN,
    scale.PATTERN,
    gap.PATTERN,
    centrality.PATTERN,
    growth.PATTERN,
)
