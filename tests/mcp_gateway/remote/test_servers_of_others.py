"""The toolbox with servers we did not write: both transports, both eras, and each of their tools called."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from accounts.caller import Caller
from accounts.models import Organization
from mcp_gateway.models import AuthType, Transport
from mcp_gateway.remote import discovery, toolbox
from mcp_gateway.remote.questions import Answer, Question
from mcp_gateway.remote.services import credentials
from mcp_gateway.remote.targets import Target
from mcp_gateway.remote.toolbox import RemoteResult
from tests.factories import RemoteServerFactory
from tests.mcp_gateway.remote.elsewhere import run
from tests.mcp_gateway.remote.others import running

pytestmark = [pytest.mark.usefixtures("in_this_thread"), pytest.mark.faults]

MODERN, OLD = "2026-07-28", "2025-11-25"
# What the tools of server-everything are called with, and the kinds of blocks that each answers with.
EVERYTHING: dict[str, tuple[dict[str, Any], list[str]]] = {
    "echo": ({"message": "hello"}, ["text"]),
    "get-annotated-message": ({"messageType": "error", "includeImage": True}, ["text", "image"]),
    "get-env": ({}, ["text"]),
    "get-resource-links": ({"count": 2}, ["text", "resource_link", "resource_link"]),
    "get-resource-reference": ({"resourceType": "Blob", "resourceId": 1}, ["text", "resource", "text"]),
    "get-structured-content": ({"location": "Chicago"}, ["text"]),
    "get-sum": ({"a": 2, "b": 3}, ["text"]),
    "get-tiny-image": ({}, ["text", "image", "text"]),
    "gzip-file-as-resource": ({"name": "a.gz", "data": "data:text/plain,a", "outputType": "resource"}, ["resource"]),
    "simulate-research-query": ({"topic": "lamps", "ambiguous": True}, ["text"]),
    "toggle-simulated-logging": ({}, ["text"]),
    "toggle-subscriber-updates": ({}, ["text"]),
    "trigger-elicitation-request": ({}, ["text", "text", "text"]),
    "trigger-long-running-operation": ({"duration": 0.2, "steps": 2}, ["text"]),
    "trigger-url-elicitation": ({"url": "https://example.com/sign", "message": "Sign here"}, ["text", "text"]),
}
FASTMCP = {
    "add": ({"a": 2, "b": 3}, ["text"]),
    "picture": ({}, ["image"]),
    "count": ({"to": 3}, ["text"]),
    "refuse": ({}, ["text"]),
}
TYPESCRIPT = {"add": ({"a": 2, "b": 3}, ["text"]), "files.read": ({}, ["resource"]), "refuse": ({}, ["text"])}


@dataclass(frozen=True)
class Other:
    start: Callable[[], AbstractContextManager[str]]
    transport: Transport
    version: str
    tools: dict[str, tuple[dict[str, Any], list[str]]]


OTHERS = {
    "everything-http": Other(partial(running.everything, "streamableHttp"), Transport.STREAMABLE_HTTP, OLD, EVERYTHING),
    "everything-sse": Other(partial(running.everything, "sse"), Transport.SSE, OLD, EVERYTHING),
    "fastmcp-http": Other(partial(running.fastmcp, "http"), Transport.STREAMABLE_HTTP, MODERN, FASTMCP),
    "fastmcp-sse": Other(partial(running.fastmcp, "sse"), Transport.SSE, OLD, FASTMCP),
    "typescript-http": Other(running.typescript, Transport.STREAMABLE_HTTP, MODERN, TYPESCRIPT),
}


@pytest.fixture(params=OTHERS)
def other(request: pytest.FixtureRequest) -> Iterator[tuple[Other, str]]:
    one = OTHERS[request.param]
    with one.start() as url:
        yield one, url


def revision_of(target: Target) -> str:
    """The revision that the toolbox just agreed on with the server."""
    known = discovery.known(target)
    assert known is not None
    return MODERN if known.prior is not None else OLD


def test_each_tool_of_a_server_of_others_can_be_called(
    other: tuple[Other, str], member: Caller, organization: Organization
) -> None:
    one, url = other
    server = RemoteServerFactory(
        organization=organization, slug="other", url=url, transport=one.transport, auth_type=AuthType.NONE
    )
    target = credentials.target_of(server)
    assert isinstance(target, Target)
    asked: list[Question] = []
    heard: list[float] = []

    async def ask(question: Question) -> Answer:
        asked.append(question)
        return Answer("accept", {"name": "Ada", "interpretation": "technical"} if question.schema else None)

    async def progress(progress: float, total: float | None, message: str | None) -> None:
        heard.append(progress)

    async def work() -> dict[str, RemoteResult]:
        async with asyncio.timeout(60), toolbox.open(member, [server.pk], ask=ask) as box:
            assert box.problems == []
            assert revision_of(target) == one.version
            names = {tool.remote_name: tool.name for tool in box.tools}
            calls = [box.call(names[tool], arguments, progress=progress) for tool, (arguments, _) in one.tools.items()]
            assert set(names) == set(one.tools)
            # One after the other: some ask on a stream that does not say which call is meant.
            return {tool: await call for tool, call in zip(one.tools, calls, strict=True)}

    results = run(work)
    said = {tool: [block["type"] for block in result.content] for tool, result in results.items()}
    assert said == {tool: blocks for tool, (_, blocks) in one.tools.items()}
    assert [tool for tool, result in results.items() if result.is_error] == [
        each for each in ("refuse",) if each in said
    ]
    if one.tools is EVERYTHING:
        assert results["get-structured-content"].structured["temperature"] == 36
        assert [question.message for question in asked][-1] == "Sign here"
        assert "technical" in results["simulate-research-query"].text
    else:
        assert "5" in str(results["add"].structured)
    assert bool(heard) == (one.tools is not TYPESCRIPT)
