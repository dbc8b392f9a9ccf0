"""Requests that the platform makes to addresses people give it: the only way out for those.

A URL is judged when it is saved (`validate_url`) and at every request; its name is looked up once for a connection,
every address it leads to has to be public, and the connection goes to that very address. Answers are bounded in time
and size.
"""

from security.outbound.clients import AsyncOutboundClient, OutboundClient, async_client, client
from security.outbound.policy import Bounds, Policy
from security.outbound.refusal import OutboundRefused, ResponseTooLarge
from security.outbound.urls import validate_url

__all__ = [
    "AsyncOutboundClient",
    "Bounds",
    "OutboundClient",
    "OutboundRefused",
    "Policy",
    "ResponseTooLarge",
    "async_client",
    "client",
    "validate_url",
]
