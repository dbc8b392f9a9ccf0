"""A conversation to take along, as Markdown or as JSON: pure functions over rows, which yield one piece at a time.

What looks like a secret in arguments and results reads [REDACTED], and the bytes of images and files are left out.
The shape of the JSON is described in docs/chat.md.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markdown_it import MarkdownIt

from agents_hub.chat.texts import joined
from agents_hub.models import Attachment, Conversation, Message, Speaker, ToolUse, Turn
from security.redact import redact

FORMAT = "asterism.conversation/1"
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
_TICKS = re.compile(r"`+")
_BLOCKS = MarkdownIt("commonmark").disable("inline")
# Keys of the protocol's blocks that hold bytes in Base64.
_BYTES = {"data", "blob"}


@dataclass(frozen=True, slots=True)
class Part:
    """A message of the branch with all that belongs to it: of an agent's its turn, with what tools did in order.

    `texts` are what the model said in each round, from the first: they tell where in the message a tool was used.
    Tool uses are read once, as they are written: each may be long.
    """

    message: Message
    attachments: Sequence[Attachment] = ()
    turn: Turn | None = None
    tool_uses: Iterable[ToolUse] = ()
    texts: Sequence[str] = ()


def as_json(conversation: Conversation, parts: Iterable[Part]) -> Iterator[str]:
    """A JSON object. `conversation` comes with its agent."""
    head = {
        "format": FORMAT,
        "id": str(conversation.pk),
        "title": conversation.title,
        "agent": {"id": str(conversation.agent.pk), "name": conversation.agent.name},
        "createdAt": _time(conversation.created_at),
        "updatedAt": _time(conversation.updated_at),
    }
    yield json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}") + ',\n "messages": ['
    for number, part in enumerate(parts):
        yield ",\n" if number else "\n"
        yield from _as_json(part)
    yield "\n ]\n}\n"


def as_markdown(conversation: Conversation, parts: Iterable[Part]) -> Iterator[str]:
    """`conversation` comes with its agent."""
    agent = conversation.agent.name
    began = conversation.created_at.astimezone(UTC)
    title = conversation.title or str(conversation)
    yield f"# {_line(title)}\n\nWith {_line(agent)}, begun {began:%Y-%m-%d %H:%M} UTC.\n"
    for part in parts:
        yield from _section(part, agent)


def _as_json(part: Part) -> Iterator[str]:
    told = json.dumps(_part(part), ensure_ascii=False)
    if part.turn is None:
        yield told
        return
    # The tool uses are the last of the turn, and the turn is the last of the message.
    yield told.removesuffix("]}}")
    for number, use in enumerate(part.tool_uses):
        yield (", " if number else "") + json.dumps(_tool_use(use), ensure_ascii=False)
    yield "]}}"


def _part(part: Part) -> dict[str, Any]:
    message = part.message
    return {
        "id": str(message.pk),
        "speaker": message.speaker,
        "text": message.text,
        "createdAt": _time(message.created_at),
        "attachments": [
            {"name": one.name, "mimeType": one.mime_type, "size": one.size, "kind": one.kind}
            for one in part.attachments
        ],
        "turn": _turn(part.turn, part) if part.turn else None,
    }


def _turn(turn: Turn, part: Part) -> dict[str, Any]:
    return {
        "status": turn.status,
        "errorCode": turn.error_code or None,
        "error": turn.error or None,
        "model": turn.model or None,
        "rounds": turn.rounds,
        "texts": list(part.texts),
        "usage": {
            "inputTokens": turn.input_tokens,
            "cachedTokens": turn.cached_tokens,
            "outputTokens": turn.output_tokens,
            "costUsd": None if turn.cost_usd is None else str(turn.cost_usd),
        },
        "startedAt": _time(turn.created_at),
        "endedAt": _time(turn.ended_at),
        "toolUses": [],
    }


def _tool_use(use: ToolUse) -> dict[str, Any]:
    return {
        "name": use.name,
        "title": use.title,
        "origin": use.origin,
        "originName": use.origin_name,
        "status": use.status,
        "arguments": redact(use.arguments),
        "result": redact(_without_bytes(use.result)),
        "round": use.round,
        "startedAt": _time(use.started_at),
        "endedAt": _time(use.ended_at),
    }


def _section(part: Part, agent: str) -> Iterator[str]:
    message, turn = part.message, part.turn
    who = "You" if message.speaker == Speaker.PERSON else _line(agent)
    yield f"\n---\n\n**{who}**, {message.created_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    yield from (f"\n\n{piece}" for piece in _said_and_done(part) if piece.strip())
    for one in part.attachments:
        yield f"\n\nAttached: {_line(one.name)} ({one.mime_type}, {one.size:,} bytes)"
    yield f"\n\n{_ended(turn)}\n" if turn is not None else "\n"


def _said_and_done(part: Part) -> Iterator[str]:
    """What was said in each round with what tools did then; where that cannot be told, tools come first."""
    written = joined(part.texts)
    texts = part.texts if part.message.text.strip().startswith(written) else ()
    said = 0
    for use in part.tool_uses:
        yield from map(_closed, texts[said : use.round])
        said = max(said, use.round)
        yield _used(use)
    yield from map(_closed, texts[said:])
    yield _closed(part.message.text.strip().removeprefix(written if texts else ""))


def _used(use: ToolUse) -> str:
    """A tool's use: what it was asked and what it answered, each in a block of its own."""
    said = [f"> **{_line(use.title or use.name)}** of {_line(use.origin_name)}: {use.get_status_display().lower()}"]
    said.append(_block("json", json.dumps(redact(use.arguments), ensure_ascii=False, indent=2)))
    if isinstance(use.result, Mapping):
        content = use.result.get("content") or []
        texts = [block["text"] for block in content if isinstance(block, Mapping) and block.get("type") == "text"]
        others = [block for block in content if not (isinstance(block, Mapping) and block.get("type") == "text")]
        if texts:
            said.append(_block("text", redact("\n".join(map(str, texts)))))
        if others:
            said.append(_block("json", json.dumps(redact(_without_bytes(others)), ensure_ascii=False, indent=2)))
    return "\n\n".join(said)


