"""Clients whose id is the address of a document about them (Client ID Metadata Documents): how one is fetched.

The toolkit compares the document with its address, keeps it, and fetches it again when it is stale; this fetches it
through the guard that everything goes through which a stranger's address makes us ask for.
"""

import json
import re
from dataclasses import replace
from typing import Any

import httpx2
from django.conf import settings
from oauth2_provider.cimd import CIMDError, _validate_client_id_url
from oauthlib.common import Request
from pydantic import ValidationError

from mcp_gateway.oauth.client_metadata import ClientMetadata
from security import outbound
from security.client_ip import counted_as, networks
from security.outbound import Bounds, policy
from security.throttle import Limit

LONGEST_BYTES = 16_384
BOUNDS = Bounds(connect=3, read=3, total=5, wire_bytes=LONGEST_BYTES, body_bytes=LONGEST_BYTES)
# Each costs us a request to an address that anybody may name, before anybody has signed in.
FETCHES = Limit("client documents", attempts=60, seconds=3600)
MAX_AGE = re.compile(r"max-age\s*=\s*(\d{1,9})", re.I)
LEAST_SECONDS, MOST_SECONDS = 300, 86_400


class Fetcher:
    """The toolkit's seam for fetching: gives the document and the seconds it may be kept, or raises `CIMDError`."""

    def fetch(self, client_id: str) -> tuple[dict[str, Any], int]:
        try:
            _validate_client_id_url(client_id)
        except ValueError as error:  # from the reading of an address that is none
            raise CIMDError("the address is not written as URLs are") from error
        try:
            with client() as guarded:
                response = guarded.get(client_id, headers={"Accept": "application/json, application/*+json"})
        except httpx2.HTTPError as error:
            raise CIMDError(f"the document cannot be fetched: {error}") from error
        document = _read(response)
        return document, _keep_seconds(response.headers.get("Cache-Control", ""))


def client() -> outbound.OutboundClient:
    """The guarded client: to public servers and what the operator opened, by https alone, following no redirect."""
    opened = networks(settings.OUTBOUND_ALLOW_NETWORKS)
    return outbound.client(BOUNDS, policy=replace(policy.current(), opened=opened, plain_http=False))


def _read(response: httpx2.Response) -> dict[str, Any]:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if response.status_code != 200:
        raise CIMDError(f"the document's address answers {response.status_code}")
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise CIMDError(f"the document is {kind or 'of no type'}, not JSON")
    try:
        document = json.loads(response.content)
        ClientMetadata.model_validate(document)
    except (ValidationError, ValueError, RecursionError) as error:
        raise CIMDError(f"the document does not describe a client that may come in: {error}") from error
    stated: dict[str, Any] = document
    return stated


def _keep_seconds(cache_control: str) -> int:
    """How long the document may be kept: as its server says, within bounds of ours."""
    if re.search(r"no-store|no-cache", cache_control, re.I):
        return LEAST_SECONDS
    stated = MAX_AGE.search(cache_control)
    return max(LEAST_SECONDS, min(int(stated[1]), MOST_SECONDS)) if stated else MOST_SECONDS


class NotTooMany:
    """The toolkit's seam for permitting: so many documents an hour for one address."""

    def has_permission(self, request: Request, client_id: str) -> bool:
        return FETCHES.hit(counted_as(request.headers.get("REMOTE_ADDR", ""))) == 0
