"""Visitors: each has a secret in a cookie, and sees only what came up under it. Own schools live in a private folder until they lapse."""

import hashlib
import re
import secrets
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from .limits import Limits

COOKIE = "school_mentoring"
KEY = re.compile(r"[A-Za-z0-9_-]{32}")
MOST_TABLES = 3
"""Tables of schools that are kept for a visitor, the latest ones."""


@dataclass
class Session:
    """A visitor: ``key`` in the cookie; ``tables``: where the schools that came up are, by digest."""

    key: str
    seen: float
    tables: OrderedDict[str, Path] = field(default_factory=OrderedDict)


class Sessions:
    """All visitors of a server, the least lately seen forgotten first."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._known: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()
        self.folder: Path | None = None
        """Where own tables are; made for the first one, so that a server that is stopped as it starts leaves nothing."""

    def visitor(self, key: str | None) -> Session:
        """Return the visitor of a cookie, a new one where it holds no key. Only those who brought something up are remembered."""
        with self._lock:
            now = time.monotonic()
            while self._known and next(iter(self._known.values())).seen < now - 3600 * self._limits.hours:
                self._forget(next(iter(self._known)))
            session = self._known.get(key or "")
            if session is None:
                return Session(key if key and KEY.fullmatch(key) else secrets.token_urlsafe(24), now)
            session.seen = now
            self._known.move_to_end(session.key)
            return session

    def _forget(self, key: str) -> None:
        for path in self._known.pop(key).tables.values():
            self.drop(path)

    def draft(self, content: bytes, name: str) -> tuple[str, Path]:
        """Write the content of an own table into a folder of its own; return its digest and its path. ``keep`` or ``drop`` it then."""
        with self._lock:
            if self.folder is None:
                self.folder = Path(tempfile.mkdtemp(prefix="school-mentoring-page-"))
        path = Path(tempfile.mkdtemp(dir=self.folder)) / name
        path.write_bytes(content)
        return hashlib.sha256(content).hexdigest(), path

    def keep(self, session: Session, digest: str, path: Path) -> None:
        """Give a table to a visitor, who is remembered from now on."""
        with self._lock:
            session = self._known.setdefault(session.key, session)
            if len(self._known) > self._limits.visitors:
                self._forget(next(iter(self._known)))
            gone = [session.tables.pop(digest)] if digest in session.tables else []
            session.tables[digest] = path
            if len(session.tables) > MOST_TABLES:
                gone.append(session.tables.popitem(last=False)[1])
        for older in gone:
            self.drop(older)

    @staticmethod
    def drop(path: Path) -> None:
        """Take a table away."""
        shutil.rmtree(path.parent, ignore_errors=True)

    def close(self) -> None:
        """Take everything away."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
