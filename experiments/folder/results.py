"""Read a study in a notebook: tidy tables, lazily where they are larger than memory.

from school_mentoring import open_study
study = open_study("results/mensi-pilot-sweep")
study.quantiles("adopters_end", by=["design"])
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from school_mentoring.experiments.sweep.plan import read_sets
from school_mentoring.experiments.sweep.store import FAILURES, RESULTS, Store
from school_mentoring.model.errors import InputError, nearest
from school_mentoring.model.observe import OUTCOMES

from .description import read_description, refuse_changed

if TYPE_CHECKING:
    import duckdb
    import pyarrow.dataset

__all__ = ["Study", "open_study"]

KEYS = ("design", "parameter_set", "replicate")


class Study:
    """A study folder. ``info``: what ``study.json`` says.

    The parameter sets of a comparison are numbered from 1; its runs at the base parameters are set 0.
    """

    def __init__(self, path: Path, info: dict[str, Any]) -> None:
        self.path, self.info = path, info
        self._sound: set[Path] = set()

    @cached_property
    def parameters(self) -> pd.DataFrame:
        """The values varied, one row per parameter set; none where nothing was. Raises InputError where they are damaged."""
        if "sweep" in self.info:
            return read_sets(self.path, self.info)
        table = self.path / "parameters.parquet"
        if not table.exists() and "parameters.parquet" not in (self.info.get("files") or {}):
            return pd.DataFrame({"parameter_set": []})
        refuse_changed(table, self.info)
        return pd.read_parquet(table)

    @property
    def files(self) -> list[Path]:
        """The Parquet files that hold the runs, in order."""
        if "sweep" in self.info:
            return list(Store(self.path / RESULTS, self._chunks).parts().values())
        runs = self.path / "runs.parquet"
        return [runs] if runs.is_file() or "runs.parquet" in (self.info.get("files") or {}) else []

    @property
    def _chunks(self) -> int:
        sweep = self.info["sweep"]
        return int(-(-sweep["parameter_sets"] * self.info["scenario"]["replicates"] // sweep["chunk"]))

    @property
    def complete(self) -> bool:
        """Whether every run is there: no chunk is missing, and no run failed."""
        if "sweep" not in self.info:
            return True
        return len(self.files) == self._chunks and not any((self.path / FAILURES).glob("chunk-*.json"))

    def checked_files(self) -> list[Path]:
        """Return ``files``; raises InputError where there are none, or a part holds other bytes than were written."""
        files = self.files
        if not files:
            raise InputError(str(self.path), "holds no runs yet", "give a study that a command has finished or begun")
        for path in files:
            if "sweep" not in self.info:
                refuse_changed(path, self.info)
            elif path not in self._sound and not Store.sound(path):
                raise InputError(str(path), "is damaged (not the bytes that were written)", "run the sweep again with --resume")
            self._sound.add(path)
        return files

    def dataset(self) -> "pyarrow.dataset.Dataset":
        """Return the runs as an Arrow dataset, read when scanned."""
        import pyarrow.dataset as ds

        return ds.dataset([str(path) for path in self.checked_files()], format="parquet")

    def runs(
        self,
        outcomes: Sequence[str] | None = None,
        *,
        designs: Sequence[str] | None = None,
        with_parameters: bool = False,
        broken_down: bool = False,
    ) -> pd.DataFrame:
        """Return one row per run: design, parameter_set, replicate, the outcomes (default all), and where wanted the varied values.

        ``broken_down`` adds effects and costs by school type, country, payer and year (``experiments/breakdown.py``).
        Raises InputError for a name that is not known, and where the study has not broken its runs down.
        """
        import pyarrow.dataset as ds

        chosen = list(outcomes) if outcomes is not None else list(OUTCOMES)
        _check(chosen, OUTCOMES, "outcome")
        if broken_down:
            details = [name for name in self.dataset().schema.names if ":" in name]
            if not details:
                raise InputError(str(self.path), "does not hold its runs broken down", "run the sweep anew with --broken-down")
            chosen += details
        condition = None
        if designs is not None:
            _check(designs, self.info["scenario"]["designs"], "design")
            condition = ds.field("design").isin(list(designs))
        self._refuse_unrecorded(chosen)
        frame = self.dataset().to_table([*KEYS, *chosen], filter=condition).to_pandas()
        return frame.merge(self.parameters, on="parameter_set", how="left") if with_parameters else frame

    def _refuse_unrecorded(self, outcomes: Sequence[str]) -> None:
        """Raise InputError where the runs hold other columns, as those of a calibration do."""
        recorded = self.dataset().schema.names
        for name in outcomes:
            if name not in recorded:
                known = "give a comparison, sweep or search; a calibration records adopters by school, which dataset() reads"
                raise InputError(str(self.path), f"its runs do not record {name!r}", known)

    def query(self, sql: str) -> "duckdb.DuckDBPyRelation":
        """Return the result of an SQL query over the views ``runs`` and ``parameters``; nothing is read before it is asked for."""
        import duckdb

        connection = duckdb.connect()
        files = ", ".join("'" + str(path).replace("'", "''") + "'" for path in self.checked_files())
        connection.execute(f"CREATE VIEW runs AS SELECT * FROM read_parquet([{files}])")
        connection.register("parameters", self.parameters)
        return connection.sql(sql)

    def quantiles(self, outcome: str, *, by: Sequence[str] = ("design",), q: Sequence[float] = (0.05, 0.5, 0.95)) -> pd.DataFrame:
        """Return mean, standard deviation, quantiles and number of an outcome in each group, over the runs in which it exists.

        ``by`` names keys (design, parameter_set, replicate) or varied parameters. Runs are streamed, so the study may exceed memory.
        """
        _check([outcome], OUTCOMES, "outcome")
        self._refuse_unrecorded([outcome])
        _check(by, [*KEYS, *self.parameters.columns], "column")
        for p in q:
            if not 0.0 <= p <= 1.0:
                raise InputError("q", f"{p:g} is no probability", "allowed: 0 to 1")
        groups = ", ".join(f'"{name}"' for name in by)
        value = f'CASE WHEN NOT isnan("{outcome}") THEN "{outcome}" END'
        parts = ", ".join(f'quantile_cont({value}, {float(p)}) AS "q{_percent(p)}"' for p in q)
        joined = "runs" if set(by) <= set(KEYS) else "runs JOIN parameters USING (parameter_set)"
        sql = (
            f"SELECT {groups}, avg({value}) AS mean, stddev_samp({value}) AS sd, {parts}, count({value}) AS n "
            f"FROM {joined} GROUP BY {groups} ORDER BY {groups}"
        )
        return self.query(sql).df()


def _percent(p: float) -> str:
    """Return a probability as the digits of its percentage: 05, 50, 97.5."""
    text = f"{100 * p:.10g}"
    return text.zfill(2) if text.isdigit() else text


def _check(names: Sequence[str], known: Sequence[str], what: str) -> None:
    for name in names:
        if name not in known:
            raise InputError(what, f"no {what} named {name!r}", nearest(name, known))


def open_study(path: str | Path) -> Study:
    """Return the study of a folder; raises InputError where it holds none."""
    folder = Path(path)
    return Study(folder, read_description(folder))
