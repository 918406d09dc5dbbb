"""The folder of a search: what it is of, stated before it begins, and at the end what was found; between them its generations are kept."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from school_mentoring.experiments.compare import with_comparator
from school_mentoring.experiments.folder.description import hash_inputs, keep_inputs, refuse_other
from school_mentoring.experiments.folder.writing import StudyFolder, checked_out, provenance, study_bytes, writing
from school_mentoring.experiments.notes import notes_on_draws
from school_mentoring.experiments.sweep.store import write_atomically
from school_mentoring.experiments.variables import uncertain_variables
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import FILE_KEYS, Scenario, dump_yaml, parts
from school_mentoring.scenarios.schema import MAX_DESIGNS

from .aim import Aim
from .archive import GenerationStore, typed
from .optimise import MOST_BUDGETS, RIVALS, Found, space_of


def open_search(folder: Path, scenario: Scenario, aim: Aim, *, resume: bool) -> GenerationStore:
    """Return the generations of a search's folder, made if it is new.

    Raises InputError where the folder holds something else, another search (the message says what differs), or, unless ``resume`` is True,
    this very search already.
    """
    checked_out(folder)
    space_of(with_comparator(scenario), aim)  # refused before there is a folder
    _refuse_unreadable(scenario, aim)
    path = folder / "study.json"
    described = _describe(scenario, aim)
    if not path.exists():
        with writing(f"--out {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(path, study_bytes(keep_inputs(folder, described)))
    else:
        refuse_other(folder, described, "search")
        if not resume:
            raise InputError(f"--out {folder}", "holds this search already", "add --resume to complete it, or give another folder")
    generations = GenerationStore(folder, described, aim.generations)
    generations.store.mend()
    return generations


def _refuse_unreadable(scenario: Scenario, aim: Aim) -> None:
    """Raise InputError where a scenario of what is found could have more designs, phases and places than may be read again."""
    own = [sum(1 for _ in parts(design)) for design in scenario.designs.values()]
    places = len(scenario.country_codes) if aim.by_country else 1
    found = max(len(aim.budgets) or MOST_BUDGETS, RIVALS * len(own)) * places * aim.phases
    if (aim.phases > 1 or aim.by_country) and (most := sum(own) + found) > MAX_DESIGNS:
        problem = f"what is found could be {most} designs, phases and places in all, and a scenario holds no more than {MAX_DESIGNS}"
        where = " ".join([f"--phases {aim.phases}", *(["--by-country"] if aim.by_country else [])])
        raise InputError(where, problem, "allowed: fewer phases, countries, budgets or designs (--designs)")


def _describe(scenario: Scenario, aim: Aim) -> dict[str, Any]:
    study = provenance(scenario, "optimise", {"evaluations": aim.evaluations}, notes=notes_on_search(scenario, aim))
    return {**study, "search": {**aim.describe(), "pymoo": version("pymoo"), "files": hash_inputs(scenario)}}


def notes_on_search(scenario: Scenario, aim: Aim) -> list[str]:
    """Say what of the parameters of a search is not as it would be by default."""
    return notes_on_draws(scenario, uncertain_variables(scenario) if aim.draws else (), aim.draws)


def write_found(folder: Path, found: Found, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write what a search found into its folder, and beside it the ``tables`` of its report, by file name.

    ``runs.parquet``, ``parameters.parquet``: the fresh runs; ``evaluations.parquet``: every design tried; ``designs.yaml``: a scenario of
    the scenario's own designs and the best for each budget; ``rivals.yaml``: one of its own designs and what beats them.
    """
    told = json.loads((folder / "study.json").read_text(encoding="utf-8"))["scenario"]
    beside = {key: told["world"][key] for key in FILE_KEYS}  # own files as the folder keeps them, so that it can be moved
    best = set(found.chosen.loc[found.chosen["kind"] == "budget", "design"])
    files = {
        "runs.parquet": found.runs.to_parquet(index=False, compression="zstd"),
        "parameters.parquet": found.sets.to_parquet(index=False, compression="zstd"),
        "evaluations.parquet": typed(found.evaluations).to_parquet(index=False, compression="zstd"),
        "designs.yaml": _scenario_of(found, beside, best, "best-designs", "the best designs for each budget"),
        "rivals.yaml": _scenario_of(found, beside, set(found.designs) - best, "rivals", "designs that do more, cost less, or both"),
        **{name: frame.to_csv(index=False, float_format="%.10g", lineterminator="\n").encode() for name, frame in tables.items()},
    }
    with writing(f"--out {folder}", "writing failed", "free space, then --resume"):
        for name, data in files.items():
            write_atomically(folder / name, data)


def close_search(folder: Path, found: Found) -> None:
    """Say in ``study.json`` what the finished study holds, with a hash of every file."""
    StudyFolder(folder).close(keep_inputs(folder, _describe(found.scenario, found.aim)))


def _scenario_of(found: Found, beside: Mapping[str, str | None], names: set[str], suffix: str, what: str) -> bytes:
    """Return a scenario with the scenario's own designs and some of those found, as YAML."""
    own = found.scenario.designs
    designs = {name: design for name, design in found.designs.items() if name in own or name in names}
    name = f"{found.scenario.name[: 59 - len(suffix)]}-{suffix}".strip("-")
    world = found.scenario.world.model_copy(update=beside)
    title = f"{found.scenario.title or found.scenario.name}: {what}"[:200]
    return dump_yaml(found.scenario.model_copy(update={"name": name, "title": title, "designs": designs, "world": world})).encode()
