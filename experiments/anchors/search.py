"""The search for anchored draws: chunks of sets held to the anchors, kept in a folder that survives a kill, until enough are accepted.

Whoever computes a chunk, it holds the same; draws are the first accepted ones in the order of their numbers. At the end some of them are
held to all anchors again, with other random numbers and worlds, which tells how many pass by luck.
"""

import contextlib
import hashlib
import json
from collections import deque
from collections.abc import Callable, Container, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from school_mentoring.experiments.folder.description import refuse_other
from school_mentoring.experiments.folder.writing import StudyFolder, checked_out, provenance, study_bytes, writing
from school_mentoring.experiments.progress import Stage
from school_mentoring.experiments.sweep.store import Store, part_bytes, write_atomically
from school_mentoring.model.engine import cpu_count
from school_mentoring.model.errors import InputError
from school_mentoring.model.world.structure import WORLD_WORDS
from school_mentoring.scenarios.anchored import model_now

from .draws import CHUNK, DECIDING, DRAWN, FULL, MOST, Search

DRAWS_FILE = "draws.parquet"
AGAIN, PART = 200, 10
"""Draws that are held to the anchors again, and how many of them make a chunk."""

AHEAD = 2
"""Chunks that are given out ahead, for each process."""

MakesRows = Callable[[], pd.DataFrame]


@dataclass(frozen=True)
class FoundDraws:
    """What a search came to.

    ``draws``: the accepted sets. ``tried``: what became of every set up to the last accepted one, ``again``: of the draws with other random
    numbers, both as ``Search.hold`` says. ``about``: all of it in short, as the file of draws holds it.
    """

    draws: pd.DataFrame
    tried: pd.DataFrame
    again: pd.DataFrame
    about: dict[str, Any]

    def file(self) -> bytes:
        """Return the bytes of the file of draws."""
        return part_bytes(pa.Table.from_pandas(self.draws, preserve_index=False), self.about)


