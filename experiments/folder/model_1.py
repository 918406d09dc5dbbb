"""Studies of model 1, which versions 1.x of the program made: their files are read, but no other version can make them again."""

from collections.abc import Container, Mapping
from typing import Any

from school_mentoring.model.designs import PRESETS
from school_mentoring.model.errors import InputError
from school_mentoring.model.parameters import row_of
from school_mentoring.scenarios import COMPARATOR, Scenario, scenario_from
from school_mentoring.scenarios.gone import MODEL_1

NOTE = "Made by model 1 (version 1.x of the program): rules and parameters as described here are those of model 2."
WORLD = {"contacts": "none", "mentored": "whole_staff"}
"""How model 1 built its worlds, where it had no choice yet."""

FORMERLY = {"cost_society": "cost_total"}
"""Outcomes that model 1 recorded by another name: it put no price on raising public money."""


def recorded_as(name: str, columns: Container[str]) -> str:
    """Return the name by which runs with these columns hold an outcome."""
    return name if name in columns else FORMERLY.get(name, name)


def is_of_model_1(info: Mapping[str, Any]) -> bool:
    """Tell whether model 1 made the study of which ``study.json`` says this: all of its parameters are stated there, gone ones too."""
    return not MODEL_1.keys().isdisjoint(info["scenario"]["parameters"])


def refuse_model_1(info: Mapping[str, Any], where: str) -> None:
    """Raise InputError where model 1 made a study that is to be repeated or completed."""
    if is_of_model_1(info):
        problem = "was made by model 1, so this version of the program can neither repeat nor complete it"
        raise InputError(where, problem, "use version 1.x for that; what it found can be read here")


def unstated_fields(info: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that the designs of a study cannot state, with what they were: none, or of model 1 those that it did not have."""
    if not is_of_model_1(info):
        return {}
    return {**PRESETS[COMPARATOR].model_dump(), "team": max(1, round(info["scenario"]["parameters"]["team"]["base"]))}


def scenario_of(info: Mapping[str, Any], where: str) -> Scenario:
    """Return the scenario that ``study.json`` states, of model 1 in the words of this model.

    That leaves out what is gone, but the size of a team, which was a parameter. Raises InputError where it is no scenario.
    """
    stated = info["scenario"]
    if not is_of_model_1(info):
        return scenario_from(stated, where, files=False)
    try:
        told = _told(stated, unstated_fields(info))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(where, f"is not as a command wrote it ({type(error).__name__}: {error})", "make the study anew") from None
    return scenario_from({**stated, **told}, where, files=False)


def _told(stated: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a scenario of model 1 is said otherwise in this model; ``before``: fields that its designs do not state."""
    return {
        "parameters": {name: given for name, given in stated["parameters"].items() if row_of(name)},
        "designs": {name: None if name == COMPARATOR else {**before, **fields} for name, fields in stated["designs"].items()},
        "uncertain": [name for name in stated["uncertain"] if name not in MODEL_1],
        "correlations": [one for one in stated["correlations"] if MODEL_1.keys().isdisjoint(one["between"])],
        "world": {**WORLD, **stated["world"]},
        "ranges": "independent",
    }
