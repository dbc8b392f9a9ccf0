"""What a tool was given and gave, made ready to be read: text as text, images from an address of ours, the rest named.

All of it is strangers' text: escaped, what would steer or hide it spelled out, never markup. HTML is text as well.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pydantic_core

from agents_hub.chat.markdown_links import destination
from agents_hub.chat.previews import CUT, Preview
from agents_hub.models import ToolUse
from security.visible import visible

# Shown in the page; anything else is offered as a file to keep.
IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
# The number of a result's structured content among what has an address; blocks are counted from 1.
STRUCTURED = 0
# How many times as long as it came a text may be for being indented.
MOST_LONGER = 4
SPACE = re.compile(r"\s+")


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
    """`more` blocks are not shown; nothing of it is where `is_left_out`. The call's address has all of it."""

    blocks: tuple[Block, ...]
    structured: str = ""
    notes: tuple[str, ...] = ()
    is_structured_cut: bool = False
    more: int = 0
    is_left_out: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.blocks or self.structured or self.is_structured_cut or self.notes or self.is_left_out)


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one block, to be sent. `mime_type` is an image's, or empty for what is only ever kept."""

    body: bytes
    mime_type: str = ""


def as_json(value: Any) -> str:
    """For people, indented; nothing for nothing."""
    return "" if value in (None, {}) else visible(json.dumps(value, indent=2, ensure_ascii=False))


def result_of(preview: Preview | None) -> Result | None:
    if preview is None:
        return None
    blocks = [_block(number, block) for number, block in enumerate(preview.blocks, 1)]
    return Result(
        tuple(block for block in blocks if block is not None),
        _structured(preview),
        tuple(visible(str(note)) for note in preview.notes),
        is_structured_cut=bool(preview.structured_cut),
        more=preview.more,
        is_left_out=preview.is_left_out,
    )


def content_of(use: ToolUse, number: int) -> Content | None:
    """What the block holds, for its own address; nothing where it holds none, or cannot be read."""
    result = use.result or {}
    if number == STRUCTURED:
        structured = result.get("structured")
        return None if structured is None else Content(json.dumps(structured, ensure_ascii=False, indent=1).encode())
    blocks = result.get("content") or []
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
        return _text(number, "Text", block)
    if kind == "image" and block.get("mimeType") in IMAGES:
        return Block(number, "Image", is_image=True)
    if kind in ("image", "audio"):
        return Block(number, f"{kind.capitalize()}, {_kind_and_size(block, 'data')}", is_file=True)
    if kind == "resource":
        inside = block.get("resource") or {}
        name = visible(str(inside.get("uri", "A resource")))[:500]
        if "text" in inside:
            return _text(number, name, inside)
        return Block(number, f"{name}, {_kind_and_size(inside, 'blob')}", is_file=True)
    if kind == "resource_link":
        url = str(block.get("uri", ""))
        name = visible(str(block.get("title") or block.get("name") or url))[:500]
        host = destination(url)
        return Block(number, name, link=url if host else "", host=host or visible(url)[:500])
    words = visible(kind.replace("_", " ").capitalize())[:100] or "Block"
    return Block(number, words, as_json(dict(block)))


def _text(number: int, caption: str, inside: Mapping[str, Any]) -> Block | None:
    text, length = str(inside.get("text", "")), _cut_from(inside, "text")
    if not text.strip():
        return None
    return Block(number, caption, _ended(visible(text if length else _indented(text)), length), is_file=bool(length))


def _indented(text: str) -> str:
    """JSON as people read it, where indenting changes nothing else and does not make much of little."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        value = _read(text)
    except ValueError:
        return text
    written = SPACE.sub("", text)
    for is_escaped in (False, True):
        indented = json.dumps(value, indent=2, ensure_ascii=is_escaped)
        # Of a name that is there twice reading keeps one, and numbers may be written in other ways.
        if len(indented) <= MOST_LONGER * len(text) and SPACE.sub("", indented) == written:
            return indented
    return text


def _structured(preview: Preview) -> str:
    """The structured content, where it says more than the blocks do; its beginning, where it is long."""
    if not preview.structured_cut:
        return "" if _is_said_again(preview.structured, preview.blocks) else as_json(preview.structured)
    # Servers say the same in a block of text, which is as long and shown as far.
    if len(preview.blocks) == 1 and _cut_from(preview.blocks[0], "text"):
        return ""
    return _ended(visible(preview.structured_cut), preview.structured_length)


def _ended(text: str, length: int) -> str:
    """`length` is that of the whole, where the text is its beginning."""
    return f"{text}\n… {length:,} characters in all" if length else text


def _cut_from(inside: Mapping[str, Any], key: str) -> int:
    """How long was what is cut or left out; 0 for what is whole."""
    lengths = inside.get(CUT)
    return int(lengths.get(key, 0)) if isinstance(lengths, Mapping) else 0


def _is_said_again(structured: Any, blocks: Any) -> bool:
    """Whether the structured content is nothing but what the only text block says already."""
    if structured is None or len(blocks) != 1 or blocks[0].get("type") != "text" or _cut_from(blocks[0], "text"):
        return structured is None
    text = str(blocks[0].get("text"))
    if structured == {"result": text}:
        return True
    try:
        said = _read(text)
    except ValueError:
        return False
    return structured in (said, {"result": said})


def _read(text: str) -> Any:
    """The JSON; raises a ValueError where it is none, or nested deeper than anybody means."""
    return pydantic_core.from_json(text)


def _kind_and_size(inside: Mapping[str, Any], key: str) -> str:
    kind = visible(str(inside.get("mimeType", "unknown type")))[:100]
    return f"{kind}, {_cut_from(inside, key) * 3 // 4:,} bytes"
