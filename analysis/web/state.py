"""What a visitor sees and changes: a scenario, what it began from, and what the page itself asks. All of it fits into the address.

An address holds what differs from a shipped scenario, so it names no file, and is checked as any scenario is.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from school_mentoring.analysis.economics.psa import HEADLINE
from school_mentoring.model.designs import PRESETS, Design
from school_mentoring.model.errors import InputError
from school_mentoring.model.programmes import Programme
from school_mentoring.scenarios import COMPARATOR, Scenario, load_scenario, resolved, scenario_from, shipped_scenarios
from school_mentoring.scenarios.ranges import says_nothing
from school_mentoring.scenarios.stated_programmes import is_programme

MOST_DESIGNS = 6
MOST_ADDRESS = 16_000
MOST_CONTENT = 400_000
SOURCE = "page"
GENERATED = "generated"
FILES = ("schools", "ties")
OURS = ("posterior", "keep_inputs")
"""What an address never decides: which draws are read, and whether files are given away."""


class View(BaseModel):
    """What the page asks besides the scenario."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    willingness_to_pay: float = Field(default=HEADLINE, ge=0, le=1e9, allow_inf_nan=False)
    budget: float | None = Field(default=None, ge=0, le=1e15, allow_inf_nan=False)
    map_design: str = Field(default="", max_length=40)
    map_country: int = Field(default=0, ge=0, le=1000)


class Named(NamedTuple):
    """An own table of schools: the name of its file, and the digest of its content, by which the session finds it."""

    name: str
    digest: str


@dataclass(frozen=True)
class PageState:
    """A scenario without the comparator among its designs; ``begun``: the shipped scenario it differs from; ``presets``: by design.

    ``schools``: the visitor's own table, ``GENERATED`` where those of the shipped scenario are not wanted, or None.
    """

    scenario: Scenario
    begun: str
    presets: Mapping[str, str]
    view: View = field(default_factory=View)
    schools: Named | str | None = None


SERVED = "served"
"""What the scenario that the server was started with is called, where it reads files that no shipped one has."""

_served: dict[str, Scenario] = {}


def serve_first(scenario: Scenario) -> PageState:
    """Return the page that a server begins with. Links to it work on servers that were started with the same files."""
    if any(_files(scenario)) and not _alike(scenario):
        _served[SERVED] = scenario
        return state_of(scenario, SERVED)
    return state_of(scenario, begun_from(scenario))


_load = cache(load_scenario)


def _shipped(name: str) -> Scenario:
    return _served[name] if name in _served else _load(name)


def known_scenarios() -> tuple[str, ...]:
    """Return the names of the scenarios that a page may begin from: of those that are shipped, the ones with designs to compare."""
    return (*_served, *(name for name in shipped_scenarios() if len(_load(name).designs) > 1))


def _files(scenario: Scenario) -> tuple[str | None, ...]:
    return scenario.world.schools, scenario.world.ties, scenario.posterior


def _alike(scenario: Scenario) -> list[str]:
    """Return the scenarios that read the same files."""
    return [name for name in known_scenarios() if _files(_shipped(name)) == _files(scenario)]


def new_state(name: str) -> PageState:
    """Return the page of a shipped scenario as it is."""
    return state_of(_shipped(name), name)


def state_of(scenario: Scenario, begun: str) -> PageState:
    """Return the page of a scenario: six designs besides the comparator, its own before presets. Raises InputError where it has none."""
    designs = {name: design for name, design in scenario.designs.items() if name != COMPARATOR}
    if not designs:
        raise InputError("designs", f"there is no design besides {COMPARATOR!r}", "add one to compare with it")
    first = sorted(designs, key=lambda name: name in PRESETS)[:MOST_DESIGNS]  # the scenario's own before presets
    kept = {name: design for name, design in designs.items() if name in first}
    presets = {name: name if name in PRESETS and isinstance(one, Design) else _nearest_preset(one) for name, one in kept.items()}
    return PageState(scenario.model_copy(update={"designs": kept}), begun, presets)


def with_schools(state: PageState, path: Path | None) -> PageState:
    """Return a page whose schools are those of a file, or generated."""
    world = {**resolved(state.scenario)["world"], "schools": path and str(path), "ties": None}
    return rebuilt(state, {"world": world}, state.presets, state.view)


def begun_from(scenario: Scenario) -> str:
    """Return the known scenario from which the files of a scenario come: one without files where it has none."""
    alike = _alike(scenario)
    return scenario.name if scenario.name in alike else alike[0]


