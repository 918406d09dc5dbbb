"""A sweep on a Dask cluster whose workers see the same folder: they write the parts, and return no more than how many runs failed."""

import io
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import school_mentoring
from school_mentoring.model.errors import InputError
from school_mentoring.model.fingerprint import result_fingerprint

from .chunks import Sweep, compute
from .plan import Plan, read_plan
from .store import Store, say, sweep_store

RETRIES = 3
CONNECT_SECONDS = 20.0
_one_at_a_time = threading.Lock()


def on_cluster(folder: Path, plan: Plan, store: Store, address: str, *, engine: str, report: Callable[[], list[int]]) -> int:
    """Compute the chunks that ``report`` tells to be missing on the workers of a Dask scheduler; return the number of failed runs.

    A worker that dies takes its chunk with it, and the scheduler gives the chunk to another. A chunk that has taken several workers with it
    is made run by run in processes apart, so that the run that kills is found. Raises InputError where no scheduler answers, or the cluster
    fails otherwise.
    """
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError as error:
        raise InputError(f"--scheduler {address}", "needs the package distributed", "pip install 'school-mentoring[dask]'") from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TypeError, TimeoutError) as error:  # the third of tls:// without its certificates
        problem = f"no Dask scheduler answers there ({error})"
        raise InputError(f"--scheduler {address}", problem, "allowed: an address such as tcp://host:8786") from None
    described = plan.describe()
    identity, place = json.dumps([described["model"], described["sweep"]]), str(folder.absolute())
    chunks: dict[Any, int] = {}
    failed = 0
    with client:
        missing = iter(report())

        def submit(chunk: int, *, apart: bool = False) -> Any:
            future = client.submit(_remote, place, identity, engine, chunk, apart, pure=False, retries=RETRIES)
            chunks[future.key] = chunk
            return future

        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        if not workers:
            say(f"{address} has no workers yet; waiting for some")
        running = as_completed([submit(chunk) for chunk in islice(missing, 4 * max(1, workers))])
        suspects: set[int] = set()
        for future in running:
            chunk = chunks.pop(future.key)
            try:
                failed += future.result()
            except KilledWorker as error:
                if chunk in suspects:
                    raise _broken(address, chunk, error) from error
                suspects.add(chunk)
                running.add(submit(chunk, apart=True))
                continue
            except OSError:  # a full disk
                raise
            except Exception as error:
                raise _broken(address, chunk, error) from error
            report()
            for following in islice(missing, 1):
                running.add(submit(following))
    store.remove_drafts()  # of workers that died
    return failed


def _broken(address: str, chunk: int, error: Exception) -> InputError:
    text = f"{type(error).__name__}: {error}".split("\n", 1)[0]
    return InputError(f"--scheduler {address}", f"chunk {chunk} could not be made ({text})", "see the logs of the workers")


def _remote(folder: str, identity: str, engine: str, chunk: int, apart: bool) -> int:
    """Compute one chunk on a worker; return the number of failed runs."""
    from distributed import get_worker

    sweep, store = _remote_sweep(folder, identity, engine, get_worker().state.nthreads, apart)
    with _one_at_a_time:  # a chunk uses all threads of its worker
        return 0 if chunk in store.parts() else compute(sweep, store, Path(folder), chunk)


@lru_cache(maxsize=4)
def _remote_sweep(folder: str, identity: str, engine: str, threads: int, apart: bool) -> tuple[Sweep, Store]:
    if json.loads(identity)[0] != result_fingerprint():
        raise RuntimeError("this worker has other code of the model than the sweep was begun with")
    place = Path(folder)
    plan = read_plan(place)
    sweep = SweepApart(place, plan, engine=engine, threads=threads) if apart else Sweep(plan, engine=engine, threads=threads)
    return sweep, sweep_store(place)


class SweepApart(Sweep):
    """Computes the chunks of the sweep in a folder, every piece of a chunk in a new process: one that dies is found like any that fails."""

    def __init__(self, folder: Path, plan: Plan, *, engine: str = "compiled", threads: int | None = None) -> None:
        super().__init__(plan, engine=engine, threads=threads)
        self._call = [sys.executable, "-m", __name__, str(folder.absolute()), engine, str(threads or 0)]

    def outcomes(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the outcomes of the runs of some rows; raises RuntimeError where their process dies."""
        given = io.BytesIO()
        np.save(given, rows[["cell", "design"]].to_numpy(np.int64))
        root = Path(school_mentoring.__file__).parents[1]
        done = subprocess.run(self._call, input=given.getvalue(), capture_output=True, check=False, cwd=root)
        if done.returncode < 0:
            raise RuntimeError(f"the run kills its process ({signal.Signals(-done.returncode).name})")
        if done.returncode > 0:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            raise RuntimeError(lines[-1] if lines else f"the run ends its process with code {done.returncode}")
        return np.asarray(np.load(io.BytesIO(done.stdout)), np.float64)


def _main(folder: str, engine: str, threads: str) -> None:
    """Read rows from standard input and write their outcomes to standard output."""
    rows = pd.DataFrame(np.load(io.BytesIO(sys.stdin.buffer.read())), columns=["cell", "design"])
    taken = io.BytesIO()  # as numpy asks a file for its position, which a pipe does not have
    np.save(taken, Sweep(read_plan(Path(folder)), engine=engine, threads=int(threads) or None).outcomes(rows))
    sys.stdout.buffer.write(taken.getvalue())


if __name__ == "__main__":
    _main(*sys.argv[1:])
