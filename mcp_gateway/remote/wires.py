"""Guarded HTTP clients, kept while there is use for them, so that connections to a server are used again.

A client belongs to one event loop, one server and one credential. Where the loop goes on living, as a web server's
does, `keeping` is entered and idle clients stay open for a while; elsewhere each is closed with its last use.
"""

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx2
from django.conf import settings

from mcp_gateway.remote.loops import PerLoop
from mcp_gateway.remote.targets import Target
from security import outbound
from security.outbound import Bounds, policy

IDLE_SECONDS = 60.0
MOST_KEPT = 256
# Within the server's own origin, such as a slash at the end of the path; the library judges each.
REDIRECTS = 3
Key = tuple[str, str, int, policy.Policy]


@dataclass(slots=True)
class Wire:
    client: httpx2.AsyncClient
    users: int = 0
    idle_since: float = field(default_factory=time.monotonic)


class Wires:
    """The clients of one event loop."""

    def __init__(self) -> None:
        self._wires: dict[Key, Wire] = {}
        self.kept = False

    @contextlib.asynccontextmanager
    async def lend(self, target: Target) -> AsyncIterator[httpx2.AsyncClient]:
        key = _key(target)
        wire = self._wires.get(key)
        if wire is None:
            wire = self._wires[key] = Wire(outbound.async_client(bounds(), redirects=REDIRECTS))
        wire.users += 1
        try:
            yield wire.client
        finally:
            wire.users -= 1
            wire.idle_since = time.monotonic()
            # Last used last, so that the first is the one to go.
            if self._wires.get(key) is wire:
                self._wires[key] = self._wires.pop(key)
            await self._close_idle()

    async def close(self) -> None:
        """Close what nobody uses, also what was to be kept."""
        self.kept = False
        await self._close_idle()

    async def _close_idle(self) -> None:
        idle = [(key, wire) for key, wire in self._wires.items() if not wire.users]
        now = time.monotonic()
        over = len(idle) - (MOST_KEPT if self.kept else 0)
        for position, (key, wire) in enumerate(idle):
            if position < over or now - wire.idle_since > IDLE_SECONDS:
                del self._wires[key]
                await wire.client.aclose()

    @property
    def open(self) -> int:
        return len(self._wires)


wires = PerLoop(Wires)


@contextlib.asynccontextmanager
async def keeping() -> AsyncIterator[None]:
    """While inside, clients nobody uses stay open for the next."""
    ours = wires()
    ours.kept = True
    try:
        yield
    finally:
        await ours.close()


def bounds() -> Bounds:
    """What one request to a remote server may cost; a tool may take its time, and an old server's stream is silent."""
    seconds = settings.MCP_REMOTE_CALL_SECONDS
    return Bounds(
        read=seconds,
        total=seconds,
        wire_bytes=settings.MCP_REMOTE_ANSWER_BYTES,
        body_bytes=settings.MCP_REMOTE_ANSWER_BYTES,
        event_stream_idle=max(seconds, 300.0),
    )


def _key(target: Target) -> Key:
    url = httpx2.URL(target.url)
    credential = target.credential
    return (f"{url.scheme}://{url.netloc.decode('ascii')}", credential.key, credential.generation, policy.current())
