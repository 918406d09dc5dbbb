"""The command line; ``main`` is what ``run.py`` and the installed command call. Each command is a file of its name, and holds no logic."""

import _signal  # type: ignore[import-not-found]  # what signal wraps, which takes some milliseconds to load
import os
import sys

from .memory import refuse_little

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process, and end it with the exit code that ``program.run`` gives."""
    _make_ready()
    refuse_little()
    from .program import run  # which loads libraries, and that takes a while

    run()


def _make_ready() -> None:
    """Make the process ready for Ctrl-C while libraries load, for the C locale, for closed streams, and for terminals of few characters."""
    _signal.signal(_signal.SIGINT, _leave)
    if sys.getfilesystemencoding() != "utf-8":  # the C locale, in which Python takes names of files for ASCII
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed, so that the next file to be opened would take its place
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - for as long as the process runs
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # what a terminal cannot show


def _leave(*_: object) -> None:
    """Leave at once, as there is nothing yet to leave in order."""
    os.write(2, b"interrupted: nothing was written\n")
    os._exit(130)
