"""What is said to a model and what it answers, in our own words: no type of the library's leaves this package."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool a model may call. `parameters` is a JSON Schema of an object."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model asks for. `fault` says why its arguments could not be read, where they could not."""

    id: str
    name: str
    arguments: dict[str, Any]
    fault: str = ""


# The images that every provider takes.
IMAGE_TYPES = frozenset(["image/png", "image/jpeg", "image/webp", "image/gif"])


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that is shown to a model. Of another type than `IMAGE_TYPES`, the model is told that it is left out."""

    mime_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of a call: text or JSON, and images beside it. A failure is told to the model as one."""

    call_id: str
    name: str
    content: Any
    failed: bool = False
    images: Sequence[Image] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. `cached` are those of `input` that were read from a cache."""

    input: int = 0
    cached: int = 0
    output: int = 0
    cost_usd: Decimal | None = None

    @property
    def total(self) -> int:
        return self.input + self.output


@dataclass(frozen=True, slots=True)
class Said:
    """Something said to the model, and images shown to it with that."""

    text: str
    images: Sequence[Image] = ()


@dataclass(frozen=True, slots=True)
class Returned:
    """The results of all calls of the answer before."""

    results: Sequence[ToolResult]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered. `message` is the answer as the provider needs it back: JSON, to be stored and not read."""

    text: str
    calls: Sequence[ToolCall]
    usage: Usage
    model: str
    message: dict[str, Any]
    reasoning: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether it neither says nor calls for anything."""
        return not self.calls and not self.text.strip()


# A history is what was said, answered and returned, in turn.
Turn = Said | Returned | Answer


@dataclass(frozen=True, slots=True)
class Thinking:
    """How much a model thinks first. Where it cannot, nothing is asked of it."""

    mode: Literal["adaptive", "enabled", "disabled"] | None = None
    budget_tokens: int | None = None
    effort: Literal["low", "medium", "high", "max"] | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """All that one answer depends on. With `must_call` the answer has to call a tool, without `may_call` none."""

    instructions: str
    history: Sequence[Turn]
    tools: Sequence[ToolSpec] = ()
    temperature: float | None = None
    thinking: Thinking = field(default_factory=Thinking)
    must_call: bool = False
    may_call: bool = True
