"""The fields of the form, made from the schema: name, help, unit, range and kind of every one. Nothing of them is stated here."""

import math
from collections.abc import Mapping
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
        """The value as the form holds it."""
        return written(self.value)

    @property
    def slides(self) -> bool:
        """Whether the field has a slider."""
        return self.kind == "number" and self.low is not None and self.high is not None

    @property
    def slider_low(self) -> float:
        """The slider's low end, which a value beyond it moves."""
        return min(self.low or 0.0, self.low or 0.0 if self.value is None else float(self.value))

    @property
    def slider_high(self) -> float:
        """The slider's high end, which a value beyond it moves."""
        return max(self.high or 0.0, self.high or 0.0 if self.value is None else float(self.value))


def written(value: Any) -> str:
    """Return a value as YAML writes it, nothing as an empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


def design_fields(design: Design, prefix: str, path: str) -> list[FormField]:
    """Return every field of a design, in the order of the table of fields."""
    found = []
    for name, row in FIELDS.items():
        common: dict[str, Any] = {"name": f"{prefix}.{name}", "path": f"{path}.{name}", "label": field_name(name), "help": row.meaning}
        value = getattr(design, name)
        if name in CHOICES:
            found.append(FormField(**common, unit="", kind="choice", value=value, choices=CHOICES[name]))
        elif name in SWITCHES:
            found.append(FormField(**common, unit="", kind="switch", value=value))
        else:
            ends: dict[str, Any] = {"minimum": row.minimum, "maximum": row.maximum, "low": row.low, "high": row.high}
            step = "1" if name in WHOLE else _step(ends["low"], ends["high"])
            found.append(FormField(**common, unit=row.unit, kind="number", value=value, **ends, step=step, optional=name in OPTIONAL))
    return found


def section_field(section: type[BaseModel], name: str, value: Any, form_name: str, path: str) -> FormField:
    """Return a field of a section of the scenario, from what its schema says of it."""
    info: FieldInfo = section.model_fields[name]
    extra: Mapping[str, Any] = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    bounds = {kind: getattr(rule, kind) for rule in info.metadata for kind in ("ge", "gt", "le") if hasattr(rule, kind)}
    if not bounds:
        return FormField(form_name, path, field_name(name), str(info.description), "", "text", value)
    annotation = info.annotation
    whole = int in (annotation, *get_args(annotation))
    low, high = extra.get("low"), extra.get("high")
    step = "1" if whole else _step(extra["low"], extra["high"])
    unit = "" if extra.get("unit") in (None, "-") else str(extra["unit"])
    return FormField(
        form_name, path, field_name(name), str(info.description), unit, "number", value, (),
        bounds.get("ge", bounds.get("gt")), bounds.get("le"), low, high, step, type(None) in get_args(annotation),
    )  # fmt: skip


def _step(low: float, high: float) -> str:
    """Return the step of a slider: about a hundredth of the range in round figures."""
    rough = (high - low) / STEPS
    power = 10.0 ** math.floor(math.log10(rough))
    return f"{max(step * power for step in (1, 2, 5) if step * power <= rough * 1.0001):.10g}"


def changed_fields(design: Design, preset: str) -> list[str]:
    """Return what is different from a preset, by name."""
    return [name for name in FIELDS if getattr(design, name) != getattr(PRESETS[preset], name)]
