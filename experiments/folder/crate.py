"""RO-Crate 1.1 metadata of a study folder: what a repository reads to say what the files are and which program made them.

https://w3id.org/ro/crate/1.1. The bytes follow from the study alone, so a study that is made again carries the same metadata.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from school_mentoring import __version__

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
    "results.parquet": "Adopters, ties and costs month by month",
    "runs.parquet": "One row per run: effects, what lasts, gaps, costs",
    "costs.parquet": "Costs by month, category and payer",
    "parameters.parquet": "The parameter sets that were run, one row each",
    "schools.parquet": "Schools month by month",
    "peers.parquet": "Pairs of peer schools",
    "summary.csv": "Outcomes of each design with their uncertainty",
    "posterior.nc": "Posterior draws, as ArviZ reads them",
}


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
    root = _entity(
        "./",
        "Dataset",
        f"{scenario['title'] or scenario['name']}: {command}",
        description=told.strip(),
        datePublished=RELEASED,
        hasPart=_references(parts),
        mentions={"@id": "#run"},
    )
    program = _entity(
        PROGRAM,
        "SoftwareApplication",
        "School Mentoring",
        description="Agent-based simulation of schools that learn from other schools, and of what it costs to organise that",
        version=__version__,
        softwareVersion=f"{__version__}, model {study['model']}",
        softwareRequirements=_references(libraries),
    )
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
