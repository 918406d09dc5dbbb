"""What the page's templates are filled with: the designs with their fields and sentences, the world, what may be taken away."""

import secrets
from typing import Any

import numpy as np

from school_mentoring.analysis.describe import describe
from school_mentoring.analysis.outcomes import design_name, field_name
from school_mentoring.analysis.palette import design_styles
from school_mentoring.analysis.report.terminal import WILLINGNESS_TO_PAY
from school_mentoring.experiments.compare import window
from school_mentoring.model.designs import PRESETS
from school_mentoring.model.world.countries import COUNTRIES
from school_mentoring.model.world.schools import Schools
from school_mentoring.scenarios import COMPARATOR, Practice, Programme, Scenario

from .downloads import downloads
from .fields import changed_fields, design_fields, section_fields
from .form import NUMBERS, WORLD_NUMBERS
from .limits import Limits
from .sessions import Session
from .state import MOST_DESIGNS, Named, PageState, known_scenarios, to_address
from .texts import text


def page_context(
    state: PageState, session: Session, limits: Limits, *, opened: str = "", action: str = "", said: str = ""
) -> dict[str, Any]:
    """Return what all templates need. ``opened``: designs that stand open; ``action``: what was just done; ``said``: its result."""
    scenario = state.scenario
    return {
        "state": state,
        "scenario": scenario,
        "address": to_address(state),
        "page_key": secrets.token_urlsafe(9),
        "designs": _designs(state, opened, action),
        "presets": {name: design_name(name) for name in PRESETS if name != COMPARATOR},
        "full": len(scenario.designs) >= MOST_DESIGNS,
        "most_designs": MOST_DESIGNS,
        "known": known_scenarios(),
        "countries": _countries(scenario),
        "own_schools": scenario.world.schools is not None,
        "schools_missing": isinstance(state.schools, Named) and state.schools.digest not in session.tables,
        "world_fields": section_fields(scenario.world, WORLD_NUMBERS, "world."),
        "practices": [
            {
                "number": k,
                "name": one.name.replace("_", " "),
                "fields": section_fields(one, Practice.model_fields, f"practices.{k}.", f"practices[{k}]."),
            }
            for k, one in enumerate(scenario.practices)
        ],
        "horizon": section_fields(scenario, ["months"]) + section_fields(scenario.programme, Programme.model_fields, "programme."),
        "precision": section_fields(scenario, [field for field in NUMBERS if field != "months"]),
        "view": state.view,
        "k_high": max(4 * WILLINGNESS_TO_PAY[2], state.view.willingness_to_pay),
        "downloads": downloads(),
        "said": said,
        "megabytes": limits.upload_bytes // 2**20,
        "hours": limits.hours,
    }


def world_says(scenario: Scenario, schools: Schools) -> str:
    """Return in a sentence which schools the results are of, and how many real ones they stand for."""
    counts = np.bincount(schools.country, minlength=len(schools.countries))
    places = ", ".join(text("results.world_place", n=f"{n:,}", place=one.name) for n, one in zip(counts, schools.countries, strict=True))
    if scenario.world.schools is not None:
        return text("results.world_own", n=f"{len(schools):,}", places=places)
    real = sum(country.schools_primary + country.schools_secondary for country in schools.countries)
    return text("results.world_generated", n=f"{len(schools):,}", places=places, real=f"{real:,}")


def _designs(state: PageState, opened: str, action: str) -> list[dict[str, Any]]:
    scenario = state.scenario
    styles = design_styles([COMPARATOR, *scenario.designs])
    names = set(opened.split())
    what, _, which = action.partition(":")
    new = int(which) + 1 if what == "duplicate" and which.isdecimal() else len(scenario.designs) - 1 if what == "add" else -1
    found = []
    for number, (name, design) in enumerate(scenario.designs.items()):
        preset = state.presets[name]
        changed = changed_fields(design, preset)
        first, last = window(scenario, design)
        begun = text("form.begun_from", preset=design_name(preset))
        if changed:
            begun = text("form.unlike_preset", preset=design_name(preset), fields=", ".join(field_name(field) for field in changed))
        found.append(
            {
                "number": number,
                "name": name,
                "label": design_name(name),
                "colour": styles[name].colour,
                "preset": preset,
                "begun": begun,
                "says": describe(design.model_copy(update={"first_month": first, "last_month": last})),
                "fields": design_fields(design, f"designs.{number}", f"designs.{name}"),
                "open": name in names or number == new,
                "new": number == new,
            }
        )
    return found


def _countries(scenario: Scenario) -> list[dict[str, Any]]:
    chosen = {country.code: country for country in scenario.world.countries}
    found = [{"code": c.code, "name": c.name, "chosen": True, "regions": c.regions} for c in chosen.values()]
    return found + [{"code": c.code, "name": c.name, "chosen": False, "regions": None} for c in COUNTRIES.values() if c.code not in chosen]
