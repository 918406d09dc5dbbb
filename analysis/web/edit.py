"""What the buttons of the form do: duplicate, remove, add, begin anew. Each gives a new page from the form and the page it was made for."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from school_mentoring.model.designs import PRESETS
from school_mentoring.model.errors import InputError, nearest
from school_mentoring.scenarios import COMPARATOR, Practice

from .form import Form, first_free, read_form
from .state import GENERATED, MOST_DESIGNS, PageState, known_scenarios, new_state, rebuilt
from .texts import text


def edited(form: Form, sent: PageState) -> PageState:
    """Return the page after the form's ``action``. Raises InputError where it cannot be done."""
    action, _, number = form.get("action", "").partition(":")
    if action not in _ACTIONS:
        raise InputError("page, action", f"no action {action[:20]!r}", nearest(action[:20], _ACTIONS))
    if action == "load":
        return _load(form)
    state = read_form(form, sent)
    return _ACTIONS[action](state, form, int(number) if number.isdecimal() and len(number) < 3 else -1)


def _load(form: Form) -> PageState:
    name = form.get("begin", "")
    if name not in known_scenarios():
        raise InputError("page, begin", f"no scenario {name[:60]!r}", nearest(name[:60], known_scenarios()))
    return new_state(name)


def _duplicate(state: PageState, _form: Form, number: int) -> PageState:
    names = list(state.scenario.designs)
    name = _at(names, number)
    _refuse_full(names)
    copy = first_free(name, names)
    designs = {}
    for each, design in state.scenario.designs.items():
        designs[each] = design
        if each == name:
            designs[copy] = design
    return _with(state, designs, {**state.presets, copy: state.presets[name]})


def _remove(state: PageState, _form: Form, number: int) -> PageState:
    name = _at(list(state.scenario.designs), number)
    if len(state.scenario.designs) == 1:
        raise InputError("page, designs", "the last design cannot be removed", "add another first")
    return _with(state, {each: design for each, design in state.scenario.designs.items() if each != name}, state.presets)


def _add(state: PageState, form: Form, _number: int) -> PageState:
    preset = form.get("add_preset", "")
    if preset not in PRESETS or preset == COMPARATOR:
        raise InputError("page, designs", f"no preset named {preset[:40]!r}", nearest(preset[:40], PRESETS))
    names = list(state.scenario.designs)
    _refuse_full(names)
    name = preset if preset not in names else first_free(preset, names)
    return _with(state, {**state.scenario.designs, name: PRESETS[preset]}, {**state.presets, name: preset})


def _practice_add(state: PageState, _form: Form, _number: int) -> PageState:
    names = [practice.name for practice in state.scenario.practices]
    return _practices(state, (*state.scenario.practices, Practice(name=first_free(names[-1], names))))


def _practice_remove(state: PageState, _form: Form, number: int) -> PageState:
    _at([practice.name for practice in state.scenario.practices], number)
    kept = tuple(practice for place, practice in enumerate(state.scenario.practices) if place != number)
    if not kept:
        raise InputError("page, practices", "the last practice cannot be removed", "add another first")
    return _practices(state, kept)


def _generated(state: PageState, _form: Form, _number: int) -> PageState:
    world = state.scenario.world.model_copy(update={"schools": None, "ties": None})
    return replace(state, scenario=state.scenario.model_copy(update={"world": world}), schools=GENERATED)


_ACTIONS: Mapping[str, Callable[[PageState, Form, int], PageState]] = {
    "load": lambda state, _form, _number: state,
    "duplicate": _duplicate,
    "remove": _remove,
    "add": _add,
    "practice_add": _practice_add,
    "practice_remove": _practice_remove,
    "generated": _generated,
}


def _at(names: list[str], number: int) -> str:
    if not 0 <= number < len(names):
        raise InputError("page, action", f"nothing has the number {number}", f"allowed: 0 to {len(names) - 1}")
    return names[number]


def _refuse_full(names: list[str]) -> None:
    if len(names) >= MOST_DESIGNS:
        raise InputError("page, designs", text("form.full", most=MOST_DESIGNS))


def _with(state: PageState, designs: Mapping[str, object], presets: Mapping[str, str]) -> PageState:
    kept = {name: presets[name] for name in designs}
    return replace(state, scenario=state.scenario.model_copy(update={"designs": dict(designs)}), presets=kept)


def _practices(state: PageState, practices: tuple[Practice, ...]) -> PageState:
    """Return the page with other practices. Raises InputError where a scenario may not have so many."""
    return rebuilt(state, {"practices": [practice.model_dump(mode="json") for practice in practices]}, state.presets, state.view)
