"""Reading conversations stays cheap however long they are and however much tools gave in them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.scopes import Scope
from agents_hub.chat import previews
from agents_hub.models import Message, Speaker, ToolUse, Turn
from agents_hub.services import exports
from mcp_gateway.rest.routes import chat_api
from tests.agents_hub.api.door import Rest, read
from tests.agents_hub.chat.seeing import shown, url
from tests.agents_hub.chat.talks import Talk
from tests.factories import make_key

pytestmark = pytest.mark.django_db

BYTES = "QUJD" * 100_000
LONG = "x" * 60_000


@pytest.fixture
def rest(talk: Talk) -> Rest:
    """A program with a key of the one who talks."""
    return Rest(make_key(User.objects.get(pk=talk.caller.user_id), Scope.WRITE)[1], chat_api)


def gave(talk: Talk, *blocks: dict[str, Any], place: int = 1, **result: Any) -> ToolUse:
    """A use of a tool in the conversation's last answer."""
    use: ToolUse = ToolUse.objects.create(
        turn=Turn.objects.get(answer=talk.conversation.tip_id), round=1, place=place, name="x", title="Look",
        origin="server:1", origin_name="Tides", status="done", ended_at=timezone.now(),
        result={"content": list(blocks), "structured": None, "notes": [], **result},
    )  # fmt: skip
    return use


def said(talk: Talk, count: int) -> None:
    """So many questions and answers."""
    before = None
    for number in range(count):
        asked = Message.objects.create(
            conversation=talk.conversation, before=before, speaker=Speaker.PERSON, text=f"Question {number}"
        )
        before = Message.objects.create(
            conversation=talk.conversation, before=asked, speaker=Speaker.AGENT, text=f"Answer {number}"
        )
        Turn.objects.create(conversation=talk.conversation, answer=before, status="completed", ended_at=timezone.now())
    talk.conversation.tip = before
    talk.conversation.save()


@pytest.fixture
def reads_no_result() -> Iterator[None]:
    """Whatever is read within it, no result of a tool leaves the database whole."""
    with CaptureQueriesContext(connection) as seen:
        yield
    assert not [query for query in seen.captured_queries if '"agents_hub_tooluse"."result"' in query["sql"]]


def test_a_conversation_is_read_from_its_end_by_as_many_messages_as_are_asked_for(rest: Rest, talk: Talk) -> None:
    said(talk, 3)
    address = f"conversations/{talk.conversation.pk}"
    last = read(rest.get(f"{address}?most=4"))
    assert ([one["text"] for one in last["messages"]], last["earlier"]) == (
        ["Question 1", "Answer 1", "Question 2", "Answer 2"], 2,
    )  # fmt: skip
    first = read(rest.get(f"{address}?most=4&before={last['messages'][0]['id']}"))
    assert ([one["text"] for one in first["messages"]], first["earlier"]) == (["Question 0", "Answer 0"], 0)


def test_messages_before_one_that_is_not_shown_cannot_be_read(rest: Rest, talk: Talk) -> None:
    said(talk, 1)
    answer = rest.get(f"conversations/{talk.conversation.pk}?before={talk.conversation.pk}")
    assert answer.status_code == 404
    assert "Read it from its end again" in read(answer)["message"]


def test_a_conversation_without_messages_reads_so(rest: Rest, talk: Talk) -> None:
    found = read(rest.get(f"conversations/{talk.conversation.pk}"))
    assert (found["messages"], found["earlier"]) == ([], 0)


@pytest.mark.usefixtures("reads_no_result")
def test_long_results_are_cut_where_they_are_read_and_say_so(rest: Rest, talk: Talk) -> None:
    said(talk, 1)
    gave(
        talk,
        {"type": "text", "text": LONG},
        {"type": "image", "mimeType": "image/png", "data": BYTES},
        {"type": "resource", "resource": {"uri": "a://b", "mimeType": "text/plain", "text": LONG}},
        structured={"all": LONG},
    )
    conversation = rest.get(f"conversations/{talk.conversation.pk}")
    (use,) = read(conversation)["messages"][1]["turn"]["toolUses"]
    assert use["isCut"]
    text, image, resource = use["result"]["content"]
    assert (text["text"], text["cut"]) == ("x" * 20_000, {"text": 60_000})
    assert image == {"type": "image", "mimeType": "image/png", "cut": {"data": 400_000}}
    assert len(resource["resource"]["text"]) == 20_000
    assert use["result"]["structured"].startswith('{"all": "xxx')
    assert len(conversation.content) < 100_000
    turn = rest.get(f"turns/{Turn.objects.get().pk}")
    assert read(turn)["toolUses"] == [use]


