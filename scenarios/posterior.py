"""Joint draws of parameters, fitted to data: the Parquet file that a scenario's ``posterior`` names, one column per parameter."""

from pathlib import Path
from typing import TYPE_CHECKING

from school_mentoring.model.errors import InputError
from school_mentoring.model.parameters import TABLE, Parameter, row_of

from .gone import refusal
from .schema import Scenario

if TYPE_CHECKING:
    import pandas as pd

UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError)
"""What readers of Parquet raise, besides errors of their own, where a file or what pandas noted in it is damaged."""

FEWEST, MOST = 2, 1_000_000


def read_draws(path: str | Path) -> "pd.DataFrame":
    """Return the draws of a file: columns are parameters, rows joint draws. Raises InputError where it holds anything else."""
    return check_draws(read_parquet(path, "give the file that calibrate wrote, or a table of draws saved as Parquet"), str(path))


def read_parquet(path: str | Path, allowed: str) -> "pd.DataFrame":
    """Return the table of a Parquet file; raises InputError, which says what is ``allowed``, where it holds none."""
    import pandas as pd
    from pyarrow import ArrowException

    try:
        return pd.read_parquet(path)
    except (*UNREADABLE, ArrowException) as error:
        said = (str(error).splitlines() or [""])[0].split(". ")[0][:200]
        what = f"cannot be read as Parquet ({said or type(error).__name__})"
        raise InputError(str(path), what, allowed) from None


def check_draws(draws: "pd.DataFrame", where: str) -> "pd.DataFrame":
    """Return draws as floats. Raises InputError for a column that is no parameter, and for a value that its parameter may not have."""
    import numpy as np
    import pandas as pd

    names = [str(name) for name in draws.columns]
    if not names or not FEWEST <= len(draws) <= MOST:
        allowed = f"allowed: {FEWEST} to {MOST:,} draws, 1 parameter or more"
        raise InputError(where, f"holds {len(draws):,} draws of {len(names)} parameters", allowed)
    for name in names:
        row = row_of(name)
        if row is None:
            raise InputError(where, *refusal([name], "the column {} is no parameter", TABLE)[1:])
        if names.count(name) > 1 or not pd.api.types.is_numeric_dtype(draws[name]):
            raise InputError(where, f"the column {name!r} is no single column of numbers", "give each parameter once")
        values = draws[name].to_numpy(np.float64)
        fits = (values >= row.minimum) & (values <= row.maximum)  # False for nan
        if row.distribution == "integer":
            fits &= values == np.rint(values)
        if not fits.all():
            at = int(np.flatnonzero(~fits)[0])
            kind = "whole numbers from " if row.distribution == "integer" else ""
            allowed = f"allowed: {kind}{row.minimum:g} to {row.maximum:g}"
            raise InputError(f"{where}, draw {at + 1}, {name}", f"found {values[at]:g}", allowed)
    return draws.astype(np.float64).reset_index(drop=True)


def fitted_draws(scenario: Scenario) -> "pd.DataFrame":
    """Return the posterior draws of a scenario without the parameters that it fixes, and without the factors of countries it does not have.

    No column where it has no posterior.
    """
    import pandas as pd

    if scenario.posterior is None:
        return pd.DataFrame()
    draws, fixed = read_draws(scenario.posterior), scenario.fixed_parameters()
    return draws[[name for name in draws if name in scenario.parameters and name not in fixed]]


def parameter_rows(scenario: Scenario) -> dict[str, Parameter]:
    """Return the table of parameters as it is in a scenario, each with where its numbers come from: table, scenario, or posterior draws."""
    rows = scenario.parameter_rows()
    if scenario.posterior is not None:
        source = f"fitted to data: median and central 95 % of the draws in {Path(scenario.posterior).name}"
        for name in fitted_draws(scenario):
            rows[name] = rows[name].model_copy(update={"distribution": "posterior", "kind": "inference", "source": source})
    return rows
