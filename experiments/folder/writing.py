"""A study folder: what a command found, with all that is needed to find it again. It appears whole or not at all."""

import glob
import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

import school_mentoring
from school_mentoring import __version__
from school_mentoring.experiments.sweep.store import write_atomically
from school_mentoring.model.errors import InputError
from school_mentoring.model.fingerprint import result_fingerprint
from school_mentoring.scenarios import Scenario, resolved

from .description import INPUTS, file_digest, hash_file, hash_inputs, keep_inputs

FORMAT = 2
PACKAGES = ("numpy", "numba", "scipy", "pandas", "pyarrow", "mesa", "pydantic")

METADATA = "ro-crate-metadata.json"
PROGRAM = "#school-mentoring"
RELEASED = "2026-11-24"
"""The date of this version of the program, as CITATION.cff states it."""

FORMATS = {
    ".parquet": "application/vnd.apache.parquet",
    ".yaml": "application/yaml",
    ".nc": "application/x-netcdf",
    ".csv": "text/csv",
    ".json": "application/json",
    ".txt": "text/plain",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".html": "text/html",
    ".pdf": "application/pdf",
}
MEANING = {
    "study.json": "All that is needed to run this study again (run.py rerun): command, scenario, seed, versions, hashes of the files",
    "results": "One row per run, in parts that carry a hash of their bytes in their names",
    "results.parquet": "Adopters, ties, contacts and costs month by month",
    "teams.parquet": "Adopters month by month among teachers in a team, their colleagues and teachers of other schools",
    "runs.parquet": "One row per run: effects, what lasts, gaps, costs",
    "costs.parquet": "Costs by month, category and payer",
    "parameters.parquet": "The parameter sets that were run, one row each",
    "schools.parquet": "Schools month by month",
    "peers.parquet": "Pairs of peer schools",
    "contacts.parquet": "Contacts of schools that outlast mentoring, at the end of funding and at the end, and what they weigh",
    "summary.csv": "Outcomes of each design with their uncertainty",
    "budget.csv": "How each design was scaled to the budget, what that costs and does, and its fields as scaled",
    "scale.csv": "What each design costs and does at each number of clusters",
    "break_even.csv": "Sizes from which one design costs less than another",
    "posterior.nc": "Posterior draws, as ArviZ reads them",
}


