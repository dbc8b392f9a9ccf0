"""The tools the platform serves: a product declares one once, and every door finds it here."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, RootModel

from accounts.scopes import Scope

Function = TypeVar("Function", bound=Callable[..., Any])
# The member that holds a list or a text where only an object may stand.
BARE = "result"


@dataclass(frozen=True)
class Tool:
    """One tool: what it takes and gives (pydantic models), what it needs, and what it does to the world."""

    name: str
    server: str
    scope: Scope
    title: str
    description: str
    arguments: type[BaseModel]
    result: type[BaseModel]
    function: Callable[..., Any]
    asynchronous: bool
    reports: bool
    read_only: bool
    destructive: bool
    idempotent: bool
    open_world: bool
    calls_out: bool
    text: Callable[[Any], str] | None

    @property
    def plain_name(self) -> str:
        """The name for hosts that refuse dots."""
        return self.name.replace(".", "_")

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        return self.arguments.model_json_schema(by_alias=True, mode="validation")

    @property
    def gives_bare(self) -> bool:
        """Whether the result is a list or a text. Older revisions know objects alone: it stands in one."""
        return issubclass(self.result, RootModel)

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        schema = self.result.model_json_schema(by_alias=True, mode="serialization")
        if not self.gives_bare:
            return schema
        definitions = {"$defs": schema.pop("$defs")} if "$defs" in schema else {}
        return {"type": "object", "properties": {BARE: schema}, "required": [BARE], **definitions}


class Registry:
    """Tools by server and name. Filled while Django starts, read-only afterwards."""

    def __init__(self) -> None:
        self._servers: dict[str, dict[str, Tool]] = {}

    def tool(
        self,
        name: str,
        *,
        server: str,
        scope: Scope,
        title: str,
        read_only: bool = False,
        destructive: bool = False,
        idempotent: bool = False,
        open_world: bool = False,
        calls_out: bool = False,
        text: Callable[[Any], str] | None = None,
    ) -> Callable[[Function], Function]:
        """Declare a tool: `def tool(caller: Caller, arguments: Arguments) -> Result`.

        The docstring describes it; the annotations give the schemas. A third parameter, `progress: Progress`, lets it
        report on the way. `text` gives what a model reads where that is not the result's JSON.

        `calls_out` moves it to the wide pool, and it is then not wrapped in a transaction. An `async def` runs on the
        event loop: for a hot read with its own SQL through `mcp_gateway.hot`, never for the ORM.
        """

        def register(function: Function) -> Function:
            hints = get_type_hints(function)
            result = hints.pop("return")
            parameters = list(inspect.signature(function).parameters)
            self.add(
                Tool(
                    name=name,
                    server=server,
                    scope=scope,
                    title=title,
                    description=inspect.cleandoc(function.__doc__ or ""),
                    arguments=hints[parameters[1]],
                    result=result,
                    function=function,
                    asynchronous=inspect.iscoroutinefunction(function),
                    reports=len(parameters) > 2,
                    read_only=read_only,
                    destructive=destructive,
                    idempotent=idempotent,
                    open_world=open_world,
                    calls_out=calls_out,
                    text=text,
                )
            )
            return function

        return register

    def add(self, tool: Tool) -> None:
        if not tool.description:
            raise ValueError(f"The tool {tool.name} has no docstring; a model reads it to know what the tool does.")
        if tool.asynchronous and not tool.read_only:
            raise ValueError(f"The tool {tool.name} writes; only a read may be async, a write runs in one transaction.")
        tools = self._servers.setdefault(tool.server, {})
        for name in {tool.name, tool.plain_name}:
            if name in tools:
                raise ValueError(f"The tool name {name} is taken on the server {tool.server}.")
        tools[tool.name] = tool
        tools[tool.plain_name] = tool

    def find(self, server: str, name: str) -> Tool | None:
        """The tool of that name, in its own spelling or with `_` for `.`."""
        return self._servers.get(server, {}).get(name)

    def tools(self, server: str) -> Iterator[Tool]:
        """Each tool of the server once, in the order of their names."""
        return (tool for name, tool in sorted(self._servers.get(server, {}).items()) if name == tool.name)


registry = Registry()
