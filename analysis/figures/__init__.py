"""Figures: one file each, a function of tables that returns a ``Figure`` and writes nothing; ``analysis.figures.style`` saves it."""

from .adoption import adoption
from .cost_effect import cost_effect
from .costs import costs
from .lasting import durability, gaps
from .network import network
from .teams import teams

__all__ = ["adoption", "cost_effect", "costs", "durability", "gaps", "network", "teams"]