def provenance(
    scenario: Scenario, command: str, options: Mapping[str, Any], files: Mapping[str, str] | None = None, notes: Sequence[str] = ()
) -> dict[str, Any]:
    """Return what is needed to make a study again: the resolved scenario, the command, versions and source.

    ``options``: those of the command line that decide what is written, as far as the scenario does not hold them. ``files``: what is read
    besides the scenario's files, by the option that names it; their paths join the options, their hashes the inputs. ``notes``: what is
    said of the study, for what is made of it later.
    """
    read = {key: str(Path(path).resolve()) for key, path in (files or {}).items()}
    # What rests on another study is made of that, not anew of the files of its scenario.
    own = {} if any(Path(path).is_dir() for path in read.values()) else hash_inputs(scenario)
    return {
        "format": FORMAT,
        "command": command,
        "options": {**options, **read},
        "scenario": resolved(scenario),
        "inputs": {**own, **{key: hash_file(Path(path)) for key, path in read.items()}},
        "notes": list(notes),
        "seed": scenario.seed,
        "model": result_fingerprint(),
        "source_commit": _commit(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    }


def _commit() -> str | None:
    """Return the commit of the source, with ``+`` where files have changed since; None outside a repository."""
    root = Path(school_mentoring.__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None
    asked = ("rev-parse", "HEAD"), ("status", "--porcelain", "-uno")
    try:
        commit, changed = (subprocess.check_output(["git", "-C", root, *words], stderr=subprocess.DEVNULL, text=True) for words in asked)
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit.strip() + ("+" if changed.strip() else "")


class StudyFolder:
    """A study while it is being written, in a temporary folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def table(self, name: str, frame: pd.DataFrame) -> None:
        """Write a table as Parquet, or as CSV where the name ends so; floats of a CSV carry 10 significant digits."""
        target = self.path / name
        if target.suffix == ".csv":
            frame.to_csv(target, index=False, float_format="%.10g", lineterminator="\n")
        else:
            frame.to_parquet(target, index=False, compression="zstd")

    def text(self, name: str, lines: Sequence[str]) -> None:
        """Write lines of text."""
        (self.path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def close(self, study: Mapping[str, Any]) -> None:
        """Write the metadata that repositories read, and ``study.json`` with a hash of every file of the study."""
        metadata, told = self.path / METADATA, self.path / "study.json"
        there = [path for path in self.path.rglob("*") if path.is_file() and path not in (metadata, told)]
        files = [path for path in there if path.parent.name == INPUTS or not path.name.startswith(".")]
        write_atomically(metadata, crate_bytes(study, self.path, files))
        hashes = {path.relative_to(self.path).as_posix(): file_digest(path) for path in sorted([*files, metadata])}
        write_atomically(told, study_bytes({**study, "files": hashes}))


def study_bytes(study: Mapping[str, Any]) -> bytes:
    """Return ``study.json``."""
    return (json.dumps(study, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def study_path(out: Path | None, name: str, command: str) -> Path:
    """Return the folder that a command writes to: the one that was given, else one named after what the study is of."""
    return Path("results") / f"{name}-{command}" if out is None else out


def checked_out(out: Path) -> Path:
    """Return ``out``; raises InputError where no study can be put there, so that long work does not end in a refusal."""
    try:
        _recover(out)
        foreign = out.exists() and not (out / "study.json").is_file() and (not out.is_dir() or any(out.iterdir()))
    except (OSError, ValueError) as error:
        raise InputError(f"--out {str(out)!r}", f"cannot be used ({error})", "give a folder you may write to") from error
    if foreign:
        raise InputError(f"--out {out}", "exists and is no study folder", "give a folder that is new, empty or an earlier study")
    parent = next(folder for folder in out.absolute().parents if folder.exists())
    with writing(f"--out {out}"):
        Path(tempfile.mkdtemp(prefix=".writable-", dir=parent)).rmdir()
    return out


@contextmanager
def writing(where: str, problem: str = "cannot be written", remedy: str = "give a folder you may write to") -> Iterator[None]:
    """Raise InputError for what cannot be written."""
    try:
        yield
    except OSError as error:
        raise InputError(where, f"{problem} ({error.strerror or error})", remedy) from error


def _recover(out: Path) -> None:
    """Put back an earlier study that a kill in the midst of its replacement left aside."""
    if not out.exists():
        for aside in sorted(out.absolute().parent.glob(f".{glob.escape(out.name)}-old-*/study")):
            os.replace(aside, out)
            aside.parent.rmdir()
            return


@contextmanager
def new_study(out: Path, study: Mapping[str, Any]) -> Iterator[StudyFolder]:
    """Give a folder to write a study into; it takes the place of ``out`` when all is written, and vanishes if anything fails.

    Raises InputError where ``out`` holds something that is no study, or cannot be written.
    """
    checked_out(out)
    with writing(f"--out {out}"):
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.absolute().parent))
    try:
        with writing(f"--out {out}", "writing failed", "free space or give another folder"):
            draft.chmod(0o755)
            folder = StudyFolder(draft)
            yield folder
            folder.close(keep_inputs(draft, study))
            _replace(draft, out.absolute())
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _replace(draft: Path, out: Path) -> None:
    """Put the finished draft in the place of ``out``; an earlier study goes only when the new one stands."""
    if not out.exists():
        os.replace(draft, out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent))
    os.replace(out, old / "study")
    try:
        os.replace(draft, out)
    except OSError:
        os.replace(old / "study", out)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


# --- RO-Crate 1.1 metadata: what a repository reads to say what the files are and which program made them ----------------
# https://w3id.org/ro/crate/1.1. The bytes follow from the study alone, so a study that is made again carries the same metadata.


def crate_bytes(study: Mapping[str, Any], folder: Path, files: Iterable[Path]) -> bytes:
    """Return ``ro-crate-metadata.json`` of a study, described as ``provenance`` does, with some of the files and folders in ``folder``.

    A crate must be dated, and a date of making would make the bytes of a study differ from day to day: the date is that of the program's
    version, for whoever publishes the study to replace.
    """
    scenario, command = study["scenario"], study["command"]
    told = f"Study of the scenario {scenario['name']} by run.py {command}, seed {study['seed']}. {scenario['description']}"
    parts = [{"@id": "study.json", "@type": "File", "encodingFormat": FORMATS[".json"]}]
    parts += [_part(path, path.relative_to(folder).as_posix()) for path in sorted(files)]
    for part in parts:
        part["name"] = name = part["@id"].rstrip("/")
        if name in MEANING:
            part["description"] = MEANING[name]
    libraries = [_entity(f"#{name}", "SoftwareApplication", name, softwareVersion=version) for name, version in study["versions"].items()]
    inputs = [_entity(f"#input-{name}", "CreativeWork", name, identifier=f"sha256:{digest}") for name, digest in study["inputs"].items()]
    whole = {"description": told.strip(), "datePublished": RELEASED, "hasPart": _references(parts), "mentions": {"@id": "#run"}}
    root = _entity("./", "Dataset", f"{scenario['title'] or scenario['name']}: {command}", **whole)
    does = "Agent-based simulation of schools that learn from other schools, and of what it costs to organise that"
    versions = {"version": __version__, "softwareVersion": f"{__version__}, model {study['model']}"}
    needs = {"softwareRequirements": _references(libraries)}
    program = _entity(PROGRAM, "SoftwareApplication", "School Mentoring", description=does, **versions, **needs)
    made = {"instrument": {"@id": PROGRAM}, "object": _references(inputs), "result": {"@id": "./"}}
    run = _entity("#run", "CreateAction", f"run.py {command}", **made)
    about = {"conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"}, "about": {"@id": "./"}}
    graph = [{"@id": METADATA, "@type": "CreativeWork", **about}, root, *parts, run, program, *libraries, *inputs]
    document = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _entity(key: str, kind: str, name: str, **told: Any) -> dict[str, Any]:
    return {"@id": key, "@type": kind, "name": name, **told}


def _part(path: Path, name: str) -> dict[str, Any]:
    if path.is_dir():
        return {"@id": quote(name) + "/", "@type": "Dataset"}
    kind = FORMATS.get(path.suffix, "application/octet-stream")
    return {"@id": quote(name), "@type": "File", "encodingFormat": kind, "contentSize": str(path.stat().st_size)}


def _references(entities: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"@id": entity["@id"]} for entity in entities]
