"""Carries out a sweep: opens or resumes its folder, then computes the missing chunks here, in shards, or on a Dask cluster.

Whatever computes a chunk, the part it leaves is the same bytes.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from model.errors import InputError

from .store import Store, write_atomically
from .study import checked_out, provenance
from .sweep import Plan, Sweep, read_plan

__all__ = ["RESULTS", "carry_out", "open_sweep", "parse_shard", "shard_of", "sweep_summary"]

RESULTS = "results"
FAILURES = "failures"

Progress = Callable[[int, int], None]


# --- the folder ------------------------------------------------------------------------------------------------------


def open_sweep(folder: Path, plan: Plan, *, resume: bool) -> Store:
    """Return the store of a sweep's folder, made if it is new.

    Raises InputError where the folder holds something else: no study, a study of another kind, or a sweep that differs (the message says in
    what); and, unless ``resume`` is True, where it holds this very sweep already. Damaged parts are named on standard error and removed,
    failed chunks forgotten, so that both are done again.
    """
    checked_out(folder)
    study = folder / "study.json"
    if not study.exists():
        if resume and folder.exists():
            _say(f"{folder} holds no sweep yet; starting it")
        _create(folder, plan)
    else:
        _refuse_other(study, plan)
        if not resume:
            raise InputError(f"--out {folder}", "holds this sweep already", "add --resume to complete it, or give another folder")
    store = Store(folder / RESULTS, plan.chunks)
    for path in store.damaged():
        _say(f"{path} is damaged (not the bytes that were written): its chunk is computed again")
        path.unlink(missing_ok=True)
    for path in (folder / FAILURES).glob("chunk-*.json"):
        for part in store.folder.glob(f"part-{path.stem.removeprefix('chunk-')}-*.parquet"):
            part.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
    return store


def _create(folder: Path, plan: Plan) -> None:
    """Put the description of a sweep and its parameter sets into a new folder; of two processes that try, either may win."""
    sets = plan.sets.copy()
    sets.insert(0, "parameter_set", range(len(sets)))
    study = {**provenance(plan.scenario, "sweep", {}), **plan.describe()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "parameters.parquet", sets.to_parquet(index=False, compression="zstd"))
        write_atomically(folder / "study.json", (json.dumps(study, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())
    except OSError as error:
        raise InputError(f"--out {folder}", f"cannot be written ({error.strerror})", "give a folder you may write to") from error


def _refuse_other(path: Path, plan: Plan) -> None:
    """Raise InputError, naming what differs, where a folder's study is not this plan."""
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(str(path), f"cannot be read ({error})", "give another folder") from None
    if not isinstance(there, dict) or "sweep" not in there:
        raise InputError(f"--out {path.parent}", "holds a study that is no sweep", "give another folder")
    here = json.loads(json.dumps(plan.describe()))
    difference = next(_differences({key: there.get(key) for key in here}, here), None)
    if difference:
        name, old, new = difference
        if name == "model":
            raise InputError(f"--out {path.parent}", "the model's code has changed since this sweep was begun", "give another folder")
        raise InputError(f"--out {path.parent}", f"holds a sweep that differs in {name}: {old} there, {new} now", "give another folder")


