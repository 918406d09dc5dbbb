"""What the page's templates are filled with: the designs with their fields and sentences, the world, what may be taken away.

The fields of the form are made from the schema: name, help, unit, range and kind of every one. Nothing of them is stated here.
"""

import math
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from school_mentoring.analysis.describe import describe
from school_mentoring.analysis.economics.psa import WILLINGNESS_TO_PAY
from school_mentoring.analysis.outcomes import design_name, field_name
from school_mentoring.analysis.palette import design_styles
from school_mentoring.model.designs import CHOICES, FIELDS, OPTIONAL, PRESETS, SWITCHES, WHOLE, Design
from school_mentoring.model.programmes import Programme
from school_mentoring.model.world.countries import COUNTRIES
from school_mentoring.model.world.schools import Schools
from school_mentoring.scenarios import COMPARATOR, Funding, Practice, Scenario

from .downloads import downloads
from .form import NUMBERS, WORLD_NUMBERS
from .limits import Limits
from .sessions import Session
from .state import MOST_DESIGNS, Named, PageState, known_scenarios, to_address
from .texts import text

STEPS = 100


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
        "horizon": section_fields(scenario, ["months"]) + section_fields(scenario.programme, Funding.model_fields, "programme."),
        "precision": section_fields(scenario, [field for field in NUMBERS if field != "months"]),
        "view": state.view,
        "k_high": max(*WILLINGNESS_TO_PAY, state.view.willingness_to_pay),
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
        found.append(
            {
                "number": number,
                "name": name,
                "label": design_name(name),
                "colour": styles[name].colour,
                "preset": state.presets[name],
                "programme": isinstance(design, Programme),
                "begun": text("form.programme") if isinstance(design, Programme) else _begun(design, state.presets[name]),
                "says": _says(design, scenario),
                "fields": [] if isinstance(design, Programme) else design_fields(design, f"designs.{number}", f"designs.{name}"),
                "open": name in names or number == new,
                "new": number == new,
            }
        )
    return found


def _begun(design: Design, preset: str) -> str:
    """Return from which preset a design was begun, and in which fields it differs."""
    changed = [field_name(field) for field in FIELDS if getattr(design, field) != getattr(PRESETS[preset], field)]
    if changed:
        return text("form.unlike_preset", preset=design_name(preset), fields=", ".join(changed))
    return text("form.begun_from", preset=design_name(preset))


def _says(design: Design | Programme, scenario: Scenario) -> str:
    """Return what a design is, of a plain one with its months."""
    if isinstance(design, Programme):
        return describe(design, scenario.designs)
    first, last = scenario.programme.window(design)
    return describe(design.model_copy(update={"first_month": first, "last_month": last}))


def _countries(scenario: Scenario) -> list[dict[str, Any]]:
    chosen = {country.code: country for country in scenario.world.countries}
    found = [{"code": c.code, "name": c.name, "chosen": True, "regions": c.regions} for c in chosen.values()]
    return found + [{"code": c.code, "name": c.name, "chosen": False, "regions": None} for c in COUNTRIES.values() if c.code not in chosen]


# --- fields of the form -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FormField:
    """A field: ``name`` in the form, ``path`` in the scenario; ``low`` to ``high`` is the slider, ``minimum`` to ``maximum`` allowed."""

    name: str
    path: str
    label: str
    help: str
    unit: str
    kind: str
    value: Any
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    low: float | None = None
    high: float | None = None
    step: str = "any"
    optional: bool = False

    @property
    def shown(self) -> str:
        """The value as YAML writes it and the form holds it, nothing as an empty text."""
        if self.value is None:
            return ""
        if isinstance(self.value, bool):
            return str(self.value).lower()
        if isinstance(self.value, float) and self.value.is_integer() and abs(self.value) < 1e15:
            return str(int(self.value))
        return str(self.value)

    @property
    def slider(self) -> tuple[float, float] | None:
        """The ends of the field's slider, which a value beyond them moves; None where it has none."""
        if self.kind != "number" or self.low is None or self.high is None:
            return None
        value = self.low if self.value is None else float(self.value)
        return min(self.low, value), max(self.high, value)


def design_fields(design: Design, prefix: str, path: str) -> list[FormField]:
    """Return every field of a design, in the order of the table of fields."""
    found = []
    for name, row in FIELDS.items():
        common: dict[str, Any] = {"name": f"{prefix}.{name}", "path": f"{path}.{name}", "label": field_name(name), "help": row.meaning}
        common |= {"value": getattr(design, name), "unit": ""}
        if name in CHOICES:
            found.append(FormField(**common, kind="choice", choices=CHOICES[name]))
        elif name in SWITCHES:
            found.append(FormField(**common, kind="switch"))
        else:
            ends: dict[str, Any] = {"minimum": row.minimum, "maximum": row.maximum, "low": row.low, "high": row.high}
            step = "1" if name in WHOLE else _step(ends["low"], ends["high"])
            found.append(FormField(**common | {"unit": row.unit}, kind="number", **ends, step=step, optional=name in OPTIONAL))
    return found


def section_fields(section: BaseModel, names: Iterable[str], prefix: str = "", path: str | None = None) -> list[FormField]:
    """Return fields of a section of the scenario, from what its schema says of them; ``path``: of the section, where not ``prefix``."""
    found = []
    for name in names:
        info: FieldInfo = type(section).model_fields[name]
        stated = (prefix + name, (prefix if path is None else path) + name, field_name(name), str(info.description))
        extra: Mapping[str, Any] = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        bounds = {kind: getattr(rule, kind) for rule in info.metadata for kind in ("ge", "gt", "le") if hasattr(rule, kind)}
        if not bounds:
            found.append(FormField(*stated, "", "text", getattr(section, name)))
            continue
        kinds, low, high = (info.annotation, *get_args(info.annotation)), extra.get("low"), extra.get("high")
        found.append(
            FormField(
                *stated, "" if extra.get("unit") in (None, "-") else str(extra["unit"]), "number", getattr(section, name), (),
                bounds.get("ge", bounds.get("gt")), bounds.get("le"), low, high,
                "1" if int in kinds else _step(extra["low"], extra["high"]), type(None) in kinds,
            )
        )  # fmt: skip
    return found


def _step(low: float, high: float) -> str:
    """Return the step of a slider: about a hundredth of the range in round figures."""
    rough = (high - low) / STEPS
    power = 10.0 ** math.floor(math.log10(rough))
    return f"{max(step * power for step in (1, 2, 5) if step * power <= rough * 1.0001):.10g}"
