"""What ``study.json`` says of a study, checked before anything is made of it, and the files that a study holds or is made from.

Of those that it is made from it keeps copies, so that it can be moved, and finds them again.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import FILE_KEYS, Scenario

from .model_1 import refuse_model_1

INPUTS = "inputs"
"""The folder of a study that holds copies of the files that it was made from."""

GIVEN = (*FILE_KEYS, "observations")
"""Files that ``rerun`` takes as options, as other commands do."""

Count = Annotated[int, Field(ge=1, strict=True)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class _Scenario(_Part):
    replicates: Count
    months: Count
    designs: dict[str, dict[str, Any]]
    world: dict[str, Any]
    parameters: dict[str, Any]
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
    notes: list[str] = []
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
    refuse_model_1(there, where)
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


# --- the files that a study is made from ------------------------------------------------------------------------------


def hash_inputs(scenario: Scenario) -> dict[str, str]:
    """Return a hash of each file that the scenario is read from, as a path does not tell what it holds."""
    return {key: hash_file(Path(path)) for key, path in _files(scenario).items()}


def portable(scenario: Scenario) -> Scenario:
    """Return the scenario with the files that it is read from named as files beside it, by what they are to it."""
    named = {key: key + Path(path).suffix.lower() for key, path in _files(scenario).items()}
    posterior = named.pop("posterior", None)
    return scenario.model_copy(update={"world": scenario.world.model_copy(update=named), "posterior": posterior})


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def hash_file(path: Path) -> str:
    """Return 16 hexadecimal digits that change with any byte of a file; for the folder of a study those of its ``study.json``."""
    return file_digest(path / "study.json" if path.is_dir() else path)[:16]


def keep_inputs(folder: Path, study: Mapping[str, Any]) -> dict[str, Any]:
    """Copy the files that a study is made from to ``inputs/`` in its folder; return what ``study.json`` says of it, naming the copies.

    Where the scenario says that no copies be kept, and of the folder of another study, the place where they lie is stated instead.
    """
    told: dict[str, Any] = json.loads(json.dumps(study))
    taken: set[str] = set()
    for key in told["inputs"] if told["scenario"]["keep_inputs"] else ():
        holder = _holder(told, key)
        source = Path(holder[key])
        if source.is_file():
            name = source.name if source.name not in taken else f"{key}-{source.name}"
            copy = folder / INPUTS / name
            copy.parent.mkdir(exist_ok=True)
            if not (copy.exists() and copy.samefile(source)):
                shutil.copyfile(source, copy)
            taken.add(name)
            holder[key] = f"{INPUTS}/{name}"
    return told


def copies(folder: Path) -> list[Path]:
    """Return the copies that a study holds of what it was made from."""
    return sorted(path for path in (folder / INPUTS).glob("*") if path.is_file())


def without_places(study: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``study.json`` says of a scenario without where its files lie, which decides nothing: their hashes are stated too."""
    scenario = {name: value for name, value in study["scenario"].items() if name not in ("posterior", "keep_inputs")}
    return scenario | {"world": {name: value for name, value in scenario["world"].items() if name not in FILE_KEYS}}


def find_inputs(folder: Path, study: Mapping[str, Any], given: Mapping[str, str | None]) -> dict[str, Any]:
    """Return what ``study.json`` in a folder says, naming the files that the study was made from where they are now.

    A file is that one which holds the bytes of then: ``given`` (by ``GIVEN``), or where it was, or in ``inputs/``, or in or beside the
    folder under any name. Raises InputError where there is none.
    """
    told: dict[str, Any] = json.loads(json.dumps(study))
    for key, path in given.items():
        if path is not None and key not in told["inputs"]:
            raise InputError(f"--{key} {path}", f"the study was made without {key}", "leave it out")
    for key, digest in told["inputs"].items():
        holder = _holder(told, key)
        holder[key] = str(_found(folder, key, folder / holder[key], digest, given.get(key)))
    return told


def _found(folder: Path, key: str, stated: Path, digest: str, given: str | None) -> Path:
    for path in [Path(given)] if given is not None else _candidates(folder, stated):
        try:
            if hash_file(path) == digest:
                return path.absolute()
        except OSError:
            continue
    if given is not None:
        raise InputError(f"--{key} {given}", "is not the file that the study was made from", f"give that one (sha256 {digest}...)")
    problem = "has changed since the study was made from it" if stated.exists() else "the study was made from it, and it is gone"
    option = f", or give it by --{key}" if key in GIVEN else ""
    raise InputError(str(stated), problem, f"put the file of that time (sha256 {digest}...) there or beside the study{option}")


def _candidates(folder: Path, stated: Path) -> Iterator[Path]:
    yield stated
    for place in (folder / INPUTS, folder, folder.parent):
        for path in sorted(place.iterdir()) if place.is_dir() else []:
            if path.suffix.lower() == stated.suffix.lower() or (path / "study.json").is_file():
                yield path


def _files(scenario: Scenario) -> dict[str, str]:
    """Return the files that a scenario is read from, by what they are to it."""
    paths = {**{key: getattr(scenario.world, key) for key in FILE_KEYS}, "posterior": scenario.posterior}
    return {key: path for key, path in paths.items() if path is not None}


def _holder(study: dict[str, Any], key: str) -> dict[str, Any]:
    """Return the part of a study's description that names one of its files."""
    found: dict[str, Any] = study["scenario"]["world"] if key in FILE_KEYS else study["scenario" if key == "posterior" else "options"]
    return found
