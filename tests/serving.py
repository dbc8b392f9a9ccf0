"""An ASGI application on a port of its own, served by a thread as the platform serves its own."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn

from mcp_gateway.asgi import Application


@dataclass(frozen=True)
class Served:
    port: int
    loop: asyncio.AbstractEventLoop


@contextlib.contextmanager
def serve(application: Application) -> Iterator[Served]:
    """Serve it until left. Rows it should see have to be committed."""
    config = uvicorn.Config(application, host="127.0.0.1", port=0, log_config=None, lifespan="on")
    server = uvicorn.Server(config)
    started = threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():
            await asyncio.sleep(0)
        started.set()
        await serving

    thread = threading.Thread(target=asyncio.run, args=(run(),), name="live")
    thread.start()
    assert started.wait(20)
    try:
        yield Served(server.servers[0].sockets[0].getsockname()[1], loops[0])
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
