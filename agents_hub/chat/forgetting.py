"""What is kept of a turn for a while only: the events of those who looked on, and what was sent to models."""

from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from agents_hub.models import TurnCall

BATCH = 10_000
# Whoever looks at a turn after its end reads its message; events are for those who were cut off just then.
EVENT_HOURS = 24

# Plan: turns that ended in the last days are few; their events go by the unique index of turn and number.
OLD_EVENTS = """
    DELETE FROM agents_hub_turnevent WHERE id IN (
        SELECT event.id FROM agents_hub_turnevent event JOIN agents_hub_turn turn ON turn.id = event.turn_id
        WHERE turn.ended_at < clock_timestamp() - %s * interval '1 hour' LIMIT %s
    )
"""


def forget_events() -> int:
    """The events of turns that ended long ago; how many."""
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(OLD_EVENTS, [EVENT_HOURS, BATCH])
            deleted: int = cursor.rowcount
        total += deleted
        if deleted < BATCH:
            return total


def forget_records() -> int:
    """What was sent to models longer ago than the setting says; how many."""
    before = timezone.now() - timedelta(days=settings.CHAT_RECORD_RETENTION_DAYS)
    total = 0
    while True:
        old = TurnCall.objects.filter(at__lt=before).values("pk")[:BATCH]
        deleted, _ = TurnCall.objects.filter(pk__in=old).delete()
        total += deleted
        if deleted < BATCH:
            return total
