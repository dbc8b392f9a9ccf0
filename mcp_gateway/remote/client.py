"""A connection to one remote server: opened, asked, closed. It knows the wire and no database.

Each connection lives in a task of its own, because the library's session may end that task when the server goes away;
whoever asks is told so by a RemoteError, and nothing else of theirs ends.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, cast

import anyio
import httpx2
from django.conf import settings
from mcp.client.session import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    CallToolResult,
    DiscoverResult,
    ElicitRequestParams,
    ElicitResult,
    ErrorData,
    Implementation,
    PaginatedRequestParams,
    Tool,
)

from mcp_gateway.models import Transport
from mcp_gateway.remote import era, later, questions, sse
from mcp_gateway.remote.diagnosis import diagnose
from mcp_gateway.remote.line import Line, Witness, witnessing
from mcp_gateway.remote.other_transport import check_transport
from mcp_gateway.remote.patience import Patience, Progress
from mcp_gateway.remote.problems import RemoteError
from mcp_gateway.remote.session import Session
from mcp_gateway.remote.targets import Target
from mcp_gateway.remote.wires import wires

# What closing may take: telling an old server that the session is over is a courtesy.
CLOSING_SECONDS = 2.0
# A list that goes on after this many pages or tools is cut: no model can choose among so many.
MOST_PAGES = 50
MOST_TOOLS = 1_000

# Who answers the questions of the call under way; requests of a server come in the context of what caused them.
_ask: ContextVar[questions.Ask | None] = ContextVar("remote_ask", default=None)


@dataclass(frozen=True, slots=True)
class Page:
    """All tools of a server, and how long its list may be kept: seconds, None where the server does not say."""

    tools: list[Tool]
    keep_seconds: float | None


class RemoteSession:
    """A connection that stands. Its methods raise RemoteError."""

    def __init__(self, library: Session, deadline: float, asking: list[questions.Ask]) -> None:
        self._library, self._deadline, self._asking = library, deadline, asking
        self._later: frozenset[str] = frozenset()
        self.alive = True

    @property
    def protocol_version(self) -> str:
        return self._library.protocol_version or ""

    @property
    def modern(self) -> bool:
        """Whether each request stands for itself; older servers have a session."""
        return self._library.discover_result is not None

    @property
    def prior(self) -> DiscoverResult | None:
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
        keep: list[float] = []
        cursor: str | None = None
        if not era.has_tools(self._library):
            return Page([], None)
        async with exchange(self._deadline):
            for _ in range(MOST_PAGES):
                result = await self._library.list_tools(params=PaginatedRequestParams(cursor=cursor))
                tools += result.tools
                if "ttl_ms" in result.model_fields_set and result.ttl_ms is not None:
                    keep.append(result.ttl_ms / 1000)
                cursor = result.next_cursor
                if not cursor or len(tools) >= MOST_TOOLS:
                    break
        self._later = later.answered_later(tools)
        return Page(tools[:MOST_TOOLS], min(keep) if keep else None)

    def expect(self, tools: list[Tool]) -> None:
        """Take a list kept from before as this server's."""
        self._library.expect(tools)
        self._later = later.answered_later(tools)

    async def call(
        self,
        name: str,
        arguments: Mapping[str, Any],
        *,
        progress: Progress | None = None,
        ask: questions.Ask | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> CallToolResult:
        """The tool's result as the server gave it, after `ask` answered what it wanted to know in between.

        The server has MCP_REMOTE_CALL_SECONDS from its last word on the progress of it; a question stops the clock.
        """
        patience = Patience(settings.MCP_REMOTE_CALL_SECONDS, settings.MCP_REMOTE_LONGEST_CALL_SECONDS)
        with self._answered_by(patience.stopped_during(ask)):
            async with exchange(settings.MCP_REMOTE_CALL_SECONDS, patience):
                told = patience.renewed_by(progress)
                if name in self._later and not self.modern:
                    return await later.call(self._library, name, dict(arguments), progress=told)
                return await era.call(self._library, name, dict(arguments), progress=told, meta=meta)

    @contextlib.contextmanager
    def _answered_by(self, ask: questions.Ask | None) -> Iterator[None]:
        token = _ask.set(ask)
        if ask is not None:
            self._asking.append(ask)
        try:
            yield
        finally:
            _ask.reset(token)
            if ask is not None:
                self._asking.remove(ask)


@contextlib.asynccontextmanager
async def exchange(seconds: float, patience: Patience | None = None) -> AsyncIterator[Witness]:
    """One step with the server, within so many seconds; what goes wrong in it is raised as a RemoteError."""
    with witnessing() as witness:
        try:
            async with patience.clock() if patience else asyncio.timeout(seconds):
                yield witness
        except Exception as error:  # the library raises many kinds; each becomes words for people
            raise diagnose(error, witness, seconds=seconds) from error


@contextlib.asynccontextmanager
async def connect(
    target: Target,
    *,
    deadline: float | None = None,
    prior: DiscoverResult | None = None,
    handshake: bool = False,
    on_list_changed: Callable[[], None] | None = None,
) -> AsyncIterator[RemoteSession]:
    """A session with the server, closed when left; RemoteError where there is none within `deadline` seconds.

    `prior` is what the server said about itself before: then nothing is sent until something is asked. `handshake`
    says that it is known to speak an older revision only.
    """
    seconds = settings.MCP_REMOTE_CONNECT_SECONDS if deadline is None else deadline
    connection = _Connection(target, seconds, on_list_changed)
    home = asyncio.create_task(connection.live(prior, handshake), name=f"remote server {target.server_id}")
    try:
        try:
            async with asyncio.timeout(seconds):
                session = await asyncio.shield(connection.standing)
        except TimeoutError as error:
            raise connection.problem or diagnose(error, connection.witness, seconds=seconds) from None
        yield session
    finally:
        await _end(connection, home)


class _Connection:
    """What lives in a task of its own: one session, from its first byte to its last."""

    def __init__(self, target: Target, deadline: float, on_list_changed: Callable[[], None] | None) -> None:
        self._target, self._deadline, self._on_list_changed = target, deadline, on_list_changed
        # Who answers in the calls under way.
        self._asking: list[questions.Ask] = []
        self.leave = asyncio.Event()
        self.standing: asyncio.Future[RemoteSession] = asyncio.get_running_loop().create_future()
        self.witness = Witness()
        # Known while it is still being looked into.
        self.problem: RemoteError | None = None

    async def live(self, prior: DiscoverResult | None, handshake: bool) -> None:
        with witnessing() as self.witness:
            try:
                async with contextlib.AsyncExitStack() as stack:
                    library = await self._open(stack)
                    older = handshake or self._target.transport == Transport.SSE
                    await era.agree(library, prior=prior, handshake=older, witness=self.witness)
                    session = RemoteSession(library, self._deadline, self._asking)
                    stack.callback(setattr, session, "alive", False)
                    self.standing.set_result(session)
                    if self._on_list_changed is not None:
                        await era.watch(library, until=self.leave)
                    await self.leave.wait()
            except Exception as error:  # whatever ended it is told to whoever waits for it, in words
                if not self.standing.done():
                    self.standing.set_exception(await self._explained(_root(error)))
            finally:
                self.standing.cancel()

    async def _open(self, stack: contextlib.AsyncExitStack) -> Session:
        client = await stack.enter_async_context(wires().lend(self._target))
        line = cast(httpx2.AsyncClient, Line(client, self._target.credential.headers))
        most = settings.MCP_REMOTE_ANSWER_BYTES
        streams = await stack.enter_async_context(
            sse.streams(
                line,
                self._target.url,
                most_event_bytes=most,
                endpoint_seconds=self._deadline / 2,
                on_end=self._ended,
            )
            if self._target.transport == Transport.SSE
            else streamable_http_client(self._target.url, http_client=line, max_sse_event_size=most)
        )
        return await stack.enter_async_context(
            Session(
                *streams,
                client_info=Implementation(name="asterism", title="Asterism", version=settings.VERSION),
                elicitation_callback=self._answer,
                message_handler=self._hear,
            )
        )

    async def _explained(self, error: BaseException) -> RemoteError:
        self.problem = diagnose(error, self.witness, seconds=self._deadline)
        async with wires().lend(self._target) as client:
            line = cast(httpx2.AsyncClient, Line(client, self._target.credential.headers))
            return await check_transport(self._target, line, self.problem)

    async def _answer(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult | ErrorData:
        ask = _ask.get()
        # Some old servers ask on a stream that belongs to no call; then it is clear who is meant if one is under way.
        if ask is None and len(self._asking) == 1:
            ask = self._asking[0]
        return await questions.put(self._target.name, params, ask)

    async def _hear(self, message: object) -> None:
        if self._on_list_changed is not None and era.says_list_changed(message):
            self._on_list_changed()

    def _ended(self) -> None:
        """The server ended the stream that the session lives on."""
        if self.standing.done() and not self.standing.cancelled() and self.standing.exception() is None:
            self.standing.result().alive = False


async def _end(connection: _Connection, home: asyncio.Task[None]) -> None:
    """Let the connection close, also when whoever used it was cancelled; a server that drags is left."""
    connection.leave.set()
    if not connection.standing.done():
        home.cancel()
    with anyio.CancelScope(shield=True):
        await asyncio.wait({home}, timeout=CLOSING_SECONDS)
        if not home.done():
            home.cancel()
            await asyncio.wait({home})
    if not connection.standing.cancelled():
        connection.standing.exception()  # has been seen, or nobody waits for it any more


def _root(error: BaseException) -> BaseException:
    """What a group of errors is about."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
