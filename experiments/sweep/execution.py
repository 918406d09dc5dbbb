"""Carries out a sweep: opens or resumes its folder, then computes the missing chunks here or in shards; ``cluster`` does it with Dask.

Whatever computes a chunk, the part it leaves is the same bytes. Before it begins, what it takes is estimated.
"""

import contextlib
import json
import math
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from school_mentoring.experiments.distributions import Variable
from school_mentoring.experiments.folder.description import copies, keep_inputs, refuse_other
from school_mentoring.experiments.folder.writing import METADATA, checked_out, crate_bytes, provenance, study_bytes, writing
from school_mentoring.experiments.progress import Advance
from school_mentoring.experiments.variables import MOST_SETS, chosen_variables, count_sets, sample
from school_mentoring.model.errors import InputError, listed
from school_mentoring.scenarios import Scenario, resolved

from .chunks import Sweep, compute
from .cluster import on_cluster
from .plan import Plan, chunk_cells, plan_sweep
from .store import DAMAGED, FAILURES, RESULTS, Store, count_words, disk_words, part_bytes, say, sweep_store, write_atomically

PARAMETERS_FILE = "parameters.parquet"


# --- the folder ------------------------------------------------------------------------------------------------------


def open_sweep(folder: Path, plan: Plan, *, resume: bool) -> Store:
    """Return the store of a sweep's folder, made if it is new.

    Raises InputError where the folder holds something else: no study, a study of another kind, or a sweep that differs (the message says in
    what), or parts of another; and, unless ``resume`` is True, where it holds this very sweep already. Damaged files are named on standard
    error and removed, so that they are made again.
    """
    checked_out(folder)
    if not (folder / "study.json").exists():
        if resume and folder.exists():
            say(f"{folder} holds no sweep yet; starting it")
        _create(folder, plan)
    else:
        refuse_other(folder, plan.describe(), "sweep")
        if not resume:
            raise InputError(f"--out {folder}", "holds this sweep already", "add --resume to complete it, or give another folder")
        _mend_sets(folder, plan)
    store = sweep_store(folder)
    store.mend()
    store.remove_drafts()
    return store


def grow_sweep(folder: Path, plan: Plan) -> None:
    """Make a sweep's folder that of a larger plan with the same first sets and chunks, so that the parts that are there stay valid.

    A folder that holds no sweep, or one of as many sets or more, is left as it is.
    """
    path = folder / "study.json"
    try:
        sets = int(json.loads(path.read_text(encoding="utf-8"))["sweep"]["parameter_sets"])
    except (OSError, ValueError, KeyError, TypeError):
        return  # whatever it holds, ``open_sweep`` says
    before = replace(plan, sets=plan.sets.iloc[:sets])
    if sets >= len(plan.sets) or before.cells % plan.chunk:
        return
    refuse_other(folder, before.describe(), "sweep")
    write_atomically(folder / PARAMETERS_FILE, _sets_bytes(plan))
    _describe(folder, plan)


def _create(folder: Path, plan: Plan) -> None:
    """Make the folder of a new sweep, with its description and parameter sets, whole or not at all; of two processes either may win."""
    place = folder.resolve()
    draft = place.with_name(f".{place.name}-{secrets.token_hex(8)}")
    try:
        draft.mkdir(parents=True)
        write_atomically(draft / PARAMETERS_FILE, _sets_bytes(plan))
        _describe(draft, plan)
        with contextlib.suppress(OSError):  # an empty folder; of one that is not empty the next line tells
            place.rmdir()
        draft.rename(place)
    except OSError as error:
        if (folder / "study.json").exists():  # another process was first
            refuse_other(folder, plan.describe(), "sweep")
            return
        raise InputError(f"--out {folder}", f"cannot be written ({error.strerror})", "give a folder you may write to") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _describe(folder: Path, plan: Plan) -> None:
    """Write the metadata that repositories read, and ``study.json``."""
    options = {} if plan.vary is None else {"vary": list(plan.vary)}
    study = keep_inputs(folder, {**provenance(plan.scenario, "sweep", options, notes=plan.notes), **plan.describe()})
    (folder / RESULTS).mkdir(exist_ok=True)
    write_atomically(folder / METADATA, crate_bytes(study, folder, [folder / PARAMETERS_FILE, *copies(folder), folder / RESULTS]))
    write_atomically(folder / "study.json", study_bytes(study))


def _sets_bytes(plan: Plan) -> bytes:
    sets = plan.sets.copy()
    sets.insert(0, "parameter_set", range(len(sets)))
    return bytes(sets.to_parquet(index=False, compression="zstd"))


def _mend_sets(folder: Path, plan: Plan) -> None:
    """Write the parameter sets again where the file does not hold the bytes it should."""
    path, data = folder / PARAMETERS_FILE, _sets_bytes(plan)
    with contextlib.suppress(OSError):
        if path.read_bytes() == data:
            return
    say(f"{path} {DAMAGED}: it is written again")
    write_atomically(path, data)


