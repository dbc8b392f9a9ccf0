"""A connection to one remote server, opened and closed. It knows the wire and no database.

Each connection lives in a task of its own, because the library's session may end that task when the server goes away;
whoever asks is told so by a RemoteError, and nothing else of theirs ends.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import cast

import anyio
import httpx2
from django.conf import settings
from mcp.client.session import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    DiscoverResult,
    ElicitRequestParams,
    ElicitResult,
    ErrorData,
    Implementation,
)

from mcp_gateway.models import Transport
from mcp_gateway.remote import era, questions, sse
from mcp_gateway.remote.conversation import RemoteSession
from mcp_gateway.remote.diagnosis import diagnose
from mcp_gateway.remote.line import Line, Witness, witnessing
from mcp_gateway.remote.other_transport import check_transport
from mcp_gateway.remote.problems import RemoteError
from mcp_gateway.remote.session import Session
from mcp_gateway.remote.targets import Target
from mcp_gateway.remote.wires import wires
from security.outbound import OutboundRefused, urls

# What closing may take: telling an old server that the session is over is a courtesy.
CLOSING_SECONDS = 2.0


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
    _check_readable(target.url)
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


def _check_readable(url: str) -> None:
    """Refuse what is no URL, or two at once: services save none, and rows can be written past them."""
    try:
        urls.read(url)
    except OutboundRefused as refused:
        raise diagnose(refused, Witness(failure=refused), seconds=0) from None


class _Connection:
    """What lives in a task of its own: one session, from its first byte to its last."""

    def __init__(self, target: Target, deadline: float, on_list_changed: Callable[[], None] | None) -> None:
        self._target, self._deadline, self._on_list_changed = target, deadline, on_list_changed
        self._answering = questions.Answering()
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
                    session = RemoteSession(library, self._deadline, self._answering)
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
        return await questions.put(self._target.name, params, self._answering.whom())

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
