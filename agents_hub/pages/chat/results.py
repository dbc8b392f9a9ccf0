"""What a tool was given and gave, made ready to be read: text as text, images from an address of ours, the rest named.

All of it is strangers' text: escaped, what would steer or hide it spelled out, never markup. HTML is text as well.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents_hub.chat.markdown_links import destination
from agents_hub.models import ToolUse
from security.visible import visible

# Shown in the page; anything else is offered as a file to keep.
IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
# Of one text, in characters; the whole is a file to keep.
MOST_SHOWN = 20_000


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a result; `number` is its place, by which its content has an address."""

    number: int
    caption: str
    text: str = ""
    is_image: bool = False
    is_file: bool = False
    link: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    blocks: tuple[Block, ...]
    structured: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.blocks or self.structured or self.notes)


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one block, to be sent. `mime_type` is an image's, or empty for what is only ever kept."""

    body: bytes
    mime_type: str = ""


def as_json(value: Any) -> str:
    """For people, indented; nothing for nothing."""
    return "" if value in (None, {}) else visible(json.dumps(value, indent=2, ensure_ascii=False))


def result_of(use: ToolUse) -> Result | None:
    if use.result is None:
        return None
    blocks = [_block(number, block) for number, block in enumerate(use.result.get("content") or [], 1)]
    structured, said = use.result.get("structured"), use.result.get("content") or []
    return Result(
        tuple(block for block in blocks if block is not None),
        "" if _is_said_again(structured, said) else _cut(as_json(structured))[0],
        tuple(visible(str(note)) for note in use.result.get("notes") or []),
    )


def content_of(use: ToolUse, number: int) -> Content | None:
    """What the block holds, for its own address; nothing where it holds none, or cannot be read."""
    blocks = (use.result or {}).get("content") or []
    block = blocks[number - 1] if 0 < number <= len(blocks) else {}
    inside = block.get("resource") or {}
    encoded = block.get("data") or inside.get("blob")
    if encoded is None:
        text = block.get("text") or inside.get("text")
        return None if text is None else Content(str(text).encode("utf-8", "replace"))
    try:
        body = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    mime_type = str(block.get("mimeType"))
    return Content(body, mime_type if block.get("type") == "image" and mime_type in IMAGES else "")


def _block(number: int, block: Mapping[str, Any]) -> Block | None:
    kind = str(block.get("type", ""))
    if kind == "text":
        return _text(number, "Text", str(block.get("text", "")))
    if kind == "image" and block.get("mimeType") in IMAGES:
        return Block(number, "Image", is_image=True)
    if kind in ("image", "audio"):
        return Block(number, f"{kind.capitalize()}, {_kind_and_size(block, 'data')}", is_file=True)
    if kind == "resource":
        inside = block.get("resource") or {}
        name = visible(str(inside.get("uri", "A resource")))[:500]
        if "text" in inside:
            return _text(number, name, str(inside["text"]))
        return Block(number, f"{name}, {_kind_and_size(inside, 'blob')}", is_file=True)
    if kind == "resource_link":
        url = str(block.get("uri", ""))
        name = visible(str(block.get("title") or block.get("name") or url))[:500]
        host = destination(url)
        return Block(number, name, link=url if host else "", host=host or visible(url)[:500])
    words = visible(kind.replace("_", " ").capitalize())[:100] or "Block"
    return Block(number, words, as_json(dict(block))[:MOST_SHOWN])


def _text(number: int, caption: str, text: str) -> Block | None:
    shown, is_cut = _cut(visible(text))
    return Block(number, caption, shown, is_file=is_cut) if text.strip() else None


def _cut(text: str) -> tuple[str, bool]:
    if len(text) <= MOST_SHOWN:
        return text, False
    return f"{text[:MOST_SHOWN]}\n… {len(text):,} characters in all", True


def _is_said_again(structured: Any, blocks: Any) -> bool:
    """Whether the structured content is nothing but what the only text block says already."""
    if structured is None or len(blocks) != 1 or blocks[0].get("type") != "text":
        return structured is None
    text = str(blocks[0].get("text"))
    try:
        return structured == {"result": text} or structured in (json.loads(text), {"result": json.loads(text)})
    except ValueError:
        return False


def _kind_and_size(inside: Mapping[str, Any], key: str) -> str:
    kind = visible(str(inside.get("mimeType", "unknown type")))[:100]
    return f"{kind}, {len(str(inside.get(key, ''))) * 3 // 4:,} bytes"
