"""The one error that bad input raises: where it stands, what was given, what is allowed, the nearest valid name."""

import difflib
import re
from collections.abc import Iterable, Sequence

LONGEST = 600
"""Characters of each part of a message, room for the path of a file."""


class InputError(ValueError):
    """Bad input from a user, worded for that user; the command line prints it and exits with 2."""

    def __init__(self, where: str, problem: str, allowed: str = "") -> None:
        """Say ``where`` (file, line or row, field), the ``problem`` with the value given, and what is ``allowed``."""
        self.where, self.problem, self.allowed = (one_line(part) for part in (where, problem, allowed))
        super().__init__(f"{self.where}: {self.problem}" + (f"; {self.allowed}" if allowed else ""))


def one_line(text: str) -> str:
    """Return a text as one line of bounded length that any terminal can show, whatever was quoted in it."""
    plain = "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 3] + "..."


def nearest(name: str | Iterable[str], known: Iterable[str]) -> str:
    """Return 'did you mean ...?' for the known name most like ``name``, as a whole or in a word of it, or a list of them where none is.

    For several names: for each the one most like it, and the list where one has none.
    """
    names, asked = list(known), [name] if isinstance(name, str) else list(dict.fromkeys(name))
    found = {one: close for one in asked if (close := _closest(one, names)) is not None}
    meant = listed(repr(close) + (f" for {one!r}" if len(asked) > 1 else "") for one, close in found.items())
    hints = [f"did you mean {meant}?"] if found else []
    return " ".join([*hints, *([f"known names: {listed(names)}"] if len(found) < len(asked) else [])])


def _closest(name: str, names: Sequence[str]) -> str | None:
    if same := [each for each in names if each.casefold() == name.casefold()]:
        return same[0]
    words = {word: whole for whole in reversed(names) for word in re.split(r"[_.-]", whole)}
    for whole, cutoff in (({each: each for each in names}, 0.5), (words, 0.75)):
        if close := difflib.get_close_matches(name, whole, n=1, cutoff=cutoff):
            return whole[close[0]]
    return None


def quoted(names: Iterable[str]) -> str:
    """Return names in quotation marks as one text, each once."""
    return listed(map(repr, dict.fromkeys(names)))


def listed(names: Iterable[str], most: int = 20) -> str:
    """Return names as one text, the first of them where they are many."""
    some = list(names)
    return ", ".join([*some[:most], *(["..."] if len(some) > most else [])])
