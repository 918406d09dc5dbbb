"""What a recommendation rests on, read from the folder of a study or taken from a comparison just made."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from school_mentoring.experiments.folder.description import refuse_changed
from school_mentoring.experiments.folder.results import KEYS, Study, open_study
from school_mentoring.model.designs import Design, design_from_row
from school_mentoring.model.errors import InputError
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.scenarios import COMPARATOR, Scenario, scenario_from

from .compare import Comparison
from .variables import fixed_note

COMMANDS = ("compare", "sweep", "optimise")
"""The commands whose studies a recommendation may rest on."""


def is_study(path: str) -> bool:
    """Tell whether a path is meant as a study's folder: a folder that is no shipped scenario's name."""
    return Path(path).is_dir()


def refuse_no_choice(scenario: Scenario) -> None:
    """Raise InputError where a scenario has no design but the one that others are compared with, before any run is made."""
    if set(scenario.designs) <= {COMPARATOR}:
        raise InputError("--designs", f"there is no design to compare with {COMPARATOR}", "allowed: one or more others")


def evidence_of_comparison(found: Comparison, command: str) -> dict[str, Any]:
    """Return what ``analysis.report.chapters.facts.Evidence`` takes of a comparison."""
    runs = pd.concat([found.base.runs, found.uncertain], ignore_index=True)
    return _evidence(found.scenario, runs, found.sets, [command], "", found.notes)


def evidence_of_study(path: str) -> tuple[dict[str, Any], Scenario]:
    """Return what ``analysis.report.chapters.facts.Evidence`` takes of a finished comparison, sweep or search, and its scenario.

    Raises InputError for a folder that holds no study, one of another command, an unfinished one, one whose files are damaged, and one
    without the design that others are compared with.
    """
    study = open_study(path)
    command = str(study.info.get("command"))
    if command not in COMMANDS:
        raise InputError(path, f"is a study of {command}", f"allowed: studies of {', '.join(COMMANDS)}, or a scenario")
    if (study.info.get("sweep") or {}).get("schools") is not None:
        raise InputError(
            path, "holds simulations of a calibration, no outcomes", f"allowed: studies of {', '.join(COMMANDS)}, or a scenario"
        )
    if command == "optimise" and "files" not in study.info:
        raise InputError(path, "is an unfinished search", "complete it with run.py optimise ... --resume")
    study.refuse_incomplete()
    scenario = scenario_from(study.info["scenario"], f"{path}/study.json", files=False)
    runs = _runs(study)
    designs = runs["design"].astype(str).unique().tolist()
    if COMPARATOR not in designs:
        raise InputError(
            path, f"holds no runs of {COMPARATOR!r}, which all designs are compared with", f"run it anew with {COMPARATOR} among --designs"
        )
    if len(designs) < 2:
        raise InputError(path, f"holds no design but {COMPARATOR!r}", "run it anew with others among --designs")
    again = f"run.py {command} SCENARIO --out {Path(path).name}   # SCENARIO: {scenario.name}, as study.json holds it in full"
    commands = [again, f"run.py recommend {Path(path).name}"]
    found = scenario if command != "optimise" else scenario.model_copy(update={"designs": _designs_found(study)})
    return _evidence(found, runs, study.parameters, commands, _source(study.info), fixed_note(scenario, study.parameters)), scenario


def _designs_found(study: Study) -> dict[str, Design]:
    """Return the designs of a search: the scenario's own, and those that were found."""
    path = study.path / "designs.csv"
    refuse_changed(path, study.info)
    return {row["design"]: design_from_row(row) for row in pd.read_csv(path, keep_default_na=False, na_values="").to_dict("records")}


def _runs(study: Study) -> pd.DataFrame:
    try:
        columns = study.dataset().schema.names
        kept = [name for name in columns if name in (*KEYS, *OUTCOMES) or ":" in name]
        table = study.dataset().to_table(kept).to_pandas()
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(str(study.path), f"its runs cannot be read ({error})", "make the study anew") from None
    missing = [name for name in (*KEYS, "effect_adopter_years", "cost_total", "cost_programme", "cost_schools") if name not in table]
    if missing:
        raise InputError(str(study.path), f"its runs have no column {missing[0]!r}", "make the study anew")
    return table


def _evidence(
    scenario: Scenario, runs: pd.DataFrame, parameters: pd.DataFrame, commands: list[str], source: str, notes: list[str]
) -> dict[str, Any]:
    programme = scenario.programme
    world = scenario.world
    made = sum(country.regions or world.regions_per_country for country in world.countries) * world.schools_per_region
    places = f"{len(world.countries)} {'country' if len(world.countries) == 1 else 'countries'}"
    schools = f"schools of {Path(world.schools).name}" if world.schools is not None else f"{made:,} synthetic schools of {places}"
    return {
        "runs": runs,
        "parameters": parameters,
        "designs": scenario.designs,
        "title": scenario.title or scenario.name,
        "months": scenario.months,
        "funding": (programme.first_month, programme.last_month),
        "schools": schools,
        "countries": {country.code: country.name for country in world.countries},
        "ranges": {name: given.model_dump() for name, given in scenario.parameters.items()},
        "commands": commands,
        "source": source
        or f"Seed {scenario.seed}. The same scenario, seed and version of the program give the same figures on any machine.",
        "notes": notes,
    }


def _source(info: Mapping[str, Any]) -> str:
    commit = info.get("source_commit")
    version = f" from commit {str(commit)[:12]}" if commit else ""
    libraries = ", ".join(f"{name} {number}" for name, number in dict(info.get("versions", {})).items())
    return f"Seed {info.get('seed')}; the program{version} with {libraries}. study.json holds all that is needed."
