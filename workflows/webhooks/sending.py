"""Posting what is due: all that was claimed together at the same time, each settled as soon as it is answered."""

import asyncio
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus

import httpx2
from asgiref.sync import async_to_sync, sync_to_async

from security import outbound
from security.encryption import DecryptionError
from security.outbound import AsyncOutboundClient, Bounds, OutboundRefused
from workflows.models import Execution, WebhookDelivery, WebhookEndpoint
from workflows.services.listing import with_relations
from workflows.shapes.webhooks import Event
from workflows.webhooks import claims, signing
from workflows.webhooks.claims import Answer
from workflows.webhooks.pauses import seconds_of

logger = logging.getLogger(__name__)

# A receiver is to take an event and work on it afterwards. Well below the lease.
BOUNDS = Bounds(connect=5, read=15, total=15)
# Of an answer's body so much is looked at.
EXCERPT_BYTES = 1_024


def send_due() -> bool:
    """Send what is due and has room. True where there may be more of it."""
    claimed = claims.claim()
    if claimed:
        async_to_sync(_send_all)(claimed)
    return len(claimed) == claims.BATCH


async def _send_all(deliveries: list[WebhookDelivery]) -> None:
    async with outbound.async_client(BOUNDS) as client:
        await asyncio.gather(*(_send(client, delivery) for delivery in deliveries))


async def _send(client: AsyncOutboundClient, delivery: WebhookDelivery) -> None:
    began = time.monotonic()
    try:
        answer = await _attempt(client, delivery)
    except Exception:  # a fault of ours fails this attempt and holds up no other; the log has it
        logger.exception("Delivery %s failed on our side", delivery.pk)
        answer = Answer(fault="Something failed on our side. It is in the log, and tried again.")
    duration_ms = round((time.monotonic() - began) * 1000, 3)
    await sync_to_async(claims.settle)(delivery, replace(answer, duration_ms=duration_ms))


async def _attempt(client: AsyncOutboundClient, delivery: WebhookDelivery) -> Answer:
    try:
        body = await sync_to_async(body_of)(delivery)
        headers = signing.headers(live_secrets(delivery.endpoint), delivery.webhook_id, int(time.time()), body)
    except DecryptionError:
        return Answer(fault="The stored secret cannot be opened. Rotate it, so that events can be signed again.")
    headers["Content-Type"] = "application/json"
    try:
        async with client.stream("POST", delivery.endpoint.url, content=body, headers=headers) as response:
            return await _answer(response)
    except OutboundRefused as refused:
        return Answer(fault=str(refused))
    except httpx2.TimeoutException:
        return Answer(fault=f"The receiver did not answer within {BOUNDS.total:.0f} seconds.")
    except httpx2.HTTPError:
        return Answer(fault="The receiver cannot be reached, or ended the connection before it answered.")


async def _answer(response: httpx2.Response) -> Answer:
    excerpt = await _beginning(response)
    if response.is_success:
        return Answer(response.status_code, excerpt)
    words = HTTPStatus(response.status_code).phrase if response.status_code in _KNOWN else ""
    fault = f"The receiver answered {response.status_code} {words}".rstrip() + "."
    if response.is_redirect:
        fault += " Redirects are not followed; enter the address that it leads to."
    return Answer(response.status_code, excerpt, fault, seconds_of(response.headers.get("retry-after", "")))


_KNOWN = frozenset(status.value for status in HTTPStatus)


async def _beginning(response: httpx2.Response) -> str:
    """The first bytes of the body as text. Whether they come changes nothing: the status has been said."""
    read = b""
    try:
        async for piece in response.aiter_bytes():
            read += piece
            if len(read) >= EXCERPT_BYTES:
                break
    except httpx2.HTTPError:
        logger.debug("An answer's body could not be read", exc_info=True)
    return read[:EXCERPT_BYTES].decode("utf-8", "replace")


def body_of(delivery: WebhookDelivery) -> bytes:
    """The event as it is posted, made from the execution as it is now."""
    execution = None
    if delivery.execution_id is not None:
        execution = with_relations(Execution.objects.filter(pk=delivery.execution_id)).get()
    return Event.of(delivery, execution).model_dump_json(by_alias=True).encode()


def live_secrets(endpoint: WebhookEndpoint) -> Iterator[str]:
    """The secret, and after a rotation the one before it for as long as it counts."""
    yield endpoint.secret
    if endpoint.old_secret and endpoint.old_secret_counts_until:
        yield endpoint.old_secret
