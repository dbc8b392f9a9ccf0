"""A load generator: so many requests over so many kept connections, each answered before the next is sent on it.

It is a process of its own and speaks HTTP/1.1 just far enough, so that it takes little of the machine it measures.
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

MODERN = "2026-07-28"
OLDER = "2025-11-25"
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


@dataclass(frozen=True)
class Load:
    """What one run sends. `ids` are tried in turn for the argument `ticketId`; without them the arguments are `{}`."""

    port: int
    path: str
    era: str
    method: str
    tool: str
    key: str
    ids: list[str]
    connections: int
    requests: int

    def messages(self) -> Iterator[bytes]:
        """Whole requests, head and body, for ever."""
        ready = [self._message({"ticketId": ticket}) for ticket in self.ids] or [self._message({})]
        return itertools.cycle(ready)

    def _message(self, arguments: dict[str, Any]) -> bytes:
        params: dict[str, Any] = {}
        if self.method == "tools/call":
            params = {"name": self.tool, "arguments": arguments}
        headers = {
            "Host": f"127.0.0.1:{self.port}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": self.era,
        }
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        if self.era == MODERN:
            params["_meta"] = ENVELOPE
            headers["Mcp-Method"] = self.method
            if self.method == "tools/call":
                headers["Mcp-Name"] = self.tool
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": self.method, "params": params}).encode()
        headers["Content-Length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {self.path} HTTP/1.1\r\n{head}\r\n".encode() + body


class Connection(asyncio.Protocol):
    """Sends the next message whenever the last was answered well; anything else ends the run with what came."""

    def __init__(self, messages: Iterator[bytes], left: list[int], done: "asyncio.Future[None]") -> None:
        self._messages = messages
        self._left = left
        self._done = done
        self._buffer = b""
        self._sent_at = 0.0
        self.latencies: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def _next(self) -> None:
        if self._left[0] <= 0:
            self._transport.close()
            self._done.set_result(None)
            return
        self._left[0] -= 1
        self._sent_at = time.perf_counter()
        self._transport.write(next(self._messages))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return
        if not head.startswith(b"HTTP/1.1 200") or b'"result":' not in body or b'"isError":true' in body:
            self._fail(self._buffer)
            return
        self.latencies.append(time.perf_counter() - self._sent_at)
        self._buffer = b""
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._fail(b"the connection was closed")

    def _fail(self, what: bytes) -> None:
        if not self._done.done():
            self._done.set_exception(RuntimeError(f"Not a good answer: {what[:2000]!r}"))


def _same(connection: Connection) -> Connection:
    return connection


def _length(head: bytes) -> int:
    start = head.lower().find(b"content-length:")
    if start < 0:
        raise RuntimeError(f"An answer without a length: {head!r}")
    return int(head[start + 15 :].split(b"\r\n", 1)[0])


async def run(load: Load) -> dict[str, float]:
    """Requests a second, and the median and 99th percentile of their latency in milliseconds."""
    loop = asyncio.get_running_loop()
    messages, left = load.messages(), [load.requests]
    finished = [loop.create_future() for _ in range(load.connections)]
    began = time.perf_counter()
    opened = [Connection(messages, left, done) for done in finished]
    for connection in opened:
        await loop.create_connection(partial(_same, connection), "127.0.0.1", load.port)
    await asyncio.gather(*finished)
    took = time.perf_counter() - began
    latencies = sorted(latency for connection in opened for latency in connection.latencies)
    return {
        "rate": load.requests / took,
        "p50": latencies[len(latencies) // 2] * 1000,
        "p99": latencies[int(len(latencies) * 0.99)] * 1000,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(Load(**json.load(sys.stdin))))))
