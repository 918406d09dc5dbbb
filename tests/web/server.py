"""Start `run.py serve` in a process of its own, and open pages of it in Chromium; what all tests of the page share."""

import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
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


class Running:
    """A server under test: its address, and what it wrote."""

    def __init__(self, process: "subprocess.Popen[str]", address: str, log: Path, folder: Path) -> None:
        self.process, self.address, self.folder = process, address, folder
        self._log = log

    @property
    def log(self) -> list[dict[str, Any]]:
        """The lines of the log so far."""
        return [json.loads(line) for line in self._log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]

    @property
    def errors(self) -> str:
        """What stands in the log besides its lines: a traceback, if anything."""
        return "\n".join(line for line in self._log.read_text(encoding="utf-8").splitlines() if line and not line.startswith("{"))

    def written(self) -> list[str]:
        """Return the files that the server keeps."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file() and "numba" not in str(path))


@contextmanager
def serving(*arguments: str, environment: dict[str, str] | None = None) -> Iterator[Running]:
    """Run a server on a free port until it answers, and end it by Ctrl-C's signal."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        temporary = Path(folder) / "temporary"
        temporary.mkdir()
        settings = {**os.environ, "TMPDIR": str(temporary), **(environment or {})}
        with log.open("w", encoding="utf-8") as errors:
            process = subprocess.Popen(
                [sys.executable, str(ROOT / "run.py"), "serve", "--port", "0", *arguments],
                cwd=folder, env=settings, stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip
            try:
                yield Running(process, _address(process, log), log, temporary)
            finally:
                process.send_signal(2)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()


def _address(process: "subprocess.Popen[str]", log: Path) -> str:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], 60)
    line = process.stdout.readline() if ready else ""
    found = re.search(r"http://\S+", line)
    assert found, f"the server did not start: {line!r} {log.read_text(encoding='utf-8')}"
    return found.group()


def until(condition: Any, seconds: float = 30.0) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.05)
