"""Who sends which delivery, and what came of it: claimed under a lease, settled only by whoever claimed it last."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from security import audit
from security.redact import redact_text
from security.storable import storable
from workflows.models import WebhookDelivery, WebhookEndpoint
from workflows.models.webhooks import TEST
from workflows.webhooks.pauses import MOST_ATTEMPTS, pause

logger = logging.getLogger(__name__)

# Claimed at once, and of these for one endpoint and one organization, those under way counted: however slow some
# receivers are, others are sent to.
BATCH = 50
PER_ENDPOINT = 4
PER_ORGANIZATION = 16
# The lock under which those under way are counted ("wf" in ASCII, then two).
LOCK = 0x776602
# An endpoint that took nothing for so long is switched off.
PATIENCE = timedelta(days=5)
LONGEST_FAULT = 500

# The plan: the endpoints in use one by one; of each the few under way through webhook_delivery_under_way, and as many
# of the due ones, oldest first, as it has room for, through webhook_delivery_due.
_CLAIM = """
    WITH busy AS (
        SELECT endpoint_id, count(*) AS count FROM workflows_webhookdelivery
        WHERE lease_until > statement_timestamp() GROUP BY endpoint_id
    ), of_organization AS (
        SELECT organization_id, sum(busy.count)::bigint AS count
        FROM busy JOIN workflows_webhookendpoint ON id = endpoint_id GROUP BY organization_id
    ), offered AS (
        SELECT due.id, due.due_at, row_number() OVER (PARTITION BY endpoint.organization_id ORDER BY due.due_at, due.id)
            + COALESCE(of_organization.count, 0) AS place
        FROM workflows_webhookendpoint endpoint
        LEFT JOIN busy ON busy.endpoint_id = endpoint.id
        LEFT JOIN of_organization ON of_organization.organization_id = endpoint.organization_id
        CROSS JOIN LATERAL (
            SELECT delivery.id, delivery.due_at FROM workflows_webhookdelivery delivery
            WHERE delivery.endpoint_id = endpoint.id AND delivery.due_at <= statement_timestamp()
            ORDER BY delivery.due_at, delivery.id
            LIMIT GREATEST(%(per_endpoint)s - COALESCE(busy.count, 0), 0)
        ) due
        WHERE endpoint.enabled
    )
    UPDATE workflows_webhookdelivery SET
        lease_until = statement_timestamp() + %(lease)s * interval '1 second',
        due_at = statement_timestamp() + %(lease)s * interval '1 second',
        attempts = attempts + 1, attempts_in_a_row = attempts_in_a_row + 1
    WHERE due_at <= statement_timestamp() AND id = ANY(ARRAY(
        SELECT id FROM offered WHERE place <= %(per_organization)s ORDER BY place, due_at, id LIMIT %(batch)s
    ))
    RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt. `status` is none where nobody answered, and `fault` is empty where it was taken."""

    status: int | None = None
    excerpt: str = ""
    fault: str = ""
    retry_after: float | None = None
    duration_ms: float | None = None

    @property
    def is_gone(self) -> bool:
        """The receiver says that it wants no more, ever (RFC 9110, 15.5.11)."""
        return self.status == 410


def claim() -> list[WebhookDelivery]:
    """Take the deliveries that are due and have room, each with its endpoint. One who dies with them loses them when
    their lease ends, and they are due again."""
    values = {
        "lease": settings.WEBHOOK_LEASE_SECONDS,
        "per_endpoint": PER_ENDPOINT,
        "per_organization": PER_ORGANIZATION,
        "batch": BATCH,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(_CLAIM, values)
        claimed = [row[0] for row in cursor.fetchall()]
    rows = WebhookDelivery.objects.filter(pk__in=claimed).select_related("endpoint__organization")
    return list(rows.order_by("pk"))


def settle(delivery: WebhookDelivery, answer: Answer) -> bool:
    """Write what came of the attempt. False where the lease had ended and somebody else makes another by now."""
    if not answer.fault:
        return _taken(delivery, answer)
    most = 1 if delivery.event == TEST else MOST_ATTEMPTS
    seconds = pause(delivery.attempts_in_a_row, answer.retry_after) if delivery.attempts_in_a_row < most else None
    with transaction.atomic():
        if seconds is None or answer.is_gone:
            changes: dict[str, Any] = {"state": WebhookDelivery.State.GIVEN_UP, "due_at": None}
        else:
            changes = {"due_at": timezone.now() + timedelta(seconds=seconds)}
        if not _write(delivery, answer, **changes):
            return False
        if delivery.event != TEST:
            _note_failure(delivery.endpoint_id, answer, given_up=seconds is None)
    return True


def _taken(delivery: WebhookDelivery, answer: Answer) -> bool:
    with transaction.atomic():
        if not _write(delivery, answer, state=WebhookDelivery.State.DELIVERED, due_at=None):
            return False
        WebhookEndpoint.objects.filter(pk=delivery.endpoint_id, failing_since__isnull=False).update(failing_since=None)
    return True


def _write(delivery: WebhookDelivery, answer: Answer, **changes: Any) -> bool:
    """The number of attempts is the fence: it grows with each claim."""
    mine = WebhookDelivery.objects.filter(
        pk=delivery.pk, attempts=delivery.attempts, state=WebhookDelivery.State.WAITING
    )
    written = mine.update(
        lease_until=None,
        attempted_at=Now(),
        response_status=answer.status,
        response_excerpt=shown(answer.excerpt),
        fault=shown(answer.fault),
        duration_ms=answer.duration_ms,
        **changes,
    )
    if not written:
        logger.info("Delivery %s was taken over from attempt %s", delivery.pk, delivery.attempts)
    return bool(written)


def _note_failure(endpoint_id: Any, answer: Answer, *, given_up: bool) -> None:
    """Remember since when the endpoint fails, and switch it off where that is too long, or where it says so itself."""
    endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id, enabled=True)
    endpoint.update(failing_since=Coalesce("failing_since", Now()))
    if answer.is_gone:
        fault = "The receiver answered 410 Gone: it wants no more events."
    elif given_up and endpoint.filter(failing_since__lte=timezone.now() - PATIENCE).exists():
        fault = f"Nothing was taken for {PATIENCE.days} days. The last attempt: {answer.fault}"
    else:
        return
    if endpoint.update(enabled=False, fault=shown(fault), admins_told_at=None):
        audit.record("webhook.disable", caller=None, target=f"webhook:{endpoint_id}", detail={"why": fault})


def shown(text: str) -> str:
    """A strangers' text as it is kept and shown: short, and without what looks like a secret."""
    return str(storable(redact_text(text)))[:LONGEST_FAULT]


def under_way(deliveries: Sequence[WebhookDelivery]) -> bool:
    """Whether something will change on its own within moments."""
    soon = timezone.now() + timedelta(seconds=settings.WEBHOOK_LEASE_SECONDS)
    return any(one.due_at is not None and one.due_at <= soon for one in deliveries)
