"""Start the page: ``run.py serve``."""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Sequence
from types import FrameType

import uvicorn

from school_mentoring.scenarios import Scenario

from .app import make_app
from .guard import LOCAL, LogHandler, checked_names, checked_root, listen, log
from .state import serve_first


class _Server(uvicorn.Server):
    """Gives up all work under way when it is told to stop, so that nobody waits for it."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; in a thread of its own, as a signal may interrupt whoever holds the lock that giving up needs."""
        threading.Thread(target=self.config.app.state.server.give_up).start()  # type: ignore[union-attr]
        super().handle_exit(sig, frame)


def serve(scenario: Scenario, *, host: str, port: int, allow_hosts: Sequence[str] = (), root_path: str = "") -> None:
    """Serve the page of a scenario until it is stopped. Raises InputError where it cannot be served there."""
    root = checked_root(root_path)
    hosts = checked_names(allow_hosts) or ((host,) if host in LOCAL else ("*",))
    logging.basicConfig(handlers=[LogHandler()], level=logging.WARNING, force=True)
    first = serve_first(scenario)
    listening, shown = listen(host, port, root)
    app = make_app(first, hosts=hosts, root_path=root)
    config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False, timeout_keep_alive=30, timeout_graceful_shutdown=3)
    log("listening", address=shown)
    print(f"The page is at {shown} (stop with Ctrl-C)", flush=True)
    try:
        asyncio.run(_Server(config).serve([listening]))
    except KeyboardInterrupt:
        app.state.server.sessions.close()
        if app.state.server.at_work:  # as where it compiles, which cannot be given up and takes a minute, and nobody waits for it
            print("interrupted: nothing was written", file=sys.stderr, flush=True)
            os._exit(130)
        raise
