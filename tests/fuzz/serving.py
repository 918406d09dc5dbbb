"""``run.py serve`` as a process of its own: command lines that are damaged, ports that are taken, Ctrl-C, and requests that are damaged."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from school_mentoring.analysis.web.state import serve_first, to_address
from school_mentoring.scenarios import load_scenario
from tests.commands.program import TRACES, tree
from tests.web.server import STOPS, Server, until

from .damage import damaged
from .sound import SMALL, TABLES
from .surroundings import set_up
from .trial import LONGEST_MESSAGE

__all__ = ["LINE", "Served", "faults_of_requests", "requests", "serve_words", "served", "stopped", "taken_port"]

LINE = """
    small.yaml --port=0 --host=127.0.0.1 --allow-host=school.example --root-path=/page --designs=none,mine --replicates=2 --seed=1
    --months=8 --schools=schools.csv --ties=ties.csv --set=draws=2"""
"""A command line of ``serve``, to be damaged."""

ANSWERS = 60  # seconds
SAID = re.compile(r"The page is at (http://\S+/) \(stop with Ctrl-C\)\n")
STOPPED = "interrupted: nothing was written"


class Served(NamedTuple):
    """What came of a server: ``verdict`` is listening or refused; ``faults`` what was wrong."""

    verdict: str
    faults: list[str]


def serve_words(seed: object) -> list[str]:
    """Return the words of a damaged command line."""
    content = damaged("\n".join(LINE.split()).encode(), "options.txt", Random(f"{seed}/serve"))
    return os.fsdecode(content.replace(b"\0", b"")).split("\n")


class _Process(Server):
    """A server in a folder that holds the sound files."""

    def __init__(self, words: Sequence[str], parent: Path, *, cold: bool = False) -> None:
        self.folder = parent / "folder"
        set_up(self.folder)
        self.before = tree(self.folder)
        super().__init__(words, self.folder, parent, {"NUMBA_CACHE_DIR": str(parent / "cache")} if cold else None)  # nothing compiled yet

    def ended(self) -> tuple[str, list[str]]:
        """Return the rest of standard output, and what stands in the log besides its lines of JSON."""
        assert self.process.stdout is not None
        return self.process.stdout.read(), self.errors

    def left(self) -> list[str]:
        """Return what is wrong with the files it left."""
        new = [name for name in tree(self.folder) if name not in self.before]
        here = [name for name in tree(self.temporary) if "numba" not in name]
        return [f"left {new + here}"] if new or here else []


def served(words: list[str], parent: Path, how: signal.Signals = signal.SIGINT) -> Served:
    """Start a server with words: it answers at the address it shows until it is stopped, or refuses in one line."""
    server = _Process(words, parent)
    line = server.first_line()
    if not line:
        return Served("refused", _refusal(server))
    said = SAID.fullmatch(line)
    faults = [] if said else [f"said {line!r}"]
    try:
        if said:
            faults += _health(said[1], words)
    finally:
        code = server.stop(how)
    out, rest = server.ended()
    if code is None:
        faults.append("did not stop")
    elif (code, rest) != {signal.SIGINT: (130, [STOPPED]), signal.SIGTERM: (-signal.SIGTERM, [])}[how]:
        faults.append(f"exit code {code}, said {rest}")
    if out:
        faults.append(f"printed {out!r}")
    return Served("listening", faults + server.left())


def _refusal(server: _Process) -> list[str]:
    try:
        code = server.process.wait(STOPS)
    except subprocess.TimeoutExpired:
        server.process.kill()
        return ["neither listens nor ends"]
    out, lines = server.ended()
    faults = [] if (code, out) == (2, "") else [f"exit code {code}, printed {out!r}"]
    sound = len(lines) == 1 and lines[0].startswith("error: ") and lines[0].isprintable() and len(lines[0]) <= LONGEST_MESSAGE
    return faults + ([] if sound else [f"message: {lines!r:.400}"]) + server.left()


def _health(address: str, words: list[str]) -> list[str]:
    """Return what is wrong with the answer of the page to the question whether it is well, and with the page itself."""
    faults = []
    parts = urlsplit(address)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(parts.hostname or "", parts.hostname or "")
    for path in [""] if "--mesa" in words else ["health", ""]:
        line = http.client.HTTPConnection(host, parts.port, timeout=ANSWERS)
        try:
            line.request("GET", parts.path + path, headers={"Host": "localhost"})
            answer = line.getresponse()
            content = answer.read().decode()
            if answer.status != 200 or ("Traceback" in content and "--mesa" not in words):  # a word of Solara's page
                faults.append(f"GET {parts.path}{path}: {answer.status} {content[:200]}")
            elif path == "health" and json.loads(content)["status"] != "ok":
                faults.append(f"not well: {content}")
        except (OSError, http.client.HTTPException) as error:
            faults.append(f"GET {parts.path}{path}: {type(error).__name__} {error}")
        finally:
            line.close()
    return faults


@contextmanager
def taken_port() -> Iterator[int]:
    """Give the number of a port on which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as line:
        yield line.getsockname()[1]


def stopped(seconds: float, parent: Path, *, cold: bool = False) -> list[str]:
    """Press Ctrl-C so many seconds after a server was started, or, ``cold``, after it has begun to compile; return what was wrong."""
    server = _Process(["small.yaml", "--port=0"], parent, cold=cold)
    if cold:
        server.first_line()
    time.sleep(seconds)
    code = server.stop()
    _, rest = server.ended()
    if code in (-signal.SIGINT, 1) and not any("run.py" in line for line in rest):  # Python itself was still starting
        return server.left()
    faults = [] if code == 130 and len(rest) == 1 and rest[0].startswith("interrupted: ") else [f"exit code {code}, said {rest}"]
    return faults + server.left()


