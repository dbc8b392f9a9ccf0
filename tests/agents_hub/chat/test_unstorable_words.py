"""Characters that the database cannot hold, wherever a form or a terminal lets them in."""

import pytest
from django.test import Client

from agents_hub.models import Conversation, Message, Speaker
from agents_hub.services import turns
from tests.agents_hub.chat.seeing import url
from tests.agents_hub.chat.talks import Talk

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("typed", ["High\x00water", "High\udcffwater"], ids=["nul", "surrogate"])
def test_a_message_is_sent_without_them(talk: Talk, typed: str) -> None:
    turns.begin(talk.caller, conversation_id=talk.conversation.pk, text=typed)
    said = Message.objects.get(speaker=Speaker.PERSON)
    assert said.text.startswith("High")
    assert said.text.endswith("water")
    assert len(said.text) == len(typed)


def test_a_form_is_sent_without_them(browser: Client, talk: Talk) -> None:
    assert browser.post(url("say", talk.conversation.pk), {"text": "High\x00water"}).status_code == 302


def test_a_draft_is_kept_without_them(browser: Client, talk: Talk) -> None:
    sent = {"text": "High\x00water", "attachment": str(talk.conversation.pk)}
    assert browser.post(url("say", talk.conversation.pk), sent).status_code == 422
    assert Conversation.objects.get().draft == "High\N{REPLACEMENT CHARACTER}water"


def test_a_search_for_them_finds_nothing(browser: Client, talk: Talk) -> None:
    assert browser.get(url("list"), {"search": "a\x00b"}).status_code == 200
    assert browser.get(url("new"), {"search": "a\x00b"}).status_code == 200
