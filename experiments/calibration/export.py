"""A posterior as an ArviZ InferenceData, which the ecosystem's plots and diagnostics read."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from school_mentoring.model.world.arrays import Floats


@contextmanager
def quiet_arviz() -> Iterator[Any]:
    """Give ArviZ, which carries no types, without what it warns of the next major version."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import arviz

        yield arviz


def write_netcdf(path: Path, chains: dict[str, Floats], prior_draws: pd.DataFrame) -> None:
    """Write posterior (chains, draws) by parameter, and prior."""
    prior = {name: prior_draws[name].to_numpy()[None] for name in chains}
    with quiet_arviz() as arviz:
        data = arviz.from_dict(posterior=chains, prior=prior)
    for group in data.groups():
        getattr(data, group).attrs.pop("created_at", None)  # the same study gives the same bytes
    data.to_netcdf(str(path), engine="h5netcdf")
