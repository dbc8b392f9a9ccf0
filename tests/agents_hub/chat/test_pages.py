"""A conversation's page: all that happened in it, and what can be done there."""

import re
from html import unescape

import pytest
from asgiref.sync import sync_to_async
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from agents_hub.models import (
    Attachment,
    Conversation,
    Inquiry,
    Message,
    Turn,
    TurnStatus,
)
from agents_hub.pages.chat import thread
from agents_hub.services import turns
from tests.agents_hub.chat.seeing import asked, shown, url
from tests.agents_hub.chat.talks import Talk, asking_first, begun, calling, remote_name
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import Fault, ModelProvider, Reply

pytestmark = pytest.mark.django_db


def test_a_conversation_is_begun_by_its_first_message(browser: Client, talk: Talk) -> None:
    begun_at = browser.post(url("begin", talk.agent.pk), {"text": "Which berth?"})
    made = Conversation.objects.exclude(pk=talk.conversation.pk).get()
    assert begun_at.headers["Location"] == url("conversation", made.pk)
    page = browser.get(begun_at.headers["Location"]).content.decode()
    assert "Which berth?" in page
    assert "Queued" in page
    assert 'id="stop-answer"' in page


def test_nothing_said_is_refused_where_it_was_typed_and_begins_nothing(browser: Client, talk: Talk) -> None:
    refused = browser.post(url("begin", talk.agent.pk), {"text": "  "})
    assert refused.status_code == 422
    assert "Write what you want to ask." in refused.content.decode()
    assert Conversation.objects.count() == 1


