"""The fields of the form, made from the schema: name, help, unit, range and kind of every one. Nothing of them is stated here."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from school_mentoring.analysis.outcomes import field_name
from school_mentoring.model.designs import CHOICES, FIELDS, OPTIONAL, PRESETS, SWITCHES, WHOLE, Design

STEPS = 100


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


def changed_fields(design: Design, preset: str) -> list[str]:
    """Return what is different from a preset, by name."""
    return [name for name in FIELDS if getattr(design, name) != getattr(PRESETS[preset], name)]
