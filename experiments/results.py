"""Read a study in a notebook: tidy tables, lazily where they are larger than memory.

from experiments import open_study
study = open_study("results/mensi-pilot-sweep")
study.quantiles("adopters_end", by=["design"])
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from model.errors import InputError, nearest
from model.observe import OUTCOMES

from .execution import RESULTS
from .store import PART

if TYPE_CHECKING:
    import duckdb
    import pyarrow.dataset

__all__ = ["Study", "open_study"]

KEYS = ("design", "parameter_set", "replicate")


class Study:
    """A study folder. ``info``: what ``study.json`` says. ``parameters``: one row per parameter set."""

    def __init__(self, path: Path, info: dict[str, Any]) -> None:
        self.path, self.info = path, info
        table = path / "parameters.parquet"
        self.parameters = pd.read_parquet(table) if table.is_file() else pd.DataFrame({"parameter_set": []})

    @property
    def files(self) -> list[Path]:
        """The Parquet files that hold the runs, in order."""
        parts = self.path / RESULTS
        if parts.is_dir():
            return sorted(path for path in parts.iterdir() if PART.fullmatch(path.name))
        return [self.path / "runs.parquet"]

    @property
    def complete(self) -> bool:
        """Whether every run is there."""
        sweep = self.info.get("sweep")
        if sweep is None:
            return True
        cells = sweep["parameter_sets"] * self.info["scenario"]["replicates"]
        return len(self.files) == -(-cells // sweep["chunk"])

    def dataset(self) -> "pyarrow.dataset.Dataset":
        """Return the runs as an Arrow dataset, read when scanned."""
        import pyarrow.dataset as ds

        return ds.dataset([str(path) for path in self.files], format="parquet")

    def runs(
        self, outcomes: Sequence[str] | None = None, *, designs: Sequence[str] | None = None, with_parameters: bool = False
    ) -> pd.DataFrame:
        """Return one row per run: design, parameter_set, replicate, the outcomes (default all), and where wanted the varied values."""
        import pyarrow.dataset as ds

        chosen = list(outcomes) if outcomes is not None else list(OUTCOMES)
        _check(chosen, OUTCOMES, "outcome")
        condition = None
        if designs is not None:
            _check(designs, self.info["scenario"]["designs"], "design")
            condition = ds.field("design").isin(list(designs))
        frame = self.dataset().to_table([*KEYS, *chosen], filter=condition).to_pandas()
        return frame.merge(self.parameters, on="parameter_set", how="left") if with_parameters else frame

    def query(self, sql: str) -> "duckdb.DuckDBPyRelation":
        """Return the result of an SQL query over the views ``runs`` and ``parameters``; nothing is read before it is asked for."""
        import duckdb

        connection = duckdb.connect()
        files = ", ".join("'" + str(path).replace("'", "''") + "'" for path in self.files)
        connection.execute(f"CREATE VIEW runs AS SELECT * FROM read_parquet([{files}])")
        connection.register("parameters", self.parameters)
        return connection.sql(sql)

    def quantiles(self, outcome: str, *, by: Sequence[str] = ("design",), q: Sequence[float] = (0.05, 0.5, 0.95)) -> pd.DataFrame:
        """Return mean, standard deviation, quantiles and number of runs of an outcome in each group.

        ``by`` names keys (design, parameter_set, replicate) or varied parameters. Runs are streamed, so the study may exceed memory.
        """
        _check([outcome], OUTCOMES, "outcome")
        _check(by, [*KEYS, *self.parameters.columns], "column")
        groups = ", ".join(f'"{name}"' for name in by)
        parts = ", ".join(f'quantile_cont("{outcome}", {float(p)}) AS q{round(100 * p):02d}' for p in q)
        joined = "runs" if set(by) <= set(KEYS) else "runs JOIN parameters USING (parameter_set)"
        sql = (
            f'SELECT {groups}, avg("{outcome}") AS mean, stddev_samp("{outcome}") AS sd, {parts}, count(*) AS n '
            f"FROM {joined} GROUP BY {groups} ORDER BY {groups}"
        )
        return self.query(sql).df()


def _check(names: Sequence[str], known: Sequence[str], what: str) -> None:
    for name in names:
        if name not in known:
            raise InputError(what, f"no {what} named {name!r}", nearest(name, known))


def open_study(path: str | Path) -> Study:
    """Return the study of a folder; raises InputError where it holds none."""
    folder = Path(path)
    try:
        info = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            str(path), f"holds no study ({getattr(error, 'strerror', None) or error})", "give the folder that a command wrote"
        ) from None
    if not isinstance(info, dict) or "scenario" not in info:
        raise InputError(str(path), "study.json describes no study", "give the folder that a command wrote")
    return Study(folder, info)
