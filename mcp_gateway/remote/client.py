"""A connection to one remote server: opened, asked, closed. It knows the wire and no database.

Each connection lives in a task of its own, because the library's session may end that task when the server goes away;
whoever asks is told so by a RemoteError and nothing else of theirs ends.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import anyio
import httpx2
from django.conf import settings
from mcp.client.session import ClientRequestContext, ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    CallToolResult,
    ElicitRequestParams,
    ElicitResult,
    ErrorData,
    Implementation,
    PaginatedRequestParams,
    Tool,
)
from mcp_types import DiscoverResult as Discovered

from mcp_gateway.models import Transport
from mcp_gateway.remote import era, sse
from mcp_gateway.remote.diagnosis import diagnose
from mcp_gateway.remote.line import Line, Witness, witnessing
from mcp_gateway.remote.problems import Code, RemoteError
from mcp_gateway.remote.targets import Target
from mcp_gateway.remote.wires import wires

# What closing may take: telling an old server that the session is over is a courtesy.
CLOSING_SECONDS = 2.0
# A list that goes on after this many pages or tools is cut: no model can choose among so many.
MOST_PAGES = 50
MOST_TOOLS = 1_000

Elicit = Callable[[ElicitRequestParams], Awaitable[ElicitResult]]


class Progress(Protocol):
    async def __call__(self, progress: float, total: float | None, message: str | None) -> None: ...


# Who answers the questions of the call under way; requests of a server come in the context of what caused them.
_elicit: ContextVar[Elicit | None] = ContextVar("remote_elicit", default=None)


class _Session(ClientSession):
    """The library's session without its check of structured results.

    The schemas come from the other side, and checking against one may take for ever (a `pattern` is a regular
    expression). It would also turn a result that a caller can use into an error.
    """

    async def validate_tool_result(self, name: str, result: CallToolResult) -> None:
        return


@dataclass(frozen=True, slots=True)
class Page:
    """All tools of a server, and how long its list may be kept: seconds, None where the server does not say."""

    tools: list[Tool]
    keep_seconds: float | None


@dataclass
class RemoteSession:
    """A connection that stands. Its methods raise RemoteError."""

    target: Target
    deadline: float
    _library: ClientSession = field(repr=False)
    on_list_changed: Callable[[], None] | None = None

    @property
    def protocol_version(self) -> str:
        return self._library.protocol_version or ""

    @property
    def modern(self) -> bool:
        return self._library.discover_result is not None

    @property
    def prior(self) -> Discovered | None:
        """What a later connection needs to do without a handshake; None where the server asks for one."""
        return self._library.discover_result

    @property
    def server_info(self) -> Implementation | None:
        return self._library.server_info

    async def list_tools(self) -> list[Tool]:
        return (await self.page()).tools

    async def page(self) -> Page:
        """The whole list, whatever pages it comes in."""
        tools: list[Tool] = []
        cursor: str | None = None
        keep: list[float] = []
        capabilities = self._library.server_capabilities
        if not self.modern and capabilities is not None and capabilities.tools is None:
            return Page([], None)
        async with self._exchange(self.deadline):
            for _ in range(MOST_PAGES):
                result = await self._library.list_tools(params=PaginatedRequestParams(cursor=cursor))
                tools += result.tools
                if "ttl_ms" in result.model_fields_set and result.ttl_ms is not None:
                    keep.append(result.ttl_ms / 1000)
                cursor = result.next_cursor
                if not cursor or len(tools) >= MOST_TOOLS:
                    break
        return Page(tools[:MOST_TOOLS], min(keep) if keep else None)

    async def call(
        self,
        name: str,
        arguments: Mapping[str, Any],
        *,
        progress: Progress | None = None,
        elicit: Elicit | None = None,
        seconds: float | None = None,
    ) -> CallToolResult:
        """The tool's result as the server gave it, after the questions it had."""
        seconds = settings.MCP_REMOTE_CALL_SECONDS if seconds is None else seconds
        token = _elicit.set(elicit)
        try:
            async with self._exchange(seconds):
                return await era.call(self._library, name, dict(arguments), progress=progress)
        finally:
            _elicit.reset(token)

    def expect(self, tools: list[Tool]) -> None:
        """Take a list kept from before as this server's: some arguments travel in headers that its schemas name."""
        era.absorb(self._library, tools)

    @contextlib.asynccontextmanager
    async def _exchange(self, seconds: float) -> AsyncIterator[None]:
        async with exchange(seconds):
            yield


