"""Our connector as a process for the suite's scenarios: `python -m tests.conformance.connector <socket>`.

Two of these run beside each other over one database. The client under test begins a sign-in in one and finishes it in
the other, so that nothing can be carried over in memory. Each connection brings one order, a line of JSON.
"""

import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import django
import httpx2

django.setup()

from django.db import transaction  # noqa: E402

from accounts.caller import Caller, Door  # noqa: E402
from accounts.errors import DomainError  # noqa: E402
from accounts.scopes import Scope  # noqa: E402
from mcp_gateway.models import AuthType, ClientMode, RemoteServer  # noqa: E402
from mcp_gateway.offload import in_domain  # noqa: E402
from mcp_gateway.remote import client, toolbox  # noqa: E402
from mcp_gateway.remote.line import Line  # noqa: E402
from mcp_gateway.remote.problems import Code, RemoteError  # noqa: E402
from mcp_gateway.remote.questions import Answer, Question  # noqa: E402
from mcp_gateway.remote.services import connections  # noqa: E402
from mcp_gateway.remote.toolbox import OfferedTool, Toolbox  # noqa: E402
from tests.factories import MembershipFactory, RemoteServerFactory  # noqa: E402

streaming: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
SESSION = b"the one browser of this person  "
# What a person has to do something about, by connecting.
TO_CONNECT = {Code.NOT_CONNECTED, Code.CONNECTION_ERROR, Code.UNAUTHORIZED, Code.SCOPE_NEEDED}
Order = Mapping[str, Any]


def prepare(order: Order) -> dict[str, Any]:
    """A person of their own for the scenario, and its server in the mode that it is about."""
    scenario, context = order["scenario"], order["context"]
    fields: dict[str, Any] = {"auth_type": AuthType.NONE}
    if scenario.startswith("auth/"):
        fields = {"auth_type": AuthType.OAUTH, "client_mode": ClientMode.DYNAMIC}
    if scenario == "auth/basic-cimd":
        fields["client_mode"] = ClientMode.CIMD
    elif scenario == "auth/pre-registration":
        fields["client_mode"] = ClientMode.KNOWN_CREDENTIALS
        fields |= {"client_id": context["client_id"], "client_secret": context["client_secret"]}
    with transaction.atomic():
        membership = MembershipFactory()
        server: RemoteServer = RemoteServerFactory(organization=membership.organization, url=order["url"], **fields)
    return {"user": membership.user_id, "server": server.pk}


async def work(order: Order) -> dict[str, Any]:
    """Use the server as an agent would: list its tools, call each. `connect` is whether its person is needed first."""
    async with toolbox.open(_caller(order), [order["server"]], ask=fill_in) as box:
        if box.problems:
            problem = box.problems[0]
            return {"connect": problem.code in TO_CONNECT, "error": problem.message}
        if order["scenario"] == "sse-retry":
            # It takes the first GET for the one that it waits for, also the stream that every session opens.
            async with asyncio.timeout(60):
                await streaming[order["url"].rstrip("/")].wait()
        try:
            for name, arguments in _calls(box, order["context"]):
                await box.call(name, arguments)
        except RemoteError as error:
            return {"connect": error.code in TO_CONNECT, "error": error.message}
    return {}


async def begin(order: Order) -> dict[str, Any]:
    return {"url": await connections.start(_caller(order), order["server"], session_digest=SESSION)}


async def finish(order: Order) -> dict[str, Any]:
    await connections.finish(_caller(order), order["query"], session_digest=SESSION)
    return {}


class NotingLine(Line):
    """Notes when a session's own stream stands."""

    async def send(self, request: httpx2.Request, *, stream: bool = False, **options: Any) -> httpx2.Response:
        response = await super().send(request, stream=stream, **options)
        if request.method == "GET":
            streaming[str(request.url).rstrip("/")].set()
        return response


async def fill_in(question: Question) -> Answer:
    """Answer a form with its defaults, as a person does who presses return."""
    fields = dict((question.schema or {}).get("properties", {}))
    given = {name: schema["default"] for name, schema in fields.items() if "default" in schema}
    confirmed = {name: True for name, schema in fields.items() if schema.get("type") == "boolean" and name not in given}
    return Answer("accept", given | confirmed)


def _calls(box: Toolbox, context: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The calls a scenario wants, or else one of each tool."""
    by_name = {tool.remote_name: tool for tool in box.tools}
    if wanted := context.get("toolCalls"):
        return [(by_name[call["name"]].name, call["arguments"]) for call in wanted]
    return [(tool.name, _arguments(tool, box)) for tool in box.tools]


def _arguments(tool: OfferedTool, box: Toolbox) -> dict[str, Any]:
    if tool.remote_name == "add_numbers":
        return {"a": 5, "b": 3}
    if tool.remote_name == "json_schema_echo":
        other = next(each for each in box.tools if each is not tool)
        return {"schema": other.input_schema}
    return {}


def _caller(order: Order) -> Caller:
    return Caller(user_id=order["user"], scope=Scope.WRITE, door=Door.TASK)


async def obey(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    order = json.loads(await reader.readline())
    try:
        match order["do"]:
            case "prepare":
                done = await in_domain(prepare, order)
            case "work":
                done = await work(order)
            case "begin":
                done = await begin(order)
            case "finish":
                done = await finish(order)
    except DomainError as refusal:
        done = {"refused": refusal.code, "error": refusal.message}
    writer.write(json.dumps(done).encode() + b"\n")
    await writer.drain()
    writer.close()


async def serve(path: str) -> None:
    client.Line = NotingLine  # type: ignore[attr-defined]
    server = await asyncio.start_unix_server(obey, path, limit=2**20)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
