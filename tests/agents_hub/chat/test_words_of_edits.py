"""What somebody wrote in the place of a message is not lost where the message is gone."""

import pytest
from django.test import Client

from agents_hub.services import conversations
from tests.agents_hub.chat.seeing import url
from tests.agents_hub.chat.talks import Talk

pytestmark = pytest.mark.django_db


def test_words_for_a_conversation_that_was_deleted_while_they_were_written_can_be_copied(
    browser: Client, talk: Talk
) -> None:
    asked = talk.say().answer.before_id
    conversations.delete_conversation(talk.caller, conversation_id=talk.conversation.pk)
    answer = browser.post(url("edit", talk.conversation.pk), {"message": str(asked), "text": "Berths & tides"})
    assert answer.status_code == 404
    assert "readonly>Berths &amp; tides</textarea>" in answer.content.decode()
