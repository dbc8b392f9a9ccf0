"""Sending one request under a policy and within bounds, over pools that can only dial judged addresses."""

import ssl
from functools import lru_cache
from typing import Any

import httpcore2
import httpx2

from security.outbound.admission import admit
from security.outbound.body import AsyncBoundedBody, BoundedBody, Intake, without_packing
from security.outbound.dial import AsyncGuardedBackend, GuardedBackend
from security.outbound.names import Resolver, system_resolver
from security.outbound.policy import Bounds, Policy

POOL: dict[str, Any] = {"max_connections": 100, "max_keepalive_connections": 20, "keepalive_expiry": 15.0, "retries": 0}


class _Wire(httpx2.HTTPTransport):
    """httpx2's way from its requests to a pool's. The base's own pool, which dials anything, is never built."""

    def __init__(self, pool: httpcore2.ConnectionPool) -> None:
        self._pool = pool


class _AsyncWire(httpx2.AsyncHTTPTransport):
    def __init__(self, pool: httpcore2.AsyncConnectionPool) -> None:
        self._pool = pool


class GuardedTransport(httpx2.BaseTransport):
    def __init__(
        self,
        policy: Policy,
        bounds: Bounds,
        *,
        resolver: Resolver = system_resolver,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._policy, self._bounds = policy, bounds
        self._wires = {
            scheme: _Wire(
                httpcore2.ConnectionPool(
                    ssl_context=ssl_context or trusted_authorities(),
                    network_backend=GuardedBackend(policy, encrypted=scheme == "https", resolver=resolver),
                    **POOL,
                )
            )
            for scheme in policy.schemes
        }

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        clock = admit(request, self._policy, self._bounds)
        with clock.running():
            response = self._wires[request.url.scheme].handle_request(request)
        stream = response.stream
        assert isinstance(stream, httpx2.SyncByteStream)
        try:
            intake = Intake(response.headers, self._bounds, clock)
        except BaseException:  # a connection that nobody will read is given back, however it came to that
            stream.close()
            raise
        return _bounded(response, BoundedBody(stream, intake), intake)

    def close(self) -> None:
        for wire in self._wires.values():
            wire.close()


class AsyncGuardedTransport(httpx2.AsyncBaseTransport):
    def __init__(
        self,
        policy: Policy,
        bounds: Bounds,
        *,
        resolver: Resolver = system_resolver,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._policy, self._bounds = policy, bounds
        self._wires = {
            scheme: _AsyncWire(
                httpcore2.AsyncConnectionPool(
                    ssl_context=ssl_context or trusted_authorities(),
                    network_backend=AsyncGuardedBackend(policy, encrypted=scheme == "https", resolver=resolver),
                    **POOL,
                )
            )
            for scheme in policy.schemes
        }

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        clock = admit(request, self._policy, self._bounds)
        with clock.running():
            response = await self._wires[request.url.scheme].handle_async_request(request)
        stream = response.stream
        assert isinstance(stream, httpx2.AsyncByteStream)
        try:
            intake = Intake(response.headers, self._bounds, clock)
        except BaseException:  # a connection that nobody will read is given back, however it came to that
            await stream.aclose()
            raise
        return _bounded(response, AsyncBoundedBody(stream, intake), intake)

    async def aclose(self) -> None:
        for wire in self._wires.values():
            await wire.aclose()


@lru_cache(maxsize=1)
def trusted_authorities() -> ssl.SSLContext:
    """The certificate authorities of this machine, or of SSL_CERT_FILE; read once, for it takes milliseconds."""
    return httpx2.create_ssl_context()


def _bounded(response: httpx2.Response, body: BoundedBody | AsyncBoundedBody, intake: Intake) -> httpx2.Response:
    return httpx2.Response(
        status_code=response.status_code,
        headers=without_packing(response.headers) if intake.unpacks else response.headers,
        stream=body,
        # Not the bare connection that httpx2 offers beside the answer: it has no bounds.
        extensions={name: value for name, value in response.extensions.items() if name != "network_stream"},
    )
