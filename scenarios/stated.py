"""What the author of a scenario states of parameters and structure, which goes before anchored draws, also where it is the default."""

from collections.abc import Mapping
from typing import Any

from school_mentoring.model.parameters import row_of
from school_mentoring.model.world.structure import WORLD_WORDS

STATED = "stated"
"""The field of a scenario that names these: a scenario that is written out in full shows no more who stated what."""


def stated_in(values: Mapping[str, Any]) -> list[str]:
    """Return what a source states of parameters and structure; a parameter with an empty body is not stated."""
    parameters, world = (part if isinstance(part := values.get(key), Mapping) else {} for key in ("parameters", "world"))
    structure = [name for name in WORLD_WORDS if name.partition(".")[2] in world]
    return [*(name for name, given in parameters.items() if row_of(str(name)) and given not in ({}, None)), *structure]
