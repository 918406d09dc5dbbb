"""Read a study in a notebook: tidy tables, lazily where they are larger than memory."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from school_mentoring.experiments.sweep.store import FAILURES, Store, read_sets, say, sweep_store
from school_mentoring.model.errors import InputError, listed, nearest, quoted
from school_mentoring.model.observe import OUTCOMES

from .description import read_description, refuse_changed

if TYPE_CHECKING:
    import duckdb
    import pyarrow.dataset

KEYS = ("design", "parameter_set", "replicate")
MOST_NAMED = 20  # missing chunks


class Study:
    """A study folder. ``info``: what ``study.json`` says.

    The parameter sets of a comparison are numbered from 1; its runs at the base parameters are set 0.
    """

    def __init__(self, path: Path, info: dict[str, Any]) -> None:
        self.path, self.info = path, info
        self._said = ""

    def __repr__(self) -> str:
        scenario, sweep = self.info["scenario"], self.info.get("sweep")
        size = (f"{sweep['parameter_sets']:,} parameter sets x " if sweep else "") + f"{scenario['replicates']:,} replicates"
        designs = f"{len(scenario['designs'])} designs ({listed(scenario['designs'], 8)})"
        return f"<Study {self.path}: {self.info['command']} of {scenario.get('name')}, {designs}, {size}>"

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

    @cached_property
    def gates(self) -> pd.DataFrame:
        """The runs of the gates of programmes; none where there is no gate, or the study did not run their ways. Raises InputError."""
        if "gates.parquet" not in (self.info.get("files") or {}):
            return pd.DataFrame()
        refuse_changed(self.path / "gates.parquet", self.info)
        return pd.read_parquet(self.path / "gates.parquet")

    @property
    def notes(self) -> list[str]:
        """What was said of the study when it was made: what varied by which draws, and what of its input was drawn or assumed."""
        return [*self.info.get("notes", ())]

    @property
    def files(self) -> list[Path]:
        """The Parquet files that hold the runs, in order."""
        if "sweep" in self.info:
            return list(self._store.parts().values())
        runs = self.path / "runs.parquet"
        return [runs] if runs.is_file() or "runs.parquet" in (self.info.get("files") or {}) else []

    @cached_property
    def _store(self) -> Store:
        return sweep_store(self.path, self.info)

    @property
    def complete(self) -> bool:
        """Whether every run is there: no chunk is missing, and no run failed."""
        return self._incomplete() is None

    def refuse_incomplete(self) -> None:
        """Raise InputError, saying how many, where runs are missing or failed."""
        if problem := self._incomplete():
            raise problem

    def _incomplete(self) -> InputError | None:
        """Return what is to be said of a sweep that lacks runs."""
        if "sweep" not in self.info:
            return None
        designs, cells = len(self.info["scenario"]["designs"]), self._cells(range(self._store.chunks))
        chunks, lacking = self._store.missing(), []
        if chunks:
            named = ", ".join(map(str, chunks[:MOST_NAMED])) + (", ..." if len(chunks) > MOST_NAMED else "")
            few = f"{self._cells(chunks) * designs:,} of {cells * designs:,}"
            lacking.append(f"{few} runs are missing (chunk{'s' * (len(chunks) > 1)} {named})")
        failed = len(list((self.path / FAILURES).glob("chunk-*.json")))
        if failed:
            lacking.append(f"runs of {failed:,} chunk{'s' * (failed > 1)} failed, which {FAILURES}/ names")
        remedy = f"complete it with run.py {self.info['command']} ... --out {self.path} --resume"
        return InputError(str(self.path), " and ".join(lacking), remedy) if lacking else None

    def _cells(self, chunks: Sequence[int]) -> int:
        """Return the parameter sets x replicates of some chunks of a sweep."""
        sweep = self.info["sweep"]
        cells = sweep["parameter_sets"] * self.info["scenario"]["replicates"]
        return sum(min(sweep["chunk"], cells - chunk * sweep["chunk"]) for chunk in chunks)

    def checked_files(self) -> list[Path]:
        """Return ``files``, and say on standard error, once, how many runs are missing.

        Raises InputError where there are none, where one holds other bytes than were written, and where one is of another study.
        """
        files = self.files
        if not files:
            raise InputError(str(self.path), "holds no runs yet", "give a study that a command has finished or begun")
        if "sweep" not in self.info:
            for path in files:
                refuse_changed(path, self.info)
            return files
        notice = str(self._incomplete() or "")
        if notice not in ("", self._said):
            self._said = notice
            say(f"notice: {notice}")
        return list(self._store.checked().values())

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
        """Return one row per run: design, parameter_set, replicate, outcomes (default: all recorded), and where wanted the varied values.

        ``broken_down`` adds effects and costs by school type, country, payer and year (``experiments/ensemble.py``).
        Raises InputError for a name that is not known, and where the study has not broken its runs down.
        """
        import pyarrow.dataset as ds

        recorded = self.dataset().schema.names
        chosen = list(outcomes) if outcomes is not None else [name for name in OUTCOMES if name in recorded] or [*OUTCOMES]
        _check(chosen, OUTCOMES, "outcome")
        if broken_down:
            details = [name for name in recorded if ":" in name]
            if not details:
                raise InputError(str(self.path), "does not hold its runs broken down", "run the sweep anew with --broken-down")
            chosen += details
        condition = None
        if designs is not None:
            _check(designs, self.info["scenario"]["designs"], "design")
            condition = ds.field("design").isin(list(designs))
        frame = self._recording(chosen).to_table([*KEYS, *chosen], filter=condition).to_pandas()
        return frame.merge(self.parameters, on="parameter_set", how="left") if with_parameters else frame

    def _recording(self, outcomes: Sequence[str]) -> "pyarrow.dataset.Dataset":
        """Return the runs; raises InputError where they hold other columns, as those of a calibration do."""
        dataset = self.dataset()
        for name in outcomes:
            if name not in dataset.schema.names:
                known = "give a comparison, sweep or search that does; a calibration records adopters by school, which dataset() reads"
                raise InputError(str(self.path), f"its runs do not record {name!r}", known)
        return dataset

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
        self._recording([outcome])
        _check(by, [*KEYS, *self.parameters.columns], "column")
        for p in q:
            if not 0.0 <= p <= 1.0:
                raise InputError("q", f"{p:g} is no probability", "allowed: 0 to 1")
        groups = ", ".join(f'"{name}"' for name in by)
        value = f'CASE WHEN NOT isnan("{outcome}") THEN "{outcome}" END'
        parts = ", ".join(f'quantile_cont({value}, {float(p)}) AS "q{_percent(p)}"' for p in q)
        joined = "runs" if set(by) <= set(KEYS) else "runs JOIN parameters USING (parameter_set)"
        columns = f"{groups}, avg({value}) AS mean, stddev_samp({value}) AS sd, {parts}, count({value}) AS n"
        return self.query(f"SELECT {columns} FROM {joined} GROUP BY {groups} ORDER BY {groups}").df()


def _percent(p: float) -> str:
    """Return a probability as the digits of its percentage: 05, 50, 97.5."""
    text = f"{100 * p:.10g}"
    return text.zfill(2) if text.isdigit() else text


def _check(names: Sequence[str], known: Sequence[str], what: str) -> None:
    if strange := [name for name in names if name not in known]:
        raise InputError(what, f"no {what} named {quoted(strange)}", nearest(strange, known))


def open_study(path: str | Path) -> Study:
    """Return the study of a folder that a command, or ``sweep``, wrote; raises InputError where it holds none.

    >>> from school_mentoring import open_study, sweep
    >>> made = sweep("mensi-pilot-only", "beta", "sobol:4", designs="none,virtual", replicates=2, out="results/beta")
    >>> study = open_study("results/beta")
    >>> study.runs(["adopters_end"], designs=["virtual"], with_parameters=True).round(3).head(2)
        design  parameter_set  replicate  adopters_end   beta
    0  virtual              0          0         508.0  0.054
    1  virtual              0          1         627.0  0.054
    """
    folder = Path(path)
    return Study(folder, read_description(folder))
