"""The what-if page under load: 20 sessions that move sliders of the pilot for a minute, and how long a first picture takes.

Each session waits for its answer, looks for a moment (0.3 to 1 s), and moves on; meanwhile its map and its probabilities are asked for, as
the page does. Every position of a slider is a new one, so no answer is found ready.
"""

import http.client
import json
import random
import re
import shutil
import statistics
import threading
import time
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tests.web.server import FLAGS, serving, until

from .timing import table

__all__ = ["section"]

SESSIONS = 20
SLIDERS = {"fte": 4.0, "stipend": 10_000.0, "release_hours": 40.0, "virtual_share": 1.0, "cascade": 1.0}
HEADERS = {"HX-Request": "true", "Content-Type": "application/x-www-form-urlencoded"}


class _Session(threading.Thread):
    """A visitor who moves sliders until ``end``; ``seconds``: of each answer; ``bad``: statuses other than 200 and 204."""

    def __init__(self, number: int, address: str, end: float) -> None:
        super().__init__()
        where = urlsplit(address)
        self.host, self.port, self.end = where.hostname or "", where.port, end
        self.chance = random.Random(number)
        self.seconds: list[float] = []
        self.sure: list[float] = []
        self.bad: list[str] = []
        self.cookie = ""

    def run(self) -> None:
        status, page = self._ask("GET", "/", "")
        state = re.search(r'name="state" value="([^"]+)"', page)
        if status != 200 or state is None:
            self.bad.append(f"first page {status}")
            return
        form = {"state": state.group(1), "page": f"tab-{id(self)}", "designs.0.name": "mine", "designs.0.preset": "regional_hub"}
        for number, name in enumerate(("top_down", "regional_hub", "virtual", "bottom_up", "hybrid"), 1):
            form |= {f"designs.{number}.name": name, f"designs.{number}.preset": name}
        pending: list[threading.Thread] = []
        while time.monotonic() < self.end:
            slider, high = self.chance.choice(list(SLIDERS.items()))
            form[f"designs.0.{slider}"] = repr(round(self.chance.uniform(0, high), 6))
            body = urlencode(form)
            started = time.monotonic()
            if self._good("/answer", body):
                self.seconds.append(time.monotonic() - started)
            asides = [threading.Thread(target=self._aside, args=(path, body)) for path in ("/sure", "/map")]
            for aside in asides:
                aside.start()
            time.sleep(self.chance.uniform(0.3, 1.0))
            pending = [aside for aside in (*pending, *asides) if aside.is_alive()]
        for aside in pending:
            aside.join()

    def _aside(self, path: str, body: str) -> None:
        started = time.monotonic()
        if self._good(path, body) and path == "/sure":
            self.sure.append(time.monotonic() - started)

    def _good(self, path: str, body: str) -> bool:
        status, text = self._ask("POST", path, body)
        if status not in (200, 204):
            self.bad.append(f"{path} {status} {text[:100]}")
        return status == 200

    def _ask(self, method: str, path: str, body: str) -> tuple[int, str]:
        try:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
            connection.request(method, path, body, {**HEADERS, "Cookie": self.cookie})
            response = connection.getresponse()
            self.cookie = (response.headers.get("Set-Cookie") or self.cookie).split(";")[0]
            return response.status, response.read().decode()
        except OSError as error:
            return 0, str(error)


def _memory(pid: int) -> float:
    """Return resident MB of a process."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
    return int(found.group(1)) / 1024 if found else float("nan")


def _load(seconds: float) -> str:
    with serving() as server:
        address, pid = server.address, server.process.pid
        first = _Session(-1, address, 0)
        until(lambda: json.loads(first._ask("GET", "/health", "")[1])["engine"] == "ready", 600)
        time.sleep(8)
        alone = _Session(99, address, time.monotonic() + seconds / 6)
        alone.start()
        alone.join()
        before = _memory(pid)
        sessions = [_Session(number, address, time.monotonic() + seconds) for number in range(SESSIONS)]
        for session in sessions:
            session.start()
        peak = before
        while any(session.is_alive() for session in sessions):
            time.sleep(0.5)
            peak = max(peak, _memory(pid))
    medians = [statistics.median(session.seconds) if session.seconds else float("inf") for session in sessions]
    everything = [value for session in sessions for value in session.seconds]
    rows = [
        ["one session alone: median seconds to an answer", statistics.median(alone.seconds)],
        ["one session alone: median seconds to the probabilities", statistics.median(alone.sure) if alone.sure else float("nan")],
        [f"{SESSIONS} sessions: answers in {seconds:.0f} s", len(everything)],
        ["errors", sum(len(session.bad) for session in sessions)],
        ["median seconds to an answer", statistics.median(everything)],
        ["slowest session's median / fastest session's", max(medians) / min(medians)],
        ["memory before, MB", before],
        ["most memory, MB", peak],
    ]
    bad = [one for session in sessions for one in session.bad]
    return table(["load", "figure"], rows) + ("\n\nErrors: " + "; ".join(bad[:5]) if bad else "")


def _first_picture(chromium: str) -> str:
    """Return the seconds from starting the program, compiled code being on disk, to the first charts in a browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        started = time.perf_counter()
        with serving() as server:
            listening = time.perf_counter() - started
            page.goto(server.address)
            page.wait_for_selector("#figure-cost_effect svg", timeout=120_000)
            picture = time.perf_counter() - started
            page.wait_for_selector("#figure-probability svg", timeout=60_000)
            sure = time.perf_counter() - started
            follow = []
            page.locator("details.design >> nth=2 >> summary").click()
            for value in (0.7, 0.9, 1.1, 1.3, 1.5):
                page.wait_for_timeout(2500)
                follow.append(page.evaluate(FOLLOW, value))
        browser.close()
    rows = [["server listens", listening], ["first charts", picture], ["how sure the ranking is", sure]]
    rows.append(["a slider moved: seconds to the new charts, median of five", statistics.median(follow)])
    return table(["start, compiled code on disk", "seconds"], rows)


FOLLOW = """value => new Promise(done => {
  const slider = document.querySelector("input.slider[data-for='designs.2.fte']"), started = performance.now();
  const seen = event => event.detail === "charts-base" && done((performance.now() - started) / 1000);
  document.body.addEventListener("drawn", seen);
  slider.value = value;
  slider.dispatchEvent(new Event("input", {bubbles: true}));
})"""


def section(quick: bool) -> str:
    """Return the load test and the start as Markdown."""
    parts = ["## The page", _load(12 if quick else 60)]
    chromium = shutil.which("chromium")
    parts.append(_first_picture(chromium) if chromium else "Left out: the first picture, as there is no Chromium.")
    return "\n\n".join(parts)
