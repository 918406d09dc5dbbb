"""What a sweep varies, over which values: parameters, fields of designs, the size of the world; and the sets that are drawn of these.

Sets are drawn by Sobol sequences or Latin hypercubes, laid out on a grid, or read from the user's table.
"""

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from school_mentoring.model.designs import CHOICES, FIELDS, NO_QUOTA, SWITCHES, WHOLE, Design
from school_mentoring.model.errors import InputError, nearest
from school_mentoring.model.parameters import row_of
from school_mentoring.model.programmes import Programme
from school_mentoring.model.world.csv_file import CsvTable, Dialect, header_of
from school_mentoring.model.world.numbers import Bounds, read_option
from school_mentoring.model.world.structure import WORLD_WORDS
from school_mentoring.scenarios import COMPARATOR, Scenario, fitted_draws, joint_draws
from school_mentoring.scenarios.gone import GONE, refusal
from school_mentoring.scenarios.schema import MAX_SCHOOLS

from .distributions import DISTRIBUTIONS, Variable, correlated, dimensions, inside, sobol_points

WORLD_FIELDS: Mapping[str, tuple[int, int]] = {"world.schools_per_region": (1, 100_000), "world.regions_per_country": (1, 10_000)}
"""Sizes of the world that a sweep may vary, with what is allowed."""

NARROWED = 0.05, 0.95


class Domain(NamedTuple):
    """What a name may take: one of ``words``, or a number within ``bounds``."""

    words: tuple[str, ...]
    bounds: Bounds


def variable_names(scenario: Scenario) -> list[str]:
    """Return all that may vary; the comparator takes no fields, and schools that are read from a file have their number."""
    sizes = WORLD_FIELDS if scenario.world.schools is None else ()
    plain = [name for name, design in scenario.designs.items() if name != COMPARATOR and isinstance(design, Design)]
    return [*scenario.parameters, *sizes, *WORLD_WORDS, *(f"{design}.{field}" for design in plain for field in FIELDS)]


def domain_of(name: str, scenario: Scenario) -> Domain:
    """Return what a name of ``variable_names`` may take."""
    if (row := row_of(name)) and name in scenario.parameters:
        return Domain((), _bounds(row.minimum, row.maximum, row.distribution == "integer"))
    if name in WORLD_FIELDS:
        return Domain((), _bounds(*WORLD_FIELDS[name], whole=True))
    if name in WORLD_WORDS:
        return Domain(WORLD_WORDS[name], _bounds(0.0, 0.0))
    field = FIELDS[name.partition(".")[2]]
    whole = field.field in (*WHOLE, *SWITCHES)
    return Domain(CHOICES.get(field.field, ()), _bounds(field.minimum or 0.0, field.maximum or 0.0, whole))


def _bounds(low: float, high: float, whole: bool = False) -> Bounds:
    return Bounds(low, high, f"{'whole numbers from ' if whole else ''}{low:g} to {high:g}", whole)


def uncertain_variables(scenario: Scenario) -> list[Variable]:
    """Return what is uncertain in a scenario as variables: its parameters in the order of the table, then choices of structure.

    What joint draws hold varies by these; a parameter that was fitted to data is uncertain in any case.
    """
    uncertain, drawn = scenario.uncertain_parameters(), joint_draws(scenario)
    words = [Variable(name, choices=WORLD_WORDS[name], draws=drawn[name].to_numpy()) for name in WORLD_WORDS if name in drawn]
    return [*(_own(name, scenario, drawn) for name in scenario.parameters if name in uncertain or name in drawn), *words]


def _own(name: str, scenario: Scenario, drawn: pd.DataFrame) -> Variable:
    """Return a parameter as the scenario has it vary, by its column of the joint draws where it has one."""
    row = scenario.parameters[name]
    return Variable(name, row.low, row.base, row.high, row.distribution, draws=drawn[name].to_numpy() if name in drawn else None)


def refuse_unknown(texts: Sequence[str], scenario: Scenario) -> None:
    """Raise InputError that lists what of ``--vary`` texts nothing is named."""
    known = variable_names(scenario)
    strange = {name: text for text in texts if (name := text.partition("=")[0].strip()) not in known}
    for name, text in strange.items():
        if isinstance(scenario.designs.get(owner := name.partition(".")[0]), Programme):
            problem = f"{owner} is a programme of phases or places, whose fields do not vary"
            raise InputError(f"--vary {text}", problem, "allowed: a programme of its own for each value, or fields of plain designs")
    if strange:
        raise InputError(f"--vary {' '.join(strange.values())}", *refusal([*strange], "nothing named {} can be varied", known)[1:])


