"""What a remote tool answered is passed on as it came, or cut with a word about it."""

from typing import Any

import pytest
from mcp_types import CallToolResult
from pytest_django import Settings

from mcp_gateway.remote import results
from mcp_gateway.remote.results import RemoteResult


def passed_on(**fields: Any) -> RemoteResult:
    return results.passed_on(CallToolResult.model_validate(fields))


BLOCKS: list[dict[str, Any]] = [
    {"type": "text", "text": "words", "annotations": {"audience": ["user"], "priority": 0.5}, "_meta": {"a": None}},
    {"type": "image", "data": "AAEC", "mimeType": "image/png"},
    {"type": "audio", "data": "AAEC", "mimeType": "audio/wav"},
    {"type": "resource_link", "uri": "notes://1", "name": "notes", "size": 12},
    {"type": "resource", "resource": {"uri": "notes://1", "text": "inside", "mimeType": "text/plain"}},
    {"type": "resource", "resource": {"uri": "notes://2", "blob": "AAEC"}},
]


@pytest.mark.parametrize("block", BLOCKS, ids=[f"{block['type']}-{n}" for n, block in enumerate(BLOCKS)])
def test_a_block_is_passed_on_as_it_came(block: dict[str, Any]) -> None:
    assert passed_on(content=[block]).content == (block,)


@pytest.mark.parametrize("value", [{"a": [1, None, {"b": "é"}]}, [1, 2], "text", 0, False], ids=str)
def test_structured_content_of_any_kind_is_passed_on(value: Any) -> None:
    assert passed_on(content=[], structuredContent=value).structured == value


def test_an_error_stays_one() -> None:
    result = passed_on(content=[{"type": "text", "text": "No paper."}], isError=True)
    assert (result.is_error, result.text) == (True, "No paper.")


def test_text_is_cut_between_characters_and_says_so(settings: Settings) -> None:
    settings.MCP_REMOTE_TEXT_BYTES = 5
    result = passed_on(content=[{"type": "text", "text": "ééé"}, {"type": "text", "text": "more"}])
    assert result.notes[0] == "The text was cut: 6 bytes, of which 4 are here."
    assert result.content[0]["text"] == f"éé\n[{result.notes[0]}]"
    assert result.content[1]["text"] == f"\n[{result.notes[1]}]"


def test_what_is_too_large_to_show_is_left_out_with_a_word(settings: Settings) -> None:
    settings.MCP_REMOTE_MEDIA_BYTES = 10
    small = {"type": "image", "data": "AAEC", "mimeType": "image/png"}
    large = {"type": "image", "data": "A" * 40, "mimeType": "image/png"}
    file = {"type": "resource", "resource": {"uri": "notes://2", "blob": "A" * 40}}
    result = passed_on(content=[small, large, file])
    assert result.content[0] == small
    assert result.content[1]["text"].startswith("[An image of 30 bytes was left out")
    assert result.content[2]["text"].startswith("[A file of 30 bytes was left out")
    assert len(result.notes) == 2


def test_structured_content_that_is_too_large_is_left_out_whole(settings: Settings) -> None:
    """Half of a JSON value is none."""
    settings.MCP_REMOTE_TEXT_BYTES = 20
    result = passed_on(content=[{"type": "text", "text": "short"}], structuredContent={"a": "x" * 30})
    assert (result.structured, result.text) == (None, "short")
    assert "left out" in result.notes[0]
