"""The transport of the oldest servers: one event stream down, and a POST for each message up (revision 2024-11-05).

The library has one too; in it a message that the server refuses is logged and waited for until time runs out. Here each
request that cannot be delivered is answered at once.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from typing import Any, cast
from urllib.parse import urljoin

import anyio
import httpx2
from mcp.client._transport import TransportStreams
from mcp.shared._context_streams import ContextReceiveStream, ContextSendStream, create_context_streams
from mcp.shared._httpx_utils import sse_within_origin, stream_within_origin
from mcp.shared.message import SessionMessage
from mcp_types import CONNECTION_CLOSED, ErrorData, JSONRPCError, JSONRPCRequest, jsonrpc_message_adapter
from pydantic import ValidationError

from mcp_gateway.remote.line import is_event_stream
from mcp_gateway.remote.problems import Code, RemoteError

Received = ContextSendStream[SessionMessage | Exception]
Sent = ContextReceiveStream[SessionMessage]
Events = AsyncGenerator[httpx2.ServerSentEvent, None]
# What a request is answered with that the server did not take.
NOT_DELIVERED = "The request was not taken."
HEADERS = {"Content-Type": "application/json"}
# What sending into a session that has ended raises.
GONE = (anyio.BrokenResourceError, anyio.ClosedResourceError)


@contextlib.asynccontextmanager
async def streams(
    client: httpx2.AsyncClient,
    url: str,
    *,
    most_event_bytes: int,
    endpoint_seconds: float,
    on_end: Callable[[], None],
) -> AsyncIterator[TransportStreams]:
    """The pair of streams a session runs on; `on_end` is called when the server ends its own.

    RemoteError where no event stream opens that says, within so many seconds, where to send requests.
    """
    async with contextlib.AsyncExitStack() as stack:
        source = await stack.enter_async_context(sse_within_origin(client, url, max_event_size=most_event_bytes))
        events = await stack.enter_async_context(contextlib.aclosing(events_of(source)))
        endpoint = await _endpoint(source.response, events, url, endpoint_seconds)
        received, read_stream = create_context_streams[SessionMessage | Exception](0)
        write_stream, sent = create_context_streams[SessionMessage](0)
        async with received, read_stream, write_stream, sent, anyio.create_task_group() as group:
            group.start_soon(_read, events, received, on_end)
            group.start_soon(_write, client, endpoint, sent, received)
            try:
                yield read_stream, write_stream
            finally:
                group.cancel_scope.cancel()


def events_of(source: httpx2.EventSource) -> Events:
    """The events of a stream, to be closed by whoever does not read it to its end."""
    return cast(Events, aiter(source))


async def post(client: httpx2.AsyncClient, url: str, message: Any, headers: Mapping[str, str]) -> httpx2.Response:
    """The answer to a message, to be had without its events: a stream of them has no bounds, and is left unread."""
    async with stream_within_origin(client, "POST", url, json=message, headers=headers) as response:
        if not is_event_stream(response):
            await response.aread()
    return response


async def _endpoint(response: httpx2.Response, events: Events, url: str, seconds: float) -> str:
    """Where messages are to be sent, which the server says first."""
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if response.status_code != 200 or content_type != "text/event-stream":
        raise NoStream(f"status {response.status_code}, {content_type or 'no content type'}")
    with contextlib.suppress(httpx2.HTTPError, httpx2.SSEError, TimeoutError):
        async with asyncio.timeout(seconds):
            async for event in events:
                if event.event == "endpoint":
                    return _within_origin(url, event.data)
                if event.event == "message":
                    break
    raise RemoteError(
        Code.WRONG_TRANSPORT,
        "The server opened an event stream and did not say where to send requests, as SSE servers do. "
        "Try the transport Streamable HTTP.",
    )


def _within_origin(url: str, endpoint: str) -> str:
    """The endpoint's URL; one on another server would be sent the credential."""
    elsewhere = RemoteError(
        Code.REFUSED_ADDRESS, "The server wants requests to be sent to another server, which is not done."
    )
    try:
        whole = urljoin(url, endpoint)
        ours, theirs = httpx2.URL(url), httpx2.URL(whole)
    except (ValueError, httpx2.InvalidURL):
        raise elsewhere from None
    if (ours.scheme, ours.host, ours.port) != (theirs.scheme, theirs.host, theirs.port) or theirs.userinfo:
        raise elsewhere
    return whole


class NoStream(Exception):  # noqa: N818 - what the server did instead is known to the witness
    """The server answered with something other than an event stream."""


async def _read(events: Events, received: Received, on_end: Callable[[], None]) -> None:
    """Pass on what the server says. When its stream ends, whoever waits for an answer learns that none will come."""
    async with received:
        with contextlib.suppress(
            httpx2.HTTPError, httpx2.SSEError, anyio.BrokenResourceError, anyio.ClosedResourceError
        ):
            async for event in events:
                if event.event == "message" and event.data:
                    await received.send(_parsed(event.data))
        on_end()


def _parsed(text: str) -> SessionMessage | Exception:
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(text, by_name=False))
    except ValidationError as error:
        return error


async def _write(client: httpx2.AsyncClient, endpoint: str, sent: Sent, received: Received) -> None:
    async with sent, anyio.create_task_group() as group:
        async for message in sent:
            # In the context of whoever asked, so that what comes of it is told to them.
            context = sent.last_context
            assert context is not None
            context.run(group.start_soon, _deliver, client, endpoint, message, received)


async def _deliver(client: httpx2.AsyncClient, endpoint: str, sent: SessionMessage, received: Received) -> None:
    message = sent.message
    body = message.model_dump(by_alias=True, mode="json", exclude_unset=True)
    response = await post(client, endpoint, body, HEADERS)
    if response.status_code < 300 or not isinstance(message, JSONRPCRequest):
        return
    refusal = ErrorData(code=CONNECTION_CLOSED, message=NOT_DELIVERED)
    with contextlib.suppress(*GONE):
        await received.send(SessionMessage(JSONRPCError(jsonrpc="2.0", id=message.id, error=refusal)))
