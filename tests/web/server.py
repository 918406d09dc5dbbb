"""Start `run.py serve` in a process of its own, and open pages of it in Chromium; what all tests of the page share."""

import json
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tests.commands.program import said, started

STARTS, STOPS = 120, 30  # seconds
REQUIRED = "SCHOOL_MENTORING_BROWSER"
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--lang=en-GB"),
]
SMALL = (
    *(
        "--set",
        "world.schools_per_region=4",
        "--set",
        "world.regions_per_country=1",
        "--set",
        "draws=16",
        "--set",
        "programme.last_month=20",
    ),
    *("--replicates", "6", "--months", "30", "--designs", "top_down,regional_hub,virtual"),
)
"""24 schools: an answer in a few milliseconds."""


def chromium() -> str:
    """Return the path of Chromium; without one the test is skipped, or fails where .ci/run asks for it."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    words = "the page is tried in Chromium, which is not installed: apt-get install chromium"
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(words)
    pytest.skip(words)


class Server:
    """``run.py serve`` in a folder, whose temporary files and log are in ``scratch``."""

    def __init__(self, words: Sequence[str], folder: Path, scratch: Path, environment: Mapping[str, str] | None = None) -> None:
        self._log, self.temporary = scratch / "log", scratch / "temporary"
        self.temporary.mkdir()
        with self._log.open("w", encoding="utf-8") as log:
            settings = {"TMPDIR": str(self.temporary), **(environment or {})}
            self.process = started("serve", *words, cwd=folder, environment=settings, stderr=log)

    def first_line(self) -> str:
        """Return the line that says where the page is; nothing where the process has ended."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], STARTS)
        return self.process.stdout.readline() if ready else ""

    @cached_property
    def address(self) -> str:
        """The address that the server says; it answers there."""
        found = re.search(r"http://\S+", line := self.first_line())
        assert found, f"the server did not start: {line!r} {self._log.read_text(encoding='utf-8')}"
        return found.group()

    def stop(self, how: signal.Signals = signal.SIGINT) -> int | None:
        """Send a signal and return the exit code; None where the process goes on, which is then killed. The log is printed."""
        self.process.send_signal(how)
        try:
            return self.process.wait(STOPS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None
        finally:
            print(self._log.read_text(encoding="utf-8"))

    def _lines(self) -> list[str]:
        return self._log.read_text(encoding="utf-8").splitlines()

    @property
    def log(self) -> list[dict[str, Any]]:
        """The lines of the log so far."""
        return [json.loads(line) for line in self._lines() if line.startswith("{")]

    @property
    def errors(self) -> list[str]:
        """What stands in the log besides its lines, a traceback, if anything; and what it says of faults."""
        faults = [json.dumps(line) for line in self.log if line["event"] == "fault"]
        return faults + said("\n".join(line for line in self._lines() if line and not line.startswith("{")))

    def written(self) -> list[str]:
        """Return the files that the server keeps."""
        files = [path.relative_to(self.temporary).as_posix() for path in self.temporary.rglob("*") if path.is_file()]
        return sorted(name for name in files if "numba" not in name)


@contextmanager
def serving(*words: str, environment: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run a server on a free port until it answers, and end it by Ctrl-C's signal."""
    with tempfile.TemporaryDirectory() as scratch:
        server = Server(("--port", "0", *words), Path(scratch), Path(scratch), environment)
        try:
            assert server.address
            yield server
        finally:
            server.stop()


def until(condition: Any, seconds: float = 30.0) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.05)
