"""Which of the turns that wait are taken up: so many of one person and of one organization at once, the rest in turn.

Organizations take turns, within one its people do, and of one person's the oldest goes first. One advisory lock, held
for the statement, keeps two processes from counting past each other.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from agents_hub.chat import channels
from agents_hub.chat.store import Held
from agents_hub.models import Turn, TurnStatus

# Seconds until workers are told of a turn that no process has taken, and until they are told of it again.
LEFT_AFTER_SECONDS = 5
AGAIN_SECONDS = 60
# Workers are told of so many at once.
MOST_HANDED_OUT = 100

LOCK = "SELECT pg_advisory_xact_lock(hashtext('agents_hub.turns'))"
ANY_WAITING = """
    SELECT EXISTS (SELECT FROM agents_hub_turn WHERE status = 'in_progress' AND lease_until IS NULL
        AND (%(id)s::uuid IS NULL OR id = %(id)s))
"""
# Plan: turn_under_way holds the few that are under way; conversations by primary key. A turn's place is its number
# among those of its person, or organization, that are carried out or waited longer.
IN_TURN = """
    WITH alive AS (
        SELECT turn.id, turn.lease_until IS NOT NULL AS is_held, turn.handed_out_at,
            coalesce(turn.resumed_at, turn.created_at) AS since,
            conversation.owner_id, conversation.organization_id
        FROM agents_hub_turn turn JOIN agents_hub_conversation conversation ON conversation.id = turn.conversation_id
        WHERE turn.status = 'in_progress' AND (turn.lease_until IS NOT NULL OR %(id)s::uuid IS NULL OR turn.id = %(id)s)
    ), of_person AS (
        SELECT alive.*, row_number() OVER (PARTITION BY owner_id ORDER BY is_held DESC, id) AS person_place FROM alive
    ), of_organization AS (
        SELECT of_person.*, row_number() OVER (
            PARTITION BY organization_id ORDER BY is_held DESC, person_place, id
        ) AS organization_place
        FROM of_person WHERE is_held OR person_place <= %(per_person)s
    ), in_turn AS (
        SELECT * FROM of_organization WHERE NOT is_held AND organization_place <= %(per_organization)s
    )
"""
CLAIM = f"""{IN_TURN}
    UPDATE agents_hub_turn SET fence = fence + 1, lease_until = clock_timestamp() + %(lease)s * interval '1 second'
    WHERE status = 'in_progress' AND lease_until IS NULL AND id IN (
        SELECT id FROM in_turn ORDER BY organization_place, person_place, id LIMIT %(most)s
    )
    RETURNING id, fence
"""  # noqa: S608 - put together from what stands here
HAND_OUT = f"""{IN_TURN}
    UPDATE agents_hub_turn SET handed_out_at = clock_timestamp() WHERE id IN (
        SELECT id FROM in_turn WHERE since < clock_timestamp() - %(left_after)s * interval '1 second'
            AND (handed_out_at IS NULL OR handed_out_at < clock_timestamp() - %(again)s * interval '1 second')
        ORDER BY organization_place, person_place, id LIMIT %(most)s
    )
    RETURNING id
"""  # noqa: S608 - put together from what stands here


def claim(most: int, turn_id: UUID | None = None) -> list[Held]:
    """Take up turns whose turn it is, or that one alone where its person and organization may have another."""
    return [Held(*row) for row in _in_turn(CLAIM, turn_id, most=most, lease=settings.CHAT_LEASE_SECONDS)]


def give_back(held: Sequence[Held]) -> None:
    """Let go of turns that were taken up and not begun: they wait again, and others are told."""
    for one in held:
        Turn.objects.filter(pk=one.id, fence=one.fence).update(lease_until=None)
    if held:
        channels.notify(channels.WAITING)


def hand_out() -> list[UUID]:
    """Turns that workers are to be told of: nobody took them up, though it is their turn. Each once in a while."""
    waits = {"left_after": LEFT_AFTER_SECONDS, "again": AGAIN_SECONDS}
    return [row[0] for row in _in_turn(HAND_OUT, None, most=MOST_HANDED_OUT, **waits)]


def what_holds_up(turn: Turn) -> str:
    """In words for its person, why a turn that waits is not taken up yet; empty where nothing but time does."""
    if turn.is_over or turn.lease_until is not None:
        return ""
    held = Turn.objects.filter(status=TurnStatus.IN_PROGRESS, lease_until__isnull=False)
    conversation = turn.conversation
    of_person = held.filter(conversation__owner=conversation.owner_id).count()
    if of_person >= settings.CHAT_TURNS_PER_PERSON:
        return f"you have as many answers under way as you can at once ({of_person:,})"
    of_organization = held.filter(conversation__organization=conversation.organization_id).count()
    if of_organization >= settings.CHAT_TURNS_PER_ORGANIZATION:
        return f"your organization has as many answers under way as it can at once ({of_organization:,})"
    return ""


def _in_turn(statement: str, turn_id: UUID | None, **values: Any) -> list[Any]:
    values |= {
        "id": turn_id,
        "per_person": settings.CHAT_TURNS_PER_PERSON,
        "per_organization": settings.CHAT_TURNS_PER_ORGANIZATION,
    }
    with connection.cursor() as cursor:
        # Mostly nothing waits; then nobody is held up for it.
        cursor.execute(ANY_WAITING, {"id": turn_id})
        if not cursor.fetchone()[0]:
            return []
        with transaction.atomic():
            cursor.execute(LOCK)
            cursor.execute(statement, values)
            found: list[Any] = cursor.fetchall()
            return found
