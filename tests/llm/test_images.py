"""Images are shown to models, with what is said and with what tools answer, as many as providers take."""

import base64
from typing import Any

import pytest

from accounts.models import Organization
from llm import messages
from llm.asking import ModelRefused
from llm.models import Provider
from llm.turns import Image, Question, Returned, Said, ToolResult, ToolSpec
from tests.fakes.model_provider import Fault, ModelProvider, Reply
from tests.llm.asking import think

DOT = Image("image/png", b"\x89PNG a dot")
LOOK = ToolSpec("look", "Looks.", {"type": "object", "properties": {}})


def shown(fake: ModelProvider) -> list[str]:
    """The images of the last question, decoded, in the order in which the provider was given them."""
    found: list[str] = []

    def walk(value: Any) -> None:
        match value:
            case {"type": "image_url", "image_url": {"url": str(url)}}:
                found.append(base64.b64decode(url.removeprefix("data:image/png;base64,")).decode(errors="replace"))
            case {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": str(encoded)}}:
                found.append(base64.b64decode(encoded).decode(errors="replace"))
            case dict():
                for inner in value.values():
                    walk(inner)
            case list():
                for inner in value:
                    walk(inner)

    walk(fake.seen[-1].body["messages"])
    return found


@pytest.mark.parametrize("kind", ["main", "claude"])
def test_what_is_shown_arrives_with_what_is_said(
    kind: str, organization: Organization, openai: Provider, anthropic: Provider, fake: ModelProvider
) -> None:
    think(organization, kind, Question("Be brief.", [Said("What is this?", [DOT])]))
    assert shown(fake) == [DOT.data.decode(errors="replace")]
    assert "What is this?" in str(fake.seen[-1].body["messages"])


@pytest.mark.parametrize("kind", ["main", "claude"])
def test_what_a_tool_shows_arrives_after_its_call(
    kind: str, organization: Organization, openai: Provider, anthropic: Provider, fake: ModelProvider
) -> None:
    fake.answers.append(Reply(pieces=(), calls=(("look", "{}"),)))
    answer, _ = think(organization, kind, Question("Look.", [Said("Look!")], tools=[LOOK]))
    result = ToolResult(answer.calls[0].id, "look", "A dot is seen.", images=[DOT])
    think(organization, kind, Question("Look.", [Said("Look!"), answer, Returned([result])], tools=[LOOK]))
    assert shown(fake) == [DOT.data.decode(errors="replace")]
    assert "A dot is seen." in str(fake.seen[-1].body["messages"])


@pytest.mark.parametrize("kind", ["main", "claude"])
def test_of_too_many_images_the_newest_are_shown_and_the_rest_is_said(
    kind: str,
    organization: Organization,
    openai: Provider,
    anthropic: Provider,
    fake: ModelProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(messages, "MOST_IMAGES", 2)
    numbered = [Image("image/png", f"{number}".encode()) for number in range(4)]
    think(organization, kind, Question("", [Said("First.", numbered[:2]), Said("Then.", numbered[2:])]))
    assert shown(fake) == ["2", "3"]
    assert str(fake.seen[-1].body["messages"]).count("An image stood here") == 2


def test_one_too_large_and_one_of_another_type_are_left_out_and_said(
    organization: Organization, openai: Provider, fake: ModelProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "MOST_IMAGE_BYTES", 20)
    large, drawn = Image("image/png", b"x" * 21), Image("image/svg+xml", b"<svg/>")
    think(organization, "main", Question("", [Said("", [large, drawn, DOT])]))
    assert shown(fake) == [DOT.data.decode(errors="replace")]
    said = str(fake.seen[-1].body["messages"])
    assert "too large" in said
    assert "no model takes its type" in said
    assert "svg" not in said


@pytest.mark.parametrize("kind", ["main", "claude"])
@pytest.mark.parametrize("status", [400, 422])
def test_a_model_that_refuses_images_is_said_to_perhaps_not_take_them(
    kind: str, status: int, organization: Organization, openai: Provider, anthropic: Provider, fake: ModelProvider
) -> None:
    fake.answers.append(Fault(status))
    with pytest.raises(ModelRefused, match="takes images") as caught:
        think(organization, kind, Question("", [Said("Look!", [DOT])]))
    assert caught.value.code == "images_refused"
    fake.answers.append(Fault(status))
    with pytest.raises(ModelRefused, match=r"Check the model's name") as caught:
        think(organization, kind, Question("", [Said("Hello")]))
    assert caught.value.code == "model_refused"


def test_an_image_is_not_written_to_logs_with_its_bytes() -> None:
    assert "dot" not in repr(Said("Look!", [DOT]))
