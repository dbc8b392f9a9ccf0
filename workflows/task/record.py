"""What happened within a task so far: read from its checkpoints, and told to the model as a history."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from llm import compaction
from llm.storing import answer_from
from llm.turns import Answer, Returned, Said, ToolCall, ToolResult, Turn
from workflows.models import Checkpoint
from workflows.task.clock import NUDGE

Stage = Literal["begun", "waited"]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the last answer. `key` tells it from all others of its step: models' own ids may come again."""

    key: str
    asked: ToolCall


@dataclass
class Record:
    """The turns so far, and how far the calls of the last answer have come."""

    turns: list[Turn] = field(default_factory=list)
    answers: int = 0
    calls: Sequence[Call] = ()
    # By key: those begun, those for which the run was given back, those done.
    stages: dict[str, Stage] = field(default_factory=dict)
    done: dict[str, ToolResult] = field(default_factory=dict)
    # Said while calls were under way; it comes before the model with their results.
    aside: list[Said] = field(default_factory=list)

    @classmethod
    def of(cls, checkpoints: Sequence[Checkpoint]) -> "Record":
        record = cls()
        for point in checkpoints:
            record.add(point)
        return record

    def add(self, point: Checkpoint) -> None:
        match Checkpoint.Kind(point.kind):
            case Checkpoint.Kind.SAID:
                (self.aside if self.open_calls else self.turns).append(Said(point.body["text"]))
            case Checkpoint.Kind.MODEL:
                self._answered(answer_from(point.body))
            case Checkpoint.Kind.ACTION_BEGUN:
                self.stages[point.action_id] = "waited" if point.body.get("waited") else "begun"
            case Checkpoint.Kind.ACTION_DONE:
                self._finished(point)
            case Checkpoint.Kind.COMPACTION:
                # That the time is up stays said.
                self.turns = [Said(point.body["text"]), *(turn for turn in self.turns if turn == Said(NUDGE))]

    @property
    def open_calls(self) -> list[Call]:
        """The calls of the last answer that are not done, in their order."""
        return [call for call in self.calls if call.key not in self.done]

    @property
    def tokens(self) -> int:
        """How long the history is, as far as can be told."""
        return compaction.length(self.turns)

    def _answered(self, answer: Answer) -> None:
        self.answers += 1
        self.turns.append(answer)
        self.calls = [Call(f"{self.answers}.{place}", call) for place, call in enumerate(answer.calls, 1)]
        self.stages, self.done = {}, {}

    def _finished(self, point: Checkpoint) -> None:
        call = next(call for call in self.calls if call.key == point.action_id)
        self.done[call.key] = ToolResult(call.asked.id, call.asked.name, point.body["content"], point.body["failed"])
        if not self.open_calls:
            # In the order of the calls, whatever order they were done in.
            self.turns += [Returned([self.done[one.key] for one in self.calls]), *self.aside]
            self.aside = []
