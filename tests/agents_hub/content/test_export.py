"""A conversation taken along: all that was said and done, in order, and no secrets or bytes."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from markdown_it import MarkdownIt

from accounts.models import Organization
from agents_hub.chat.export import FORMAT, Part, as_json, as_markdown
from agents_hub.models import Agent, Attachment, Conversation, Message, ToolUse, Turn

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "sk-a-key-that-nobody-may-ever-read-0123456789"


@pytest.fixture
def conversation() -> Conversation:
    agent = Agent(name="Harbour *master*", organization=Organization(name="Lantern"))
    return Conversation(agent=agent, title="Tides <b>", created_at=AT, updated_at=AT)


def asked(text: str = "When is high tide?", *attachments: Attachment) -> Part:
    return Part(Message(speaker="person", text=text, created_at=AT), attachments)


def answered(text: str, *uses: ToolUse, texts: Sequence[str] = (), **fields: Any) -> Part:
    turn = Turn(
        status="completed", model="main:gpt-5", rounds=2, input_tokens=1_200, cached_tokens=40, output_tokens=30,
        cost_usd=Decimal("0.00120000"), created_at=AT, ended_at=AT,
    )  # fmt: skip
    for name, value in fields.items():
        setattr(turn, name, value)
    return Part(Message(speaker="agent", text=text, created_at=AT), turn=turn, tool_uses=uses, texts=texts)


def used(result: Any = None, **fields: Any) -> ToolUse:
    shown = {"content": [{"type": "text", "text": "At six."}]} if result is None else result
    given = {"name": "tides_look", "title": "Look", "origin": "server:1", "origin_name": "Tides", "status": "done"}
    return ToolUse(**({"round": 1} | given | fields), result=shown, started_at=AT, ended_at=AT)


def test_json_holds_what_was_said_and_done(conversation: Conversation) -> None:
    file = Attachment(name="chart.png", mime_type="image/png", size=70, kind="image", text="")
    text = "".join(as_json(conversation, [asked("Look.", file), answered("At six.", used(arguments={"at": "noon"}))]))
    told = json.loads(text)
    assert (told["format"], told["title"], told["agent"]["name"]) == (FORMAT, "Tides <b>", "Harbour *master*")
    question, answer = told["messages"]
    assert (question["speaker"], question["text"], question["turn"]) == ("person", "Look.", None)
    assert question["attachments"] == [{"name": "chart.png", "mimeType": "image/png", "size": 70, "kind": "image"}]
    assert answer["createdAt"] == "2026-03-01T12:00:00Z"
    assert answer["turn"]["usage"] == {
        "inputTokens": 1_200,
        "cachedTokens": 40,
        "outputTokens": 30,
        "costUsd": "0.00120000",
    }
    (use,) = answer["turn"]["toolUses"]
    assert (use["name"], use["arguments"], use["status"], use["round"]) == ("tides_look", {"at": "noon"}, "done", 1)
    assert use["result"] == {"content": [{"type": "text", "text": "At six."}]}


def test_an_empty_conversation_is_json_too(conversation: Conversation) -> None:
    assert json.loads("".join(as_json(conversation, [])))["messages"] == []


@pytest.mark.parametrize("export", [as_json, as_markdown])
def test_what_is_exported_comes_as_it_is_read(conversation: Conversation, export: Any) -> None:
    """A long conversation is never whole in memory."""
    read = 0

    def parts() -> Any:
        nonlocal read
        for _ in range(100):
            read += 1
            yield asked()

    pieces = export(conversation, parts())
    next(pieces)
    next(pieces)
    assert read == 1
    assert len(list(pieces)) >= 99


@pytest.mark.parametrize("export", [as_json, as_markdown])
def test_secrets_and_bytes_are_left_out(conversation: Conversation, export: Any) -> None:
    result = {
        "content": [
            {"type": "text", "text": f"Authorized with {KEY}."},
            {"type": "image", "mimeType": "image/png", "data": "QUJD" * 1_000},
            {"type": "resource", "resource": {"uri": "a://b", "mimeType": "text/plain", "blob": "QUJD"}},
        ]
    }
    use = used(result, arguments={"password": "a lamp in the window", "at": "noon"})
    text = "".join(export(conversation, [answered("Done.", use)]))
    assert KEY not in text
    assert "a lamp in the window" not in text
    assert "QUJD" not in text
    assert "noon" in text
    assert "4,000 characters of Base64 left out" in text


def test_markdown_shows_tools_where_they_were_used(conversation: Conversation) -> None:
    answer = answered("I look.\n\nAt six.\n\nAnd", used(), texts=["I look.", "At six."])
    text = "".join(as_markdown(conversation, [asked(), answer]))
    assert text.startswith("# Tides \\<b\\>\n\nWith Harbour \\*master\\*, begun 2026-03-01 12:00 UTC.\n")
    pieces = ["I look.", "> **Look** of Tides: done", "```text\nAt six.\n```", "\n\nAt six.\n", "\n\nAnd\n"]
    places = [text.index(piece) for piece in pieces]
    assert places == sorted(places)
    assert text.rstrip().endswith("*Completed.* *main:gpt-5: 1,200 tokens read, 30 written, $0.0012.*")


def test_where_it_is_not_known_when_tools_were_used_they_come_first(conversation: Conversation) -> None:
    for texts in ([], ["Something else."]):
        text = "".join(as_markdown(conversation, [answered("I looked.", used(round=2), texts=texts)]))
        assert text.index("> **Look**") < text.index("I looked.")
        assert "Something else." not in text


def test_a_turn_that_failed_says_why(conversation: Conversation) -> None:
    text = "".join(as_markdown(conversation, [answered("", status="error", error="The model is away.", cost_usd=None)]))
    assert "*Error.* The model is away." in text
    assert "$" not in text


@pytest.mark.parametrize(
    "text",
    ["```py\nx = 1", "~~~~\n```\n~~~", "- a\n  ```\n  b", "  ```\nx", "````\n```\nx"],
)
def test_an_open_fence_takes_in_nothing_of_what_follows(conversation: Conversation, text: str) -> None:
    whole = "".join(as_markdown(conversation, [answered(text), asked("And then?")]))
    tokens = MarkdownIt("commonmark").parse(whole)
    assert "And then?" in [token.content for token in tokens if token.type == "inline"]


def test_a_result_cannot_end_its_block(conversation: Conversation) -> None:
    result = {"content": [{"type": "text", "text": "```\n# Not a heading\n````"}]}
    whole = "".join(as_markdown(conversation, [answered("Done.", used(result, title="a\n# b*"))]))
    headings = [token.tag for token in MarkdownIt("commonmark").parse(whole) if token.type == "heading_open"]
    assert headings == ["h1"]