def _differences(old: Any, new: Any, name: str = "") -> Iterator[tuple[str, str, str]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _differences(old.get(key), new.get(key), f"{name}.{key}".removeprefix("."))
    elif old != new:
        yield name, _short(old), _short(new)


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


# --- chunks ----------------------------------------------------------------------------------------------------------


def parse_shard(text: str) -> tuple[int, int]:
    """Return (i, n) of ``i/n``, i from 1 to n; raises InputError otherwise."""
    i, slash, n = text.partition("/")
    if not (slash and i.isdigit() and n.isdigit() and 1 <= int(i) <= int(n)):
        raise InputError(f"--shard {text}", "is no shard", "allowed: i/n with i from 1 to n, for example 3/20")
    return int(i), int(n)


def shard_of(chunks: Iterable[int], shard: tuple[int, int]) -> list[int]:
    """Return the chunks of a shard: every n-th, from the i-th."""
    i, n = shard
    return [chunk for chunk in chunks if chunk % n == i - 1]


def compute(sweep: Sweep, store: Store, folder: Path, chunk: int) -> int:
    """Compute one chunk, write its part and what failed in it; return the number of failed runs."""
    table, failures = sweep.chunk(chunk)
    if failures:
        (folder / FAILURES).mkdir(exist_ok=True)
        text = json.dumps(failures, indent=1, ensure_ascii=False)
        write_atomically(folder / FAILURES / f"chunk-{chunk:08d}.json", text.encode())
    store.write(chunk, table)
    return len(failures)


def carry_out(
    folder: Path,
    plan: Plan,
    store: Store,
    *,
    engine: str = "compiled",
    threads: int | None = None,
    shard: tuple[int, int] = (1, 1),
    scheduler: str | None = None,
    progress: Progress = lambda *_: None,
) -> int:
    """Compute the missing chunks of a sweep (of a shard of it) and return how many runs failed.

    Here, unless ``scheduler`` names the address of a Dask scheduler. Chunks that another process has claimed are left to it, and done here
    if it does not finish them. Raises InputError where the disk is full or the folder cannot be written.
    """
    wanted = shard_of(range(plan.chunks), shard)
    try:
        if scheduler is not None:
            return _on_cluster(folder, plan, store, wanted, scheduler, engine, progress)
        return _here(folder, plan, store, wanted, Sweep(plan, engine=engine, threads=threads), progress)
    except OSError as error:
        raise InputError(
            f"--out {folder}", f"writing failed ({error.strerror or error})", "free space, then continue with --resume"
        ) from error


def _report(plan: Plan, store: Store, wanted: list[int], progress: Progress) -> list[int]:
    """Tell the progress and return the chunks that are still missing."""
    missing = sorted(set(wanted) & set(store.missing()))
    total, left = (sum(plan.runs_of(chunk) for chunk in chunks) for chunks in (wanted, missing))
    progress(total - left, total)
    return missing


def _here(folder: Path, plan: Plan, store: Store, wanted: list[int], sweep: Sweep, progress: Progress) -> int:
    failed = 0
    missing = _report(plan, store, wanted, progress)
    while missing:
        busy = 0
        for chunk in missing:
            with store.claim(chunk) as mine:
                if not mine:
                    busy += 1
                elif chunk not in store.parts():
                    failed += compute(sweep, store, folder, chunk)
            _report(plan, store, wanted, progress)
        missing = _report(plan, store, wanted, progress)
        if missing and busy == len(missing):
            time.sleep(0.2)  # all that is left is under way elsewhere
    return failed


# --- Dask ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _remote_sweep(folder: str, identity: str, engine: str, threads: int) -> Sweep:
    return Sweep(read_plan(Path(folder)), engine=engine, threads=threads)


def _remote(folder: str, identity: str, engine: str, chunk: int) -> int:
    """Compute one chunk on a worker that sees the same folder; return the number of failed runs."""
    from distributed import get_worker

    sweep = _remote_sweep(folder, identity, engine, get_worker().state.nthreads)
    store = Store(Path(folder) / RESULTS, sweep.plan.chunks)
    if chunk in store.parts():
        return 0
    return compute(sweep, store, Path(folder), chunk)


def _on_cluster(folder: Path, plan: Plan, store: Store, wanted: list[int], address: str, engine: str, progress: Progress) -> int:
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise InputError(f"--scheduler {address}", "needs the package distributed", "pip install 'school-mentoring[dask]'") from error
    try:
        client = Client(address, timeout=20)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(
            f"--scheduler {address}", f"no Dask scheduler answers there ({error})", "allowed: an address such as tcp://host:8786"
        ) from None
    identity = json.dumps(plan.describe()["sweep"]) + plan.describe()["model"]
    place = str(folder.absolute())
    failed = 0
    with client:
        missing = iter(_report(plan, store, wanted, progress))

        def submit(chunk: int) -> Any:
            # A worker that dies takes its chunk with it; the scheduler gives the chunk to another, up to so many times.
            return client.submit(_remote, place, identity, engine, chunk, pure=False, retries=3)

        ahead = 4 * max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
        running = as_completed([submit(chunk) for _, chunk in zip(range(ahead), missing, strict=False)])
        for future in running:
            failed += future.result()
            _report(plan, store, wanted, progress)
            following = next(missing, None)
            if following is not None:
                running.add(submit(following))
    return failed


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def sweep_summary(folder: Path, plan: Plan, store: Store, failed: int) -> tuple[list[str], dict[str, Any]]:
    """Return what a sweep came to, as lines for people and as a document."""
    missing = len(store.missing())
    size = sum(path.stat().st_size for path in store.parts().values())
    lines = [f"{plan.chunks - missing:,} of {plan.chunks:,} chunks are done, {size / 1e6:,.1f} MB"]
    if missing:
        lines.append(f"{missing:,} chunks are left: run the other shards, or continue with --resume")
    if failed:
        lines.append(f"{failed:,} runs failed; each is named with its parameters in {folder / FAILURES}")
    return lines, {"runs": plan.runs, "chunks": plan.chunks, "missing": missing, "failed": failed, "bytes": size}
