"""Check a user's files before any run: a scenario, a school table, a list of ties, a pilot's observations."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from school_mentoring.model.designs import Design
from school_mentoring.model.errors import InputError, nearest
from school_mentoring.model.programmes import OTHERS, Phase, Programme
from school_mentoring.model.recruitment import SHORTEST
from school_mentoring.model.world.countries import region_names
from school_mentoring.model.world.csv_file import MAPPED, Dialect, header_of
from school_mentoring.model.world.own_schools import COLUMNS as SCHOOL_COLUMNS
from school_mentoring.model.world.own_ties import COLUMNS as TIE_COLUMNS
from school_mentoring.model.world.own_ties import IS_GRAPH, read_ties
from school_mentoring.model.world.schools import Schools
from school_mentoring.scenarios import Scenario, load_scenario
from school_mentoring.scenarios.programmes import longest, tracks
from school_mentoring.scenarios.stated_programmes import OTHERWISE

from .notes import assumed_figures
from .pilot_data.observations import COLUMNS as OBSERVATION_COLUMNS
from .pilot_data.observations import Observations, read_observations
from .worlds import Worlds, schools_of

COLUMNS = {"ties": TIE_COLUMNS, "observations": OBSERVATION_COLUMNS, "schools": SCHOOL_COLUMNS}
TELLING = {"ties": {"source", "target"}, "observations": {*OBSERVATION_COLUMNS} - {"school_id", "weight"}, "schools": {"school_id"}}
"""The columns of each sort of table, and those of which one tells it from the others before it and after it."""

ORDER = ("scenario", "schools", "ties", "observations")


class Checked(NamedTuple):
    """What is said of a file: what it holds, and what of it is probably not meant."""

    line: str
    notices: tuple[str, ...]


def check_files(
    paths: Sequence[str], scenario: Scenario, *, start: str | None = None, mapping: str | None = None, end: str | None = None
) -> list[Checked]:
    """Return what each file holds; ties and observations are checked against the school table given with them.

    ``scenario`` supplies countries, practices, how tables are written and, where no school table is given, its own; ``start``, ``mapping``
    and ``end`` are as ``read_observations`` takes them. Raises InputError for the first faulty file.
    """
    dialect = scenario.world.dialect
    _check_columns(scenario)
    tables = {path: kind_of(path, dialect) for path in paths}
    schools: Schools | None = None
    found = {}
    for path in sorted(paths, key=lambda path: ORDER.index(tables[path])):
        kind = tables[path]
        if kind == "scenario":
            found[path] = _check_scenario(path)
            continue
        own = path if kind == "schools" else scenario.world.schools if schools is None else None
        if own is not None:
            schools = schools_of(own, scenario, scenario.base_parameters())
        if schools is None:
            problem = f"{kind} can only be checked with the schools they {'join' if kind == 'ties' else 'are of'}"
            raise InputError(path, problem, f"give both: validate schools.csv {path}")
        if kind == "schools":
            line = f"{_count(len(schools), 'school')} in {_count(len(schools.countries), 'country')}{_drawn(schools)}"
            notices = schools.notices
        elif kind == "ties":
            ties = read_ties(path, schools, dialect, directed=scenario.world.directed)
            directed = f" ({int(ties.one_way.sum()):,} directed)" if ties.one_way.any() else ""
            line, notices = f"{_count(len(ties.source), 'peer tie')}{directed}, {_count(len(ties.mentor), 'mentoring tie')}", ties.notices
        else:
            how: dict[str, Any] = {
                "start": start,
                "mapping": mapping,
                "end": end,
                "months": scenario.months,
                "step": scenario.step,
                "dialect": dialect,
            }
            seen = read_observations(path, schools, practices=[practice.name for practice in scenario.practices], **how)
            line, notices = _described(seen, schools), seen.notices
        found[path] = Checked(f"{path}: {line}", notices)
    return [found[path] for path in paths]


def notices_of(scenario: Scenario) -> tuple[str, ...]:
    """Return what of a scenario's designs and own files is probably not meant. Raises InputError where they are faulty."""
    _check_columns(scenario)
    if scenario.world.schools is None:
        return tuple(_of_designs(scenario, _counts(scenario)))
    schools = schools_of(scenario.world.schools, scenario, scenario.base_parameters())
    designs = tuple(_of_designs(scenario, _counts(scenario, schools)))
    spec = scenario.world
    ties = () if spec.ties is None else read_ties(spec.ties, schools, spec.dialect, directed=spec.directed).notices
    return (*designs, *schools.notices, *ties)


def _of_designs(scenario: Scenario, counts: Counter[str]) -> Iterator[str]:
    """Yield what of designs is probably not meant; ``counts``: the schools of each country and region, and of all (``OTHERS``)."""
    window = scenario.programme
    for name, design in scenario.designs.items():
        if isinstance(design, Programme) and (last := window.window(design)[1]) > window.last_month:
            yield f"design {name} is funded to month {last}, and what tables tell of the end of funding is of month {window.last_month}"
        for at, track in tracks(design) if isinstance(design, Programme) else [((), design)]:
            called = ".".join(map(str, (name, *at)))
            if isinstance(track, Design):
                yield from _of_design(called, track, *window.window(track))
            else:
                yield from _of_phases(called, track, counts[str(at[1])] if len(at) > 1 else counts[OTHERS])


