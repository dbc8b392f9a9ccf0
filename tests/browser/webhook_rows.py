"""Endpoints of webhooks in every state that their pages can show, one with deliveries in each of theirs."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Organization, User
from workflows.models import Execution, WebhookDelivery, WebhookEndpoint
from workflows.webhooks import signing

REFUSED = "The receiver answered 503 Service Unavailable."


def fill(organization: Organization, person: User) -> dict[str, Sequence[object]]:
    """What the arguments of the pages' addresses can be."""
    now = timezone.now()
    failing = _endpoint(
        organization,
        person,
        "https://hooks.harbour.example.com/asterism/orders?of=a-very-long-name-that-has-to-be-broken-somewhere",
        description="Orders",
        failing_since=now - timedelta(hours=3),
        old_secret=signing.new_secret(),
        old_secret_until=now + timedelta(hours=20),
    )
    off = _endpoint(
        organization,
        person,
        "https://old.harbour.example.com/hooks",
        statuses=["failed"],
        every_agent=False,
        enabled=False,
        fault=f"Nothing was taken for 5 days. The last attempt: {REFUSED}",
        admins_told_at=now,
    )
    quiet = _endpoint(organization, person, "https://quiet.harbour.example.com/hooks")
    execution = Execution.objects.filter(organization=organization, status="completed").earliest("pk")
    states: list[dict[str, Any]] = [
        {
            "state": "delivered",
            "due_at": None,
            "attempts": 1,
            "response_status": 200,
            "response_excerpt": '{"ok": true}',
        },
        {"state": "given_up", "due_at": None, "attempts": 8, "response_status": 503, "fault": REFUSED},
        {"attempts": 2, "attempts_in_a_row": 2, "fault": REFUSED, "due_at": now + timedelta(minutes=5)},
        {"event": "test", "execution": None},
    ]
    for state in states:
        given = {"endpoint": failing, "execution": execution, "event": "completed", **state}
        WebhookDelivery.objects.create(**given)
    WebhookDelivery.objects.create(endpoint=off, execution=execution, event="completed")
    return {"endpoint_id": [failing.pk, off.pk, quiet.pk], "delivery_id": [failing.deliveries.earliest("pk").pk]}


def _endpoint(organization: Organization, person: User, url: str, **fields: Any) -> WebhookEndpoint:
    row = WebhookEndpoint(organization=organization, created_by=person, url=url, secret=signing.new_secret(), **fields)
    row.save()
    return row
