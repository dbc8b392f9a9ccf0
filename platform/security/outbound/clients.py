"""The clients through which everything is asked for that a person, and not the operator, named."""

import ssl
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx2
from django.conf import settings

from security.outbound import policy as policies
from security.outbound import urls
from security.outbound.names import Resolver, system_resolver
from security.outbound.policy import Bounds, Policy
from security.outbound.transport import AsyncGuardedTransport, GuardedTransport

PLAIN_BOUNDS = Bounds()


class OutboundClient(httpx2.Client):
    """httpx2's client; a URL that cannot be read is OutboundRefused here too."""

    def build_request(self, method: str, url: httpx2.URL | str, **options: Any) -> httpx2.Request:
        return super().build_request(method, urls.read(url) if isinstance(url, str) else url, **options)


class AsyncOutboundClient(httpx2.AsyncClient):
    """httpx2's client; a URL that cannot be read is OutboundRefused here too."""

    def build_request(self, method: str, url: httpx2.URL | str, **options: Any) -> httpx2.Request:
        return super().build_request(method, urls.read(url) if isinstance(url, str) else url, **options)


def client(
    bounds: Bounds = PLAIN_BOUNDS,
    *,
    redirects: int = 0,
    headers: Mapping[str, str] | None = None,
    auth: httpx2.Auth | None = None,
    policy: Policy | None = None,
    resolver: Resolver = system_resolver,
    ssl_context: ssl.SSLContext | None = None,
) -> OutboundClient:
    """A client, to be closed after use. A redirect is an answer, unless some are allowed: each is judged then."""
    transport = GuardedTransport(policy or policies.current(), bounds, resolver=resolver, ssl_context=ssl_context)
    return OutboundClient(transport=transport, auth=auth, **_options(bounds, redirects, headers))


def async_client(
    bounds: Bounds = PLAIN_BOUNDS,
    *,
    redirects: int = 0,
    headers: Mapping[str, str] | None = None,
    auth: httpx2.Auth | None = None,
    policy: Policy | None = None,
    resolver: Resolver = system_resolver,
    ssl_context: ssl.SSLContext | None = None,
) -> AsyncOutboundClient:
    """The same for an event loop, which it belongs to."""
    transport = AsyncGuardedTransport(policy or policies.current(), bounds, resolver=resolver, ssl_context=ssl_context)
    return AsyncOutboundClient(transport=transport, auth=auth, **_options(bounds, redirects, headers))


def _options(bounds: Bounds, redirects: int, headers: Mapping[str, str] | None) -> dict[str, Any]:
    return {
        "timeout": httpx2.Timeout(bounds.read, connect=bounds.connect),
        "follow_redirects": redirects > 0,
        "max_redirects": redirects,
        "headers": {"User-Agent": f"Asterism/{settings.VERSION}", **(headers or {})},
        # A client may serve several people, so it remembers no cookies.
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        "trust_env": False,
    }