def test_an_answer_is_shown_with_its_tools_what_they_were_given_and_gave(
    browser: Client, talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    model.answers += [calling(remote_name(printer, "echo"), text="<b>ink</b>"), Reply(pieces=("**Printed**.",))]
    talk.say("Print")
    page = shown(browser, talk)
    assert "<strong>Printed</strong>" in page
    assert printer.name in page
    assert "&lt;b&gt;ink&lt;/b&gt;" in page
    assert "<b>ink</b>" not in page
    assert ">Done</span>" in page


def test_a_longer_conversation_costs_no_more_queries(
    browser: Client, talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)

    def say() -> None:
        model.answers += [calling(remote_name(printer, "echo"), text="ink"), Reply()]
        talk.say()

    def cost() -> int:
        with CaptureQueriesContext(connection) as made:
            shown(browser, talk)
        return len(made)

    say()
    first = cost()
    say()
    say()
    assert cost() == first


def test_what_waits_for_the_person_is_asked_in_the_page_and_answered_from_it(
    browser: Client, talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = asking_first(talk, server)
    model.answers += [calling(remote_name(printer, "echo"), text="ink"), Reply(pieces=("Printed.",))]
    turn = begun(talk)
    pages: list[str] = []

    async def answer() -> None:
        inquiry = await talk.inquiry(turn)
        pages.append(await sync_to_async(shown)(browser, talk))
        sent = {"answer": f"{inquiry.pk}:once"}
        await sync_to_async(browser.post)(url("reply", talk.conversation.pk), sent)

    talk.answered(turn, answer)
    assert "Waiting for you" in pages[0]
    assert ":always" in pages[0]
    assert "ink" in pages[0]
    after = shown(browser, talk)
    assert "Allowed once" in after
    assert ":always" not in after
    assert "Printed." in after


def test_a_servers_form_is_filled_in_and_what_does_not_fit_is_said_in_its_place(
    browser: Client, talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    turn = talk.say()
    inquiry = asked(
        turn,
        Inquiry.Kind.FORM,
        schema={"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]},
    )
    Turn.objects.filter(pk=turn.pk).update(status=TurnStatus.IN_PROGRESS, ended_at=None)
    name = f"asked-{inquiry.pk.hex}-argument_0"
    assert f'name="{name}"' in shown(browser, talk)
    refused = browser.post(url("reply", talk.conversation.pk), {"answer": f"{inquiry.pk}:accept", name: "old"})
    assert refused.status_code == 422
    assert "Enter a whole number" in refused.content.decode()
    browser.post(url("reply", talk.conversation.pk), {"answer": f"{inquiry.pk}:accept", name: "7"})
    inquiry.refresh_from_db()
    assert inquiry.answer == {"action": "accept", "content": {"age": 7}}


@pytest.mark.parametrize("address", ["javascript:alert(1)", "https://bank.example@evil.example/", "file:///etc/passwd"])
def test_a_page_to_visit_whose_address_cannot_be_trusted_is_not_offered(
    browser: Client, talk: Talk, address: str
) -> None:
    turn = talk.say()
    asked(turn, Inquiry.Kind.PAGE, url=address)
    Turn.objects.filter(pk=turn.pk).update(status=TurnStatus.IN_PROGRESS, ended_at=None)
    page = shown(browser, talk)
    assert address not in page
    assert "cannot be opened safely" in page


def test_a_page_to_visit_names_its_host_and_opens_beside_the_chat(browser: Client, talk: Talk) -> None:
    turn = talk.say()
    asked(turn, Inquiry.Kind.PAGE, url="https://pay.example/now?order=1")
    Turn.objects.filter(pk=turn.pk).update(status=TurnStatus.IN_PROGRESS, ended_at=None)
    page = shown(browser, talk)
    assert (
        'href="https://pay.example/now?order=1" target="_blank" rel="noopener noreferrer nofollow">Open pay.example'
        in page
    )


def test_branches_are_made_by_editing_and_walked_through(browser: Client, talk: Talk, model: ModelProvider) -> None:
    first = talk.say("First")
    question = first.answer.before_id
    browser.post(url("edit", talk.conversation.pk), {"message": question, "text": "Second"})
    page = shown(browser, talk)
    assert "2/2" in page
    assert "<p>First</p>" not in page
    talk.answered(under_way(talk))
    browser.post(url("branch", talk.conversation.pk), {"message": question})
    page = shown(browser, talk)
    assert "1/2" in page
    assert "<p>First</p>" in page


def test_an_answer_is_given_again_beside_the_first(browser: Client, talk: Talk, model: ModelProvider) -> None:
    turn = talk.say()
    model.answers += [Reply(pieces=("Otherwise.",))]
    browser.post(url("again", talk.conversation.pk), {"message": turn.answer_id})
    talk.answered(under_way(talk))
    page = shown(browser, talk)
    assert "2/2" in page
    assert "Otherwise." in page


def test_while_an_answer_is_under_way_nothing_else_is_asked_and_what_was_typed_stays(
    browser: Client, talk: Talk
) -> None:
    begun(talk)
    refused = browser.post(url("say", talk.conversation.pk), {"text": "And another thing"})
    assert refused.status_code == 422
    page = refused.content.decode()
    assert "still answering" in page
    assert ">And another thing</textarea>" in page


def test_a_failed_answer_says_why_and_is_gone_on_with(browser: Client, talk: Talk, model: ModelProvider) -> None:
    model.answers += [Fault(500)] * 10
    turn = talk.say()
    page = shown(browser, talk)
    assert turn.error in unescape(page)
    assert "Try again" in page
    model.answers.clear()
    browser.post(url("retry", turn.pk))
    talk.answered(turn)
    assert "Hello there." in shown(browser, talk)


def test_stop_is_asked_for_from_the_page(browser: Client, talk: Talk) -> None:
    turn = begun(talk)
    browser.post(url("stop", turn.pk))
    page = shown(browser, talk)
    assert "You stopped the answer." in page
    assert 'id="send"' in page


def test_files_go_with_a_message_and_stay_where_it_could_not_be_sent(browser: Client, talk: Talk) -> None:
    begun(talk)
    sent = {"text": "Read this", "files": ContentFile(b"low 04:10", name="tides.txt")}
    refused = browser.post(url("say", talk.conversation.pk), sent)
    assert refused.status_code == 422
    waiting = Attachment.objects.get()
    assert not waiting.is_sent
    assert "tides.txt" in refused.content.decode()
    turns.stop(talk.caller, turn_id=Turn.objects.get().pk)
    browser.post(url("say", talk.conversation.pk), {"text": "Read this", "attachment": str(waiting.pk)})
    waiting.refresh_from_db()
    assert waiting.message is not None
    assert waiting.message.text == "Read this"
    (link,) = re.findall(r'href="(/files/[^"]+)"', shown(browser, talk))
    assert b"".join(browser.get(link).streaming_content) == b"low 04:10"  # type: ignore[attr-defined]


def test_a_file_that_waits_is_taken_away_again(browser: Client, talk: Talk) -> None:
    begun(talk)
    browser.post(url("say", talk.conversation.pk), {"text": "x", "files": ContentFile(b"low", name="tides.txt")})
    browser.post(url("remove-file", talk.conversation.pk), {"attachment": str(Attachment.objects.get().pk)})
    assert not Attachment.objects.exists()


def test_a_file_that_no_model_can_read_is_refused_and_the_text_stays(browser: Client, talk: Talk) -> None:
    sent = {"text": "Look", "files": ContentFile(b"\x7fELF\x00\x01", name="program")}
    refused = browser.post(url("begin", talk.agent.pk), sent)
    assert refused.status_code == 422
    assert ">Look</textarea>" in refused.content.decode()
    assert not Turn.objects.exists()


def test_an_edited_message_keeps_the_files_that_stay_ticked(browser: Client, talk: Talk) -> None:
    files = [ContentFile(b"low", name="tides.txt"), ContentFile(b"deep", name="berths.txt")]
    browser.post(url("say", talk.conversation.pk), {"text": "Read", "files": files})
    turn = talk.answered(Turn.objects.get())
    kept = Attachment.objects.get(name="tides.txt")
    message = turn.answer.before_id
    browser.post(
        url("edit", talk.conversation.pk), {"message": message, "text": "Read again", "attachment": str(kept.pk)}
    )
    edited = Message.objects.get(text="Read again")
    assert [one.name for one in edited.attachments.all()] == ["tides.txt"]


@pytest.mark.parametrize(("kind", "begins"), [("md", "# "), ("json", "{")])
def test_a_conversation_is_taken_along_with_what_tools_did(
    browser: Client, talk: Talk, model: ModelProvider, server: McpServer, kind: str, begins: str
) -> None:
    printer = talk.give(server)
    model.answers += [calling(remote_name(printer, "echo"), text="ink"), Reply(pieces=("Printed.",))]
    talk.say("Print it")
    answer = browser.get(url("export", talk.conversation.pk, kind))
    assert f'filename="Print it.{kind}"' in answer.headers["Content-Disposition"]
    written = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert written.startswith(begins)
    for part in ("Print it", "ink", "Printed."):
        assert part in written


def test_a_long_conversation_shows_its_end_and_leads_to_what_was_before(
    browser: Client, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread, "MOST_SHOWN", 2)
    for text in ("First", "Second", "Third"):
        talk.say(text)
    page = shown(browser, talk)
    assert "Third" in page
    assert "4 earlier messages" in page
    assert "<p>Second</p>" not in page
    earlier = browser.get(url("conversation", talk.conversation.pk), {"until": "4"}).content.decode()
    assert "<p>Second</p>" in earlier
    assert "<p>Third</p>" not in earlier


def under_way(talk: Talk) -> Turn:
    turn = turns.turn_under_way(talk.conversation)
    assert turn is not None
    return turn