def parse_variable(text: str, scenario: Scenario, drawn: pd.DataFrame | None = None) -> Variable:
    """Return the variable of a ``--vary`` text.

    ``name`` alone takes the range and distribution of the table, or its column of the draws (default: those of a posterior);
    ``name=low:high`` a uniform range, ``name=low:high:distribution`` that one, ``name=a|b|c`` a choice. Raises InputError for anything
    else.
    """
    where = f"--vary {text}"
    name, equals, what = text.partition("=")
    name = name.strip()
    refuse_unknown([text], scenario)
    domain = domain_of(name, scenario)
    if equals:
        return stated_variable(where, name, what, domain)
    drawn = fitted_draws(scenario) if drawn is None else drawn
    if name not in drawn and name in scenario.fixed_parameters():
        raise InputError(where, f"is fixed at {scenario.parameters[name].base:g} by the scenario", f"allowed: {name}=low:high")
    if name in scenario.parameters:
        return _own(name, scenario, drawn)
    if domain.words:
        return Variable(name, choices=domain.words)
    field = FIELDS.get(name.partition(".")[2])
    if field is None or field.low is None or field.high is None:
        raise InputError(where, "states no values", "allowed: name=low:high or name=a|b|c")
    return _range(where, name, [f"{field.low}", f"{field.high}"], domain)


def stated_variable(where: str, name: str, what: str, domain: Domain) -> Variable:
    """Return a variable over what is stated of it, ``low:high`` or ``a|b|c``; raises InputError for what the domain does not hold."""
    if domain.words or "|" in what or ":" not in what:
        return Variable(name, choices=tuple(parse_value(where, name, word.strip(), domain) for word in what.split("|")))
    return _range(where, name, what.split(":"), domain)


def _range(where: str, name: str, parts: Sequence[str], domain: Domain) -> Variable:
    if len(parts) not in (2, 3):
        raise InputError(where, "is no range", "allowed: name=low:high or name=low:high:distribution")
    low, high = (read_option(where, part, domain.bounds) for part in parts[:2])
    if low > high:
        raise InputError(where, f"low {low:g} is above high {high:g}", "allowed: low <= high")
    distribution = parts[2].strip() if len(parts) == 3 else ("integer" if domain.bounds.whole else "uniform")
    if distribution not in DISTRIBUTIONS:
        raise InputError(where, f"no distribution named {distribution!r}", nearest(distribution, DISTRIBUTIONS))
    if domain.bounds.whole and distribution != "integer":
        raise InputError(where, f"{name} takes whole numbers", "allowed: integer")
    if distribution == "loguniform" and low <= 0:
        raise InputError(where, f"{low:g} has no logarithm", "allowed with loguniform: above 0")
    return Variable(name, low, (low + high) / 2.0, high, distribution)


def narrowed(variable: Variable) -> Variable:
    """Return a parameter that varies by draws as one that varies independently, over the middle 90 % of these."""
    if variable.draws is None:
        return variable
    low, high = np.quantile(variable.draws, NARROWED, method="nearest").tolist()
    return replace(variable, low=low, base=min(max(variable.base, low), high), high=high, draws=None)


def parse_value(where: str, name: str, word: str, domain: Domain) -> float | str:
    """Return one value of a name; raises InputError, which says ``where`` it stands, for what the domain does not hold."""
    if not domain.words:
        return NO_QUOTA if word in named_values(name) else read_option(where, word, domain.bounds)
    if word not in domain.words:
        raise InputError(where, f"{word!r} is no value of {name}", nearest(word, domain.words))
    return word


def named_values(name: str) -> Mapping[str, float]:
    """Return the words that stand for a number of a name."""
    return {"none": NO_QUOTA, "null": NO_QUOTA} if name.endswith(".mentor_share") else {}


# --- parameter sets --------------------------------------------------------------------------------------------------

SMALL = 300.0
"""A column of a user's own sets is in another unit where all of it is smaller than this part of what is plausible."""

MOST_SETS = 2**24


def _parse(spec: str) -> tuple[str, int]:
    kind, _, size = spec.partition(":")
    if kind not in ("sobol", "lhs", "grid") or not re.fullmatch(r"\s*[0-9]{1,100}\s*", size) or int(size) < 1:
        given = spec if len(spec) <= 60 else spec[:57] + "..."
        raise InputError(f"--sample {given}", "is no sampling", "allowed: sobol:N, lhs:N, grid:N with N from 1, or table:FILE")
    return kind, int(size)


def count_sets(spec: str, variables: Sequence[Variable]) -> int:
    """Return how many parameter sets a sampling gives, without making them."""
    kind, size = _parse(spec)
    if not variables:
        return 1
    fitted = [variable.name for variable in variables if variable.draws is not None]
    if kind == "grid" and fitted:
        problem = f"a grid leaves the joint draws, in which {fitted[0]} varies"
        raise InputError(f"--sample {spec}", problem, f"allowed: sobol:N or lhs:N; or a range of your own, --vary {fitted[0]}=low:high")
    return math.prod(variable.grid_size(size) for variable in variables) if kind == "grid" else size


