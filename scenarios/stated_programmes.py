"""Programmes as a source states them, before they are filled in and checked: what may be set of them, and what they take of others."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from school_mentoring.model.designs import FIELDS, PRESETS
from school_mentoring.model.programmes import Gate, Programme

from .yaml_file import KeyPath

BY_PLACE = ("by_country", "by_region")
KINDS = ("phases", *BY_PLACE)
"""The keys of which a design that is a programme states one."""

WINDOW = ("first_month", "last_month")
PHASE_FIELDS = tuple(name for name in FIELDS if name not in WINDOW)
GATE = "if"
OTHERWISE = "else"


def is_programme(stated: Any) -> bool:
    """Tell whether what is stated of a design is phases or tracks, and no plain design."""
    return isinstance(stated, Programme) or (isinstance(stated, Mapping) and any(kind in stated for kind in KINDS))


def settable(stated: Any) -> Iterator[KeyPath]:
    """Yield the keys that lead to each field that may be set within a programme as it is stated, be it sound or not."""
    if isinstance(stated, Mapping):
        yield from _settable_phases(("phases",), stated.get("phases"))
        for kind in BY_PLACE:
            for place, track in dict(stated[kind] if isinstance(stated.get(kind), Mapping) else {}).items():
                if isinstance(track, Mapping) and "phases" in track:
                    yield from _settable_phases((kind, place, "phases"), track["phases"])
                elif isinstance(track, (Mapping, str)):
                    yield from ((kind, place, field) for field in FIELDS)


def _settable_phases(at: KeyPath, phases: Any) -> Iterator[KeyPath]:
    for position, phase in enumerate(phases if isinstance(phases, list) else []):
        if isinstance(phase, Mapping):
            yield from ((*at, position, field) for field in ("months", *PHASE_FIELDS))
            if isinstance(phase.get(GATE), Mapping):
                yield from ((*at, position, GATE, field) for field in Gate.model_fields)
            yield from _settable_phases((*at, position, OTHERWISE), phase.get(OTHERWISE))


def with_fields(stated: Mapping[str, Any]) -> dict[str, Any]:
    """Return a programme as it is stated, copied, with a place that only names a design ready to take fields."""
    whole = deepcopy(dict(stated))
    for kind in BY_PLACE:
        for place, track in dict(whole[kind] if isinstance(whole.get(kind), Mapping) else {}).items():
            if isinstance(track, str):
                whole[kind][place] = {"design": track}
    return whole


def written_out(stated: Any, gone: Mapping[str, Any]) -> Any:
    """Return a programme as it is stated, with the fields of designs that are ``gone`` in the place of their names."""
    if isinstance(stated, list):
        return [written_out(one, gone) for one in stated]
    if not isinstance(stated, Mapping):
        return stated
    whole = {key: written_out(value, gone) for key, value in stated.items()}
    for kind in BY_PLACE:
        if isinstance(whole.get(kind), Mapping):
            whole[kind] = {place: _written_out(track, gone) for place, track in whole[kind].items()}
    return _written_out(whole, gone)


def _written_out(one: Any, gone: Mapping[str, Any]) -> Any:
    """Return a phase, or what is stated of a place, with the fields of the design it names where that is gone."""
    name = one.get("design") if isinstance(one, Mapping) else one
    if not isinstance(name, str) or name not in gone or is_programme(gone[name]):
        return one
    fields = dict(gone[name] or {}) if isinstance(gone[name], Mapping | None) else {}
    preset = fields.pop("preset", name if name in PRESETS else None)
    given = {key: value for key, value in one.items() if key != "design"} if isinstance(one, Mapping) else {}
    own = {key: value for key, value in fields.items() if not ("months" in given and key in WINDOW)}
    return {**({} if preset is None else {"design": preset}), **own, **given}
