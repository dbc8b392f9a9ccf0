"""Whether a server that does not answer as it should would answer on the other transport: the commonest mistake."""

import asyncio
import contextlib
from typing import Any

import httpx2
from mcp.shared._httpx_utils import sse_within_origin

from mcp_gateway.models import Transport
from mcp_gateway.remote.line import is_event_stream
from mcp_gateway.remote.problems import Code, RemoteError
from mcp_gateway.remote.sse import events_of, post
from mcp_gateway.remote.targets import Target

LOOK_SECONDS = 3.0
# What the wrong transport looks like; all else has another cause.
SUSPECT = frozenset({Code.NOT_FOUND, Code.NOT_MCP, Code.PROTOCOL, Code.WRONG_TRANSPORT, Code.SERVER_ERROR})


async def check_transport(target: Target, client: httpx2.AsyncClient, problem: RemoteError) -> RemoteError:
    """The problem, or WRONG_TRANSPORT where the server does answer on the other one."""
    if problem.code not in SUSPECT:
        return problem
    answers = _streamable_http_answers if target.transport == Transport.SSE else _sse_answers
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            found = await answers(client, target.url)
    except (TimeoutError, httpx2.HTTPError, httpx2.SSEError):
        return problem
    return _wrong(Transport(target.transport)) if found else problem


async def _sse_answers(client: httpx2.AsyncClient, url: str) -> bool:
    """Whether a GET opens an event stream that begins with where to send requests, as SSE servers' do."""
    async with sse_within_origin(client, url) as source:
        if source.response.status_code != 200:
            return False
        async with contextlib.aclosing(events_of(source)) as events:
            first = await anext(events, None)
            return first is not None and first.event == "endpoint"


async def _streamable_http_answers(client: httpx2.AsyncClient, url: str) -> bool:
    """Whether a POST is answered by a JSON-RPC message, if only to refuse it."""
    headers = {"Accept": "application/json, text/event-stream"}
    ping = {"jsonrpc": "2.0", "id": "ping", "method": "ping"}
    response = await post(client, url, ping, headers)
    if is_event_stream(response):
        return True
    try:
        answer: Any = response.json()
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.get("jsonrpc") == "2.0"


def _wrong(chosen: Transport) -> RemoteError:
    if chosen == Transport.SSE:
        message = "This server does not speak SSE (legacy). Edit it and choose the transport Streamable HTTP."
    else:
        message = "This server speaks the older transport only. Edit it and choose SSE (legacy)."
    return RemoteError(Code.WRONG_TRANSPORT, message)