# --- chunks ----------------------------------------------------------------------------------------------------------


def parse_shard(text: str) -> tuple[int, int]:
    """Return (i, n) of ``i/n``, i from 1 to n; raises InputError otherwise."""
    i, _, n = text.partition("/")
    if not (re.fullmatch(r"[0-9]{1,9}/[0-9]{1,9}", text) and 1 <= int(i) <= int(n)):
        raise InputError(f"--shard {text}", "is no shard", "allowed: i/n with i from 1 to n, for example 3/20")
    return int(i), int(n)


def shard_of(chunks: Iterable[int], shard: tuple[int, int]) -> list[int]:
    """Return the chunks of a shard: every n-th, from the i-th."""
    i, n = shard
    return [chunk for chunk in chunks if chunk % n == i - 1]


def carry_out(
    folder: Path,
    plan: Plan,
    store: Store,
    *,
    engine: str = "compiled",
    threads: int | None = None,
    shard: tuple[int, int] = (1, 1),
    scheduler: str | None = None,
    progress: Advance = lambda *_: None,
) -> int:
    """Compute the missing chunks of a sweep (of a shard of it) and return how many runs failed.

    Here, unless ``scheduler`` names the address of a Dask scheduler. Chunks that another process has claimed are left to it, and done here
    if it does not finish them. Raises InputError where the disk is full or the folder cannot be written.
    """
    wanted = shard_of(range(plan.chunks), shard)
    with writing(f"--out {folder}", "writing failed", "free space, then continue with --resume"):
        _forget_failures(folder, store, set(wanted))
        if scheduler is None:
            failed = _here(folder, plan, store, wanted, Sweep(plan, engine=engine, threads=threads), progress)
        else:
            failed = on_cluster(folder, plan, store, scheduler, engine=engine, report=lambda: _report(plan, store, wanted, progress))
    return failed


def _forget_failures(folder: Path, store: Store, wanted: set[int]) -> None:
    """Remove the parts of chunks in which runs failed, and what is said of them, so that they are done again."""
    for path in (folder / FAILURES).glob("chunk-*.json"):
        chunk = int(path.stem.removeprefix("chunk-"))
        with store.claim(chunk) if chunk in wanted else contextlib.nullcontext() as mine:
            if mine:
                for gone in (*store.folder.glob(f"part-{chunk:08d}-*.parquet"), path):
                    gone.unlink(missing_ok=True)


def _report(plan: Plan, store: Store, wanted: list[int], progress: Advance) -> list[int]:
    """Tell the progress and return the chunks that are still missing."""
    missing = sorted(set(wanted) & set(store.missing()))
    total, left = (sum(plan.runs_of(chunk) for chunk in chunks) for chunks in (wanted, missing))
    progress(total - left, total)
    return missing


def _here(folder: Path, plan: Plan, store: Store, wanted: list[int], sweep: Sweep, progress: Advance) -> int:
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


def sweep_summary(folder: Path, plan: Plan, store: Store, failed: int, shard: tuple[int, int] = (1, 1)) -> tuple[list[str], dict[str, Any]]:
    """Return what a sweep, or a ``shard`` of it, came to, as lines for people and as a document."""
    missing, mine = store.missing(), shard_of(range(plan.chunks), shard)
    left = shard_of(missing, shard)
    size = sum(path.stat().st_size for path in store.parts().values())
    document: dict[str, Any] = {"runs": plan.runs, "chunks": plan.chunks, "missing": len(missing), "failed": failed, "bytes": size}
    lines = [f"{plan.chunks - len(missing):,} of {plan.chunks:,} chunks are done, {disk_words(size)}"]
    others = "run the other shards"
    if shard[1] > 1:
        document["shard"] = {"runs": sum(map(plan.runs_of, mine)), "chunks": len(mine), "missing": len(left)}
        lines = [f"Shard {shard[0]}/{shard[1]}: {len(mine) - len(left):,} of its {len(mine):,} chunks are done; in the folder {lines[0]}"]
        others = f"run the shards {listed(f'{i}/{shard[1]}' for i in sorted({chunk % shard[1] + 1 for chunk in missing}))}"
    if missing:
        lines.append(f"{len(missing):,} chunks are left: {others}, or continue with --resume")
    if failed:
        lines.append(f"{failed:,} runs failed; each is named with its parameters in {folder / FAILURES}")
    return lines, document


# --- how long it takes and how much disk it fills, told by a small trial before it begins ----------------------------

TRIAL_SECONDS, TRIAL_CELLS = 0.5, 4096
LONG_SECONDS, LARGE_BYTES = 3600.0, 5e9


