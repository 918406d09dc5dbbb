"""What every request passes: host, origin and size are checked, headers are set, a line is written to the log.

Where the page listens, and under which names it answers, is checked before anything else is done.
"""

import json
import logging
import re
import socket
import sys
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from school_mentoring.model.errors import InputError

from .limits import Limits

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LOCAL = ("localhost", "127.0.0.1", "::1")
ROOT = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)*")
NAME = re.compile(r"[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9_])?|[0-9a-f:]*:[0-9a-f:.]*|\*")
AS_LOCALHOST = ("127.0.0.1", "0.0.0.0")


def log(event: str, **values: Any) -> None:
    """Write one line of JSON to standard error."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    print(json.dumps({"time": stamp, "event": event, **values}, ensure_ascii=True), file=sys.stderr, flush=True)


class LogHandler(logging.Handler):
    """What libraries say, as lines of the same log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; an exception with the place where it arose."""
        more = {"trace": logging.Formatter().formatException(record.exc_info)[-4000:]} if record.exc_info else {}
        log("fault" if record.levelno >= logging.ERROR else "library", logger=record.name, message=record.getMessage()[:300], **more)


class Guard:
    """ASGI middleware. ``hosts``: names it answers to besides local ones, ``*`` for any; ``root``: path below which a proxy shows it."""

    def __init__(self, app: ASGIApp, *, limits: Limits, hosts: Sequence[str] = (), root: str = "") -> None:
        self._app, self._limits, self._root = app, limits, root
        self._hosts = {*LOCAL, *hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0
        if root := self._root:  # a proxy takes its own path away or leaves it; ASGI has it in both
            taken = "" if scope["path"].startswith(f"{root}/") else root
            scope = {**scope, "root_path": root, "path": taken + scope["path"]}
        headers = Headers(scope=scope)

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                out = MutableHeaders(scope=message)
                out.update(HEADERS)
                # Files are asked for again only when they have changed; answers are kept nowhere.
                out["Cache-Control"] = "no-cache" if "/static/" in scope["path"] and status < 400 else "no-store"
            await send(message)

        try:
            refused = self._refused(scope["method"], headers)
            if refused:
                await PlainTextResponse(refused[1], refused[0])(scope, receive, sent)
            else:
                most = self._limits.request_bytes + (self._limits.upload_bytes if scope["path"].endswith("/upload") else 0)
                await self._app(scope, self._counted(receive, most), sent)
        finally:
            milliseconds = round(1000 * (time.perf_counter() - started), 1)
            # The path alone: what stands behind it is the visitor's.
            log("request", method=scope["method"], path=scope["path"][:200], status=status, ms=milliseconds)

    def _refused(self, method: str, headers: Headers) -> tuple[int, str] | None:
        """Return status and words for a request that another site may have made, or that is not meant for this one."""
        host = (_split(f"//{headers.get('host', '')}").hostname or "").rstrip(".")
        if "*" not in self._hosts and host not in self._hosts:
            return 421, "not served under this name; start the server with --allow-host NAME"
        site = headers.get("sec-fetch-site")
        navigating = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        if method in ("GET", "HEAD"):
            return (403, "asked for by another site") if site == "cross-site" and not navigating else None
        if method != "POST":
            return 405, "only GET, HEAD and POST"
        origin = headers.get("origin")
        foreign = site not in (None, "same-origin") or (origin is not None and _split(origin).netloc != headers.get("host"))
        # A header that a form of another site cannot send.
        if foreign or headers.get("hx-request") != "true":
            return 403, "asked for by another site"
        length = headers.get("content-length", "")
        if length.isascii() and length.isdigit() and int(length) > self._limits.upload_bytes + self._limits.request_bytes:
            return 413, "too large"
        return None

    @staticmethod
    def _counted(receive: Receive, most: int) -> Receive:
        """Return ``receive`` that gives out after so many bytes, whatever length was announced."""
        got = 0

        async def counted() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > most:
                raise TooLarge
            return message

        return counted


def _split(address: str) -> SplitResult:
    """Return the parts of an address; none of one that cannot be."""
    try:
        return urlsplit(address)
    except ValueError:  # as a bracket without its other
        return urlsplit("")


class TooLarge(Exception):  # noqa: N818 - a state, not a fault
    """A request has more content than is taken."""


# --- where it listens -------------------------------------------------------------------------------------------------


def checked_root(path: str) -> str:
    """Return the path below which a proxy shows the page, without a slash at its end. Raises InputError for what is no path."""
    root = path.removesuffix("/")
    if not ROOT.fullmatch(root):
        allowed = "allowed: /NAME, perhaps several; of letters, digits and . _ ~ -, as /mentoring"
        raise InputError(f"--root-path {path}", "is no path", allowed)
    return root


def checked_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names to which the page answers, as browsers send them. Raises InputError for what is no name of a machine."""
    found = []
    for name in names:
        try:
            sent = name.strip("[]").encode("idna").decode().lower()
        except UnicodeError:
            sent = ""
        if not NAME.fullmatch(sent):
            allowed = "allowed: a name without http:// and port, as school.example"
            raise InputError(f"--allow-host {name}", "is no name of a machine", allowed)
        found.append(sent)
    return tuple(found)


def listen(host: str, port: int, root: str = "") -> tuple[socket.socket, str]:
    """Return a socket that listens there, and the page's address to show. Raises InputError where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    where = f"--host {host} --port {port}"
    if not host:
        raise InputError(where, "names no address", "allowed: 127.0.0.1 for this machine alone, 0.0.0.0 for all")
    line = socket.socket(family)
    try:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        line.bind((host, port))
        line.listen()  # so that whoever reads the next line may ask at once
    except (OSError, TypeError) as error:  # the latter of a name that cannot be encoded
        line.close()
        why = getattr(error, "strerror", None) or "no name of a machine"
        raise InputError(
            where,
            f"cannot be listened on ({why.lower()})",
            "give another port, or an address of this machine; another program may hold this one",
        ) from None
    shown = "localhost" if host in AS_LOCALHOST else f"[{host}]" if family == socket.AF_INET6 else host
    return line, f"http://{shown}:{line.getsockname()[1]}{root}/"