# --- requests ----------------------------------------------------------------------------------------------------------

SENT = {"Host": "localhost", "HX-Request": "true", "Content-Type": "application/x-www-form-urlencoded", "Connection": "close"}


def _request(method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    given = {**SENT, **(headers or {}), **({"Content-Length": str(len(body))} if body else {})}
    return "\r\n".join([f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items()), "", ""]).encode() + body


def requests(folder: Path) -> dict[str, bytes]:
    """Return a sound request of every sort; ``folder`` holds the small scenario that the server shows."""
    state = to_address(serve_first(load_scenario(folder / "small.yaml")))
    form = urlencode({"state": state, "page": "x", "months": "8", "designs.0.name": "mine", "designs.0.preset": "virtual"}).encode()
    edge = {"Content-Type": "multipart/form-data; boundary=edge"}

    def multipart(name: str, content: str) -> bytes:
        head = f'--edge\r\nContent-Disposition: form-data; name="state"\r\n\r\n{state}\r\n'
        file = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/plain\r\n\r\n'
        return (head + file + content + "\r\n--edge--\r\n").encode()

    return {
        "GET /": _request("GET", "/", headers={"Cookie": "school_mentoring=" + "a" * 32, "Origin": "http://localhost"}),
        "GET /?s=": _request("GET", f"/?s={state}"),
        "GET /health": _request("GET", "/health", headers={"Range": "bytes=0-9", "Expect": "100-continue"}),
        "GET /static": _request("GET", "/static/page.css", headers={"If-None-Match": '"x"', "Range": "bytes=0-9"}),
        "GET /download": _request("GET", f"/download/scenario.yaml?s={state}", headers={"Sec-Fetch-Site": "same-origin"}),
        "POST /answer": _request("POST", "/answer", form, {"Origin": "http://localhost"}),
        "POST /sure": _request("POST", "/sure", form),
        "POST /map": _request("POST", "/map", form),
        "POST /edit": _request("POST", "/edit", form + b"&action=duplicate%3A0"),
        "POST /upload (scenario)": _request("POST", "/upload", multipart("small.yaml", SMALL), edge),
        "POST /upload (schools)": _request("POST", "/upload", multipart("schools.csv", TABLES["schools.csv"]), edge),
    }


def faults_of_requests(count: int, seed: object, parent: Path) -> tuple[dict[str, int], list[str]]:
    """Send damaged requests to one server, which must answer each or hang up, write nothing and be well in the end; then press Ctrl-C.

    Returns how many answers were of each sort, and what was wrong.
    """
    server = _Process(["small.yaml", "--port=0"], parent)
    said = SAID.fullmatch(server.first_line())
    if said is None:
        return {}, ["did not start"]
    answers: dict[str, int] = {}
    faults: list[str] = []
    try:
        until(lambda: '"ready"' in _sent(_request("GET", "/health"), said[1]), 600)  # compiled, so that answers take no minutes
        sound = requests(server.folder)
        for name, content in sound.items():
            answer = _sent(content, said[1])
            if not answer.startswith(("HTTP/1.1 200", "HTTP/1.1 206", "HTTP/1.1 304")):
                faults.append(f"{name}, sound: {answer[:200]!r}")
        for number in range(count):
            random = Random(f"{seed}/request/{number}")
            name = random.choice(list(sound))
            content = damaged(sound[name], "request.txt", random)
            answer = _sent(content, said[1])
            status = re.match(r"HTTP/1\.1 (\d{3}) ", answer)
            sort = f"{status[1][0]}xx" if status else "hung up"
            answers[sort] = answers.get(sort, 0) + 1
            if (answer and not status) or (status and status[1][0] == "5" and status[1] != "503"):
                faults.append(f"{name}, number {number}: {answer[:300]!r}")
            if any(trace in answer for trace in TRACES if trace not in ("Error:", "Warning")):
                faults.append(f"{name}, number {number}, traceback: {answer[-300:]!r}")
        faults += _health(said[1], [])
    finally:
        code = server.stop()
    _, rest = server.ended()
    if (code, rest) != (130, [STOPPED]):
        faults.append(f"exit code {code}, said {str(rest)[:300]} ... {str(rest)[-3000:]}")
    return answers, faults + server.left()


def _sent(content: bytes, address: str) -> str:
    """Return the status line and the content that come back for bytes; nothing where the server hangs up."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=ANSWERS) as line:
        try:
            line.sendall(content)
            if not _whole(content):
                line.settimeout(0.5)
                with contextlib.suppress(TimeoutError):
                    if not line.recv(1, socket.MSG_PEEK):
                        return ""
                line.shutdown(socket.SHUT_WR)  # it waits for the rest
                line.settimeout(ANSWERS)
            answer = http.client.HTTPResponse(line)
            answer.begin()
            return f"HTTP/1.1 {answer.status} {answer.reason}\n{answer.read().decode('utf-8', 'replace')}"
        except TimeoutError:
            return "no answer"
        except (OSError, http.client.HTTPException):
            return ""


def _whole(content: bytes) -> bool:
    """Tell whether bytes hold all of a request that they announce."""
    head, end, body = content.partition(b"\r\n\r\n")
    length = re.search(rb"(?im)^content-length: *(\d+)\r?$", head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)
