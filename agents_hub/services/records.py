"""The record of an answer: what was sent to models and what came of it; for admins, and each reading is noted.

What a person and an agent say to each other is the person's own. An admin who has to find out why an answer failed
needs its id, which that person, or the audit, gives; and that they looked is itself in the audit.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from accounts.caller import Caller
from accounts.errors import NotFound
from accounts.scopes import Scope
from accounts.services.organizations import administered
from agents_hub.models import Turn, TurnCall
from security import audit


@dataclass(frozen=True, slots=True)
class Record:
    """A turn with its calls of models, in their order; those older than the setting says are gone."""

    turn: Turn
    calls: list[TurnCall]


def find_record(caller: Caller, turn_id: UUID) -> Record:
    """`NotFound` for another organization's, `Forbidden` for who is no admin. Each reading is in the audit."""
    caller.require(Scope.ADMIN)
    with transaction.atomic():
        turns = Turn.objects.select_related("conversation__agent", "conversation__owner", "api_key")
        turn = turns.filter(pk=turn_id, conversation__organization__memberships__user_id=caller.user_id).first()
        if turn is None:
            raise NotFound("There is no answer of that id in your organizations.")
        administered(caller, turn.conversation.organization_id)
        audit.record(
            "chat.record_read",
            caller=caller,
            target=f"turn:{turn.pk}",
            detail={"owner": turn.conversation.owner_id, "agent": str(turn.conversation.agent_id)},
        )
        return Record(turn, list(turn.model_calls.order_by("number")))
