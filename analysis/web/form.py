"""The form read back: what a visitor has set becomes the same scenario that a file of that content would give."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import count, takewhile
from typing import Any

from pydantic import ValidationError

from school_mentoring.model.designs import FIELDS, PRESETS
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import COMPARATOR, Practice, Programme, resolved
from school_mentoring.scenarios.yaml_file import plain_scalar

from .state import MOST_DESIGNS, SOURCE, PageState, View, rebuilt

Form = Mapping[str, str]
"""The last value of each field of the form, by its name."""

NUMBERS = ("months", "replicates", "draws", "seed")
WORLD_NUMBERS = ("regions_per_country", "schools_per_region")


def design_name_of(text: str) -> str:
    """Return a text as a name that a scenario may hold: accents dropped, anything else than letters and digits an underscore."""
    plain = unicodedata.normalize("NFKD", text[:200]).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40]


def read_form(form: Form, state: PageState) -> PageState:
    """Return the page that the form describes, over ``state``, which it was sent with. Raises InputError, naming the field."""
    changes: dict[str, Any] = {name: _value(form[name], name) for name in NUMBERS if name in form}
    programme = {name: _value(form[key], key) for name in Programme.model_fields if (key := f"programme.{name}") in form}
    if programme:
        changes["programme"] = {**resolved(state.scenario)["programme"], **programme}
    changes["world"] = _world(form, resolved(state.scenario)["world"])
    practices = _practices(form)
    if practices:
        changes["practices"] = practices
    designs, presets = _designs(form)
    if designs:
        changes["designs"] = designs
    return rebuilt(state, changes, presets or state.presets, _view(form, state.view))


def _value(text: str, path: str) -> Any:
    """Return a field as a scenario file would state it."""
    try:
        return plain_scalar(text.strip())
    except ValueError as error:
        raise InputError(f"{SOURCE}, {path}", str(error), "allowed: numbers") from None


def _designs(form: Form) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the designs by name, and the preset each began from."""
    designs: dict[str, Any] = {}
    presets: dict[str, str] = {}
    for number in range(MOST_DESIGNS):
        prefix = f"designs.{number}"
        if f"{prefix}.name" not in form:
            break
        name = design_name_of(form[f"{prefix}.name"])
        if name in designs:
            raise InputError(f"{SOURCE}, designs.{name}", "two designs have this name", "allowed: each name once")
        if name == COMPARATOR:
            raise InputError(f"{SOURCE}, designs.{name}", "is what all designs are compared with", "give the design another name")
        preset = form.get(f"{prefix}.preset", "")
        stated = {field: _value(form[key], f"designs.{name}.{field}") for field in FIELDS if (key := f"{prefix}.{field}") in form}
        presets[name] = preset if preset in PRESETS else COMPARATOR
        designs[name] = {"preset": preset, **stated}
    return designs, presets


def _world(form: Form, world: dict[str, Any]) -> dict[str, Any]:
    numbers = {name: _value(form[key], key) for name in WORLD_NUMBERS if (key := f"world.{name}") in form}
    stated = {country["code"]: country for country in world["countries"]}
    codes = [key.removeprefix("world.country.") for key, value in form.items() if key.startswith("world.country.") and value == "true"]
    if "world.countries" in form:
        if not codes:
            raise InputError(f"{SOURCE}, world.countries", "no country is chosen", "allowed: one or more")
        regions = {code: _value(form.get(f"world.regions.{code}", ""), f"world.countries.{code}.regions") for code in codes}
        world = {**world, "countries": [{**stated.get(code, {"code": code}), "regions": regions[code]} for code in codes]}
    return {**world, **numbers}


def _practices(form: Form) -> list[dict[str, Any]]:
    practices = []
    for prefix in takewhile(lambda prefix: f"{prefix}.name" in form, (f"practices.{number}" for number in count())):
        values = {field: _value(form[key], f"{key}") for field in Practice.model_fields if (key := f"{prefix}.{field}") in form}
        practices.append({**values, "name": design_name_of(form[f"{prefix}.name"])})
    return practices


def _view(form: Form, view: View) -> View:
    stated = {
        field: form[key].strip() if field == "map_design" else _value(form[key], field)
        for field in View.model_fields
        if (key := f"view.{field}") in form
    }
    try:
        return View.model_validate({**view.model_dump(), **stated})
    except ValidationError as error:
        fault = error.errors()[0]
        raise InputError(f"{SOURCE}, {fault['loc'][0]}", f"{fault['input']!r} is not allowed", fault["msg"].lower()) from None


def first_free(name: str, taken: Sequence[str]) -> str:
    """Return a name for a copy of a design: the name with the next free number."""
    base = re.sub(r"_\d+$", "", name)[:36]
    return next(free for number in range(2, 100) if (free := f"{base}_{number}") not in taken)
