"""What a tool answered, made ready to be read: text as text, images as images, of everything else what it is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcp_gateway.remote.pages import help as guides
from mcp_gateway.remote.pages.cards import Note
from mcp_gateway.remote.problems import RemoteError
from mcp_gateway.remote.results import RemoteResult
from security.visible import visible

# Shown in the page itself, from its own address; anything else is only named.
IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


@dataclass(frozen=True, slots=True)
class Block:
    caption: str
    block_id: str
    text: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    note: Note
    blocks: tuple[Block, ...] = ()
    structured: str = ""
    notes: tuple[str, ...] = ()


def outcome_of(result: RemoteResult) -> Outcome:
    note = Note("error", "The tool reports an error.") if result.is_error else Note("ok", "The tool has answered.")
    blocks = tuple(_block(block, f"block-{number}") for number, block in enumerate(result.content, 1))
    structured = "" if result.structured is None else as_json(result.structured)
    return Outcome(note, blocks, structured, result.notes)


def failure(error: RemoteError) -> Outcome:
    return Outcome(Note("error", error.message, guides.address(error.code)))


def as_json(value: Any) -> str:
    """For people: indented, with what would steer or hide text shown by name."""
    return visible(json.dumps(value, indent=2, ensure_ascii=False))


def _block(block: Mapping[str, Any], block_id: str) -> Block:
    kind = str(block.get("type", ""))
    if kind == "text":
        return Block("Text", block_id, text=visible(str(block["text"])))
    if kind == "image" and block.get("mimeType") in IMAGES:
        return Block("Image", block_id, image=f"data:{block['mimeType']};base64,{block['data']}")
    if kind in {"image", "audio"}:
        return Block(f"{kind.capitalize()} ({block.get('mimeType', 'unknown type')}), {_size(block['data'])}", block_id)
    if kind == "resource":
        return _resource(block.get("resource") or {}, block_id)
    return Block(kind.replace("_", " ").capitalize() or "Block", block_id, text=as_json(block))


def _resource(inside: Mapping[str, Any], block_id: str) -> Block:
    name = visible(str(inside.get("uri", "a resource")))
    if "text" in inside:
        return Block(name, block_id, text=visible(str(inside["text"])))
    return Block(f"{name} ({inside.get('mimeType', 'unknown type')}), {_size(inside.get('blob', ''))}", block_id)


def _size(base64: str) -> str:
    return f"{len(base64) * 3 // 4:,} bytes"
