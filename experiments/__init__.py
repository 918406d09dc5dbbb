"""Experiments: many runs of a scenario, and what they are kept in. Imports ``model`` and ``scenarios``, nothing of ``analysis``."""
