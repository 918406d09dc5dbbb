"""Schools learn new digital teaching practices from other schools: an agent-based simulation of it, and of what it costs.

The four packages lie at the top of the repository (``model``, ``scenarios``, ``experiments``, ``analysis``) and are linked in here, so that
a clone and a wheel hold the same one package.
"""

__version__ = "1.0.0"
