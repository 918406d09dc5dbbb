"""What every request passes: host, origin and size are checked, headers are set, a line is written to the log."""

import json
import logging
import sys
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
