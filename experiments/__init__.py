"""Experiments: many runs of a scenario, and what they are kept in. Imports ``model`` and ``scenarios``, nothing of ``analysis``.

For notebooks: ``open_study`` reads what a command wrote, ``mesa_model`` gives a scenario's model to step.
"""

from .notebook import mesa_model
from .results import Study, open_study

__all__ = ["Study", "mesa_model", "open_study"]
