"""Whose the parts of a sweep are: the mark of each chunk, and the store that holds the parts of a folder to it."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from school_mentoring.experiments.folder.description import decides, read_description

from .plan import hash_sets, read_sets
from .store import RESULTS, Store

GROWS = ("parameter_sets", "runs", "sets_hash", "sample", "variables")
"""What ``study.json`` says of the sets: a sweep may grow by more of them, and each part is marked with its own."""

UNMARKED = 1
"""The format of studies whose parts carry no mark, as version 1.0 wrote them."""


def sweep_store(folder: Path, info: Mapping[str, Any] | None = None) -> Store:
    """Return the parts of the sweep in a folder; ``info``: what its ``study.json`` says.

    Raises InputError where the folder holds no study, or its parameter sets are damaged.
    """
    info = read_description(folder) if info is None else info
    sets = read_sets(folder, info).drop(columns="parameter_set")
    plan, size, replicates = plan_hash(info), info["sweep"]["chunk"], info["scenario"]["replicates"]
    cells = len(sets) * replicates

    def mark(chunk: int) -> dict[str, Any]:
        last = min((chunk + 1) * size, cells) - 1
        return {"plan": plan, "chunk": chunk, "sets": hash_sets(sets.iloc[chunk * size // replicates : last // replicates + 1])}

    def unmarked(chunk: int, path: Path) -> str:
        rows = pq.read_table(path, columns=["design", "parameter_set", "replicate"]).to_pandas()
        cell = rows["parameter_set"].to_numpy() * replicates + rows["replicate"].to_numpy()
        inside = (cell >= chunk * size) & (cell < min((chunk + 1) * size, cells))
        designs = set(rows["design"].astype(str).unique()) <= set(info["scenario"]["designs"])
        sound = bool(inside.all()) and designs and not rows.duplicated().any()
        return "" if sound else f"holds rows that are not of chunk {chunk} of this study"

    return Store(folder / RESULTS, -(-cells // size), mark, unmarked if info.get("format") == UNMARKED else None)


def plan_hash(info: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that change with all that decides the runs of a study but its sets; ``info``: its description."""
    kind = "search" if "search" in info else "sweep"
    decided = decides(info, kind)
    decided[kind] = {name: value for name, value in decided[kind].items() if name not in GROWS}
    return hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:16]
