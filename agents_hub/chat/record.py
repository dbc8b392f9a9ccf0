"""What was sent to a model and what came of it, as administrators may read it: without secrets, long texts cut."""

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from agents_hub.models import TurnCall
from llm.turns import Answer, Question, Returned, Said, Turn, Usage
from security.redact import redact
from security.storable import storable

# Of each text, in characters; and of a history, the last so many turns.
MOST_TEXT = 20_000
MOST_TURNS = 100


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
        asked = {
            "instructions": _cut(self.question.instructions),
            "history": [_turn(turn) for turn in self.question.history[-MOST_TURNS:]],
            "tools": [tool.name for tool in self.question.tools],
        }
        return TurnCall(
            turn_id=turn_id,
            purpose=self.purpose,
            model=self.answer.model if self.answer else self.model[:200],
            question=storable(redact(asked)),
            answer=storable(redact(_turn(self.answer))) if self.answer else None,
            error=self.error,
            input_tokens=used.input,
            cached_tokens=used.cached,
            output_tokens=used.output,
            duration_ms=(self.ended - self.began) * 1000,
        )


def _turn(turn: Turn) -> dict[str, Any]:
    match turn:
        case Said(text=text):
            return {"said": _cut(text)}
        case Answer():
            calls = [{"name": call.name, "arguments": call.arguments} for call in turn.calls]
            return {"answered": _cut(turn.text), "calls": calls}
        case Returned(results=results):
            given = [{"name": each.name, "failed": each.failed, "content": _cut(each.content)} for each in results]
            return {"returned": given}


def _cut(content: Any) -> str:
    text = content if isinstance(content, str) else str(content)
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]} … ({len(text):,} characters)"
