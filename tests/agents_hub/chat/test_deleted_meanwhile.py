"""What is written to a conversation that somebody deletes at that moment is not found, as at any other."""

from contextlib import ExitStack

import pytest
from django.db import transaction

from agents_hub.services import conversations
from tests.agents_hub.chat.talks import Talk
from tests.threads import fared, meanwhile, until_one_waits_for_a_lock

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_draft_for_a_conversation_that_is_just_being_deleted_finds_none(talk: Talk) -> None:
    gone = talk.conversation.pk
    with ExitStack() as beside, transaction.atomic():
        conversations.delete_conversation(talk.caller, conversation_id=gone)
        outcomes = beside.enter_context(
            meanwhile(lambda: conversations.keep_draft(talk.caller, conversation_id=gone, draft="Berths"))
        )
        until_one_waits_for_a_lock()
    assert fared(outcomes) == ["not_found"]
