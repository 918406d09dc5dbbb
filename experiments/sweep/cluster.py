"""A sweep on a Dask cluster whose workers see the same folder: they write the parts, and return no more than how many runs failed."""

import json
import sys
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from school_mentoring.model.errors import InputError
from school_mentoring.model.fingerprint import result_fingerprint

from .apart import SweepApart
from .chunks import Sweep, compute
from .pieces import sweep_store
from .plan import Plan, read_plan
from .store import Store

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
        raise InputError(
            f"--scheduler {address}", f"no Dask scheduler answers there ({error})", "allowed: an address such as tcp://host:8786"
        ) from None
    described = plan.describe()
    identity = json.dumps([described["model"], described["sweep"]])
    place = str(folder.absolute())
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
            print(f"{address} has no workers yet; waiting for some", file=sys.stderr, flush=True)
        ahead = 4 * max(1, workers)
        running = as_completed([submit(chunk) for _, chunk in zip(range(ahead), missing, strict=False)])
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
            following = next(missing, None)
            if following is not None:
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
