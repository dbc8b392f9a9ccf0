"""One server in a toolbox: connected when it is needed, and again when the server only refused what we came with."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from mcp_types import INVALID_REQUEST, METHOD_NOT_FOUND, UNSUPPORTED_PROTOCOL_VERSION, CallToolResult

from mcp_gateway.remote import discovery, refresh
from mcp_gateway.remote.client import connect
from mcp_gateway.remote.conversation import RemoteSession
from mcp_gateway.remote.discovery import Known, OfferedTool
from mcp_gateway.remote.patience import Progress
from mcp_gateway.remote.problems import Code, RemoteError
from mcp_gateway.remote.questions import Ask
from mcp_gateway.remote.targets import Credential, Target

# Between two notes to the other processes that a server's tools changed, however often it says so.
TELL_EVERY_SECONDS = 1.0
# How servers of older revisions refuse a request without a session, with a status of 4xx: a JSON-RPC error, or none.
NO_SESSION = frozenset({INVALID_REQUEST, -32000, None})

T = TypeVar("T")


class Member:
    """Not to be used by more than one event loop; its methods may be called at the same time."""

    def __init__(self, target: Target, deadline: float) -> None:
        self.target = target
        # Whether something is known to be wrong with it.
        self.failing = target.failing
        self._deadline = deadline
        self._known = discovery.known(target)
        self._session: RemoteSession | None = None
        # Whether it is taken on trust, from an earlier connection, that the server speaks a modern revision.
        self._trusting = False
        self._connecting = asyncio.Lock()
        self._open = contextlib.AsyncExitStack()
        self._changes = self._told = 0
        self._telling: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    @property
    def server_id(self) -> int:
        assert self.target.server_id is not None
        return self.target.server_id

    @property
    def knows_its_tools(self) -> bool:
        """Whether its tools are kept, so that it need not be asked."""
        return self._known is not None and self._known.fresh

    async def tools(self) -> tuple[OfferedTool, ...]:
        """The server's tools, as kept or as it lists them now. A list that is kept needs no connection."""
        if self._known is None or not self._known.fresh:
            self._known = await self._step(self._discover)
        return self._known.tools

    async def call(
        self,
        name: str,
        arguments: Mapping[str, Any],
        *,
        progress: Progress | None,
        ask: Ask | None,
        meta: Mapping[str, Any] | None,
    ) -> CallToolResult:
        return await self._step(lambda session: session.call(name, arguments, progress=progress, ask=ask, meta=meta))

    async def rest(self) -> None:
        """Let go of the connection until it is needed again. For when nobody is at work with it."""
        async with self._connecting:
            self._session = None
            await self._open.aclose()

    async def close(self) -> None:
        self._closing.set()
        await self._open.aclose()
        if self._telling is not None:
            await self._telling

    async def _discover(self, session: RemoteSession) -> Known:
        return await discovery.discover(self.target, session)

    async def _step(self, step: Callable[[RemoteSession], Awaitable[T]]) -> T:
        """Take a step with the server; once more where it was refused for a reason that can be fixed."""
        opened_with = self.target.credential
        session: RemoteSession | None = None
        try:
            session = await self._connected()
            return await step(session)
        except RemoteError as error:
            if not await self._mended(error, session, opened_with):
                raise
        session = await self._connected()
        return await step(session)

    async def _connected(self) -> RemoteSession:
        async with self._connecting:
            if self._session is None or not self._session.alive:
                known = self._known
                self._trusting = known is not None and known.prior is not None
                self._session = await self._open.enter_async_context(
                    connect(
                        self.target,
                        deadline=self._deadline,
                        prior=known.prior if known else None,
                        handshake=known is not None and known.handshake,
                        on_list_changed=self._changed,
                    )
                )
                if known is not None:
                    self._session.expect(list(known.listed))
            return self._session

    async def _mended(self, error: RemoteError, session: RemoteSession | None, opened_with: Credential) -> bool:
        """Whether the step is worth another try. It was not taken: the server refused it before it did anything."""
        connection_id = opened_with.connection_id
        if error.code is Code.SCOPE_NEEDED and connection_id is not None:
            await refresh.scope_refused(connection_id, error.scope)
        elif error.code is Code.UNAUTHORIZED and connection_id is not None:
            await self._renew(connection_id, opened_with)
            self._leave(session)
            return True
        elif session is None:
            return False
        elif _session_is_over(error, session):
            self._leave(session)
            return True
        elif self._trusting and _is_older_after_all(error):
            self._known = None
            self._leave(session)
            return True
        return False

    async def _renew(self, connection_id: int, refused: Credential) -> None:
        """Another credential for the one refused. Whoever else was refused may have fetched it already."""
        async with self._connecting:
            if self.target.credential == refused:
                renewed = await refresh.renew(connection_id, refused.generation)
                self.target = replace(self.target, credential=renewed)

    def _leave(self, session: RemoteSession | None) -> None:
        """Connect anew for the next step. The old connection is closed with the rest: others may be waiting on it."""
        if self._session is session:
            self._session = None

    def _changed(self) -> None:
        """The server says that its tools changed."""
        discovery.forget(self.server_id)
        self._changes += 1
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        while self._told < self._changes:
            self._told = self._changes
            await discovery.tell_changed(self.server_id)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TELL_EVERY_SECONDS):
                    await self._closing.wait()


def _session_is_over(error: RemoteError, session: RemoteSession) -> bool:
    """An old server that no longer knows the session answers 404, and wants a new one (revision 2025-11-25)."""
    return error.status == 404 and not session.modern


def _is_older_after_all(error: RemoteError) -> bool:
    """The server does not know modern requests: it was another one when it was asked what it is."""
    if error.rpc_code in (METHOD_NOT_FOUND, UNSUPPORTED_PROTOCOL_VERSION):
        return True
    return error.status in (400, 404, 405) and error.rpc_code in NO_SESSION
