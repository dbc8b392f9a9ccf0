"""What a call came to, as the model is told of it."""

import binascii
import json
from base64 import b64decode
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from agents_hub.chat.sources import ToolOutcome
from agents_hub.models import ToolUse
from llm.turns import Image, ToolCall, ToolResult

# Of what one call gives the model, in characters. People see all that is kept.
MOST_GIVEN = 50_000
# Whoever goes on with a turn makes no such call again. All others began and were cut off, or never began.
SETTLED = frozenset({ToolUse.Status.DONE, ToolUse.Status.FAILED, ToolUse.Status.DENIED})


def result(call: ToolCall, outcome: ToolOutcome) -> ToolResult:
    """What the model is given of it: the structured content where there is any, else the words."""
    return ToolResult(call.id, call.name, _given(outcome), outcome.is_error, images=_images(outcome))


def _images(outcome: ToolOutcome) -> list[Image]:
    """The pictures that the tool gave, for models that look at them. They are not kept for later questions."""
    found = []
    for block in outcome.content:
        if block.get("type") == "image":
            with suppress(binascii.Error, ValueError):
                found.append(Image(str(block.get("mimeType")), b64decode(str(block.get("data")), validate=True)))
    return found


def _given(outcome: ToolOutcome) -> Any:
    if outcome.structured is not None and not outcome.is_error:
        return _clipped(outcome.structured)
    others = [f"[{block.get('type')}: shown to the person]" for block in outcome.content if block.get("type") != "text"]
    return _clipped("\n".join([outcome.text, *others]).strip()) or "Done; the tool returned nothing."


def _clipped(given: Any) -> Any:
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    if len(text) <= MOST_GIVEN:
        return given
    return f"{text[:MOST_GIVEN]}\n[It was cut here: {len(text):,} characters.]"


def outcome_of(use: ToolUse) -> ToolOutcome:
    """What a call that was made before gave."""
    kept: Mapping[str, Any] = use.result or {}
    return ToolOutcome(
        kept.get("content", ()), kept.get("structured"), use.status != ToolUse.Status.DONE, kept.get("notes", ())
    )
