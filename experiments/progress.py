"""Progress of long work on standard error: a bar on a terminal, a line a minute elsewhere."""

import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any

Advance = Callable[[int, int], None]
"""Is told how much is done, of how much."""

Stage = Callable[[str, int, int], None]
"""Is told of long work: what is under way, how much of it is done, of how much."""

LINE_EVERY = 60.0
SECONDS_BELOW = 150.0
LATELY = 5
"""Lines over which the pace is taken, as it changes in the course of a stage."""


def announce_compilation() -> None:
    """Say on standard error that the engine is about to be compiled, where no compiled code of this source is on disk yet."""
    from school_mentoring.model.compiled import is_warm

    if not is_warm():
        print("Compiling the engine, once for this version (about a minute) ...", file=sys.stderr, flush=True)


class Progress:
    """Shows (what, done, total); ``with Progress() as progress: progress.show("runs", 10, 100)``."""

    def __enter__(self) -> "Progress":
        self._bar: Any = None
        self._task: Any = None
        self._what = ""
        self._marks: deque[tuple[float, int]] = deque(maxlen=LATELY)
        self._last: float | None = None
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, what: str, done: int, total: int) -> None:
        """Tell how far a stage has come."""
        now = time.monotonic()
        if what != self._what:
            self._what = what
            self._marks.clear()
            self._marks.append((now, done))
        if self._last is None:  # what came before the first that is told, as compiling, is no minute of this work
            self._last = now
        if sys.stderr.isatty():
            self._draw(what, done, total)
        elif now - self._last >= LINE_EVERY:
            self._last = now
            print(f"{what}: {done:,} of {total:,}{self._pace(done, total)}", file=sys.stderr, flush=True)
            self._marks.append((now, done))

    def _rate(self, done: int) -> float:
        """Return what has been done a second lately, in this stage, without what was there before."""
        then, before = self._marks[0]
        return (done - before) / max(1e-9, time.monotonic() - then)

    def _pace(self, done: int, total: int) -> str:
        """Return how fast it goes and how long that takes; nothing where nothing has been done yet, as nobody can tell then."""
        rate = self._rate(done)
        if rate <= 0.0:
            return ""
        speed = f"{rate:,.0f} a second" if rate >= 1.0 else f"{60.0 * rate:,.1f} a minute"
        left = (total - done) / rate
        return f", {speed}, {f'{left / 60.0:,.0f} min' if left >= SECONDS_BELOW else f'{left:,.0f} s'} left"

    def _draw(self, what: str, done: int, total: int) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            rate = TextColumn("{task.fields[rate]}")
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
        if self._task is None or self._bar.tasks[-1].description != what:
            self._task = self._bar.add_task(what, total=total, rate="")
        self._bar.update(self._task, completed=done, total=total, rate=f"{self._rate(done):,.0f} a second")
