"""Experiments: many runs of a scenario, and what they are kept in. Imports ``model`` and ``scenarios``, nothing of ``analysis``.

For notebooks: ``load_scenario`` (from ``scenarios``), ``compare``, ``plan_sweep``, ``open_study``.
"""

from .results import Study, open_study

__all__ = ["Study", "open_study"]
