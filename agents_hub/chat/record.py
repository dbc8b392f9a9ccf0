"""What was sent to a model and what came of it, as administrators may read it: without secrets, long texts cut.

Secrets are taken out first, while names still stand beside values, and texts are written and cut afterwards: half a
secret looks like none.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from agents_hub.models import TurnCall
from llm.turns import Answer, Question, Returned, Said, ToolSpec, Turn, Usage
from security.redact import redact
from security.storable import storable

# Of each text, in characters; and of a history, the last so many turns.
MOST_TEXT = 20_000
MOST_TURNS = 100
# Of the definitions of all tools, in characters of JSON; of those beyond it the names are kept.
MOST_DEFINITIONS = 200_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """One question to a model, with its answer, or why it has none and what it used all the same.

    `began` is in monotonic seconds.
    """

    question: Question
    began: float
    answer: Answer | None = None
    error: str = ""
    model: str = ""
    lost: Usage = field(default_factory=Usage)
    purpose: TurnCall.Purpose = TurnCall.Purpose.ANSWER
    ended: float = field(default_factory=time.monotonic)

    @property
    def used(self) -> Usage:
        return self.answer.usage if self.answer else self.lost

    def row(self, turn_id: UUID) -> TurnCall:
        """Without its number: it is the next of its turn."""
        used = self.used
        return TurnCall(
            turn_id=turn_id,
            purpose=self.purpose,
            model=self.answer.model if self.answer else self.model[:200],
            question=storable(_asked(self.question)),
            answer=storable(_turn(self.answer)) if self.answer else None,
            error=self.error,
            input_tokens=used.input,
            cached_tokens=used.cached,
            output_tokens=used.output,
            duration_ms=(self.ended - self.began) * 1000,
        )


def _asked(question: Question) -> dict[str, Any]:
    """The question as it was sent: the last turns of its history, and every tool with what its server says of it."""
    history = [_turn(turn) for turn in question.history[-MOST_TURNS:]]
    if (left_out := len(question.history) - len(history)) > 0:
        history.insert(0, {"left_out": left_out})
    return {
        "instructions": _text(question.instructions),
        "history": history,
        "tools": _tools(question.tools),
        "settings": _settings(question),
    }


def _settings(question: Question) -> dict[str, Any]:
    """What was asked for beside words. What is not here was left to the provider."""
    asked = {
        "temperature": question.temperature,
        "must_call": question.must_call or None,
        "thinking": {name: value for name, value in asdict(question.thinking).items() if value is not None} or None,
    }
    return {name: value for name, value in asked.items() if value is not None}


def _tools(tools: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """The tools as they were offered, while there is room, and the names of the rest."""
    room = MOST_DEFINITIONS
    kept: list[dict[str, Any]] = []
    for tool in tools:
        whole = {"name": tool.name, "description": _text(tool.description), "parameters": redact(tool.parameters)}
        room -= len(json.dumps(whole))
        kept.append(whole if room >= 0 else {"name": tool.name, "left_out": "There was no room for its definition."})
    return kept


def _turn(turn: Turn) -> dict[str, Any]:
    match turn:
        case Said(text=text):
            return {"said": _text(text)}
        case Answer():
            calls = [{"name": call.name, "arguments": redact(call.arguments)} for call in turn.calls]
            return {"answered": _text(turn.text), "calls": calls}
        case Returned(results=results):
            given = [{"name": each.name, "failed": each.failed, "content": _text(each.content)} for each in results]
            return {"returned": given}


def _text(content: Any) -> str:
    """What was said or given, as text: without secrets, then written, then cut."""
    clean = redact(content)
    text = clean if isinstance(clean, str) else json.dumps(clean, ensure_ascii=False)
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]} … ({len(text):,} characters)"
