"""What a remote tool answered: passed on as it came, block by block, unless there is too much of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from mcp_types import CallToolResult

# Blocks that carry base64 in `data`, and what they are called.
_MEDIA = {"image": "An image", "audio": "A sound"}


@dataclass(frozen=True, slots=True)
class RemoteResult:
    """A tool's answer: content blocks as the protocol writes them, structured content, and whether it is an error.

    `notes` say what was left out or cut and are for people and models alike; the text blocks in its place say it too.
    """

    content: tuple[Mapping[str, Any], ...]
    structured: Any = None
    is_error: bool = False
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text blocks, one after the other."""
        return "\n".join(block["text"] for block in self.content if block.get("type") == "text")


def failed(message: str) -> RemoteResult:
    """An error that the server gave instead of a result, as a result."""
    return RemoteResult(content=({"type": "text", "text": message},), is_error=True)


def passed_on(result: CallToolResult) -> RemoteResult:
    """The result in plain data, within the sizes of the settings."""
    raw = result.model_dump(by_alias=True, mode="json", exclude_unset=True)
    budget = _Budget(settings.MCP_REMOTE_TEXT_BYTES, settings.MCP_REMOTE_MEDIA_BYTES)
    content = tuple(budget.block(block) for block in raw.get("content", []))
    # None is a value that a tool may give; that it gave none is another thing.
    given = "structured_content" in result.model_fields_set
    structured = budget.structured(result.structured_content) if given else None
    return RemoteResult(
        content=content, structured=structured, is_error=bool(result.is_error), notes=tuple(budget.notes)
    )


class _Budget:
    """What may still be passed on of one result: bytes of text and, by themselves, of images, sounds and files."""

    def __init__(self, text: int, media: int) -> None:
        self._most_text, self._most_media = text, media
        self._text, self._media = text, media
        self.notes: list[str] = []

    def block(self, block: dict[str, Any]) -> dict[str, Any]:
        kind = str(block.get("type"))
        if kind == "text":
            return {**block, "text": self._cut(block["text"])}
        if kind in _MEDIA:
            size = len(block["data"]) * 3 // 4
            return block if self._fits(size) else self._left_out(_MEDIA[kind], size)
        if kind == "resource":
            return self._resource(block)
        return block

    def structured(self, value: Any) -> Any:
        size = len(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        # It is most often the text over again, so it has a measure of its own.
        if size <= self._most_text:
            return value
        self.notes.append(f"The structured content was left out: it has {size:,} of at most {self._most_text:,} bytes.")
        return None

    def _resource(self, block: dict[str, Any]) -> dict[str, Any]:
        inside = block["resource"]
        if "text" in inside:
            return {**block, "resource": {**inside, "text": self._cut(inside["text"])}}
        size = len(inside.get("blob", "")) * 3 // 4
        return block if self._fits(size) else self._left_out("A file", size)

    def _cut(self, text: str) -> str:
        # No character has fewer bytes than one: most texts are let through without being encoded.
        size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        if size <= self._text:
            self._text -= size
            return text
        kept = text.encode("utf-8", "surrogatepass")[: self._text].decode("utf-8", "ignore")
        self._text = 0
        note = f"The text was cut: {size:,} bytes, of which {len(kept.encode()):,} are here."
        self.notes.append(note)
        return f"{kept}\n[{note}]"

    def _fits(self, size: int) -> bool:
        if size > self._media:
            return False
        self._media -= size
        return True

    def _left_out(self, what: str, size: int) -> dict[str, Any]:
        note = f"{what} of {size:,} bytes was left out: a result may carry {self._most_media:,} bytes of such data."
        self.notes.append(note)
        return {"type": "text", "text": f"[{note}]"}
