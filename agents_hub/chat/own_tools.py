"""A source of the platform's own tools: those of a server, for the subjects that an agent was given, such as bots.

A subject is its owner's, and so are these tools: they act on what was given to the agent and is the caller's too, and
on nothing else that the caller may have.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from accounts.caller import Caller
from agents_hub.chat.sources import CallContext, ChatTool, KnownTool, Offered, Problem, Subject, ToolOutcome
from agents_hub.models import Agent
from agents_hub.services.agent_rules import is_in_charge
from mcp_gateway import within
from mcp_gateway.offload import in_domain
from mcp_gateway.registry import Tool, registry
from mcp_gateway.remote.services.tools import digest_of
from mcp_gateway.subjects import Kind, Owned
from mcp_gateway.subjects import subjects as kinds
from mcp_gateway.within import Called

# Filled in by us, so that the same call made again acts once.
KEY_ARGUMENT = "idempotencyKey"


class OwnTools:
    """The tools registered for the server `name`. Each is called `<one>_<its plain name>`, as `bot_ticket_list`.

    Names of remote tools have two `_` in a row, and these have not: the two never collide.
    """

    def __init__(self, name: str, label: str) -> None:
        self._name, self._label = name, label

    @property
    def name(self) -> str:
        return self._name

    @property
    def label(self) -> str:
        return self._label

    def choices(self, caller: Caller, agent: Agent) -> Sequence[Subject]:
        kind = kinds.of(self.name)
        return [Subject(one.id, one.name, one.description) for one in kind.owned(caller)] if kind else []

    def tools(self, caller: Caller, agent: Agent, subjects: Sequence[str]) -> Sequence[KnownTool]:
        kind = kinds.of(self.name)
        if kind is None or not subjects:
            return []
        return [
            KnownTool(tool.name, tool.title, tool.description.partition("\n")[0], tool.destructive)
            for tool in self._about(kind)
        ]

    async def offer(self, caller: Caller, agent: Agent, subjects: Sequence[str]) -> Offered:
        kind = kinds.of(self.name)
        if kind is None or not subjects:
            return Offered()
        own = await in_domain(kind.owned, caller, subjects)
        offered = Offered()
        # Whoever cannot give the agent others has no use for the news, and would hear it in every answer.
        if others := list(_others(subjects, own)):
            can_give_others = await in_domain(is_in_charge, caller, agent)
            offered.problems = [self._not_yours(kind, len(others))] if can_give_others else []
        if own:
            within_scope = (tool for tool in self._about(kind) if caller.scope.includes(tool.scope))
            offered.tools = [self._offered(tool, kind, own) for tool in within_scope]
        return offered

    def _about(self, kind: Kind) -> Iterator[Tool]:
        """The tools that act on a subject. One that does not would reach all that the caller has, and is left out."""
        return (tool for tool in registry.tools(self.name) if _names_subject(tool, kind))

    def _offered(self, tool: Tool, kind: Kind, own: Sequence[Owned]) -> ChatTool:
        bound = _Bound(tool, kind, tuple(own))
        name = _plain(kind, tool)
        description = _in_our_names(tool.description, self.name, kind)
        parameters = bound.parameters(self.name)
        return ChatTool(
            name=name,
            title=tool.title,
            description=description,
            parameters=parameters,
            origin=self.name,
            origin_name=self.label,
            tool=tool.name,
            perform=bound.perform,
            ask_first=tool.destructive,
            repeatable=tool.read_only or tool.idempotent or KEY_ARGUMENT in tool.input_schema["properties"],
            digest=digest_of({"name": name, "description": description, "inputSchema": parameters}),
        )

    def _not_yours(self, kind: Kind, count: int) -> Problem:
        which = f"One {kind.one}" if count == 1 else f"{count} {self.label.lower()}"
        belong = "belongs to somebody else or is gone" if count == 1 else "belong to somebody else or are gone"
        return Problem(
            origin=self.name,
            origin_name=self.label,
            code="not_yours",
            message=f"{which} that this agent was given {belong}. Only its owner can use a {kind.one} here; give the "
            f"agent a {kind.one} of yours to work with that.",
        )


@dataclass(frozen=True, slots=True)
class _Bound:
    """A tool held to the subjects that it may act on."""

    tool: Tool
    kind: Kind
    own: tuple[Owned, ...]

    def parameters(self, server: str) -> dict[str, Any]:
        """The schema without what is filled in, and with the choice where there is one."""
        schema: dict[str, Any] = json.loads(_in_our_names(json.dumps(self.tool.input_schema), server, self.kind))
        properties: dict[str, Any] = schema["properties"]
        hidden = {KEY_ARGUMENT}
        if self.kind.argument in properties:
            if len(self.own) == 1:
                hidden.add(self.kind.argument)
            else:
                properties[self.kind.argument] = self._choice()
        schema["properties"] = {name: value for name, value in properties.items() if name not in hidden}
        if "required" in schema:
            schema["required"] = [name for name in schema["required"] if name not in hidden]
        return schema

    async def perform(self, arguments: Mapping[str, Any], context: CallContext) -> ToolOutcome:
        given = dict(arguments)
        properties = self.tool.input_schema["properties"]
        if self.kind.argument in properties and len(self.own) == 1:
            given.setdefault(self.kind.argument, self.own[0].id)
        if KEY_ARGUMENT in properties:
            given[KEY_ARGUMENT] = f"chat-{hashlib.sha256(context.key.encode()).hexdigest()[:40]}"
        if not await in_domain(self._within_reach, context.caller, given):
            return _outcome(await within.refuse(self.tool, context.caller, "not_found", self._out_of_reach()))
        return _outcome(await within.call(self.tool, context.caller, given))

    def _choice(self) -> dict[str, Any]:
        told = "; ".join(f"{one.id} is {one.name}" for one in self.own)
        return {
            "type": "string",
            "enum": [one.id for one in self.own],
            "description": f"Which {self.kind.one}: {told}.",
        }

    def _within_reach(self, caller: Caller, given: Mapping[str, Any]) -> bool:
        """Whether what the call is about belongs to one of the subjects. What does not fit is refused by the call."""
        try:
            fit = self.tool.arguments.model_validate(given).model_dump(by_alias=True)
        except ValidationError:
            return True
        named = {str(fit[self.kind.argument])} if self.kind.argument in fit else set[str]()
        found = {find(caller, fit[argument]) for argument, find in self.kind.behind.items() if argument in fit}
        return (named | found) <= {one.id for one in self.own}

    def _out_of_reach(self) -> str:
        one = self.kind.one
        return (
            f"There is nothing with this id among what this agent was given. It works with {_listed(self.own)} and "
            f"with no other {one}. Nothing was done."
        )


def _names_subject(tool: Tool, kind: Kind) -> bool:
    return not {kind.argument, *kind.behind}.isdisjoint(tool.input_schema.get("properties", {}))


def _others(given: Iterable[str], own: Iterable[Owned]) -> list[str]:
    there = {one.id for one in own}
    return [one for one in dict.fromkeys(given) if one not in there]


def _plain(kind: Kind, tool: Tool) -> str:
    return f"{kind.one}_{tool.plain_name}"


def _in_our_names(text: str, server: str, kind: Kind) -> str:
    """The text with each tool that it speaks of under the name that it has here."""
    names = {tool.name: _plain(kind, tool) for tool in registry.tools(server)}
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
    return pattern.sub(lambda found: names[found.group()], text)


def _listed(own: Sequence[Owned]) -> str:
    return ", ".join(f"{one.name} ({one.id})" for one in own)


def _outcome(called: Called) -> ToolOutcome:
    return ToolOutcome(({"type": "text", "text": called.text},), called.structured, called.is_error)
