"""The nine patterns that the model must show to be trusted, each at the base parameters and with the contrast under which it vanishes."""

from school_mentoring.experiments.validation.checks import Pattern

from . import centrality, critical_mass, discontinuance, gap, growth, s_curve, scale, spillover, virtual

PATTERNS: tuple[Pattern, ...] = tuple(
    module.PATTERN for module in (s_curve, critical_mass, spillover, discontinuance, virtual, scale, gap, centrality, growth)
)
