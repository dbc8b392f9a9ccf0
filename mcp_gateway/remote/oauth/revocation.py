"""Telling a provider that a person has disconnected, so that what it gave opens nothing any more (RFC 7009)."""

import json
import logging

import httpx2

from mcp_gateway.models import RemoteConnection
from mcp_gateway.remote.oauth import wire
from mcp_gateway.remote.oauth.provider import Provider

logger = logging.getLogger(__name__)


async def revoke(connection: RemoteConnection) -> bool:
    """Whether the provider took back what it gave. One that cannot is no error: what we had is deleted all the same.

    The refresh token goes first. With it a provider ends the access token as well, or should; it is told both.
    """
    provider: Provider = json.loads(connection.provider or "{}")
    endpoint = provider.get("revocation_endpoint", "")
    if not endpoint:
        return False
    tokens = [("refresh_token", connection.refresh_token), ("access_token", connection.access_token)]
    taken = [await _revoke(provider, endpoint, kind, token) for kind, token in tokens if token]
    return bool(taken) and all(taken)


async def _revoke(provider: Provider, endpoint: str, kind: str, token: str) -> bool:
    form = {"token": token, "token_type_hint": kind}
    try:
        response = await wire.submit(endpoint, form, provider["client"])
        if response.status_code == 400:
            # Servers on the protocol's own Python library want the member to be there. Empty it means left out (RFC
            # 6749 section 3.2).
            response = await wire.submit(endpoint, {**form, "client_secret": ""}, provider["client"])
    except httpx2.HTTPError as error:
        logger.warning("%s was not revoked at %s: %s", kind, provider["issuer"], type(error).__name__)
        return False
    return response.is_success
