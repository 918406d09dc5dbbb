"""Start the page: ``run.py serve``."""

import asyncio
import logging
import threading
from collections.abc import Sequence
from types import FrameType

import uvicorn

from model.errors import InputError
from scenarios import Scenario

from .app import make_app
from .guard import LogHandler, log
from .state import serve_first

__all__ = ["serve"]


class _Server(uvicorn.Server):
    """Gives up all work under way when it is told to stop, so that nobody waits for it."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; in a thread of its own, as a signal may interrupt whoever holds the lock that giving up needs."""
        threading.Thread(target=self.config.app.state.server.give_up).start()  # type: ignore[union-attr]
        super().handle_exit(sig, frame)


def serve(scenario: Scenario, *, host: str, port: int, allow_hosts: Sequence[str] = (), root_path: str = "") -> None:
    """Serve the page of a scenario until it is stopped. Raises InputError where the address cannot be used."""
    hosts = tuple(allow_hosts) or ((host,) if host in ("127.0.0.1", "localhost", "::1") else ("*",))
    logging.basicConfig(handlers=[LogHandler()], level=logging.WARNING, force=True)
    app = make_app(serve_first(scenario), hosts=hosts, root_path=root_path)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
    )
    server = _Server(config)
    try:
        listening = config.bind_socket()
    except SystemExit:  # which uvicorn raises after it has said why
        raise InputError(
            f"--host {host} --port {port}", "cannot be listened on", "give another port; another program may hold this one"
        ) from None
    listening.listen()  # so that whoever reads the next line may ask at once
    shown = f"http://{'localhost' if host in ('127.0.0.1', '0.0.0.0') else host}:{listening.getsockname()[1]}{root_path}/"
    log("listening", address=shown)
    print(f"The page is at {shown} (stop with Ctrl-C)", flush=True)
    asyncio.run(server.serve([listening]))
