"""What is kept of a turn for a while only: the events of those who looked on, and what was sent to models."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from agents_hub.models import TurnCall

BATCH = 10_000
# A long answer has some thousand events.
TURNS_AT_ONCE = 200
# Whoever looks at a turn after its end reads its message; events are for those who were cut off just then.
EVENT_HOURS = 24

# What stands in the message beside its text, and stays with it.
TOLD = ["problem", "tools"]

# Plan: turn_events_kept leads to the turns that ended first, their events go by the unique index of turn and number.
OLD_EVENTS = """
    WITH old AS (
        SELECT id FROM agents_hub_turn
        WHERE NOT events_forgotten AND ended_at < clock_timestamp() - %(hours)s * interval '1 hour'
        ORDER BY ended_at LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM agents_hub_turnevent event USING old WHERE event.turn_id = old.id AND event.kind <> ALL(%(kept)s)
    )
    UPDATE agents_hub_turn SET events_forgotten = true FROM old WHERE agents_hub_turn.id = old.id
"""


def forget_events() -> int:
    """The events of turns that ended long ago; of how many."""
    values: dict[str, Any] = {"hours": EVENT_HOURS, "most": TURNS_AT_ONCE, "kept": TOLD}
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(OLD_EVENTS, values)
            forgotten: int = cursor.rowcount
        total += forgotten
        if forgotten < TURNS_AT_ONCE:
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
