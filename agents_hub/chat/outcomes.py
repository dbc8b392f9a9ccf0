"""What a call came to, as the model is told of it."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from agents_hub.chat.sources import ToolOutcome
from agents_hub.files import pixels
from agents_hub.models import ToolUse
from llm.telling import UNKNOWN, clipped
from llm.turns import Image, ToolCall, ToolResult

# Of what one call gives the model, in characters. People see all that is kept.
MOST_GIVEN = 50_000
# Stand for the result of a call that ended with its turn.
NO_RESULT = "There is no result: the answer was ended before the call was done. It may have been carried out."
NOT_MADE = "There is no result: the answer was ended before the call was made."
# Whoever goes on with a turn makes no such call again. All others began and were cut off, or never began.
SETTLED = frozenset({ToolUse.Status.DONE, ToolUse.Status.FAILED, ToolUse.Status.DENIED})


def result(call: ToolCall, outcome: ToolOutcome) -> ToolResult:
    """What the model is given of it: the structured content where there is any, else the words."""
    return ToolResult(call.id, call.name, _given(outcome), outcome.is_error, images=_images(outcome))


def result_known(call: ToolCall, use: ToolUse | None) -> ToolResult:
    """What the model is given of a call whose result was not kept, in a later turn; `use` is its row, where it has
    one."""
    if use is not None and use.status in SETTLED:
        return replace(result(call, outcome_of(use)), images=())
    is_begun = use is not None and use.began_at is not None
    return ToolResult(call.id, call.name, NO_RESULT if is_begun else NOT_MADE, failed=True)


def outcome_of(use: ToolUse) -> ToolOutcome:
    """What a call that was made before gave."""
    kept: Mapping[str, Any] = use.result or {}
    return ToolOutcome(
        kept.get("content", ()), kept.get("structured"), use.status != ToolUse.Status.DONE, kept.get("notes", ())
    )


def unknown(use: ToolUse) -> ToolOutcome:
    """Of a call that nobody saw the end of, with what it said on its way."""
    notes = (use.result or {}).get("notes", ())
    return replace(ToolOutcome.said(UNKNOWN, failed=True), notes=notes)


def _images(outcome: ToolOutcome) -> list[Image]:
    """The pictures that the tool gave, for models that look at them. They are not kept for later questions.

    A broken one is left out: providers would reject the whole question for it.
    """
    found = []
    for block in outcome.content:
        if block.get("type") == "image":
            mime_type = str(block.get("mimeType"))
            with suppress(binascii.Error, ValueError):
                content = b64decode(str(block.get("data")), validate=True)
                if mime_type not in pixels.MIME_TYPES or pixels.is_whole(mime_type, content):
                    found.append(Image(mime_type, content))
    return found


def _given(outcome: ToolOutcome) -> Any:
    if outcome.structured is not None and not outcome.is_error:
        return clipped(outcome.structured, MOST_GIVEN)
    others = [f"[{block.get('type')}: shown to the person]" for block in outcome.content if block.get("type") != "text"]
    return clipped("\n".join([outcome.text, *others]).strip(), MOST_GIVEN) or "Done; the tool returned nothing."
