"""Finding who signs people in for a server: its challenge, its own description, its provider's description.

Nothing here is believed that does not fit together: the description has to be the server's, and the provider's
description the named provider's. A document that cannot be had for now is not taken for one that does not exist.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from accounts.errors import Unavailable
from mcp_gateway.remote.oauth import challenge, metadata, wire
from mcp_gateway.remote.oauth.challenge import Challenge
from mcp_gateway.remote.oauth.errors import Reason, SignInFailed, busy, unreachable
from mcp_gateway.remote.oauth.metadata import Authority, Resource

# Issuers a server names are tried in its order, up to this many.
MOST_ISSUERS = 3


@dataclass(frozen=True, slots=True)
class Discovery:
    challenge: Challenge
    resource: Resource
    authority: Authority
    # Whether the provider says nothing about itself, and its endpoints are those of the protocol's first revision.
    assumed: bool = False


async def discover(
    url: str, transport: str, *, challenged: Challenge | None = None, preferred: Collection[str] = ()
) -> Discovery:
    """Who signs people in for the server at `url`, a `preferred` issuer first. `SignInFailed` or `Unavailable`."""
    challenged = challenged or await challenge.ask(url, transport)
    document = await _first_document(metadata.resource_urls(url, challenged.resource_metadata), "The server")
    if document is None:
        return await _at_the_server_itself(url, challenged)
    resource = metadata.read_resource(document, url)
    if not resource.issuers:
        raise SignInFailed(
            Reason.NO_SIGN_IN,
            "The server's description names no provider to sign in at. Its operators have to fix that.",
        )
    issuers = sorted(resource.issuers, key=lambda issuer: issuer not in preferred)[:MOST_ISSUERS]
    return Discovery(challenged, resource, await _first_authority(issuers))


async def _first_authority(issuers: Iterable[str]) -> Authority:
    for issuer in issuers:
        if (document := await _first_document(metadata.authority_urls(issuer), "The provider")) is not None:
            return with_pkce(metadata.read_authority(document, issuer))
    raise SignInFailed(
        Reason.NO_SIGN_IN,
        "The provider that the server names does not say how to sign in there. Its operators have to fix that.",
    )


async def _at_the_server_itself(url: str, challenged: Challenge) -> Discovery:
    """As in the revision of 2025-03-26: the server's origin is the provider, and need not describe itself."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(metadata.canonical(url)))
    resource = Resource(metadata.canonical(url), (origin,), None)
    document = await _first_document(metadata.authority_urls(origin), "The server")
    if document is not None:
        return Discovery(challenged, resource, with_pkce(metadata.read_authority(document, origin)))
    if challenged.status != 401:
        raise SignInFailed(
            Reason.NO_SIGN_IN,
            "The server does not ask for a sign-in, nor say where there is one. Choose another authentication.",
        )
    assumed = Authority(origin, f"{origin}/authorize", f"{origin}/token", registration_endpoint=f"{origin}/register")
    return Discovery(challenged, resource, assumed, assumed=True)


def with_pkce(authority: Authority) -> Authority:
    """The authority, which has to take challenges that cannot be turned round (RFC 7636, OAuth 2.1 section 7.5)."""
    if "S256" not in authority.challenge_methods:
        raise SignInFailed(
            Reason.NO_PKCE,
            f"{metadata.shown(authority.issuer)} does not offer PKCE with S256, without which a sign-in can be stolen. "
            "Its operators have to fix that.",
        )
    return authority


async def _first_document(urls: Iterable[str], who: str) -> dict[str, Any] | None:
    """The first JSON object found, None where there is none. A failing address counts unless another has it."""
    failing: Unavailable | None = None
    for url in urls:
        try:
            response = await wire.ask(url, headers={"MCP-Protocol-Version": wire.PROTOCOL_VERSION})
        except httpx2.HTTPError as error:
            raise unreachable(who, error) from error
        if response.status_code == 429 or response.status_code >= 500:
            failing = failing or busy(who, response.status_code, wire.retry_after(response))
        elif response.is_success and (document := _object(response)) is not None:
            return document
    if failing is not None:
        raise failing
    return None


def _object(response: httpx2.Response) -> dict[str, Any] | None:
    """The JSON object in an answer. Many sites answer with a page, whatever is asked for."""
    try:
        document = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
