"""Experiments: many runs of a scenario, and what they are kept in. Imports ``model`` and ``scenarios``, nothing of ``analysis``.

For notebooks: ``open_study`` reads what a command wrote, ``mesa_model`` gives a scenario's model to step.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from school_mentoring.experiments.folder.results import Study, open_study

    from .notebook import mesa_model

__all__ = ["Study", "mesa_model", "open_study"]


def __getattr__(name: str) -> Any:
    """Load what a notebook asks for when it asks, so that the command line starts without pandas and numba."""
    if name == "mesa_model":
        from .notebook import mesa_model

        return mesa_model
    if name in ("Study", "open_study"):
        from .folder import results

        return getattr(results, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
