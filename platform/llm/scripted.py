"""The model that is there without a provider: it follows a script in its instructions, and says that it is no model.

The script stands in a fenced block of the language `script`, one JSON object a line: `{"call": name, "arguments": {…}}`
calls a tool, `{"say": text}` says something. The first answer is the first line, and so on. So demonstrations, tests
and measurements run the real engine, and nobody takes it for something that thinks.
"""

import json
import re
from typing import Any

from llm.turns import Answer, Question, ToolCall, Usage

NAME = "scripted"
BLOCK = re.compile(r"^```script[ \t]*\n(.*?)^```[ \t]*$", re.DOTALL | re.MULTILINE)
WITHOUT = (
    "No model is configured, so no model was called. An administrator can add a provider under Models; or "
    "the instructions can hold a script (see the guide to models)."
)
AT_THE_END = "The script has no further line, and no model is configured."


class ScriptError(ValueError):
    """The script cannot be followed; the message names its line."""


def lines_of(instructions: str) -> list[dict[str, Any]] | None:
    """The script's lines; none where there is no script. Raises `ScriptError`."""
    blocks = BLOCK.findall(instructions)
    if not blocks:
        return None
    found = []
    for number, text in enumerate("".join(blocks).splitlines(), 1):
        if text.strip():
            found.append(_line(number, text))
    return found


def has_line_for(question: Question) -> bool:
    """Whether a script is there and goes on: else the answer only says what is missing."""
    try:
        lines = lines_of(question.instructions)
    except ScriptError:
        return False
    return lines is not None and _place(question) < len(lines)


def answer(question: Question) -> Answer:
    """The next line of the script, as an answer."""
    try:
        lines = lines_of(question.instructions)
    except ScriptError as fault:
        return _said(str(fault))
    if lines is None:
        return _said(WITHOUT)
    place = _place(question)
    if place >= len(lines):
        return _said(AT_THE_END)
    line = lines[place]
    if "say" in line:
        return _said(line["say"])
    call = ToolCall(f"script-{place + 1}", line["call"], line.get("arguments", {}))
    return Answer("", (call,), Usage(), NAME, _message(call=call))


def _place(question: Question) -> int:
    """How many lines were followed."""
    return sum(isinstance(turn, Answer) for turn in question.history)


def _line(number: int, text: str) -> dict[str, Any]:
    try:
        line: dict[str, Any] = json.loads(text)
    except ValueError:
        raise ScriptError(f"Line {number} of the script is not JSON.") from None
    match line:
        case {"call": str()} if isinstance(line.get("arguments", {}), dict):
            return line
        case {"say": str()}:
            return line
    raise ScriptError(f'Line {number} of the script is neither {{"call": …, "arguments": {{…}}}} nor {{"say": …}}.')


def _said(text: str) -> Answer:
    return Answer(text, (), Usage(), NAME, _message(text=text))


def _message(*, text: str = "", call: ToolCall | None = None) -> dict[str, Any]:
    """The answer in the form in which all providers' answers are stored, so that another model can go on from it."""
    parts: list[dict[str, Any]] = [{"part_kind": "text", "content": text}] if text else []
    if call is not None:
        parts.append(
            {"part_kind": "tool-call", "tool_name": call.name, "args": call.arguments, "tool_call_id": call.id}
        )
    return {"kind": "response", "parts": parts, "model_name": NAME}