def _ended(turn: Turn) -> str:
    cost = "" if turn.cost_usd is None else f", ${turn.cost_usd.normalize():f}"
    used = f"{turn.input_tokens:,} tokens read, {turn.output_tokens:,} written{cost}"
    model = f"{turn.model}: " if turn.model else ""
    fault = f" {_line(turn.error)}" if turn.error else ""
    return f"*{turn.get_status_display()}.*{fault} *{model}{used}.*"


def _without_bytes(value: Any) -> Any:
    """The same with a note of their length in the place of bytes."""
    if isinstance(value, Mapping):
        is_block = "mimeType" in value
        return {
            name: f"[{len(item):,} characters of Base64 left out]"
            if is_block and name in _BYTES and isinstance(item, str)
            else _without_bytes(item)
            for name, item in value.items()
        }
    return [_without_bytes(item) for item in value] if isinstance(value, list) else value


def _block(language: str, text: str) -> str:
    """Text between fences longer than any in it, so that nothing in it ends the block."""
    longest = max((len(ticks) for ticks in _TICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _closed(text: str) -> str:
    """The text with the fence that it leaves open closed, so that it takes in nothing of what follows."""
    fence = ""
    for found in _FENCE.finditer(text):
        mark = found[1]
        if not fence:
            fence = mark
        elif mark[0] == fence[0] and len(mark) >= len(fence):
            fence = ""
    text = text.strip()
    # One within a list or quote ends with that, and another one here would open a new one.
    return f"{text}\n{fence}" if fence and _takes_in_what_follows(text) else text


def _takes_in_what_follows(text: str) -> bool:
    return _BLOCKS.parse(f"{text}\n\nnext")[-1].type == "fence"


def _line(text: str) -> str:
    """A name within a line: nothing in it begins markup of its own."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", " ".join(text.split()))


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
