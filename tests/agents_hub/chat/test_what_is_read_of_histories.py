"""A turn reads what its model is shown of a conversation, and nothing of what stands behind that."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agents_hub.chat import history
from agents_hub.models import Attachment, Message, Speaker, Turn, TurnStep
from llm import messages
from llm.turns import Said
from tests.agents_hub.chat.talks import Talk

pytestmark = pytest.mark.django_db


def said(talk: Talk, words: str, **file: Any) -> Message:
    asked: Message = Message.objects.create(conversation=talk.conversation, speaker=Speaker.PERSON, text=words)
    if file:
        usual = {"mime_type": "image/png", "kind": "image", "size": 100, "sha256": "0" * 64, "storage_name": "gone"}
        Attachment.objects.create(
            organization=talk.agent.organization, owner_id=talk.caller.user_id, conversation=talk.conversation,
            message=asked, **usual | file,
        )  # fmt: skip
    return asked


def answered(talk: Talk, *steps: tuple[str, dict[str, Any]]) -> Message:
    answer: Message = Message.objects.create(conversation=talk.conversation, speaker=Speaker.AGENT)
    turn = Turn.objects.create(
        conversation=talk.conversation, answer=answer, status="completed", ended_at=timezone.now()
    )
    for number, (kind, body) in enumerate(steps, 1):
        TurnStep.objects.create(turn=turn, number=number, kind=kind, body=body)
    return answer


def told_words(told: Any) -> str:
    return "\n".join(one.text for one in told if isinstance(one, Said))


def test_what_a_summary_stands_for_is_not_read_again(talk: Talk) -> None:
    before = [said(talk, "Long ago", name="old.txt", kind="text", text="An old file"), answered(talk)]
    after = [answered(talk, ("summary", {"text": "In short."})), said(talk, "Now?")]
    with CaptureQueriesContext(connection) as read:
        told = told_words(history.told_before([*before, *after]))
    assert (told.startswith("In short."), "Now?" in told, "Long ago" in told) == (True, True, False)
    assert not [query for query in read.captured_queries if before[0].pk.hex in query["sql"].replace("-", "")]


def test_of_images_those_alone_are_read_that_are_shown(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MOST_IMAGES", 2)
    told = told_words(history.told_before([said(talk, f"Look {number}", name=f"{number}.png") for number in range(3)]))
    # What is read is found to be gone; nobody looks for the first one.
    assert "The image “0.png” is left out" in told
    assert told.count("no longer there") == 2


def test_images_that_are_too_much_together_are_left_out_from_the_oldest_on(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "MOST_IMAGE_BYTES", 150)
    told = told_words(history.told_before([said(talk, "Look", name="old.png"), said(talk, "And", name="new.png")]))
    assert "The image “old.png” is left out" in told
    assert told.count("no longer there") == 1
