"""What a turn looks like on a terminal. The answer goes to one stream and all that is said about it to another, so that
an answer can be piped on. Nothing that others wrote steers the terminal."""

import json
from collections.abc import Mapping
from typing import Any, Protocol, TextIO

from agents_hub.models import Inquiry, ToolUse, Turn, TurnEvent, TurnStatus
from agents_hub.shapes.turns import TurnShape
from security.visible import visible

# Of what a tool was given and gave: people who want all of it open the conversation in a browser.
LONGEST_ARGUMENTS = 100
LONGEST_RESULT = 160

ENDS: dict[str, str] = {
    ToolUse.Status.DONE: "done",
    ToolUse.Status.FAILED: "failed",
    ToolUse.Status.DENIED: "not allowed",
    ToolUse.Status.STOPPED: "stopped",
    ToolUse.Status.UNKNOWN: "outcome unknown",
}


class Shows(Protocol):
    """What those who follow a turn do with it."""

    def event(self, event: TurnEvent) -> None: ...
    def tool(self, use: ToolUse) -> None: ...
    def asked(self, inquiry: Inquiry) -> None: ...
    def note(self, text: str) -> None: ...
    def ended(self, turn: Turn) -> None: ...


class Screen:
    """For people."""

    def __init__(self, answers: TextIO, notes: TextIO) -> None:
        self._answers, self._notes = answers, notes
        self._is_within_line = False
        # What stands ahead of what is being typed, and is said again after whatever comes between.
        self._prompted = ""

    def event(self, event: TurnEvent) -> None:
        if event.kind == "text":
            self._write(event.body["text"])
        elif event.kind == "problem":
            self.note(f"! {event.body['name']}: {event.body['message']}")
        elif event.kind == "answered":
            self._end_line()

    def tool(self, use: ToolUse) -> None:
        called = f"{use.origin_name}: {use.title}"
        if use.status in (ToolUse.Status.WAITING, ToolUse.Status.RUNNING):
            self.note(f"> {called} {_short(use.arguments, LONGEST_ARGUMENTS)}")
            return
        self.note(f"< {called} {ENDS[use.status]}{_folded(use.result or {})}")

    def asked(self, inquiry: Inquiry) -> None:
        self.note(f"? {inquiry.message}")
        if inquiry.kind == Inquiry.Kind.PERMISSION:
            self.note(f"  {_short(inquiry.tool_use.arguments, 10 * LONGEST_ARGUMENTS)}")

    def note(self, text: str) -> None:
        prompted = self._prompted
        self._end_line()
        print(visible(text), file=self._notes, flush=True)
        if prompted:
            self.prompt(prompted)

    def prompt(self, text: str) -> None:
        """Ahead of what is typed in the same line, until that `is_typed`."""
        self._end_line()
        self._prompted = text
        print(visible(text), end="", file=self._notes, flush=True)

    def is_typed(self, line: str | None) -> None:
        """Nothing more is awaited in that line. The terminal has ended it itself, unless nothing was typed."""
        if line is not None:
            self._prompted = ""
        self._end_line()

    def ended(self, turn: Turn) -> None:
        self._end_line()
        if turn.status == TurnStatus.STOPPED:
            self.note("Stopped.")
        elif turn.status != TurnStatus.COMPLETED:
            self.note(f"{turn.get_status_display()}: {turn.error}")

    def _write(self, text: str) -> None:
        if self._prompted:
            self._end_line()
        self._is_within_line = not text.endswith("\n")
        print(visible(text), end="", file=self._answers, flush=True)

    def _end_line(self) -> None:
        if self._prompted:
            self._prompted = ""
            print(file=self._notes, flush=True)
        if self._is_within_line:
            print(file=self._answers, flush=True)
            self._is_within_line = False


class Record:
    """For programs: each event as a line of JSON, as the REST API has them, and the turn at its end."""

    def __init__(self, lines: TextIO) -> None:
        self._lines = lines

    def event(self, event: TurnEvent) -> None:
        self._line(event.kind, event.body)

    def tool(self, use: ToolUse) -> None:
        """The turn has them all at its end."""

    def asked(self, inquiry: Inquiry) -> None:
        """Its event says so."""

    def note(self, text: str) -> None:
        """Programs are told by the events."""

    def ended(self, turn: Turn) -> None:
        self._line("turn", TurnShape.of(turn).model_dump(mode="json", by_alias=True))

    def _line(self, kind: str, body: Mapping[str, Any]) -> None:
        print(json.dumps({"kind": kind, "body": body}), file=self._lines, flush=True)


def _short(value: Any, longest: int) -> str:
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else " ".join(value.split())
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text):,} characters)"


def _folded(result: Mapping[str, Any]) -> str:
    """A result in a line: its words, or what there is in their place."""
    blocks = result.get("content") or []
    text = " ".join(block["text"] for block in blocks if block.get("type") == "text").strip()
    others = [f"[{block.get('type')}]" for block in blocks if block.get("type") != "text"]
    shown = " ".join(filter(None, [_short(text, LONGEST_RESULT) if text else "", *others]))
    return f": {shown}" if shown else ""