@contextlib.asynccontextmanager
async def exchange(seconds: float) -> AsyncIterator[Witness]:
    """One step with the server, within so many seconds; what goes wrong in it is raised as a RemoteError."""
    with witnessing() as witness:
        try:
            async with asyncio.timeout(seconds):
                yield witness
        except Exception as error:  # the library raises many kinds; each becomes words for people
            raise diagnose(error, witness, seconds=seconds) from error


@contextlib.asynccontextmanager
async def connect(
    target: Target,
    *,
    deadline: float | None = None,
    prior: Discovered | None = None,
    handshake: bool = False,
    on_list_changed: Callable[[], None] | None = None,
) -> AsyncIterator[RemoteSession]:
    """A session with the server, closed when left; RemoteError where there is none within `deadline` seconds.

    `prior` is what the server said about itself before: then nothing is sent until something is asked. `handshake`
    says that it is known to speak an older revision only.
    """
    deadline = settings.MCP_REMOTE_CONNECT_SECONDS if deadline is None else deadline
    line = _Connection(target, deadline, prior=prior, handshake=handshake, on_list_changed=on_list_changed)
    host = asyncio.create_task(line.live(), name=f"remote server {target.server_id}")
    try:
        async with asyncio.timeout(deadline):
            session = await asyncio.shield(line.standing)
    except TimeoutError as error:
        await _end(line, host)
        raise diagnose(error, line.witness, seconds=deadline) from None
    except BaseException:
        await _end(line, host)
        raise
    try:
        yield session
    finally:
        await _end(line, host)


class _Connection:
    """The task in which one session lives, from its first byte to its last."""

    def __init__(
        self,
        target: Target,
        deadline: float,
        *,
        prior: Discovered | None,
        handshake: bool,
        on_list_changed: Callable[[], None] | None,
    ) -> None:
        self._target, self._deadline, self._prior, self._handshake = target, deadline, prior, handshake
        self._on_list_changed = on_list_changed
        self._leave = asyncio.Event()
        self.standing: asyncio.Future[RemoteSession] = asyncio.get_running_loop().create_future()
        self.witness = Witness()

    def leave(self) -> None:
        self._leave.set()

    async def live(self) -> None:
        with witnessing() as self.witness:
            try:
                async with contextlib.AsyncExitStack() as stack:
                    session = await self._open(stack)
                    self.standing.set_result(session)
                    await self._leave.wait()
            except Exception as error:  # whatever ended it is told to whoever waits for it, in words
                if self.standing.done():
                    return
                self.standing.set_exception(diagnose(_root(error), self.witness, seconds=self._deadline))
            finally:
                if not self.standing.done():
                    self.standing.cancel()

    async def _open(self, stack: contextlib.AsyncExitStack) -> RemoteSession:
        client = await stack.enter_async_context(wires().lend(self._target))
        line = cast(httpx2.AsyncClient, Line(client, self._target.credential.headers))
        most = settings.MCP_REMOTE_ANSWER_BYTES
        if self._target.transport == Transport.SSE:
            streams = await stack.enter_async_context(sse.streams(line, self._target.url, most_event_bytes=most))
        else:
            streams = await stack.enter_async_context(
                streamable_http_client(self._target.url, http_client=line, max_sse_event_size=most)
            )
        library = await stack.enter_async_context(
            _Session(
                *streams,
                client_info=Implementation(name="asterism", title="Asterism", version=settings.VERSION),
                elicitation_callback=_answer_question,
                message_handler=self._hear,
            )
        )
        await era.agree(
            library,
            prior=self._prior,
            handshake=self._handshake or self._target.transport == Transport.SSE,
            witness=self.witness,
        )
        return RemoteSession(self._target, self._deadline, library)

    async def _hear(self, message: object) -> None:
        if self._on_list_changed is not None and era.is_list_changed(message):
            self._on_list_changed()


async def _answer_question(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult | ErrorData:
    """Whoever holds the conversation answers; where nobody does, the server is told politely that nobody will."""
    elicit = _elicit.get()
    if elicit is None:
        return ElicitResult(action="decline")
    return await elicit(params)


async def _end(line: _Connection, host: asyncio.Task[None]) -> None:
    """Let the connection close, also when whoever used it was cancelled; a server that drags is left."""
    line.leave()
    if not line.standing.done():
        host.cancel()
    with anyio.CancelScope(shield=True):
        await asyncio.wait({host}, timeout=CLOSING_SECONDS)
        if not host.done():
            host.cancel()
            await asyncio.wait({host})
    if line.standing.done() and not line.standing.cancelled():
        line.standing.exception()  # seen


def _root(error: BaseException) -> BaseException:
    """What a group of errors is about."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


__all__ = ["Code", "Elicit", "Page", "Progress", "RemoteError", "RemoteSession", "connect", "exchange"]
