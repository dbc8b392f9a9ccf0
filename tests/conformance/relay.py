"""A relay that adds the Authorization header, for clients that cannot be told to send one."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit


@contextlib.contextmanager
def relay(url: str, key: str) -> Iterator[str]:
    """The address of a relay to `url`, until left. It puts the key after each request's first line."""
    target = urlsplit(url)
    ready = threading.Event()
    stopped = asyncio.Event()
    where: list[tuple[asyncio.AbstractEventLoop, int]] = []

    talking: set[asyncio.Task[None]] = set()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talking.add(asyncio.current_task())  # type: ignore[arg-type]  # it runs in one
        async with _closing(writer):
            upstream_reader, upstream = await asyncio.open_connection(target.hostname, target.port)
            async with _closing(upstream):
                back = asyncio.create_task(_copy(upstream_reader, writer))
                try:
                    while head := await _head(reader):
                        line, _, rest = head.partition(b"\r\n")
                        upstream.write(line + b"\r\nAuthorization: Bearer " + key.encode() + b"\r\n" + rest)
                        upstream.write(await reader.readexactly(_length(head)))
                        await upstream.drain()
                finally:
                    back.cancel()
                    await asyncio.gather(back, return_exceptions=True)

    async def serve() -> None:
        server = await asyncio.start_server(forward, "127.0.0.1", 0)
        where.append((asyncio.get_running_loop(), server.sockets[0].getsockname()[1]))
        ready.set()
        await stopped.wait()
        server.close()
        for each in talking:
            each.cancel()
        await asyncio.gather(*talking, return_exceptions=True)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="relay")
    thread.start()
    assert ready.wait(10)
    loop, port = where[0]
    try:
        yield f"http://127.0.0.1:{port}{target.path}"
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(10)


@contextlib.asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    try:
        yield
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def _head(reader: asyncio.StreamReader) -> bytes:
    """A request's first line and headers, or nothing at the end."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":", 1)[1])
    return 0


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
    writer.close()
