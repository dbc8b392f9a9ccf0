"""What a conversation's page is told while an answer goes on: the same that it would show if it were loaded anew."""

import json
import re
from collections.abc import Iterable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString

from accounts.errors import NotFound
from agents_hub.chat import markdown
from agents_hub.models import Turn, TurnEvent
from agents_hub.pages.chat import live, parts
from agents_hub.pages.chat.parts import as_html, parts_of
from agents_hub.pages.chat.writing import Writing
from agents_hub.services import turns
from dashboard.streams import Event
from tests.agents_hub.chat.talks import Talk, begun, calling, remote_name
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import ModelProvider, Reply

pytestmark = pytest.mark.django_db

LONG = "# Tides\n\nHigh at *four*.\n\n- one\n- two\n\n```\ncode\n\nmore\n```\nThe end, **almost**"


def tell(turn: Turn, *events: tuple[str, dict[str, Any]]) -> None:
    last = TurnEvent.objects.filter(turn=turn).count()
    for number, (kind, body) in enumerate(events, last + 1):
        TurnEvent.objects.create(turn=turn, number=number, kind=kind, body=body)


def writing(turn: Turn, text: str, size: int = 4) -> None:
    """The text in pieces, as a model gives it."""
    tell(turn, ("began", {"round": 1}))
    tell(turn, *(("text", {"round": 1, "text": text[at : at + size]}) for at in range(0, len(text), size)))


def numbered(events: Iterable[Event]) -> list[Event]:
    return [event for event in events if event.number is not None]


class Page:
    """What a browser makes of the events: the elements by their ids, and words added to the one being written."""

    def __init__(self) -> None:
        self.elements: dict[str, str] = {}

    def take(self, events: Iterable[Event]) -> None:
        for event in numbered(events):
            if event.name == "put":
                (element,) = re.findall(r'id="([^"]+)"', event.body)[:1]
                self.elements[element] = event.body.strip()
            elif event.name == "text":
                told = json.loads(event.body)
                before = self.elements[told["into"]]
                self.elements[told["into"]] = before.replace("</p></div>", f"{escape(told['text'])}</p></div>")
            elif event.name == "settled":
                told = json.loads(event.body)
                before, _, _ = self.elements[told["into"]].rpartition('<p class="tail">')
                tail = f'<p class="tail">{escape(told["tail"])}</p></div>'
                self.elements[told["into"]] = before + told["html"] + tail


def loaded(turn: Turn) -> dict[str, str]:
    return {
        re.findall(r'id="([^"]+)"', html)[0]: html.strip() for html in map(as_html, parts_of([turn])[turn.pk].shown)
    }


