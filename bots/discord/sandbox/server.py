"""Serving the sandbox on a socket of this machine, in the foreground or in a thread."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from bots.discord.sandbox import control
from bots.discord.sandbox.app import PREFIX, Sandbox
from bots.discord.sandbox.world import World

HOST = "127.0.0.1"


class _OpenProtocol(H11Protocol):
    """HTTP whose connection the application can reach, to break it on demand."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state: dict[str, Any] = {**self.app_state, "transport": transport}


def load(state: Path) -> World:
    """The world in the file, or an empty one where there is no file yet."""
    return World.load(state) if state.exists() else World()


def serve(world: World, *, port: int, state: Path, announce: Callable[[str], None]) -> None:
    """Serve until the process is told to stop; `announce` is given the URL. Raises OSError where the port is taken."""
    with _listening(port) as listener:
        announce(_url(listener))
        _server(Sandbox(world, state=state)).run(sockets=[listener])


@contextmanager
def running(world: World, *, port: int = 0, state: Path | None = None) -> Iterator[str]:
    """Serve from a thread within the block, at the URL that is yielded; port 0 takes a free one."""
    with _listening(port) as listener:
        server = _server(Sandbox(world, state=state))
        # The socket listens already: whoever connects early waits in its queue.
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="discord-sandbox")
        thread.start()
        try:
            yield _url(listener)
        finally:
            server.should_exit = True
            thread.join()


def _url(listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}{PREFIX}"


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
        yield listener


def _server(sandbox: Sandbox) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            sandbox.application(control.routes(sandbox)),
            http=_OpenProtocol,
            ws="none",
            lifespan="off",
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )
