"""The tools of remote servers for whoever works with them: agents, workflows, bots, and people who try one.

    async with toolbox.open(caller, [12, 15]) as box:
        box.tools      # of all servers, under names that never collide
        box.problems   # the servers that cannot be used, and why
        await box.call("hubspot_12__create_contact", {"email": "ada@example.com"})

Resolve, connect, discover, namespace, execute, clean up: all connections are closed when the block is left, however it
is left.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any

import anyio
from django.conf import settings

from accounts.caller import Caller
from accounts.scopes import Scope
from mcp_gateway.offload import in_domain
from mcp_gateway.remote import health, results
from mcp_gateway.remote.discovery import OfferedTool
from mcp_gateway.remote.health import Admission
from mcp_gateway.remote.ledger import Entry, Outcome, ledger
from mcp_gateway.remote.member import Member
from mcp_gateway.remote.patience import Progress
from mcp_gateway.remote.problems import Code, Problem, RemoteError
from mcp_gateway.remote.questions import Ask, Question
from mcp_gateway.remote.results import RemoteResult
from mcp_gateway.remote.services import servers
from mcp_gateway.remote.targets import Target
from mcp_gateway.remote.wording import MOST_TITLE, named, quotable

logger = logging.getLogger(__name__)

# What a person fixes by connecting an account of theirs, where that is what opens the server.
OF_A_CONNECTION = frozenset({Code.NOT_CONNECTED, Code.CONNECTION_ERROR, Code.UNAUTHORIZED, Code.SCOPE_NEEDED})
# Servers that are connected to at the same time, of one toolbox. With more than that each connection ends when its
# server has listed its tools, and is made again for a call.
AT_ONCE = 20

# Where a key goes along with a call; servers that know it do the same thing once only, others ignore it.
IDEMPOTENCY_META = "io.asterism/idempotencyKey"

__all__ = ["OfferedTool", "Problem", "RemoteResult", "Toolbox", "open"]


@contextlib.asynccontextmanager
async def open(  # noqa: A001 - read as toolbox.open
    caller: Caller,
    server_ids: Sequence[int],
    *,
    deadline: float | None = None,
    ask: Ask | None = None,
    even_failing: bool = False,
) -> AsyncIterator["Toolbox"]:
    """The tools of those servers that the caller may use, with the caller's own credentials.

    Each server has `deadline` seconds to connect and list its tools, all of them have twice that; one that cannot be
    used is among the problems and stops none of the others. One that failed lately is left alone for a while, unless
    somebody wants to know: `even_failing`.

    `ask` answers for whoever holds the conversation: what servers want to know in a call, and whether a tool that is to
    be allowed first may run. Without it such questions are declined.
    """
    resolved = await in_domain(servers.targets_for, caller, list(server_ids))
    seconds = settings.MCP_REMOTE_CONNECT_SECONDS if deadline is None else deadline
    box = Toolbox(caller, ask, seconds, even_failing=even_failing)
    try:
        async with asyncio.TaskGroup() as group:
            for each in resolved:
                if isinstance(each, Problem):
                    box.problems.append(each)
                else:
                    group.create_task(box.add(each))
        box.put_in_order(server_ids)
        yield box
    finally:
        await box.close()


class Toolbox:
    """Tools by their name here, and the servers behind them."""

    def __init__(self, caller: Caller, ask: Ask | None, seconds: float, *, even_failing: bool = False) -> None:
        self.problems: list[Problem] = []
        self._caller, self._ask = caller, ask
        self._seconds, self._even_failing = seconds, even_failing
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._ends = asyncio.get_running_loop().time() + 2 * seconds
        self._members: dict[int, Member] = {}
        self._tools: dict[str, OfferedTool] = {}

    @property
    def tools(self) -> list[OfferedTool]:
        return list(self._tools.values())

    async def call(
        self,
        name: str,
        arguments: Mapping[str, Any],
        *,
        progress: Progress | None = None,
        ask: Ask | None = None,
        confirmed: bool = False,
        idempotency_key: str | None = None,
    ) -> RemoteResult:
        """Call a tool and pass on what it answers.

        `ask` stands in for the toolbox's own during this call. A tool marked “ask before use” runs only if the answer
        to that is yes, or if it is `confirmed` that a person has allowed this very call. Raises RemoteError where the
        server could not be asked; what the server itself refuses is a result with `is_error`.
        """
        self._caller.require(Scope.WRITE)
        tool = self._tools.get(name)
        if tool is None:
            raise RemoteError(Code.NOT_FOUND, f"There is no tool {name[:100]!r} here. Use one of those listed.")
        member = self._members[tool.server_id]
        entry = Entry(
            self._caller, tool.server_id, member.target.credential.connection_id, tool.remote_name, sorted(arguments)
        )
        ask = ask or self._ask
        meta = {IDEMPOTENCY_META: idempotency_key} if idempotency_key else None
        try:
            if tool.ask_first and not confirmed:
                await _allowed(tool, member.target.name, ask)
            await self._refuse_what_closed(member, tool)
            answer = await member.call(tool.remote_name, arguments, progress=progress, ask=ask, meta=meta)
            entry.end(Outcome.TOOL_ERROR if answer.is_error else Outcome.OK)
            await self._works(member)
            return results.passed_on(answer)
        except RemoteError as error:
            if error.code is not Code.PROTOCOL or error.rpc_code is None:
                entry.end(Outcome.FAILED, error.code)
                if error.code in health.NOT_THERE:
                    await self._fails(member, error)
                raise
            entry.end(Outcome.TOOL_ERROR, error.code)
            return results.failed(error.message)
        except asyncio.CancelledError:
            entry.end(Outcome.CANCELLED, "cancelled")
            raise
        finally:
            with anyio.CancelScope(shield=True):
                await ledger().add(entry)

    async def _refuse_what_closed(self, member: Member, tool: OfferedTool) -> None:
        """A box may be open for long, and nobody calls what was taken from them in that time."""
        closed = await in_domain(servers.closed_since, self._caller, member.target, tool.remote_name)
        if closed is not None:
            raise closed

    async def add(self, target: Target) -> None:
        """Take a server in, or note why not."""
        member = Member(target, self._seconds)
        self._members[member.server_id] = member
        async with self._gate:
            left = self._ends - asyncio.get_running_loop().time()
            admission = await self._admission(member)
            if admission.wait:
                self._problem(member, Code(admission.code), f"{admission.said} {_left_alone(admission.wait)}")
            elif left < admission.seconds:
                self._problem(member, Code.TIMEOUT, "Other servers took all of the time, so it was not asked.")
            else:
                await self._list(member, admission)
                if len(self._members) > AT_ONCE:
                    await member.rest()

    async def _admission(self, member: Member) -> Admission:
        """For how long the server may be asked. What has been known for a while needs no asking."""
        if not member.target.failing or self._even_failing or member.knows_its_tools:
            return Admission(self._seconds)
        return await in_domain(health.admit, member.server_id, self._seconds)

    async def _list(self, member: Member, admission: Admission) -> None:
        asked = not member.knows_its_tools
        try:
            async with asyncio.timeout(admission.seconds):
                tools = await member.tools()
        except TimeoutError:
            late = f"The server did not connect and list its tools within {admission.seconds:g} seconds."
            await self._lacks(member, RemoteError(Code.TIMEOUT, late), admission)
        except RemoteError as error:
            await self._lacks(member, error, admission)
        else:
            self._tools.update({tool.name: tool for tool in tools})
            if asked:
                await self._works(member)

    async def _lacks(self, member: Member, error: RemoteError, admission: Admission) -> None:
        self._problem(member, error.code, error.message)
        await self._fails(member, error, probe=admission.probe)

    async def _fails(self, member: Member, error: RemoteError, *, probe: bool = False) -> None:
        """Have it known what is wrong with the server, where that concerns others too."""
        if health.is_the_servers(member.target, error.code):
            member.failing = True
            await in_domain(partial(health.failed, member.server_id, error.code, error.message, probe=probe))

    async def _works(self, member: Member) -> None:
        if member.failing:
            member.failing = False
            await in_domain(health.answered, member.server_id)

    def _problem(self, member: Member, code: Code, message: str) -> None:
        connects = code in OF_A_CONNECTION and member.target.credential.connection_id is not None
        self.problems.append(Problem(member.server_id, member.target.name, code, message, connects))

    def put_in_order(self, server_ids: Sequence[int]) -> None:
        """The servers' tools in the order in which the servers were asked for, whichever answered first."""
        place = {server_id: number for number, server_id in reversed(list(enumerate(server_ids)))}
        self._tools = dict(sorted(self._tools.items(), key=lambda item: place[item[1].server_id]))
        self.problems.sort(key=lambda problem: place[problem.server_id])

    async def close(self) -> None:
        """Close all connections, also while being cancelled."""
        with anyio.CancelScope(shield=True):
            ends = await asyncio.gather(*(each.close() for each in self._members.values()), return_exceptions=True)
        for failure in filter(None, ends):
            logger.error("A connection to a remote server did not close well", exc_info=failure)


def _left_alone(seconds: float) -> str:
    return f"It failed several times in a row, so it is not asked again for {max(round(seconds), 1)} seconds."


async def _allowed(tool: OfferedTool, server_name: str, ask: Ask | None) -> None:
    """Ask whether the tool may run; RemoteError where it may not, or where there is nobody to ask."""
    title = quotable(tool.title, MOST_TITLE)
    if ask is None:
        raise RemoteError(
            Code.ASK_FIRST, f"“{title}” asks before each use, and nobody is there to allow it. Nothing was done."
        )
    answer = await ask(Question(server_name, f"Allow “{title}” of {named(server_name)} to run?"))
    if answer.action != "accept":
        raise RemoteError(Code.ASK_FIRST, f"“{title}” was not allowed to run. Nothing was done.")