@pytest.mark.parametrize("at_once", [1, 2, 7, 1000])
def test_the_stream_makes_of_the_page_what_loading_it_would(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """However the events were cut into readings."""
    monkeypatch.setattr(live, "AT_ONCE", at_once)
    turn = begun(talk)
    writing(turn, LONG)
    page, after, last = Page(), 0, TurnEvent.objects.filter(turn=turn).count()
    while after < last:
        reading = live.read(str(turn.pk), after)
        page.take(reading.events)
        after = numbered(reading.events)[-1].number or 0
        now = parts_of([turn])[turn.pk]
    assert now.last == last
    assert page.elements == loaded(turn)
    (html,) = page.elements.values()
    assert "<em>four</em>" in html
    assert "**almost**" in html


def test_a_page_loaded_in_the_middle_goes_on_without_a_word_lost_or_said_twice(talk: Talk) -> None:
    turn = begun(talk)
    writing(turn, LONG)
    for last in range(1, TurnEvent.objects.filter(turn=turn).count(), 3):
        page = Page()
        with transaction.atomic():
            # As if nothing had come after that one yet.
            TurnEvent.objects.filter(turn=turn, number__gt=last).delete()
            page.elements = loaded(turn)
            transaction.set_rollback(True)
        page.take(live.read(str(turn.pk), last).events)
        assert page.elements == loaded(turn), last


def test_each_reading_says_that_there_is_more_until_there_is_not(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "AT_ONCE", 5)
    turn = begun(talk)
    writing(turn, "x" * 40)
    first = live.read(str(turn.pk), 0)
    assert first.last > (numbered(first.events)[-1].number or 0)
    end = live.read(str(turn.pk), 10)
    assert end.last == numbered(end.events)[-1].number == 11


def test_every_event_has_its_number_told_whatever_it_is(talk: Talk) -> None:
    """Else a page would ask for it again and again."""
    turn = begun(talk)
    tell(turn, ("began", {"round": 1}), ("tools", {"count": 3, "searched": False}), ("new", {}))
    assert [event.number for event in numbered(live.read(str(turn.pk), 0).events)] == [1, 2, 3]


def test_an_answer_with_tools_is_streamed_as_the_page_shows_it_in_the_end(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    model.answers += [
        Reply(pieces=("Let me ", "see.\n\n"), calls=((remote_name(printer, "echo"), json.dumps({"text": "ink"})),)),
        Reply(pieces=("Printed ", "**it**.")),
    ]
    turn = talk.say("Print")
    page = Page()
    reading = live.read(str(turn.pk), 0)
    page.take(reading.events)
    assert reading.is_over
    assert page.elements == loaded(turn)
    assert len(page.elements) == 3


def test_what_breaks_off_and_begins_again_is_not_shown_twice(talk: Talk) -> None:
    turn = begun(talk)
    writing(turn, "Half an ans")
    writing(turn, "A whole answer")
    page = Page()
    page.take(live.read(str(turn.pk), 0).events)
    assert page.elements == loaded(turn)
    assert "Half" not in str(page.elements)


def test_how_it_stands_is_told_with_stop_and_then_send(talk: Talk) -> None:
    turn = begun(talk)

    def standing() -> str:
        return next(event.body for event in live.read(str(turn.pk), 0).events if event.name == "morph")

    assert "Queued" in standing()
    assert 'id="stop-answer"' in standing()
    turns.stop(talk.caller, turn_id=turn.pk)
    assert 'id="send"' in standing()
    assert live.read(str(turn.pk), 0).is_over


def test_many_tools_are_searched_and_the_page_says_so(talk: Talk) -> None:
    turn = begun(talk)
    tell(turn, ("tools", {"count": 312, "searched": True}))
    (event,) = numbered(live.read(str(turn.pk), 0).events)
    assert "The agent has 312 tools" in event.body


def test_a_problem_is_told_with_the_servers_words_as_words(talk: Talk) -> None:
    turn = begun(talk)
    body = {
        "origin": "server:7",
        "name": "<b>Away</b>",
        "code": "unreachable",
        "message": "\u202eNo.",
        "connects": True,
    }
    tell(turn, ("problem", body))
    (event,) = numbered(live.read(str(turn.pk), 0).events)
    assert "&lt;b&gt;Away" in event.body
    assert "[U+202E]No." in event.body
    assert reverse("chat:connect", args=[turn.conversation_id, 7]) in event.body


def test_what_is_told_is_nobodys_own(talk: Talk, model: ModelProvider, server: McpServer) -> None:
    printer = talk.give(server)
    model.answers += [calling(remote_name(printer, "echo"), text="ink"), Reply()]
    turn = talk.say()
    assert "csrf" not in str(live.read(str(turn.pk), 0).events)


def test_a_deleted_conversation_ends_its_stream(talk: Talk) -> None:
    turn = begun(talk)
    talk.conversation.delete()
    with pytest.raises(NotFound):
        live.read(str(turn.pk), 0)


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("", []),
        ("One\n", []),
        ("One\n\n", []),
        ("One\n\nTwo", ["One\n\n"]),
        ("One\r\n\r\nTwo", ["One\r\n\r\n"]),
        ("One\n \n\nTwo\n\n", ["One\n \n\n"]),
        ("```\na\n\nb", []),
        ("```\na\n\nb\n```\nc", ["```\na\n\nb\n```\n"]),
        ("~~~\n```\n\nb\n~~~\nc", ["~~~\n```\n\nb\n~~~\n"]),
        ("One\n\n```py\na\n\n", ["One\n\n"]),
        # What is set in belongs to the item before it.
        ("1. a\n\n   ```\n   x\n   ```\n\n2. b", ["1. a\n\n   ```\n   x\n   ```\n\n"]),
    ],
)
def test_whole_blocks_are_told_from_what_is_still_written_however_it_came(text: str, blocks: list[str]) -> None:
    for size in (1, 2, 3, 1000):
        writing, found = Writing(), []
        for at in range(0, len(text), size):
            complete, writing = writing.and_then(text[at : at + size])
            found += complete
        assert (found, writing.text) == (blocks, text[len("".join(blocks)) :])


def test_each_block_is_rendered_and_sent_once(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the answer gets, a block more costs what it is long."""
    turn, rendered = begun(talk), []

    def counted(text: str) -> SafeString:
        rendered.append(text)
        return markdown.rendered(text)

    monkeypatch.setattr(parts, "rendered", counted)
    text = "".join(f"Paragraph {number} of a long answer.\n\n" for number in range(100))
    writing(turn, text, size=len("Paragraph 10"))
    sent, after, last = 0, 0, TurnEvent.objects.filter(turn=turn).count()
    with CaptureQueriesContext(connection) as asked:
        while after < last:
            # As if it had only just come.
            reading = _one_more(turn, after, monkeypatch)
            sent += sum(len(event.body) for event in reading)
            after += 1
    assert len(rendered) == 99
    assert sum(map(len, rendered)) <= len(text)
    assert sent < 10 * len(text)
    # Nobody reads again what was read before.
    assert not [query for query in asked.captured_queries if "'began'" in query["sql"]]


def _one_more(turn: Turn, after: int, monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    monkeypatch.setattr(live, "AT_ONCE", 1)
    return numbered(live.read(str(turn.pk), after).events)


def test_what_steers_or_hides_text_is_named_while_it_is_written(talk: Talk) -> None:
    turn = begun(talk)
    writing(turn, "Safe \u202eevas\r\n and so on", size=1)
    page, after = Page(), 0
    while after < TurnEvent.objects.filter(turn=turn).count():
        page.take(live.read(str(turn.pk), after).events)
        after = TurnEvent.objects.filter(turn=turn).count()
    (html,) = page.elements.values()
    assert "[U+202E]evas\n and" in html
    assert page.elements == loaded(turn)
