"""What a recommendation rests on: the folder of a study, a comparison just made, or a probabilistic sample of another model.

A sample is one long table, or costs, effects and parameters by parameter set.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from school_mentoring.experiments.folder.description import refuse_changed
from school_mentoring.experiments.folder.model_1 import FORMERLY, NOTE, is_of_model_1, scenario_of, unstated_fields
from school_mentoring.experiments.folder.reading import KEYS, Study, open_study
from school_mentoring.model.errors import InputError
from school_mentoring.model.observe import OUTCOMES
from school_mentoring.model.world.csv_file import CsvTable, Dialect, header_of
from school_mentoring.model.world.encoding import ENCODINGS, is_encoding
from school_mentoring.model.world.numbers import Bounds
from school_mentoring.scenarios import COMPARATOR, Scenario, own_headers, read_parquet, scenario_from

from .budget import OPTIONS, budget_of
from .compare import Comparison
from .search.archive import design_of

COMMANDS = ("compare", "sweep", "optimise")
"""The commands whose studies a recommendation may rest on."""

LABELS = ("design", "parameter_set", "replicate")
"""The columns of labels, which ``--columns`` may call otherwise; all others hold numbers."""

LONG = ("design", "parameter_set", "cost", "effect")
"""The columns that one long table has."""

NUMBER = Bounds(-math.inf, math.inf, "a number")


def refuse_no_choice(scenario: Scenario) -> None:
    """Raise InputError where a scenario has no design but the one that others are compared with, before any run is made."""
    if set(scenario.designs) <= {COMPARATOR}:
        raise InputError("--designs", f"there is no design to compare with {COMPARATOR}", "allowed: one or more others")


def evidence_of_comparison(found: Comparison, command: str) -> dict[str, Any]:
    """Return what ``analysis.report.chapters.facts.Evidence`` takes of a comparison."""
    return _evidence(found.scenario, found.runs(), found.sets, [command], "", found.notes, found.gates)


def evidence_of_study(path: str) -> tuple[dict[str, Any], Scenario]:
    """Return what ``analysis.report.chapters.facts.Evidence`` takes of a finished comparison, sweep or search, and its scenario.

    Raises InputError for a folder that holds no study, one of another command, an unfinished one, one whose files are damaged, and one
    without the design that others are compared with.
    """
    study = open_study(path)
    command = str(study.info.get("command"))
    calibrates = (study.info.get("sweep") or {}).get("schools") is not None
    if command not in COMMANDS or calibrates:
        problem = f"is a study of {command}" if command not in COMMANDS else "holds simulations of a calibration, no outcomes"
        raise InputError(path, problem, f"allowed: studies of {', '.join(COMMANDS)}, or a scenario")
    if command == "optimise" and "files" not in study.info:
        raise InputError(path, "is an unfinished search", "complete it with run.py optimise ... --resume")
    study.refuse_incomplete()
    scenario = scenario_of(study.info, f"{path}/study.json")
    runs = _runs(study)
    designs = runs["design"].astype(str).unique().tolist()
    if COMPARATOR not in designs:
        problem = f"holds no runs of {COMPARATOR!r}, which all designs are compared with"
        raise InputError(path, problem, f"run it anew with {COMPARATOR} among --designs")
    if len(designs) < 2:
        raise InputError(path, f"holds no design but {COMPARATOR!r}", "run it anew with others among --designs")
    again = f"run.py {command} SCENARIO --out {Path(path).name}   # SCENARIO: {scenario.name}, as study.json holds it in full"
    commands = [again, f"run.py recommend {Path(path).name}"]
    notes = [*study.notes, *([NOTE] if is_of_model_1(study.info) else [])]
    found, told = scenario, {}
    if command == "optimise":  # the scenario's own designs, and those that were found
        found = _with_designs_of(_table_of(study, "designs.csv"), study, scenario)
    elif budget := budget_of(**{name: study.info["options"].get(name) for name in OPTIONS}):
        told = {"budget": _table_of(study, "budget.csv").fillna({"scaled": "", "limit": ""}), "budget_words": budget.words}
        found = _with_designs_of(told["budget"], study, scenario)
        commands[0] = again.replace("SCENARIO", f"SCENARIO {budget.typed}", 1)
    return _evidence(found, runs, study.parameters, commands, _source(study.info), notes, study.gates) | told, scenario


def _table_of(study: Study, name: str) -> pd.DataFrame:
    """Return a sheet of a study. Raises InputError where it has changed since it was written."""
    refuse_changed(study.path / name, study.info)
    return pd.read_csv(study.path / name, keep_default_na=False, na_values="")


def _with_designs_of(table: pd.DataFrame, study: Study, scenario: Scenario) -> Scenario:
    """Return the scenario with the designs whose fields a table holds, beside or in place of its own."""
    unstated = unstated_fields(study.info)
    found = {row["design"]: design_of({**unstated, **row}) for row in table.to_dict("records")}
    return scenario.model_copy(update={"designs": {**scenario.designs, **found}})


def _runs(study: Study) -> pd.DataFrame:
    try:
        recorded = study.dataset().schema.names
        table = study.dataset().to_table([name for name in recorded if name in (*KEYS, *OUTCOMES) or ":" in name]).to_pandas()
        for name, old in FORMERLY.items():
            if name not in recorded:  # nor is what it is broken down into
                table = table.assign(**{name + at.removeprefix(old): table[at] for at in recorded if at.partition(":")[0] == old})
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(str(study.path), f"its runs cannot be read ({error})", "make the study anew") from None
    missing = [name for name in (*KEYS, "effect_adopter_years", "cost_society", "cost_programme", "cost_schools") if name not in table]
    if missing:
        raise InputError(str(study.path), f"its runs have no column {missing[0]!r}", "make the study anew")
    return table


def _evidence(
    scenario: Scenario,
    runs: pd.DataFrame,
    parameters: pd.DataFrame,
    commands: list[str],
    source: str,
    notes: list[str],
    gates: pd.DataFrame,
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
        "gates": gates,
    }


def _source(info: Mapping[str, Any]) -> str:
    commit = info.get("source_commit")
    version = f" from commit {str(commit)[:12]}" if commit else ""
    libraries = ", ".join(f"{name} {number}" for name, number in dict(info.get("versions", {})).items())
    return f"Seed {info.get('seed')}; the program{version} with {libraries}. study.json holds all that is needed."


# --- a sample of another model ---------------------------------------------------------------------------------------


def is_sample(path: str) -> bool:
    """Tell whether a path is meant as a sample: a table, which neither a scenario nor the folder of a study is."""
    return Path(path).suffix.lower() in (".csv", ".parquet") and not Path(path).is_dir()


def read_sample(files: Mapping[str, str], columns: list[str] | None, encoding: str | None) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Return the tables of files, by what they are to the sample, with labels as text and blank numbers as nan, and what to say of them.

    ``columns``: texts as ``--columns`` takes them. Raises InputError where a file cannot be read.
    """
    if encoding is not None and not is_encoding(encoding):
        raise InputError(f"--encoding {encoding}", f"{encoding!r} is no encoding", f"allowed: {ENCODINGS}")
    dialect = Dialect(encoding, own_headers(columns or ()))
    notices: list[str] = []
    required = () if "effects" in files else LONG
    tables = {key: _table(Path(path), required, dialect, notices) for key, path in files.items()}
    if not any("parameter_set" in table for table in tables.values()):
        notices.append("no column parameter_set: rows of the same number are taken for the same parameter set")
    return tables, notices


