"""What somebody typed is never lost, whatever keeps it from being sent; and what nobody typed does not pile up."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from agents_hub.models import Agent, Attachment, Conversation, Message, Speaker, Stage
from agents_hub.services import attachments, conversations, turns
from agents_hub.tasks import delete_empty_conversations
from mcp_gateway.rest.routes import chat_api
from tests.agents_hub.api.door import fault
from tests.agents_hub.api.door import rest as rest_of
from tests.agents_hub.chat.seeing import shown, url
from tests.agents_hub.chat.talks import Talk
from tests.file_storage import keep_files_in

pytestmark = pytest.mark.django_db
WORDS = "A long thought about berths & tides"
ESCAPED = "A long thought about berths &amp; tides"


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Any) -> None:
    keep_files_in(tmp_path, settings)


def take_back(agent: Agent) -> None:
    Agent.objects.filter(pk=agent.pk).update(stage=Stage.DEVELOPMENT)


def test_a_file_whose_hour_is_over_leaves_the_words_beside_the_composer(browser: Client, talk: Talk) -> None:
    answer = browser.post(url("say", talk.conversation.pk), {"text": WORDS, "attachment": str(uuid4())})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "A file is no longer there" in page
    assert f'autocomplete="off">{ESCAPED}</textarea>' in page
    # And after a reload.
    assert ESCAPED in shown(browser, talk)


def test_words_to_an_agent_that_was_taken_back_can_be_copied(browser: Client, talk: Talk) -> None:
    talk.say()
    take_back(talk.agent)
    answer = browser.post(url("say", talk.conversation.pk), {"text": WORDS})
    page = answer.content.decode()
    assert (answer.status_code, f"readonly>{ESCAPED}</textarea>" in page) == (422, True)
    assert "What has been said stays here" in page


def test_the_first_words_to_an_agent_that_was_taken_back_can_be_copied(browser: Client, talk: Talk) -> None:
    take_back(talk.agent)
    answer = browser.post(url("begin", talk.agent.pk), {"text": WORDS})
    assert answer.status_code == 404
    assert f"readonly>{ESCAPED}</textarea>" in answer.content.decode()
    assert browser.get(url("begin", talk.agent.pk)).status_code == 404


def test_words_for_a_conversation_that_was_deleted_meanwhile_can_be_copied(browser: Client, talk: Talk) -> None:
    gone = talk.conversation.pk
    conversations.delete_conversation(talk.caller, conversation_id=gone)
    assert f"readonly>{ESCAPED}</textarea>" in browser.post(url("say", gone), {"text": WORDS}).content.decode()
    assert browser.post(url("say", gone), {"text": " "}).status_code == 404


def test_an_edit_that_is_refused_stays_in_its_form(browser: Client, talk: Talk) -> None:
    talk.say()
    message = Message.objects.get(speaker=Speaker.PERSON)
    sent = {"text": WORDS, "message": str(message.pk), "attachment": str(uuid4())}
    page = browser.post(url("edit", talk.conversation.pk), sent).content.decode()
    assert '<details class="edit" open>' in page
    assert f">{ESCAPED}</textarea>" in page


def test_an_edit_while_an_answer_is_under_way_can_be_copied(browser: Client, talk: Talk) -> None:
    talk.say()
    message = Message.objects.get(speaker=Speaker.PERSON)
    turns.begin(talk.caller, conversation_id=talk.conversation.pk, text="More")
    page = browser.post(url("edit", talk.conversation.pk), {"text": WORDS, "message": str(message.pk)})
    assert "The agent is still answering" in page.content.decode()
    assert f"readonly>{ESCAPED}</textarea>" in page.content.decode()


def test_a_message_that_is_edited_can_be_given_files(browser: Client, talk: Talk) -> None:
    talk.say()
    message = Message.objects.get(speaker=Speaker.PERSON)
    file = SimpleUploadedFile("tides.txt", b"At six.")
    sent = {"text": "Look", "message": str(message.pk), "files": [file]}
    assert browser.post(url("edit", talk.conversation.pk), sent).status_code == 302
    assert Attachment.objects.get().message == Message.objects.get(text="Look")


def test_a_draft_without_a_message_is_in_the_list(browser: Client, talk: Talk) -> None:
    assert WORDS not in browser.get(url("list")).content.decode()
    conversations.keep_draft(talk.caller, conversation_id=talk.conversation.pk, draft=WORDS)
    page = browser.get(url("list")).content.decode()
    assert f"Draft: {ESCAPED}" in page
    assert url("conversation", talk.conversation.pk) in page


def test_conversations_in_which_nothing_was_said_are_gone_after_a_day(talk: Talk) -> None:
    def begun(**fields: Any) -> Conversation:
        made = conversations.begin_conversation(talk.caller, agent_id=talk.agent.pk)
        old = timezone.now() - timedelta(hours=conversations.EMPTY_KEPT_HOURS + 1)
        Conversation.objects.filter(pk=made.pk).update(**{"created_at": old} | fields)
        return made

    begun()
    kept = {begun(draft="Hm").pk, begun(created_at=timezone.now()).pk, talk.conversation.pk}
    talk.say()
    Conversation.objects.filter(pk=talk.conversation.pk).update(created_at=timezone.now() - timedelta(days=9))
    delete_empty_conversations()
    assert set(Conversation.objects.values_list("pk", flat=True)) == kept


def test_what_a_program_is_refused_leaves_no_conversation_behind(talk: Talk) -> None:
    key = rest_of(talk.conversation.owner, api=chat_api)
    body = {"agentId": str(talk.agent.pk), "message": "Hi", "attachments": [str(uuid4())]}
    assert fault(key.post("chat", body))[0] == 404
    assert Conversation.objects.count() == 1


def test_files_of_a_refused_message_wait_for_the_next(browser: Client, talk: Talk) -> None:
    file = SimpleUploadedFile("tides.txt", b"At six.")
    browser.post(url("say", talk.conversation.pk), {"text": WORDS, "attachment": str(uuid4()), "files": [file]})
    (waiting,) = attachments.unsent(talk.caller, conversation_id=talk.conversation.pk)
    assert waiting.name == "tides.txt"
