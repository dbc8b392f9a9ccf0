"""What happened within a task so far: read from its checkpoints, and told to the model as a history."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from llm.turns import Answer, Returned, Said, ToolCall, ToolResult, Turn, Usage
from workflows.models import Checkpoint


@dataclass
class Record:
    """The turns so far, and of the last answer's calls those that were begun and those that are done."""

    turns: list[Turn] = field(default_factory=list)
    calls: Sequence[ToolCall] = ()
    begun: set[str] = field(default_factory=set)
    done: dict[str, ToolResult] = field(default_factory=dict)

    @classmethod
    def of(cls, checkpoints: Sequence[Checkpoint]) -> "Record":
        record = cls()
        for point in checkpoints:
            record.add(point)
        return record

    def add(self, point: Checkpoint) -> None:
        match Checkpoint.Kind(point.kind):
            case Checkpoint.Kind.SAID:
                self.turns.append(Said(point.body["text"]))
            case Checkpoint.Kind.MODEL:
                answer = answer_from(point.body)
                self.turns.append(answer)
                self.calls, self.begun, self.done = answer.calls, set(), {}
            case Checkpoint.Kind.ACTION_BEGUN:
                self.begun.add(point.action_id)
            case Checkpoint.Kind.ACTION_DONE:
                self._finished(point)
            case Checkpoint.Kind.COMPACTION:
                self.turns = [Said(point.body["text"])]
                self.calls, self.begun, self.done = (), set(), {}

    @property
    def open_calls(self) -> list[ToolCall]:
        """The calls of the last answer that are not done, in their order."""
        return [call for call in self.calls if call.id not in self.done]

    @property
    def answers(self) -> int:
        return sum(isinstance(turn, Answer) for turn in self.turns)

    def _finished(self, point: Checkpoint) -> None:
        call = next(call for call in self.calls if call.id == point.action_id)
        self.done[call.id] = ToolResult(call.id, call.name, point.body["content"], point.body["failed"])
        if not self.open_calls:
            # In the order of the calls, whatever order they were done in.
            self.turns.append(Returned([self.done[one.id] for one in self.calls]))


def answer_as_json(answer: Answer) -> dict[str, Any]:
    """An answer as its checkpoint holds it."""
    return {
        "text": answer.text,
        "reasoning": answer.reasoning,
        "model": answer.model,
        "message": answer.message,
        "calls": [
            {"id": call.id, "name": call.name, "arguments": call.arguments, "fault": call.fault}
            for call in answer.calls
        ],
        "usage": {
            "input": answer.usage.input,
            "cached": answer.usage.cached,
            "output": answer.usage.output,
            "cost_usd": None if answer.usage.cost_usd is None else str(answer.usage.cost_usd),
        },
    }


def answer_from(body: dict[str, Any]) -> Answer:
    used = body["usage"]
    cost = used["cost_usd"]
    return Answer(
        text=body["text"],
        calls=tuple(ToolCall(**call) for call in body["calls"]),
        usage=Usage(used["input"], used["cached"], used["output"], None if cost is None else Decimal(cost)),
        model=body["model"],
        message=body["message"],
        reasoning=body["reasoning"],
    )
