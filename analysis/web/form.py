"""The form read back: what a visitor has set becomes the same scenario that a file of that content would give; and what its buttons do."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count, takewhile
from typing import Any

from pydantic import ValidationError

from school_mentoring.model.designs import FIELDS, PRESETS
from school_mentoring.model.errors import InputError, nearest
from school_mentoring.scenarios import COMPARATOR, Funding, Practice, resolved
from school_mentoring.scenarios.stated_programmes import is_programme
from school_mentoring.scenarios.yaml_file import plain_scalar

from .state import GENERATED, MOST_DESIGNS, SOURCE, PageState, View, known_scenarios, new_state, rebuilt, with_schools
from .texts import text

Form = Mapping[str, str]
"""The last value of each field of the form, by its name."""

NUMBERS = ("months", "replicates", "draws", "seed")
WORLD_NUMBERS = ("regions_per_country", "schools_per_region")


def design_name_of(words: str) -> str:
    """Return a text as a name that a scenario may hold: accents dropped, anything else than letters and digits an underscore."""
    plain = unicodedata.normalize("NFKD", words[:200]).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40]


def read_form(form: Form, state: PageState) -> PageState:
    """Return the page that the form describes, over ``state``, which it was sent with. Raises InputError, naming the field."""
    changes: dict[str, Any] = {name: _value(form[name], name) for name in NUMBERS if name in form}
    programme = {name: _value(form[key], key) for name in Funding.model_fields if (key := f"programme.{name}") in form}
    if programme:
        changes["programme"] = {**resolved(state.scenario)["programme"], **programme}
    changes["world"] = _world(form, resolved(state.scenario)["world"])
    if practices := _practices(form):
        changes["practices"] = practices
    designs, presets = _designs(form, resolved(state.scenario)["designs"])
    if designs:
        changes["designs"] = designs
    return rebuilt(state, changes, presets or state.presets, _view(form, state.view))


def _value(word: str, path: str) -> Any:
    """Return a field as a scenario file would state it."""
    try:
        return plain_scalar(word.strip())
    except ValueError as error:
        raise InputError(f"{SOURCE}, {path}", str(error), "allowed: numbers") from None


def _designs(form: Form, sent: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the designs by name, and the preset each began from. Programmes are those that the form was ``sent`` with."""
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
        if (kept := form.get(f"{prefix}.programme", "")) and is_programme(sent.get(kept)):
            designs[name], presets[name] = sent[kept], COMPARATOR
            continue
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


# -------------------------------------------------------------------------------------------------------------- buttons

ACTIONS = ("load", "duplicate", "remove", "add", "practice_add", "practice_remove", "generated")


def edited(form: Form, sent: PageState) -> PageState:
    """Return the page after the form's ``action``. Raises InputError where it cannot be done."""
    action, _, digits = form.get("action", "").partition(":")
    if action not in ACTIONS:
        raise InputError("page, action", f"no action {action[:20]!r}", nearest(action[:20], ACTIONS))
    if action == "load":
        name = form.get("begin", "")
        if name not in known_scenarios():
            raise InputError("page, begin", f"no scenario {name[:60]!r}", nearest(name[:60], known_scenarios()))
        return new_state(name)
    state = read_form(form, sent)
    number = int(digits) if digits.isdecimal() and len(digits) < 3 else -1
    if action == "generated":
        return replace(with_schools(state, None), schools=GENERATED)
    if action.startswith("practice"):
        return _more_or_less(state, action, number)
    designs, presets = list(state.scenario.designs.items()), dict(state.presets)
    if action == "remove":
        _at(list(state.scenario.designs), number)
        if len(designs) == 1:
            raise InputError("page, designs", "the last design cannot be removed", "add another first")
        del designs[number]
    else:
        place, name, begun = _made(state, form.get("add_preset", "") if action == "add" else None, number)
        designs.insert(place, (name, PRESETS[begun] if action == "add" else designs[number][1]))
        presets[name] = begun
    scenario = state.scenario.model_copy(update={"designs": dict(designs)})
    return replace(state, scenario=scenario, presets={name: presets[name] for name in scenario.designs})


def _made(state: PageState, preset: str | None, number: int) -> tuple[int, str, str]:
    """Return the place and the name of a new design and the preset that it began from: a copy of one by its number, or a preset."""
    names = list(state.scenario.designs)
    if preset is None:
        place, wanted = number + 1, _at(names, number)
    elif preset in PRESETS and preset != COMPARATOR:
        place, wanted = len(names), preset
    else:
        raise InputError("page, designs", f"no preset named {preset[:40]!r}", nearest(preset[:40], PRESETS))
    if len(names) >= MOST_DESIGNS:
        raise InputError("page, designs", text("form.full", most=MOST_DESIGNS))
    return place, first_free(wanted, names) if wanted in names else wanted, preset or state.presets[wanted]


def _more_or_less(state: PageState, action: str, number: int) -> PageState:
    """Return the page with a practice more or less. Raises InputError where a scenario may not have so many."""
    practices = list(state.scenario.practices)
    names = [practice.name for practice in practices]
    if action == "practice_add":
        practices.append(Practice(name=first_free(names[-1], names)))
    else:
        _at(names, number)
        del practices[number]
    if not practices:
        raise InputError("page, practices", "the last practice cannot be removed", "add another first")
    return rebuilt(state, {"practices": [practice.model_dump(mode="json") for practice in practices]}, state.presets, state.view)


def _at(names: list[str], number: int) -> str:
    if not 0 <= number < len(names):
        raise InputError("page, action", f"nothing has the number {number}", f"allowed: 0 to {len(names) - 1}")
    return names[number]