def _of_design(name: str, design: Design, first: int, last: int) -> Iterator[str]:
    if design.recruitment == "none":
        return
    if design.tier != "none" and last - first < SHORTEST:
        yield f"design {name} recruits nobody: it needs {SHORTEST} months of funding and has {last - first}"
    yield from _of_target(name, design)


def _of_target(name: str, design: Design) -> Iterator[str]:
    if (design.target == "none") != (design.reserve == 0.0):
        yield f"design {name} reserves no places: target is {design.target} and reserve is {design.reserve:g}; give both"


def _of_phases(name: str, phases: Sequence[Phase], schools: int, month: int = 0, mentored: float = 0.0) -> Iterator[str]:
    """Yield what of phases is probably not meant. ``month``: since the programme's start; ``mentored``: at most so many were so far."""
    end = month + longest(phases)
    for position, phase in enumerate(phases):
        called = f"{name}.{position}"
        if phase.gate is not None and phase.gate.survey > (most := min(mentored, schools)):
            yield f"{called} asks {phase.gate.survey} schools, and at most {most:.0f} were mentored before; all of these are asked"
        yield from _of_phases(f"{called}.{OTHERWISE}", phase.otherwise, schools, month, mentored)
        rounds = [at for at in range(month + -month % 12, month + phase.months, 12) if phase.tier == "none" or at + SHORTEST <= end]
        if phase.recruitment == "none" and phase.outreach == 0.0:
            yield f"phase {called} recruits nobody, as its recruitment is none, and reaches nobody else"
        elif phase.recruitment != "none" and not rounds:
            yield f"phase {called} recruits nobody: no yearly round, {SHORTEST} months or more before the programme's end, is in its months"
        if phase.recruitment != "none":
            yield from _of_target(called, phase)
            mentors = 1.0 if phase.mentor_share is None or phase.cascade > 0.0 else phase.mentor_share
            mentored += schools * mentors * phase.places * len(rounds)
        month += phase.months


def _counts(scenario: Scenario, schools: Schools | None = None) -> Counter[str]:
    """Return the schools of each country and region by name, and of all as ``OTHERS``."""
    size, codes, regions = scenario.world.schools_per_region, [one.code for one in scenario.world.countries], scenario.regions()
    if schools is None:
        of_countries = Counter({code: size * count for code, count in zip(codes, regions, strict=True)})
        return of_countries + Counter(dict.fromkeys(region_names(codes, regions), size)) + Counter({OTHERS: of_countries.total()})
    of_countries = Counter(schools.country_codes[number] for number in schools.country.tolist())
    return of_countries + Counter(schools.region_names[number] for number in schools.region.tolist()) + Counter({OTHERS: len(schools)})


def _check_columns(scenario: Scenario) -> None:
    """Raise InputError for a header that is said to stand for a column that no table has."""
    known = [name for columns in COLUMNS.values() for name in columns]
    known += ["adopters_at_start", *(f"adopters_at_start_{practice.name}" for practice in scenario.practices)]
    for name, header in scenario.world.columns.items():
        if name not in known:
            raise InputError(f"--columns {name}={header}", f"no table has a column {name!r}", nearest(name, known))


def kind_of(path: str, dialect: Dialect) -> str:
    """Tell by name and header what a file is."""
    suffix = Path(path).suffix.lower()
    if suffix in (".yaml", ".yml", "", IS_GRAPH):
        return "ties" if suffix == IS_GRAPH else "scenario"
    header = header_of(path, dict.fromkeys(name for columns in COLUMNS.values() for name in columns), dialect)
    for kind, telling in TELLING.items():
        if telling & set(header):
            return kind
    columns = ", ".join(header[:5]) or "none"
    known = "schools (school_id, ...), ties (source, target, ...), observations (school_id, month, adopters, ...)"
    raise InputError(f"{path}, row 1", f"the columns {columns} are of no table", f"allowed: {known}; {MAPPED} school_id=HEADER")


def _check_scenario(path: str) -> Checked:
    scenario = load_scenario(path)
    _check_columns(scenario)
    _, schools = Worlds(scenario).get(scenario.base_parameters(), 0)
    assumed = assumed_figures(schools.countries)
    note = f"; no figures found: {assumed}" if assumed else ""
    line = f"{path}: scenario {scenario.name}, {len(scenario.designs)} designs, {len(schools):,} schools, {scenario.months} months"
    return Checked(f"{line}{_drawn(schools)}{note}", (*_of_designs(scenario, _counts(scenario, schools)), *schools.notices))


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


def _drawn(schools: Schools) -> str:
    """Say which columns of a user's table the population model fills."""
    parts = []
    if schools.drawn and schools.partly_drawn is not None and len(schools.drawn) < 11:
        parts.append(f"; drawn from the population model: {', '.join(schools.drawn)}")
    if schools.partly_drawn:
        parts.append(f"; blank cells drawn in: {', '.join(schools.partly_drawn)}")
    return "".join(parts)
