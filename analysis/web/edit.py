"""What the buttons of the form do: duplicate, remove, add, begin anew. Each gives a new page from the form and the page it was made for."""

from dataclasses import replace

from school_mentoring.model.designs import PRESETS
from school_mentoring.model.errors import InputError, nearest
from school_mentoring.scenarios import COMPARATOR, Practice

from .form import Form, first_free, read_form
from .state import GENERATED, MOST_DESIGNS, PageState, known_scenarios, new_state, rebuilt
from .texts import text

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
        world = state.scenario.world.model_copy(update={"schools": None, "ties": None})
        return replace(state, scenario=state.scenario.model_copy(update={"world": world}), schools=GENERATED)
    if action.startswith("practice"):
        return _practices(state, action, number)
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


def _practices(state: PageState, action: str, number: int) -> PageState:
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
