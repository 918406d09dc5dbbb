"""Schools learn new digital teaching practices from other schools: an agent-based simulation of it, and of what it costs.

For notebooks and scripts; each of these says in its docstring how it is used, and loads what it needs when it is first asked for:

- ``compare``, ``simulate``, ``sweep``: run a scenario, as the commands of these names do
- ``open_study``: read the folder that a command wrote
- ``mesa_model``: the model of a scenario, to step and to change
- ``load_scenario``: the scenario itself
- ``InputError``: what all of them raise for bad input

The four packages lie at the top of the repository (``model``, ``scenarios``, ``experiments``, ``analysis``) and are linked in here, so that
a clone and a wheel hold the same one package.
"""

__version__ = "2.0.0"

__all__ = ["InputError", "compare", "load_scenario", "mesa_model", "open_study", "simulate", "sweep"]

TYPE_CHECKING = False  # the typing module takes some milliseconds to load
if TYPE_CHECKING:
    from school_mentoring.experiments.notebook import compare, load_scenario, mesa_model, open_study, simulate, sweep
    from school_mentoring.model.errors import InputError
else:

    def __getattr__(name):
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import importlib

        home = "model.errors" if name == "InputError" else "experiments.notebook"
        return getattr(importlib.import_module(f"{__name__}.{home}"), name)

    def __dir__():
        return sorted({*globals(), *__all__})
