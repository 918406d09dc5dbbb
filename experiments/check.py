"""Check a user's files before any run: a scenario, a school table, a list of ties, a pilot's observations."""

import csv
from collections.abc import Sequence
from pathlib import Path

from school_mentoring.model.errors import InputError, nearest
from school_mentoring.model.world.own_data import read_schools, read_ties
from school_mentoring.model.world.schools import Schools
from school_mentoring.scenarios import Scenario, load_scenario

from .pilot_data import COLUMNS, Observations, read_observations
from .worlds import Worlds

__all__ = ["check_files", "kind_of"]


ORDER = ("scenario", "schools", "ties", "observations")


def check_files(
    paths: Sequence[str], scenario: Scenario, *, start: str | None = None, mapping: str | None = None, end: str | None = None
) -> list[str]:
    """Return one line per file that says what it holds; ties and observations are checked against the school table given with them.

    ``scenario`` supplies countries, practices and, where no school table is given, its own; ``start``, ``mapping`` and ``end`` are as
    ``read_observations`` takes them. Raises InputError for the first faulty file.
    """
    tables = {path: kind_of(path) for path in paths}
    schools: Schools | None = None
    lines = {}
    for path in sorted(paths, key=lambda path: ORDER.index(tables[path])):
        if tables[path] == "scenario":
            lines[path] = _check_scenario(path)
        elif tables[path] == "schools":
            schools = _read_schools(path, scenario)
            lines[path] = f"{path}: {_count(len(schools), 'school')} in {_count(len(schools.countries), 'country')}{_drawn(schools)}"
        else:
            if schools is None and scenario.world.schools is not None:
                schools = _read_schools(scenario.world.schools, scenario)
            if schools is None:
                problem = f"{tables[path]} can only be checked with the schools they {'join' if tables[path] == 'ties' else 'are of'}"
                raise InputError(path, problem, f"give both: validate schools.csv {path}")
            if tables[path] == "ties":
                ties = read_ties(path, schools)
                lines[path] = f"{path}: {_count(len(ties.source), 'peer tie')}, {_count(len(ties.mentor), 'mentoring tie')}"
            else:
                practices = [practice.name for practice in scenario.practices]
                seen = read_observations(path, schools, start=start, mapping=mapping, practices=practices, end=end)
                lines[path] = f"{path}: {_described(seen, schools)}"
    return [lines[path] for path in paths]


def kind_of(path: str) -> str:
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
    if names & set(COLUMNS) - {"school_id"}:
        return "observations"
    if "school_id" in names:
        return "schools"
    if not names - {""}:
        known = "a scenario (.yaml), schools (school_id, ...), ties (source, target, ...), observations (school_id, month, adopters, ...)"
        raise InputError(path, "is empty", f"allowed: {known}")
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


def _described(seen: Observations, schools: Schools) -> str:
    """Say what observations hold: of how many schools, when, how much of it is missing."""
    frame, of = seen.frame, f"{seen.frame['school'].nunique():,} of {len(schools):,} schools"
    synthetic = "SYNTHETIC (made by the model, no evidence): " if seen.synthetic else ""
    practices = "" if len(seen.practices) == 1 else f", practices {', '.join(seen.practices)}"
    if seen.kind == "times":
        adopted = int(frame["adoption_time"].notna().sum())
        return f"{synthetic}adoption times of {of}, {adopted:,} adopted by month {seen.end}{practices}"
    months = ", ".join(map(str, seen.waves[:12])) + (", ..." if len(seen.waves) > 12 else "")
    what = "adopters among respondents" if seen.kind == "counts" else f"means on a scale ({seen.mapping})"
    share = frame["adopters"].sum() / frame["respondents"].sum() if seen.kind == "counts" else frame["share"].mean()
    waves = f"{_count(len(seen.waves), 'wave')} (month{'s' * (len(seen.waves) > 1)} {months})"
    return f"{synthetic}{what} of {of} in {waves}, {_count(len(frame), 'row')}, {100 * share:.0f} % adopting overall{practices}"


def _count(number: int, thing: str) -> str:
    """Return a number of things in words."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing.removesuffix('y')}{'ies' if thing.endswith('y') else 's'}"


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