class Estimate(NamedTuple):
    """``runs`` of a sweep, ``seconds`` on this machine, ``size`` in bytes on disk."""

    runs: int
    seconds: float
    size: float

    def share(self, part: float) -> "Estimate":
        """Return what a part of it takes."""
        return Estimate(round(part * self.runs), part * self.seconds, part * self.size)

    def words(self) -> str:
        """Return the estimate for people."""
        units = {"years": 31_557_600.0, "days": 86_400.0, "hours": 3600.0, "minutes": 60.0}
        longest = next((f"{count_words(self.seconds / one)} {unit}" for unit, one in units.items() if self.seconds >= one), None)
        time = longest or f"{self.seconds:.0f} seconds"
        return f"{count_words(self.runs)} runs, about {time} on this machine and {disk_words(self.size)} on disk"


def estimate(
    scenario: Scenario,
    variables: Sequence[Variable],
    sampling: str,
    threads: int | None = None,
    *,
    chunk: int | None = None,
    broken_down: bool = False,
) -> Estimate:
    """Return what a sweep of sampled sets would take, from trials that grow until one is half a second of work or a whole chunk."""
    count = count_sets(sampling, variables)
    runs, of_chunk = (cells * len(scenario.designs) for cells in (count * scenario.replicates, chunk or chunk_cells(scenario)))
    sets = sample(f"lhs:{max(8, -(-TRIAL_CELLS // scenario.replicates))}", variables, scenario.seed)
    sweep = Sweep(Plan(scenario, sets, "common", 1, "trial", broken_down=broken_down), threads=threads)
    sweep.chunk(0)  # compiles and warms up
    most = min(sweep.plan.cells, TRIAL_CELLS, chunk_cells(scenario))
    cells, seconds, work = 0, 0.0, 0.0
    while cells < most and work <= TRIAL_SECONDS:  # of processor time, or a busy machine would leave too few rows to tell their size by
        cells = min(max(1, 4 * cells), most)
        sweep.plan = replace(sweep.plan, chunk=cells)
        started, before = time.perf_counter(), time.process_time()
        table, _ = sweep.chunk(0)
        seconds, work = time.perf_counter() - started, time.process_time() - before
    mark = {"plan": "0" * 16, "chunk": 0, "sets": "0" * 16}
    foot, each = _growth(lambda rows: len(part_bytes(table.slice(0, rows), mark)), min(table.num_rows, of_chunk, runs))
    sets_foot, each_set = _growth(lambda rows: len(sets.iloc[:rows].to_parquet(index=False, compression="zstd")), min(len(sets), count))
    described = len(json.dumps(resolved(scenario), indent=1))
    size = described + sets_foot + each_set * count + foot * math.ceil(runs / of_chunk) + each * runs
    return Estimate(runs, seconds / table.num_rows * runs, size)


def _growth(size: Callable[[int], int], rows: int) -> tuple[float, float]:
    """Return what a table takes whatever it holds, and what each row adds, from its size with so many rows and with half of them."""
    each = (size(rows) - size(rows // 2)) / (rows - rows // 2)
    return size(rows) - each * rows, each


def plan_with_estimate(
    scenario: Scenario,
    vary: Sequence[str],
    sampling: str,
    *,
    random: str,
    chunk: int | None,
    yes: bool,
    threads: int | None = None,
    broken_down: bool = False,
    shard: tuple[int, int] = (1, 1),
) -> tuple[Plan, str]:
    """Return the plan of a sweep and in words what it, or the ``shard`` of it, takes.

    Raises InputError for a sweep that is long or large and was not confirmed by ``yes``, or has too many parameter sets for one study.
    """
    found = None
    if not sampling.startswith("table:"):
        variables = chosen_variables(scenario, vary)
        sets = count_sets(sampling, variables)
        found = estimate(scenario, variables, sampling, threads, chunk=chunk, broken_down=broken_down)
        if sets > MOST_SETS:
            most = f"allowed: at most {MOST_SETS:,} sets; cut it into studies"
            raise InputError(f"--sample {sampling}", f"gives {count_words(sets)} parameter sets; {found.words()}", most)
        if not yes and (found.seconds / shard[1] > LONG_SECONDS or found.size > LARGE_BYTES):
            raise InputError("sweep", f"this is {found.words()}", "add --yes to run it all the same")
    plan = plan_sweep(scenario, vary, sampling, random=random, chunk=chunk, broken_down=broken_down)
    chunks = shard_of(range(plan.chunks), shard)
    runs = sum(map(plan.runs_of, chunks))
    takes = f"{runs:,} runs" if found is None else found.share(runs / plan.runs).words()
    if shard[1] == 1:
        return plan, f"{takes}; {plan.chunks:,} chunks"
    return plan, f"shard {shard[0]}/{shard[1]}: {takes}; {len(chunks):,} of {plan.chunks:,} chunks"
