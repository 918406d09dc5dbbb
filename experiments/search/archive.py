"""What was tried, as tables, and generation by generation in the folder of a search, so that it can be gone on with.

A plain design is a row of fields. Where there are programmes among the designs of a search, which have no such fields, each of its tables
has one column ``STATED`` in their place: every design as a scenario states it, written as JSON.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from school_mentoring.experiments.folder.writing import writing
from school_mentoring.experiments.sweep.store import Store, plan_hash, say
from school_mentoring.model.designs import FIELDS, OPTIONAL, Design, design_from_row
from school_mentoring.model.programmes import Programme
from school_mentoring.scenarios import written
from school_mentoring.scenarios.programmes import built_designs

STATED = "stated"


def design_columns(designs: Iterable[Design | Programme], programmes: bool) -> pd.DataFrame:
    """Return the fields of designs, a row each, of which what is not stated (no quota, the scenario's months) is blank.

    ``programmes``: whether there are some among the designs of the search.
    """
    if programmes:
        return pd.DataFrame({STATED: [design_key(design) for design in designs]}, dtype=object)
    return pd.DataFrame([design.model_dump() for design in designs], columns=list(FIELDS))


def design_of(row: Mapping[str, Any]) -> Design | Programme:
    """Return the design of a row that has the columns of ``design_columns``."""
    return built_designs({"found": json.loads(row[STATED])})["found"] if STATED in row else design_from_row(row)


def key_of(row: Mapping[str, Any]) -> str:
    """Return ``design_key`` of the design of a row."""
    return str(row[STATED]) if STATED in row else design_key(design_of(row))


def design_key(design: Design | Programme) -> str:
    """Return the text that is the same of the same designs, and from which ``design_of`` reads one."""
    return json.dumps(written(design), separators=(",", ":"))


class GenerationStore:
    """Keeps generations as parts in the folder of a search."""

    def __init__(self, folder: Path, described: Mapping[str, Any], generations: int) -> None:
        plan = plan_hash(described)
        self.store = Store(folder / "generations", generations, lambda number: {"plan": plan, "chunk": number})

    def read(self, number: int, designs: Sequence[Design | Programme]) -> pd.DataFrame | None:
        """Return what these designs of a generation were worth; None where no part holds just them, which is then made again."""
        if (path := self.store.parts().get(number)) is None:
            return None
        table = pq.read_table(path).to_pandas()
        asked = typed(design_columns(designs, STATED in table))
        if typed(table[list(asked.columns)]).equals(asked):
            return table
        say(f"{path} holds other designs than this search has come to: its generation is computed again")
        path.unlink(missing_ok=True)
        return None

    def write(self, number: int, table: pd.DataFrame) -> None:
        """Keep what the designs of a generation were worth. Raises InputError where the disk is full or the folder cannot be written."""
        with writing(str(self.store.folder), "writing failed", "free space, then continue with --resume"):
            self.store.write(number, pa.Table.from_pandas(typed(table), preserve_index=False))


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of designs in which a column has one type, whatever the generation leaves out."""
    return table.assign(**{name: table[name].astype("float64") for name in OPTIONAL if name in table})