def test_a_whole_result_has_an_address(rest: Rest, talk: Talk) -> None:
    said(talk, 1)
    use = gave(talk, {"type": "image", "mimeType": "image/png", "data": BYTES}, structured={"all": LONG})
    whole = read(rest.get(f"tool-uses/{use.pk}"))
    assert whole["result"] == use.result
    assert not whole["isCut"]


def test_short_results_are_whole_and_those_of_calls_without_any_are_none(rest: Rest, talk: Talk) -> None:
    said(talk, 1)
    result = {"content": [{"type": "text", "text": "At six."}], "structured": {"at": None}, "notes": ["Slow."]}
    gave(talk, {"type": "text", "text": "At six."}, structured={"at": None}, notes=["Slow."])
    ToolUse.objects.create(
        turn=Turn.objects.get(), round=1, place=2, name="x", title="Look", origin="x", origin_name="x", status="failed"
    )
    one, other = read(rest.get(f"turns/{Turn.objects.get().pk}"))["toolUses"]
    assert (one["result"], one["isCut"]) == (result, False)
    assert (other["result"], other["isCut"]) == (None, False)


@pytest.mark.usefixtures("reads_no_result")
def test_the_page_reads_no_more_of_a_result_than_it_shows(browser: Client, talk: Talk) -> None:
    said(talk, 1)
    use = gave(
        talk,
        {"type": "text", "text": LONG},
        {"type": "image", "mimeType": "image/png", "data": BYTES},
        {"type": "audio", "mimeType": "audio/wav", "data": BYTES},
    )
    page = shown(browser, talk)
    assert "60,000 characters in all" in page
    assert f'src="{url("result", use.pk, 2)}"' in page
    assert "Audio, audio/wav, 300,000 bytes" in page
    assert len(page) < 100_000


def test_a_long_structured_result_is_cut_in_the_page_and_whole_by_its_address(browser: Client, talk: Talk) -> None:
    said(talk, 1)
    use = gave(talk, structured={"all": LONG})
    assert "60,011 characters in all" in shown(browser, talk)
    kept = browser.get(url("result", use.pk, 0))
    assert json.loads(kept.content) == {"all": LONG}
    assert kept.headers["Content-Disposition"].startswith("attachment")


def test_what_there_is_no_room_for_says_so_and_can_be_had(
    browser: Client, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previews, "MOST_TOGETHER", 30_000)
    said(talk, 1)
    older = gave(talk, {"type": "text", "text": LONG})
    gave(talk, {"type": "text", "text": f"newer {LONG}"}, place=2)
    page = shown(browser, talk)
    assert "newer xxx" in page
    assert "no room for this result" in page
    whole = browser.get(url("whole-result", older.pk))
    assert json.loads(whole.content) == older.result
    assert "sandbox" in whole.headers["Content-Security-Policy"]


def test_of_very_many_blocks_the_first_are_shown(browser: Client, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "MOST_BLOCKS", 2)
    said(talk, 1)
    gave(talk, *({"type": "text", "text": f"Block {number}."} for number in range(5)))
    page = shown(browser, talk)
    assert "Block 1." in page
    assert "Block 2." not in page
    assert "3 more blocks not shown here." in page


def test_an_export_by_rest_is_a_file(rest: Rest, talk: Talk) -> None:
    said(talk, 2)
    gave(talk, {"type": "text", "text": LONG})
    kept = rest.get(f"conversations/{talk.conversation.pk}/export?form=json")
    assert kept.headers["Content-Type"] == "application/json; charset=utf-8"
    assert kept.headers["Content-Disposition"].startswith('attachment; filename="conversation-')
    told = json.loads(b"".join(kept.streaming_content))  # type: ignore[attr-defined]
    assert [one["text"] for one in told["messages"]] == ["Question 0", "Answer 0", "Question 1", "Answer 1"]
    assert told["messages"][-1]["turn"]["toolUses"][0]["result"]["content"][0]["text"] == LONG


def test_an_export_reads_what_it_is_about_to_write(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few messages at a time, and of what tools gave one result at a time."""
    monkeypatch.setattr(exports, "BATCH", 2)
    said(talk, 3)
    for place in (1, 2, 3):
        gave(talk, {"type": "text", "text": f"Result {place}"}, place=place)
    _, pieces = exports.export_conversation(
        talk.caller, conversation_id=talk.conversation.pk, form=exports.Form.MARKDOWN
    )
    written = ""
    while "Question 0" not in written:
        written += next(pieces)
    # What is deleted while it goes on is left out.
    ToolUse.objects.filter(place=2).delete()
    Message.objects.filter(text="Question 1").update(text="Question one")
    written += "".join(pieces)
    assert "Question one" in written
    assert "Result 1" in written
    assert "Result 2" not in written
