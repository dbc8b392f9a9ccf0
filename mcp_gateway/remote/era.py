"""Which revisions of the protocol a server speaks, and the steps that differ between them.

Modern ones (2026-07-28) have no session: each request says all there is to say. Older ones begin with a handshake. A
server not known yet is asked what it is, and greeted by a handshake if it does not understand the question.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from mcp.client._input_required import run_input_required_driver
from mcp.client.session import ClientRequestContext, ClientSession
from mcp.client.subscriptions import SubscriptionLost, listen
from mcp.shared.exceptions import MCPError
from mcp_types import (
    HEADER_MISMATCH,
    UNSUPPORTED_PROTOCOL_VERSION,
    CallToolResult,
    DiscoverResult,
    ErrorData,
    InputRequest,
    InputRequiredResult,
    InputResponse,
    InputResponses,
    RequestParamsMeta,
    Result,
    ToolListChangedNotification,
)
from mcp_types.version import LATEST_MODERN_VERSION, MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from mcp_gateway.remote.diagnosis import refused
from mcp_gateway.remote.line import Witness
from mcp_gateway.remote.patience import Progress
from mcp_gateway.remote.problems import Code, RemoteError

# Answers to the question that leave it open which revision is spoken; all others are about access or a broken server.
UNDECIDED = frozenset({400, 404, 405, 406, 410, 415, 422, 500, 501})
# Rounds of questions in one call before it is given up.
MOST_ROUNDS = 10
# How long a connection stands before it is worth a stream for news of the tools.
WATCH_AFTER_SECONDS = 2.0


async def agree(session: ClientSession, *, prior: DiscoverResult | None, handshake: bool, witness: Witness) -> None:
    """Settle the revision; MCPError or RemoteError where the server lets nobody in, or shares none with us."""
    if handshake:
        await session.initialize()
    elif prior is not None:
        session.adopt(prior)
    elif (discovered := await _discover(session, witness)) is not None:
        session.adopt(discovered)
    else:
        await session.initialize()


async def _discover(session: ClientSession, witness: Witness) -> DiscoverResult | None:
    """What the server says about itself in the modern way, None where it does not know the question."""
    version = LATEST_MODERN_VERSION
    for _ in range(2):
        try:
            raw = await session.send_discover(version)
        except MCPError as error:
            _raise_if_final(witness)
            offered = (error.data or {}).get("supported") if isinstance(error.data, dict) else None
            if error.code == UNSUPPORTED_PROTOCOL_VERSION and isinstance(offered, list):
                # It may well be the one just refused: then it is asked for once more.
                mutual = [each for each in MODERN_PROTOCOL_VERSIONS if each in offered]
                if mutual:
                    version = mutual[-1]
                    continue
            return None
        try:
            discovered = DiscoverResult.model_validate(raw)
        except ValidationError:
            return None
        modern = any(each in discovered.supported_versions for each in MODERN_PROTOCOL_VERSIONS)
        return discovered if modern else None
    return None


def _raise_if_final(witness: Witness) -> None:
    if witness.failure is not None:
        raise witness.failure
    refusal = refused(witness)
    if refusal is not None and witness.status not in UNDECIDED:
        raise refusal


async def call(
    session: ClientSession,
    name: str,
    arguments: dict[str, Any],
    *,
    progress: Progress,
    meta: Mapping[str, Any] | None = None,
) -> CallToolResult:
    """Call a tool, answering what the server asks in between; with its list read again where headers did not match."""
    under_way = _Call(session, name, arguments, progress, meta)
    first = await under_way.step(None, None)
    if isinstance(first, CallToolResult):
        return first
    try:
        return await run_input_required_driver(
            first, dispatch=under_way.answer, retry=under_way.step, max_rounds=MOST_ROUNDS
        )
    except MCPError:
        # A server without sessions is not told: it waits for nothing, and its call ends here.
        if under_way.refusals:
            raise RemoteError(Code.PROTOCOL, f"The call ended at a question. {under_way.refusals[0]}") from None
        raise


@dataclass(frozen=True, slots=True)
class _Call:
    """A call under way, which may take several requests; `refusals` say why questions in it were not asked."""

    session: ClientSession
    name: str
    arguments: dict[str, Any]
    progress: Progress
    meta: Mapping[str, Any] | None
    refusals: list[str] = field(default_factory=list)

    async def step(self, answers: InputResponses | None, state: str | None) -> CallToolResult | InputRequiredResult:
        try:
            result = await self._send(answers, state)
        except MCPError as error:
            if error.code != HEADER_MISMATCH:
                raise
            await self.session.list_tools()
            result = await self._send(answers, state)
        assert isinstance(result, CallToolResult | InputRequiredResult)
        return result

    async def answer(self, key: str, request: InputRequest) -> InputResponse | ErrorData:
        context = ClientRequestContext(
            session=self.session, request_id=key, meta=request.params.meta if request.params else None
        )
        given = await self.session.dispatch_input_request(context, request)
        if isinstance(given, ErrorData):
            self.refusals.append(given.message)
        return given

    async def _send(
        self, answers: InputResponses | None, state: str | None
    ) -> CallToolResult | InputRequiredResult | Result:
        return await self.session.call_tool(
            self.name,
            self.arguments,
            progress_callback=self.progress,
            input_responses=answers,
            request_state=state,
            meta=cast(RequestParamsMeta, dict(self.meta)) if self.meta else None,
            allow_input_required=True,
        )


def has_tools(session: ClientSession) -> bool:
    """Whether the server says that it has tools. One that says nothing about itself is asked."""
    capabilities = session.server_capabilities
    return session.discover_result is not None or capabilities is None or capabilities.tools is not None


async def watch(session: ClientSession, *, until: asyncio.Event) -> None:
    """Hear of changes to the tools, where the server tells of them only on request, until the event is set.

    It costs a stream, so those that only make a quick call do without: it begins after a while.
    """
    capabilities = session.server_capabilities
    changes = capabilities is not None and capabilities.tools is not None and capabilities.tools.list_changed
    if session.discover_result is None or not changes or await _set_within(until, WATCH_AFTER_SECONDS):
        return
    # A server that ends the stream, or does not open one, is asked again when the list has run out.
    with contextlib.suppress(MCPError, SubscriptionLost, TimeoutError):
        async with listen(session, tools_list_changed=True):
            await until.wait()


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


def says_list_changed(message: object) -> bool:
    return isinstance(message, ToolListChangedNotification)
