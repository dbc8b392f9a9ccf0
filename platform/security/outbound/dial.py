"""Connecting to addresses that were judged: the name is looked up here and nowhere after.

The pool above still knows the server by its name, so Host, SNI and the certificate's check are the name's.
"""

import ssl
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

import anyio
import httpcore2
from httpcore2 import SOCKET_OPTION

from security.client_ip import Address
from security.outbound import clock
from security.outbound.addresses import meant
from security.outbound.names import Resolver, judged_addresses, judged_addresses_async
from security.outbound.policy import Policy
from security.outbound.refusal import OutboundRefused, unreachable

# How many of a name's addresses are tried, sharing the time to connect.
TRIES = 4
LOOKUPS_AT_ONCE = 32
# Written between two looks at the clock.
SLICE = 64 * 1024


class TimedStream(httpcore2.NetworkStream):
    """A connection whose every wait is bounded by the exchange's clock."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, clock.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), SLICE):
            self._stream.write(buffer[start : start + SLICE], clock.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return TimedStream(self._stream.start_tls(ssl_context, server_hostname, clock.left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class AsyncTimedStream(httpcore2.AsyncNetworkStream):
    """The same on an event loop."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, clock.left(timeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, clock.left(timeout))

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        return AsyncTimedStream(await self._stream.start_tls(ssl_context, server_hostname, clock.left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class GuardedBackend(httpcore2.NetworkBackend):
    """Dials for a pool of one scheme."""

    def __init__(
        self, policy: Policy, *, encrypted: bool, resolver: Resolver, inner: httpcore2.NetworkBackend | None = None
    ) -> None:
        self._policy, self._encrypted, self._resolver = policy, encrypted, resolver
        self._inner = inner or httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        patience = clock.Patience(clock.left(timeout))
        addresses = judged_addresses(
            host, port, self._policy, encrypted=self._encrypted, resolver=self._resolver, timeout=patience.left()
        )[:TRIES]
        for tries_left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                stream = self._inner.connect_tcp(
                    str(address), port, patience.share(tries_left), local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if tries_left == 1:
                    raise
                continue
            try:
                check_peer(host, address, stream.get_extra_info("server_addr"))
            except OutboundRefused:
                stream.close()
                raise
            return TimedStream(stream)
        raise AssertionError("a name without addresses is refused before")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[SOCKET_OPTION] | None = None
    ) -> httpcore2.NetworkStream:
        raise unreachable(path, "a socket of this machine")


class AsyncGuardedBackend(httpcore2.AsyncNetworkBackend):
    """The same on an event loop."""

    def __init__(
        self, policy: Policy, *, encrypted: bool, resolver: Resolver, inner: httpcore2.AsyncNetworkBackend | None = None
    ) -> None:
        self._policy, self._encrypted, self._resolver = policy, encrypted, resolver
        self._inner = inner or httpcore2.AnyIOBackend()
        self._lookups = anyio.CapacityLimiter(LOOKUPS_AT_ONCE)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        patience = clock.Patience(clock.left(timeout))
        addresses = (
            await judged_addresses_async(
                host,
                port,
                self._policy,
                encrypted=self._encrypted,
                resolver=self._resolver,
                timeout=patience.left(),
                limiter=self._lookups,
            )
        )[:TRIES]
        for tries_left, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
            try:
                stream = await self._inner.connect_tcp(
                    str(address), port, patience.share(tries_left), local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if tries_left == 1:
                    raise
                continue
            try:
                check_peer(host, address, stream.get_extra_info("server_addr"))
            except OutboundRefused:
                await stream.aclose()
                raise
            return AsyncTimedStream(stream)
        raise AssertionError("a name without addresses is refused before")

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[SOCKET_OPTION] | None = None
    ) -> httpcore2.AsyncNetworkStream:
        raise unreachable(path, "a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


def check_peer(host: str, dialled: Address, peer: tuple[Any, ...] | None) -> None:
    """Refuse a connection that does not end where it was dialled to, or does not say where it ends."""
    reached = ip_address(peer[0]) if peer else None
    if reached is None or meant(reached) != meant(dialled):
        raise unreachable(host, f"dialled {dialled} and reached {reached}")