def _nearest_preset(design: Any) -> str:
    """Return the preset that agrees with a design in most fields; of a programme the comparator."""
    if isinstance(design, Programme):
        return COMPARATOR
    return max(PRESETS, key=lambda name: sum(getattr(PRESETS[name], f) == getattr(design, f) for f in type(design).model_fields))


def rebuilt(state: PageState, changes: Mapping[str, Any], presets: Mapping[str, str], view: View) -> PageState:
    """Return a page on which whole sections of the scenario are replaced. Raises InputError, as a file of the same content would."""
    scenario = scenario_from({**resolved(state.scenario), **changes}, SOURCE)
    return replace(state, scenario=scenario, presets=presets, view=view)


def to_address(state: PageState) -> str:
    """Return the page as a short text for an address."""
    shipped, mine = resolved(_shipped(state.begun)), resolved(state.scenario)
    differs = {key: value for key, value in mine.items() if value != shipped[key] and key not in OURS}
    differs["designs"] = {name: _from_preset(state.presets[name], values) for name, values in mine["designs"].items()}
    if "parameters" in differs:
        theirs = shipped["parameters"]
        own = {name: value for name, value in mine["parameters"].items() if value != theirs.get(name)}
        differs["parameters"] = {name: value for name, value in own.items() if name in theirs or not says_nothing(name, value)}
    if "world" in differs:
        world = {key: value for key, value in mine["world"].items() if value != shipped["world"][key] and key not in FILES}
        if "countries" in world:
            known = {country["code"]: country for country in shipped["world"]["countries"]}
            world["countries"] = [country["code"] if country == known.get(country["code"]) else country for country in world["countries"]]
        differs["world"] = world
    content: dict[str, Any] = {"begun": state.begun, "scenario": differs, "presets": dict(state.presets)}
    content["view"] = state.view.model_dump(exclude_defaults=True)
    if state.schools is not None:
        content["schools"] = state.schools
    packed = zlib.compress(json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode(), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _from_preset(preset: str, values: Mapping[str, Any]) -> dict[str, Any]:
    if is_programme(values):
        return dict(values)
    begun = PRESETS[preset].model_dump(mode="json")
    return {"preset": preset, **{name: value for name, value in values.items() if value != begun[name]}}


def from_address(text: str) -> PageState:
    """Return the page that an address holds; its own schools are only named. Raises InputError for anything else."""
    content = _unpacked(text)
    try:
        begun, stated, presets = content["begun"], content["scenario"], content["presets"]
        if begun not in known_scenarios() or not isinstance(stated, dict) or not isinstance(presets, dict):
            raise ValueError("no such scenario")
        schools = content.get("schools")
        values = _laid_over(resolved(_shipped(begun)), stated, schools)
        view = View.model_validate(content.get("view", {}))
        state = state_of(scenario_from(values, "address"), begun)
        known = {name: presets[name] for name in state.scenario.designs if presets.get(name) in PRESETS}
        named = Named(*(str(part)[:100] for part in schools)) if isinstance(schools, list) and len(schools) == 2 else None
        return replace(state, presets={**state.presets, **known}, view=view, schools=GENERATED if schools == GENERATED else named)
    except (KeyError, TypeError, AttributeError, ValidationError) as error:
        raise InputError("address", "holds no set of designs", "open the page anew") from error
    except ValueError as error:
        raise error if isinstance(error, InputError) else InputError("address", str(error), "open the page anew") from None


def _laid_over(shipped: dict[str, Any], stated: dict[str, Any], schools: Any) -> dict[str, Any]:
    """Return all values of a scenario: those of the address over those of the shipped one; files stay those of the shipped one."""
    values = {**shipped, **{key: value for key, value in stated.items() if key not in OURS}}
    if "parameters" in stated:
        values["parameters"] = {**shipped["parameters"], **stated["parameters"]}
    world = {**shipped["world"], **{key: value for key, value in stated.get("world", {}).items() if key not in FILES}}
    if "countries" in stated.get("world", {}):
        known = {country["code"]: country for country in shipped["world"]["countries"]}
        world["countries"] = [known.get(country, country) if isinstance(country, str) else country for country in world["countries"]]
    if schools is not None:
        world |= dict.fromkeys(FILES)
    return {**values, "world": world}


def _unpacked(text: str) -> dict[str, Any]:
    """Return the content of an address, at most so much of it."""
    content = None
    with suppress(ValueError, binascii.Error, zlib.error, RecursionError):
        if len(text) <= MOST_ADDRESS:
            packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            content = json.loads(zlib.decompressobj().decompress(packed, MOST_CONTENT))
    if not isinstance(content, dict):
        raise InputError("address", "holds no set of designs", "open the page anew")
    return content
