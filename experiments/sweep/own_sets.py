"""A user's own parameter sets: a CSV file with one column per variable and one row per set."""

import numpy as np
import pandas as pd

from school_mentoring.experiments.variables import Domain, domain_of, named_values, variable_names
from school_mentoring.model.designs import FIELDS
from school_mentoring.model.errors import nearest
from school_mentoring.model.world.csv_file import CsvTable, Dialect
from school_mentoring.scenarios import Scenario

SMALL = 300.0
"""A column is in another unit where all of it is smaller than this part of what is plausible."""


def read_table(path: str, scenario: Scenario) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the sets of a file, a column per variable, and what of them is probably not meant. Raises InputError."""
    domains = {name: domain_of(name, scenario) for name in variable_names(scenario)}
    known = {name: None if domain.words else domain.bounds for name, domain in domains.items()}
    table = CsvTable(path, known, (), Dialect(scenario.world.encoding))
    columns = {name: _values(table, name, domains[name], scenario) for name in table.columns}
    table.settle()
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
