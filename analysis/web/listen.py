"""Where the page listens, and under which names it answers: what ``run.py serve`` is told of it is checked before anything else is done."""

import re
import socket
from collections.abc import Sequence

from school_mentoring.model.errors import InputError

ROOT = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)*")
NAME = re.compile(r"[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9_])?|[0-9a-f:]*:[0-9a-f:.]*|\*")
AS_LOCALHOST = ("127.0.0.1", "0.0.0.0")


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
