"""Lays one source of a scenario over another: a file over the one it extends, ``--set`` over the file.

What the upper source states wins. Sections (programme, world, parameters, designs) merge key by key; lists and single values replace. Three
rules go beyond that:

- ``parameters``: a single value replaces a range; a new base, stated alone, carries with it an inherited low or high that it lies beyond;
- ``designs`` as a list of names keeps only those designs, in that order (a name that was not inherited is the preset of that name);
  The programmes among them keep what they took of designs that are dropped;
- a design that states ``preset``, phases or places starts afresh.

A section or design of which nothing is stated (``parameters:`` with an empty body) changes nothing.
"""

from collections.abc import Mapping
from typing import Any

from .ranges import laid_over
from .stated import STATED, stated_in
from .stated_programmes import KINDS, is_programme, written_out
from .yaml_file import KeyPath, Layer

SECTIONS = ("programme", "world", "parameters", "designs")
AFRESH = {"preset", *KINDS}
"""Keys of a design with which it takes nothing of one that it is laid over."""


def lay_over(lower: Layer, upper: Layer) -> Layer:
    """Return both sources as one; neither is changed."""
    replaced: set[KeyPath] = set()
    values = dict(lower.values)
    for key, new in upper.values.items():
        old = values.get(key)
        if key in SECTIONS and new is None:
            values[key] = {} if old is None else old
        elif key in SECTIONS and old is not None:
            values[key] = _section(key, as_mapping(old), new, replaced)
        else:
            values[key] = new
            replaced.add((key,))
    if isinstance(own := lower.values.get(STATED), (list, tuple)) and STATED not in upper.values:  # in full; the upper source states more
        values[STATED] = [*own, *stated_in(upper.values)]
    kept = {path: place for path, place in lower.places.items() if not any(path[:depth] in replaced for depth in range(len(path) + 1))}
    return Layer(values, kept | upper.places)


def as_mapping(designs: Any) -> Any:
    """Return designs that are given as a list of names as a mapping of each name to nothing; anything else as it is."""
    return dict.fromkeys(designs) if _is_names(designs) else designs


def _is_names(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value)


def _section(key: str, old: Any, new: Any, replaced: set[KeyPath]) -> Any:
    if key == "designs" and _is_names(new) and isinstance(old, Mapping):
        gone = {name: stated for name, stated in old.items() if name not in new}
        return {name: written_out(old.get(name), gone) if is_programme(old.get(name)) else old.get(name) for name in new}
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        replaced.add((key,))
        return new
    merged = dict(old)
    for name, value in new.items():
        if key == "parameters" and name in merged and isinstance(value, Mapping):
            merged[name] = laid_over(merged[name], value)
        elif key == "designs" and name in merged and (value is None or (isinstance(value, Mapping) and not AFRESH & value.keys())):
            merged[name] = {**(merged[name] or {}), **(value or {})} if isinstance(merged[name], Mapping | None) else value
        else:
            merged[name] = value
            replaced.add((key, name))
    return merged
