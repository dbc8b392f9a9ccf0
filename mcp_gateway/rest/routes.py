"""The maps of the REST APIs: which route shares which tool. Products add theirs while Django starts.

There is one API for each base address, with an OpenAPI document of its own; everything else they share. A route has no
rule of its own: its tool says what it takes, gives and needs. What REST offers and MCP does not is a tool too, on the
server `REST_ONLY`, which no endpoint lists.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_type_hints

from django.core.files.uploadedfile import UploadedFile
from pydantic import BaseModel

from accounts.caller import Caller
from accounts.scopes import Scope
from dashboard.streams import Subject
from mcp_gateway.registry import Registry, Tool, registry

PLATFORM = "platform"
REST_ONLY = "rest"
PARAMETER = re.compile(r"\{(\w+)\}")

if TYPE_CHECKING:
    SentFile = UploadedFile[Any]
else:
    SentFile = UploadedFile

# What takes the files of a multipart request in place of the tool's function: `(caller, arguments, files) -> result`.
Upload = Callable[[Caller, Any, Sequence[SentFile]], BaseModel]


# What a client that accepts an event stream is shown instead of the answer, by the caller and the answer's JSON.
Streamed = Callable[[Caller, Any], Subject]


@dataclass(frozen=True)
class Route:
    """A method at a path below its API's base, written like `agents/{agentId}`, and the tool it shares."""

    api: "Routes" = field(repr=False, compare=False)
    method: str
    path: str
    tool: Tool
    upload: Upload | None = None
    most_bytes: int = 0
    """How long the body of an upload may be; that of another route may be as long as any."""
    keeps_answer: bool = True
    """Whether a POST takes an Idempotency-Key."""
    stream: Streamed | None = None

    @property
    def scope(self) -> Scope:
        """Reading needs read and everything else write, whatever a tool that only looks would be content with."""
        least = Scope.READ if self.method == "GET" else Scope.WRITE
        return self.tool.scope if self.tool.scope.includes(least) else least

    @cached_property
    def arguments(self) -> type[BaseModel]:
        """What path, query and body fill: the tool's arguments, or an upload's, whose files come beside them."""
        if self.upload is None:
            return self.tool.arguments
        found: type[BaseModel] = get_type_hints(self.upload)["arguments"]
        return found

    @cached_property
    def in_path(self) -> tuple[str, ...]:
        return tuple(PARAMETER.findall(self.path))

    @cached_property
    def beside_path(self) -> dict[str, dict[str, Any]]:
        """The schemas of the arguments that the query of a GET holds, or the body of another method."""
        properties = self.arguments.model_json_schema(by_alias=True).get("properties", {})
        return {name: schema for name, schema in properties.items() if name not in self.in_path}

    @property
    def takes_body(self) -> bool:
        return self.method != "GET" and bool(self.beside_path) and self.upload is None

    @property
    def takes_key(self) -> bool:
        """Whether it takes an Idempotency-Key and, sent again under it, gives the answer it gave before."""
        return self.method == "POST" and self.keeps_answer

    @property
    def gives_nothing(self) -> bool:
        return not self.tool.result.model_fields


class Routes:
    """All routes below one base address. Filled while Django starts, read-only afterwards.

    `name` is the namespace of its URLs; title and description stand in its OpenAPI document and on the API page. With
    `sessions` it opens to signed-in people too.
    """

    def __init__(
        self, tools: Registry, *, base: str, name: str, title: str, description: str, sessions: bool = False
    ) -> None:
        self.base = base
        self.sessions = sessions
        self.name = name
        self.title = title
        self.description = description
        self._tools = tools
        self._routes: dict[tuple[str, str], Route] = {}

    def add(
        self,
        method: str,
        path: str,
        tool_name: str,
        *,
        server: str = PLATFORM,
        upload: Upload | None = None,
        most_bytes: int = 0,
        keeps_answer: bool = True,
        stream: Streamed | None = None,
    ) -> None:
        """Add a route to a tool that is registered already. An upload says how long its body may be.

        An Idempotency-Key needs one transaction around the act, which a tool that calls out does not have: the route of
        such a POST says `keeps_answer=False`.
        """
        tool = self._tools.find(server, tool_name)
        if tool is None:
            raise ValueError(f"{method} {path} shares {tool_name}, which is no tool of the server {server}.")
        if (method, path) in self._routes:
            raise ValueError(f"There is a route {method} {path} already.")
        route = Route(self, method, path, tool, upload, most_bytes, keeps_answer, stream)
        if bool(upload) != bool(most_bytes):
            raise ValueError(f"{method} {path}: an upload needs most_bytes, and nothing else has it.")
        if tool.asynchronous or tool.reports:
            raise ValueError(f"{tool_name} runs on the event loop or reports on the way; a REST route can do neither.")
        if route.takes_key and tool.calls_out:
            raise ValueError(f"{tool_name} calls out; say keeps_answer=False, for no answer of its can be kept.")
        if unknown := set(route.in_path) - set(route.arguments.model_json_schema(by_alias=True)["properties"]):
            raise ValueError(f"{method} {path} names {sorted(unknown)}, which {tool_name} does not take.")
        self._routes[method, path] = route

    def __iter__(self) -> Iterator[Route]:
        """By path, one that is spelt out before one with a parameter in that place."""
        return iter(sorted(self._routes.values(), key=lambda route: (_precedence(route.path), route.method)))

    def by_path(self) -> dict[str, dict[str, Route]]:
        """The routes of each path by their methods."""
        found: dict[str, dict[str, Route]] = {}
        for route in self:
            found.setdefault(route.path, {})[route.method] = route
        return found


def _precedence(path: str) -> list[tuple[bool, str]]:
    return [(segment.startswith("{"), segment) for segment in path.split("/")]


api = Routes(
    registry,
    base="agents/v2/",
    name="rest",
    title="Agents and workflows",
    description="Agents, browser profiles, files and workflows. The guide: /docs/rest-api.",
)
remote_api = Routes(
    registry,
    base="api/mcp/",
    name="rest-remote",
    title="Remote MCP servers",
    description="Remote MCP servers, their tools, and people's connections to them. The guide: /docs/remote-servers.",
)
chat_api = Routes(
    registry,
    base="api/",
    name="rest-chat",
    title="Chats",
    description="Agents to talk to, conversations and answers as they come. The guide: /docs/chat-api.",
    sessions=True,
)
# One whose base begins with another's comes before it.
APIS = (api, remote_api, chat_api)