def sample(spec: str, variables: Sequence[Variable], seed: int, correlation: NDArray[np.float64] | None = None) -> pd.DataFrame:
    """Return one row per parameter set, a column per variable.

    ``sobol:N`` scrambled Sobol points, ``lhs:N`` a Latin hypercube, ``grid:N`` N values of each variable in every combination. Raises
    InputError for another ``spec``, more than ``MOST_SETS`` sets, or a grid of variables that are correlated. Variables with posterior
    draws take whole rows of them, so that they stay together as they were fitted.
    """
    kind, size = _parse(spec)
    count = count_sets(spec, variables)
    if count > MOST_SETS:
        raise InputError(f"--sample {spec}", f"gives {count:,} parameter sets", f"allowed: at most {MOST_SETS:,}; cut it into studies")
    if not variables:
        return pd.DataFrame(index=range(1))
    if kind == "grid" and correlation is not None:
        raise InputError(f"--sample {spec}", "a grid has no correlations, and the scenario states some", "allowed: sobol:N or lhs:N")
    if kind == "grid":
        rows = itertools.product(*(variable.grid(size) for variable in variables))
        return pd.DataFrame(rows, columns=[variable.name for variable in variables])
    followed = dimensions(variables)
    if kind == "lhs":
        from scipy.stats import qmc

        points = inside(qmc.LatinHypercube(max(followed) + 1, rng=np.random.default_rng(seed)).random(size))
    else:
        points = sobol_points(max(followed) + 1, size, seed)
    points = correlated(points[:, followed], correlation)
    return pd.DataFrame({variable.name: variable.values(points[:, j]) for j, variable in enumerate(variables)})


def read_table(path: str, scenario: Scenario) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the sets of a file, a column per variable, and what of them is probably not meant. Raises InputError."""
    domains = {name: domain_of(name, scenario) for name in variable_names(scenario)}
    known = {name: None if domain.words else domain.bounds for name, domain in domains.items()}
    dialect = Dialect(scenario.world.encoding)
    if gone := [name for name in header_of(path, known, dialect) if name in GONE]:
        raise InputError(f"{Path(path).name}, row 1", *refusal(gone, "", ())[1:])
    table = CsvTable(path, known, (), dialect)
    columns = {name: _values(table, name, domains[name], scenario) for name in table.columns}
    table.settle()
    _check_size(scenario, {name: float(max(columns[name])) for name in WORLD_FIELDS if name in columns})
    return pd.DataFrame(columns), tuple(table.notices)


def _values(table: CsvTable, name: str, domain: Domain, scenario: Scenario) -> list[float | str]:
    """Return a column, in which no cell is blank; what is no value of it is complained of, what is none of its range remarked on."""
    cells = table.columns[name]
    if domain.words:
        for at in (at for at, cell in enumerate(cells) if cell not in domain.words):
            table.complain(at, name, nearest(cells[at], domain.words))
        return list(cells)
    words = named_values(name)
    given = table.numbers_of(name, words)
    for at in np.flatnonzero(~given.present).tolist():
        table.complain(at, name, f"give {domain.bounds.what}", "is blank")
    row = scenario.parameters.get(name) or FIELDS.get(name.partition(".")[2])
    if row is not None and row.low is not None and row.high is not None and row.low < row.high:
        beyond = given.present & ((given.values < row.low) | (given.values > row.high)) & ~np.isin(cells, list(words))
        if 0.0 < given.values.max() < row.high / SMALL:
            beyond = given.values > 0.0
        table.remark(np.flatnonzero(beyond).tolist(), name, "beyond what is plausible", f"expected {row.low:g} to {row.high:g}")
    return given.values.tolist()


def _check_size(scenario: Scenario, highest: Mapping[str, float]) -> None:
    """Raise InputError where the largest world of a sweep has more schools than a scenario may have."""
    world = scenario.world
    per_region = highest.get("world.schools_per_region", world.schools_per_region)
    per_country = highest.get("world.regions_per_country", world.regions_per_country)
    schools = int(per_region * sum(country.regions or per_country for country in world.countries))
    if world.schools is None and schools > MAX_SCHOOLS:
        raise InputError("the largest world", f"{schools:,} schools in all are too many", f"allowed: {MAX_SCHOOLS:,}")


def chosen_variables(scenario: Scenario, vary: Sequence[str], drawn: pd.DataFrame | None = None) -> list[Variable]:
    """Return the variables of ``--vary`` texts (``drawn``: see ``parse_variable``), or what is uncertain where there are none.

    Raises InputError for a name given twice, and where there is nothing to vary.
    """
    refuse_unknown(vary, scenario)
    chosen = [parse_variable(text, scenario, drawn) for text in vary] if vary else uncertain_variables(scenario)
    names = [variable.name for variable in chosen]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"--vary {name}", "is given twice", "allowed: each name once")
    if not chosen:
        raise InputError("--vary", "nothing is varied", "give --vary name=low:high, uncertain parameters in the scenario, or table:FILE")
    _check_size(scenario, {variable.name: variable.highest for variable in chosen if variable.name in WORLD_FIELDS})
    return chosen
