"""What ``study.json`` says of a study, checked before anything is made of it; and whether the files that it lists hold what was written."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from school_mentoring.model.errors import InputError

from .inputs import file_digest, without_places

Count = Annotated[int, Field(ge=1, strict=True)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class _Scenario(_Part):
    replicates: Count
    months: Count
    designs: dict[str, dict[str, Any]]
    world: dict[str, Any]
    posterior: str | None = None


class _Sweep(_Part):
    parameter_sets: Count
    chunk: Count
    sets_hash: str
    random: Literal["common", "independent"]
    sample: str
    monthly: bool = False
    broken_down: bool = False
    schools: dict[str, Any] | None = None


class _Description(_Part):
    """As far as other commands rely on it; the scenario itself is checked where it is used."""

    format: Count
    command: str
    options: dict[str, Any]
    scenario: _Scenario
    inputs: dict[str, str]
    sweep: _Sweep | None = None
    search: dict[str, Any] | None = None
    files: dict[str, str] | None = None


def read_description(folder: Path) -> dict[str, Any]:
    """Return what the ``study.json`` of a folder says. Raises InputError where there is none, or one that no command wrote."""
    try:
        info = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(str(folder), f"holds no study ({why})", "give the folder that a command wrote") from None
    if not isinstance(info, dict) or "scenario" not in info:
        raise InputError(str(folder), "study.json describes no study", "give the folder that a command wrote")
    try:
        _Description.model_validate(info)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = f"{folder / 'study.json'}, {'.'.join(map(str, first['loc']))}"
        raise InputError(where, f"is not as a command wrote it ({first['msg'].lower()})", "make the study anew") from None
    return info


def refuse_changed(path: Path, info: Mapping[str, Any]) -> None:
    """Raise InputError where a file of a finished study holds other bytes than ``info``, what its ``study.json`` says, lists."""
    if info.get("files") is None:
        raise InputError(str(path.parent), "holds an unfinished study", "complete it, with --resume where the command has it")
    try:
        found = file_digest(path)
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror})", "make the study anew") from None
    if info["files"].get(path.name) != found:
        raise InputError(str(path), "is damaged (not the bytes that were written)", "make the study anew")


def decides(info: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return what of a description decides the runs of a ``sweep`` or the designs that a ``search`` tries, as JSON holds it."""
    return {"scenario": without_places(info), "model": info.get("model"), kind: info.get(kind)}


def refuse_other(folder: Path, described: Mapping[str, Any], kind: str) -> None:
    """Raise InputError, naming what differs, where the study in a folder is not this ``sweep`` or ``search``."""
    there, where = read_description(folder), f"--out {folder}"
    if kind not in there:
        raise InputError(where, f"holds a study that is no {kind}", "give another folder")
    for name, old, new in differences(decides(there, kind), json.loads(json.dumps(decides(described, kind)))):
        problem = f"holds a {kind} that differs in {name}: {old} there, {new} now"
        if name == "model":
            problem = f"the model's code has changed since this {kind} was begun"
        if name == "sweep.sets_hash":
            problem = "holds a sweep of other parameter sets"
        raise InputError(where, problem, "give another folder")


def differences(old: Any, new: Any, name: str = "") -> Iterator[tuple[str, str, str]]:
    """Give what differs between two descriptions of a study: the name, and both values in short."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from differences(old.get(key), new.get(key), f"{name}.{key}".removeprefix("."))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for position, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differences(one, other, f"{name}.{position}")
    elif old != new:
        yield name, _short(old), _short(new)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
