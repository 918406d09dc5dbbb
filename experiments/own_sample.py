"""A probabilistic sample of another model as its files hold it: one long table, or costs, effects and parameters by parameter set."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from school_mentoring.model.world.csv_file import CsvTable, Dialect, header_of
from school_mentoring.model.world.numbers import Bounds
from school_mentoring.scenarios import Scenario, own_headers, read_parquet, scenario_from

LABELS = ("design", "parameter_set", "replicate")
"""The columns of labels, which ``--columns`` may call otherwise; all others hold numbers."""

LONG = ("design", "parameter_set", "cost", "effect")
"""The columns that one long table has."""

NUMBER = Bounds(-math.inf, math.inf, "a number")


def is_sample(path: str) -> bool:
    """Tell whether a path is meant as a sample: a table, which neither a scenario nor the folder of a study is."""
    return Path(path).suffix.lower() in (".csv", ".parquet") and not Path(path).is_dir()


def read_sample(files: Mapping[str, str], columns: list[str] | None, encoding: str | None) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Return the tables of files, by what they are to the sample, with labels as text and blank numbers as nan, and what to say of them.

    ``columns``: texts as ``--columns`` takes them. Raises InputError where a file cannot be read.
    """
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
