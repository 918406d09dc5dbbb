"""The files that a study is made from: copies that it keeps, so that it can be moved, and where they are found again."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import FILE_KEYS, Scenario

INPUTS = "inputs"
"""The folder of a study that holds copies of the files that it was made from."""

GIVEN = (*FILE_KEYS, "observations")
"""Files that ``rerun`` takes as options, as other commands do."""


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
