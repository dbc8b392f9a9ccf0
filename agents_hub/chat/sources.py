"""Where an agent's tools come from beside remote servers: each product that has something to offer adds a source."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from accounts.caller import Caller
from agents_hub.models import Agent
from mcp_gateway.remote.questions import Ask


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What came of a call: content blocks as the protocol writes them, structured content, whether it failed.

    `notes` say what was left out or cut, for people and models alike.
    """

    content: Sequence[Mapping[str, Any]] = ()
    structured: Any = None
    is_error: bool = False
    notes: Sequence[str] = ()

    @classmethod
    def said(cls, text: str, *, failed: bool = False) -> "ToolOutcome":
        return cls(({"type": "text", "text": text},), is_error=failed)

    @property
    def text(self) -> str:
        """The text blocks, one after the other."""
        return "\n".join(block["text"] for block in self.content if block.get("type") == "text")


def _to_nobody(said: str) -> None:
    """Where nobody listens to what a tool says on the way."""


@dataclass(frozen=True, slots=True)
class CallContext:
    """What a call is made for. `key` tells it from all others: the same again where it is made again.

    `allowed` says that the person allowed this very call, where the tool asks first. `ask` puts what a server wants to
    know in the midst of the call before the person. `say` takes what is to be known of the call while it runs, and also
    where it is stopped before it has a result: such as what it has started.
    """

    caller: Caller
    conversation_id: str
    key: str
    allowed: bool = False
    ask: Ask | None = None
    say: Callable[[str], None] = _to_nobody


Perform = Callable[[Mapping[str, Any], CallContext], Awaitable[ToolOutcome]]


@dataclass(frozen=True, slots=True)
class ChatTool:
    """A tool as a model is offered it.

    `name` is unique among all tools that an agent can have; `tool` is its name at its origin, which is `server:<id>`
    for a remote server and else the source's name. `repeatable` ones do no harm when done twice. `ask_first` ones wait
    until the person allows the call; `digest` is that of the tool's definition, so that what was allowed for a whole
    conversation is asked for again when the tool has changed.
    """

    name: str
    title: str
    description: str
    parameters: Mapping[str, Any]
    origin: str
    origin_name: str
    tool: str
    perform: Perform
    ask_first: bool = False
    repeatable: bool = False
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something that the agent was given cannot be used now; the rest can.

    `connects` where the person fixes it by connecting an account of theirs. `message` is for people and may quote a
    stranger; `told` is for models and holds no word of one. Where it is empty, the message is all our own.
    """

    origin: str
    origin_name: str
    code: str
    message: str
    connects: bool = False
    told: str = ""


@dataclass(slots=True)
class Offered:
    tools: list[ChatTool] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Subject:
    """Something an agent can be given: a bot, a workflow."""

    id: str
    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class KnownTool:
    """A tool that a source brings an agent, as pages list it; `tool` is its name there."""

    tool: str
    title: str
    description: str
    ask_first: bool = False


class ToolSource(Protocol):
    """Offers tools for the subjects that an agent was given. Everything is done with the caller's own rights."""

    @property
    def name(self) -> str:
        """A slug: what `AgentSubject.source` and `ChatTool.origin` hold."""

    @property
    def label(self) -> str:
        """What people read, in the plural: Bots, Workflows."""

    def choices(self, caller: Caller, agent: Agent) -> Sequence[Subject]:
        """What the caller can give the agent, by name; at most a few hundred."""

    def tools(self, caller: Caller, agent: Agent, subjects: Sequence[str]) -> Sequence[KnownTool]:
        """What `offer` would give for those subjects, to be looked at and switched off: nothing is asked or opened."""

    async def offer(self, caller: Caller, agent: Agent, subjects: Sequence[str]) -> Offered:
        """The tools for those subjects, as far as the caller may use them; what cannot be used is a problem."""


class Sources:
    """Sources by name. Filled while Django starts, read-only afterwards."""

    def __init__(self) -> None:
        self._sources: dict[str, ToolSource] = {}

    def add(self, source: ToolSource) -> None:
        if source.name in self._sources:
            raise ValueError(f"There is a source of tools named {source.name} already.")
        self._sources[source.name] = source

    def find(self, name: str) -> ToolSource | None:
        return self._sources.get(name)

    def __iter__(self) -> Iterator[ToolSource]:
        return iter(self._sources.values())


sources = Sources()