def find_draws(
    folder: Path, search: Search, wanted: int, *, resume: bool, threads: int | None = None, stage: Stage = lambda *_: None
) -> FoundDraws:
    """Hold sets to the anchors until ``wanted`` are accepted, and hold those again; write all of it to the folder.

    Raises InputError where the folder holds something else, or, unless ``resume`` is True, this very search already; and where too few of
    the ``MOST`` sets that may be tried are accepted.
    """
    described = _open(folder, search, wanted, resume=resume)
    plan = hashlib.sha256(json.dumps([described["anchoring"], described["model"]], sort_keys=True).encode()).hexdigest()[:16]
    first, second = (_Parts(folder / name, plan, threads) for name in ("results", "again"))
    with writing(f"--out {folder}", "writing failed", "free space, then continue with --resume"):
        tried = first.fill([partial(search.chunk, number) for number in range(MOST // CHUNK)], lambda parts: _told(parts, stage, wanted))
        accepted = tried.index[tried["refused"] == ""][:wanted]
        if len(accepted) < wanted:
            raise InputError(
                "anchor", f"only {len(accepted)} of {MOST:,} sets meet the anchors", f"allowed: --draws {len(accepted)} or fewer"
            )
        tried = tried.loc[: accepted[-1]]
        sets = search.sets(0, len(tried))
        # Spread over all of them.
        sample = accepted[np.unique(np.linspace(0, wanted - 1, min(wanted, AGAIN)).astype(int))].tolist()
        parts = [sample[low : low + PART] for low in range(0, len(sample), PART)]
        tasks = [partial(search.held, sets.loc[part], again=True) for part in parts]
        again = second.fill(tasks, lambda parts: _held_again(parts, stage, len(sample)))
        found = FoundDraws(sets.loc[accepted].reset_index(drop=True), tried, again, _about(sets, tried, again, search.seed))
        _write(folder, found, described)
    return found


def _open(folder: Path, search: Search, wanted: int, *, resume: bool) -> dict[str, Any]:
    checked_out(folder)
    study = provenance(search.scenario, "anchor", {"draws": wanted, "seed": search.seed})
    # Of the model that alone which the draws rest on, which they are no part of themselves when they are shipped.
    described = {**study, "model": model_now(), "anchoring": {"seed": search.seed, "draws": wanted, "chunk": CHUNK}}
    path = folder / "study.json"
    if path.exists():
        refuse_other(folder, described, "anchoring")
        if not resume:
            raise InputError(f"--out {folder}", "holds this search already", "add --resume to complete it, or give another folder")
    else:
        with writing(f"--out {folder}"):
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(path, study_bytes(described))
    return described


class _Parts:
    """Chunks of rows in a folder, computed in as many processes as there are threads where they are not there yet."""

    def __init__(self, folder: Path, plan: str, threads: int | None) -> None:
        self._folder, self._plan, self._threads = folder, plan, threads or cpu_count()

    def fill(self, tasks: Sequence[MakesRows], enough: Callable[[Sequence[pd.DataFrame]], bool]) -> pd.DataFrame:
        """Return the rows of the chunks 0, 1, ... that tasks make, until they are ``enough``, one after the other."""
        store = Store(self._folder, len(tasks), lambda chunk: {"plan": self._plan, "chunk": chunk})
        store.remove_drafts()
        store.mend()
        found: list[pd.DataFrame] = []
        with contextlib.closing(self._made(tasks, store.parts())) as made:
            for chunk, part in enumerate(made):
                if part is not None:
                    store.write(chunk, pa.Table.from_pandas(part, preserve_index=False))
                found.append(pq.read_table(store.parts()[chunk]).to_pandas())
                if enough(found):
                    break
        return pd.concat(found, ignore_index=True)

    def _made(self, tasks: Sequence[MakesRows], there: Container[int]) -> Generator[pd.DataFrame | None, None, None]:
        """Give what tasks make, in their order; None of a chunk that is ``there``."""
        if self._threads == 1:  # a process of its own takes seconds to start
            yield from (None if chunk in there else task() for chunk, task in enumerate(tasks))
            return
        # Processes, as much of the work is Python's; started anew, as the engine's threads do not survive a fork.
        pool = ProcessPoolExecutor(self._threads, get_context("spawn"))
        waiting: deque[Future[pd.DataFrame] | None] = deque()
        try:
            for chunk, task in enumerate(tasks):
                waiting.append(None if chunk in there else pool.submit(_make, task))
                while len(waiting) > (AHEAD * self._threads if chunk < len(tasks) - 1 else 0):
                    first = waiting.popleft()
                    yield first and first.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _make(task: MakesRows) -> pd.DataFrame:
    return task()


def _told(found: Sequence[pd.DataFrame], stage: Stage, wanted: int) -> bool:
    """Tell how many are accepted, and whether these are enough."""
    count = sum(int((part["refused"] == "").sum()) for part in found)
    stage("accepted", min(count, wanted), wanted)
    return count >= wanted


def _held_again(found: Sequence[pd.DataFrame], stage: Stage, wanted: int) -> bool:
    stage("held again", sum(map(len, found)), wanted)
    return False


def _about(sets: pd.DataFrame, tried: pd.DataFrame, again: pd.DataFrame, seed: int) -> dict[str, Any]:
    """Return in short how the draws came about."""
    accepted, whole = tried["refused"] == "", tried["set"] % FULL == 0
    keys = [anchor.key for anchor in DECIDING]
    by_word = {
        name: {word: [int((sets[name] == word).sum()), int((accepted & (sets[name] == word)).sum())] for word in WORLD_WORDS[name]}
        for name in DRAWN
    }
    return {
        "model": model_now(),
        "seed": seed,
        "tried": len(tried),
        "accepted": int(accepted.sum()),
        "refused_first": _counts(keys, tried.loc[~accepted, "refused"].str.split("|").str[0]),
        "held_to_all": int(whole.sum()),
        "refused_of_all": _counts(keys, tried.loc[whole, "refused"].str.split("|").explode()),
        "structures": by_word,
        "again": {
            "held": len(again),
            "passed": int((again["refused"] == "").sum()),
            "refused": _counts(keys, again["refused"].str.split("|").explode()),
        },
    }


def _counts(keys: Iterable[str], refused: pd.Series) -> dict[str, int]:
    return {key: int((refused == key).sum()) for key in keys}


def _write(folder: Path, found: FoundDraws, described: Mapping[str, Any]) -> None:
    write_atomically(folder / DRAWS_FILE, found.file())
    for name, table in {"tried.parquet": found.tried, "again.parquet": found.again}.items():
        write_atomically(folder / name, bytes(table.to_parquet(index=False, compression="zstd")))
    StudyFolder(folder).close(described)
