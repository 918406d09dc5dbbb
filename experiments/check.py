"""Check a user's files before any run: a scenario, a school table, a list of ties."""

import csv
from collections.abc import Sequence
from pathlib import Path

from model.errors import InputError, nearest
from model.imports import read_schools, read_ties
from model.schools import Schools
from scenarios import Scenario, load_scenario

from .worlds import Worlds

__all__ = ["check_files"]


def check_files(paths: Sequence[str], scenario: Scenario) -> list[str]:
    """Return one line per file that says what it holds; ties are checked against the school table given with them.

    ``scenario`` supplies countries and practices for tables. Raises InputError for the first faulty file.
    """
    tables = {path: _kind(path) for path in paths}
    schools: Schools | None = None
    lines = {}
    for path in sorted(paths, key=lambda path: ("scenario", "schools", "ties").index(tables[path])):
        if tables[path] == "scenario":
            lines[path] = _check_scenario(path)
        elif tables[path] == "schools":
            schools = _read_schools(path, scenario)
            lines[path] = f"{path}: {len(schools):,} schools in {len(schools.countries)} countries{_drawn(schools)}"
        else:
            if schools is None:
                raise InputError(path, "ties can only be checked with the schools they join", f"give both: validate schools.csv {path}")
            ties = read_ties(path, schools)
            lines[path] = f"{path}: {len(ties.source):,} peer ties, {len(ties.mentor):,} mentoring ties"
    return [lines[path] for path in paths]


def _kind(path: str) -> str:
    """Tell by name and header what a file is."""
    if Path(path).suffix.lower() in (".yaml", ".yml", ""):
        return "scenario"
    try:
        # What is not UTF-8 is told by the reader of the table, with its row.
        with Path(path).open(encoding="utf-8-sig", errors="replace", newline="") as file:
            header = next(csv.reader([file.readline(100_000).replace(";", ",")]), [])
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(
            path, f"cannot be read ({getattr(error, 'strerror', None) or error})", "allowed: a readable YAML or CSV file"
        ) from error
    names = {name.strip() for name in header}
    if {"source", "target"} & names:
        return "ties"
    if "school_id" in names:
        return "schools"
    if not names - {""}:
        raise InputError(path, "is empty", "allowed: a scenario (.yaml), schools (school_id, ...) or ties (source, target, ...)")
    raise InputError(
        f"{path}, row 1", f"columns {', '.join(sorted(names)[:5])}", nearest(sorted(names)[0], ["school_id", "source", "target"])
    )


def _check_scenario(path: str) -> str:
    scenario = load_scenario(path)
    _, schools = Worlds(scenario).get(scenario.base_parameters(), 0)
    assumed = [country.code for country in scenario.world.countries if country.assumed]
    note = f"; figures of {', '.join(assumed)} are means over the known countries" if assumed else ""
    return (
        f"{path}: scenario {scenario.name}, {len(scenario.designs)} designs, {len(schools):,} schools, {scenario.months} months"
        f"{_drawn(schools)}{note}"
    )


def _read_schools(path: str, scenario: Scenario) -> Schools:
    return read_schools(
        path,
        countries=scenario.country_list(),
        regions=scenario.regions(),
        parameters=scenario.base_parameters(),
        seed=scenario.seed,
        index=0,
        practices=[practice.name for practice in scenario.practices],
    )


def _drawn(schools: Schools) -> str:
    """Say which columns of a user's table the population model fills."""
    parts = []
    if schools.drawn and schools.partly_drawn is not None and len(schools.drawn) < 11:
        parts.append(f"; drawn from the population model: {', '.join(schools.drawn)}")
    if schools.partly_drawn:
        parts.append(f"; blank cells drawn in: {', '.join(schools.partly_drawn)}")
    return "".join(parts)
