"""Work in the background: fair between visitors, of each page only the newest question, on all processors."""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from school_mentoring.experiments.whatif import SupersededError
from school_mentoring.model.engine import cpu_count

MOST_WAITING = 200
RANKS = 3


class Busy(Exception):  # noqa: N818 - a state, not a fault
    """Too many questions are waiting."""


@dataclass(eq=False)
class _Job:
    """A question: ``do(threads, stop)`` answers it; ``wanted`` falls when a newer one takes its place or its visitor leaves."""

    page: str
    do: Callable[[int, Callable[[], bool]], Any]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"
    wanted: threading.Event = field(default_factory=threading.Event)


Queue = OrderedDict[str, OrderedDict[str, _Job]]
"""By visitor, by page."""


class Work:
    """Answers questions on a few threads.

    Each page (a visitor's tab) has one place in the queue. A new question takes the place of that page's older one, which is given up even
    when it is under way. Questions of a lower ``rank`` go first; within a rank visitors take turns: after an answer the next is for the
    visitor who has waited longest since their last one.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._cores = threads or cpu_count()
        self._pool = ThreadPoolExecutor(self._cores, thread_name_prefix="answers")
        self._lock = threading.RLock()
        self._waiting: tuple[Queue, ...] = tuple(OrderedDict() for _ in range(RANKS))
        self._running: dict[str, _Job] = {}
        self._busy = 0
        self._closed = False

    async def answer(self, visitor: str, page: str, do: Callable[[int, Callable[[], bool]], Any], rank: int = 0) -> Any:
        """Return what ``do(threads, stop)`` gives. Raises SupersededError when nobody wants it, Busy when too many wait."""
        loop = asyncio.get_running_loop()
        job = _Job(f"{visitor} {page}", do, loop, loop.create_future())
        job.wanted.set()
        with self._lock:
            if self._closed:
                raise SupersededError
            if sum(len(pages) for queue in self._waiting for pages in queue.values()) >= MOST_WAITING:
                raise Busy
            self.give_up(visitor, page)
            self._waiting[rank].setdefault(visitor, OrderedDict())[page] = job
            self._pool.submit(self._next)
        try:
            return await job.future
        except asyncio.CancelledError:
            job.wanted.clear()
            raise

    def give_up(self, visitor: str, page: str) -> None:
        """Give up a question that is waiting or under way: nobody wants its answer any more."""
        with self._lock:
            running = self._running.get(f"{visitor} {page}")
            if running is not None:
                running.wanted.clear()
            waiting = [job for queue in self._waiting if (job := queue.get(visitor, OrderedDict()).pop(page, None)) is not None]
        for job in waiting:
            job.wanted.clear()
            _settle(job)

    @property
    def at_work(self) -> bool:
        """Whether a question is being answered."""
        return self._busy > 0

    def close(self) -> None:
        """Give up what is waiting, under way, and asked from now on."""
        with self._lock:
            self._closed = True
            jobs = [*self._running.values(), *(job for queue in self._waiting for pages in queue.values() for job in pages.values())]
            for queue in self._waiting:
                queue.clear()
        for job in jobs:
            job.wanted.clear()
            _settle(job)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _take(self) -> _Job | None:
        with self._lock:
            for queue in self._waiting:
                while queue:
                    visitor, pages = queue.popitem(last=False)
                    if not pages:
                        continue
                    _, job = pages.popitem(last=False)
                    if pages:
                        queue[visitor] = pages  # to the end of the queue
                    if job.wanted.is_set():
                        self._running[job.page] = job
                        self._busy += 1
                        return job
        return None

    def _next(self) -> None:
        """Answer the next question that is still wanted."""
        job = self._take()
        if job is None:
            return
        result, fault = None, None
        try:
            result = job.do(max(1, self._cores // self._busy), lambda: not job.wanted.is_set())
        except BaseException as error:
            fault = error
        with self._lock:
            self._busy -= 1
            if self._running.get(job.page) is job:
                del self._running[job.page]
        _settle(job, result, fault)


def _settle(job: _Job, result: Any = None, fault: BaseException | None = None) -> None:
    """Hand over what became of a question: its answer, a fault, or that nobody wants it any more."""
    if fault is None and not job.wanted.is_set():
        fault = SupersededError()

    def settle() -> None:
        if not job.future.done():
            if fault is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(fault)

    with suppress(RuntimeError):  # the server is closing
        job.loop.call_soon_threadsafe(settle)
