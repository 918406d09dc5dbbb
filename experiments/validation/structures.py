"""The structures that a model may be built with: a given one, and each that differs from it in one choice."""

from typing import Any, NamedTuple

from school_mentoring.model.world.structure import STRUCTURE, Structure


class Alternative(NamedTuple):
    """A structure that differs from another in one ``choice``, which here is ``word``."""

    choice: str
    word: str
    structure: Structure


def alternatives(own: Structure) -> list[Alternative]:
    """Return every structure that differs from a given one in one choice."""
    found = []
    for choice, words in STRUCTURE.items():
        for word in words:
            change: dict[str, Any] = {choice: word}
            if word != getattr(own, choice):
                found.append(Alternative(choice, word, own._replace(**change)))
    return found