def no_scenario(path: str, keep_inputs: bool | None) -> Scenario:
    """Return what stands for the scenario in the study of a sample, which has none."""
    told = "What this study rests on is a sample of another model, and no scenario; the one that stands here decided nothing."
    kept = {} if keep_inputs is None else {"keep_inputs": keep_inputs}
    return scenario_from({"name": "sample", "title": Path(path).name, "description": told, "designs": ["none"], **kept}, path)


def _table(path: Path, required: Sequence[str], dialect: Dialect, notices: list[str]) -> pd.DataFrame:
    if path.suffix.lower() == ".parquet":
        table = read_parquet(path, "give a table saved as Parquet, or as CSV")
        if any(name is not None for name in table.index.names):
            table = table.reset_index()
        table = table.rename(columns={own: name for name, own in dialect.columns.items()})
        return table.assign(**{name: table[name].astype(str) for name in LABELS if name in table})
    header = header_of(path, {*LABELS, *LONG}, dialect)
    read = CsvTable(path, {name: None if name in LABELS else NUMBER for name in (*header, *dialect.columns)}, required, dialect)
    notices += read.notices
    given = {name: read.numbers_of(name) for name in header if name not in LABELS}
    read.settle()
    labels = {name: read.columns[name] for name in header if name in LABELS}
    return pd.DataFrame({**labels, **{name: np.where(one.present, one.values, math.nan) for name, one in given.items()}})[header]
