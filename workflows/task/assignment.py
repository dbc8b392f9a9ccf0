"""What a model is set to do in one visit of a node: its words, its tools, and the call that ends it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from llm.turns import Thinking, ToolCall, ToolSpec
from workflows.engine.moves import NodeResult
from workflows.task.actions import Action


@dataclass(frozen=True, slots=True)
class Assignment:
    """`ending` is the tool that ends it. `result_of` reads its call; `ActionFailed` says what does not fit."""

    instructions: str
    ending: ToolSpec
    result_of: Callable[[ToolCall], NodeResult]
    actions: list[Action] = field(default_factory=list)
    model: str = ""
    temperature: float | None = None
    thinking: Thinking = field(default_factory=Thinking)
    # Whether the tools of the agent's remote servers are among the actions.
    remote: bool = False
    # The secrets its tools may be given, by name.
    secrets: list[str] = field(default_factory=list)
    # How often the ending may be called wrongly before it is given up.
    tries: int = 10

    @property
    def settings(self) -> dict[str, Any]:
        return {"temperature": self.temperature, "thinking": self.thinking}
