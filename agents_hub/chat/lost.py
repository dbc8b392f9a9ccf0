"""Turns whose holder is gone: they are marked as interrupted, with all that was seen of them until then."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from agents_hub.chat import channels, store
from agents_hub.chat.texts import joined, texts_of
from agents_hub.chat.watching import live_text
from agents_hub.models import Message, ToolUse
from agents_hub.models.turns import INTERRUPTED
from security.storable import storable

# Plan: turn_under_way holds the few that are under way.
LOST = """
    UPDATE agents_hub_turn SET status = 'error', error_code = %(code)s, error = %(said)s, ended_at = clock_timestamp(),
        lease_until = NULL, fence = fence + 1
    WHERE id IN (
        SELECT id FROM agents_hub_turn WHERE status = 'in_progress' AND lease_until < clock_timestamp()
        ORDER BY lease_until LIMIT 1000 FOR UPDATE SKIP LOCKED
    )
    RETURNING id, answer_id
"""


def give_up_lost() -> int:
    """Mark the turns whose holder is gone as interrupted; how many. Whoever wakes up after all is overtaken."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(LOST, {"code": INTERRUPTED, "said": store.INTERRUPTED_SAID})
            lost: list[tuple[UUID, UUID]] = cursor.fetchall()
        turns = [turn_id for turn_id, _ in lost]
        # Nobody was there to see how far they came.
        running = ToolUse.objects.filter(turn__in=turns, status=ToolUse.Status.RUNNING)
        running.update(status=ToolUse.Status.UNKNOWN, ended_at=timezone.now())
        store.end_what_was_under_way(turns)
        texts = texts_of(turns)
        for turn_id, answer_id in lost:
            _keep_words(turn_id, answer_id, texts.get(turn_id, []))
            channels.notify(channels.EVENTS, turn_id)
    return len(lost)


def _keep_words(turn_id: UUID, answer_id: UUID, written: Sequence[str]) -> None:
    """What the model was saying stays in the message, as it does when an answer is stopped."""
    number, partial = live_text(turn_id)
    # Where the round was stored just before, its words are among those written.
    if number > len(written) and partial.strip():
        Message.objects.filter(pk=answer_id).update(text=storable(joined([*written, partial])))
