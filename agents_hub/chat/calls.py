"""The calls of one answer: each is permitted where it has to be, made, shown, and its result kept."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import DomainError
from agents_hub.chat import permissions, store, withdrawn
from agents_hub.chat.inquiries import UNANSWERED as UNANSWERED_QUESTION
from agents_hub.chat.inquiries import Inquiries, as_answer, from_server
from agents_hub.chat.loading import Loaded
from agents_hub.chat.outcomes import SETTLED, outcome_of, result, unknown
from agents_hub.chat.searching import Selection, found_in
from agents_hub.chat.sources import CallContext, ChatTool, Problem, ToolOutcome
from agents_hub.chat.store import Held
from agents_hub.chat.toolset import Toolset
from agents_hub.chat.whole import whole
from agents_hub.models import Inquiry, ToolUse
from llm.turns import Answer, Returned, ToolCall, ToolResult
from mcp_gateway.offload import in_domain
from mcp_gateway.remote.questions import Answer as Reply
from mcp_gateway.remote.questions import Question
from security.identifiers import uuid7
from security.storable import storable

# Calls of one answer that are made at the same time.
AT_ONCE = 8
DENIED = "The person did not allow this call. Do not make it again unless they ask for it."
NOBODY_THERE = (
    "This call has to be allowed by the person, and nobody is there: a schedule began this conversation. It was not "
    "made. Say what would have been done."
)
UNANSWERED = "The person did not answer whether this call may be made, so it was not."


class Shows(Protocol):
    """What the calls need of the run they belong to."""

    held: Held
    inquiries: Inquiries

    def show(self, kind: str, body: dict[str, Any]) -> None: ...


class Calls:
    """The calls of one turn. What was called before an interruption is known by its row."""

    def __init__(self, run: Shows, loaded: Loaded, tools: Toolset) -> None:
        self._run = run
        self._loaded = loaded
        self._selection = Selection(tools.tools, settings.CHAT_TOOLS_DIRECT, _known_to(loaded))
        self._known = {(use.round, use.place): use for use in loaded.uses}
        self._gate = asyncio.Semaphore(AT_ONCE)
        # What the person is being asked to allow, by the inquiry's id.
        self._waiting: dict[UUID, ChatTool] = {}
        self._subjects = tools.subjects
        self.problems: Sequence[Problem] = tools.problems

    @property
    def offered(self) -> list[ChatTool]:
        """What the model can call now."""
        return self._selection.offered

    @property
    def searched(self) -> bool:
        """Whether there are too many to be offered at once."""
        return self._selection.search_tool is not None

    @property
    def count(self) -> int:
        return len(self._selection)

    async def settle(self, number: int, answer: Answer) -> list[ToolResult]:
        """The results of all calls of the round, in their order. They are made side by side."""
        tasks = [asyncio.create_task(self._settle(number, place, call)) for place, call in enumerate(answer.calls, 1)]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            # Where one failed, or all are to stop, none goes on by itself.
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _settle(self, number: int, place: int, call: ToolCall) -> ToolResult:
        async with self._gate:
            use = self._known.get((number, place))
            if use is not None and use.status in SETTLED:
                return result(call, outcome_of(use))
            tool = self._selection.find(call.name)
            use = use or self._new(number, place, call, tool)
            if tool is None or call.fault:
                return result(call, await self._not_made(use, tool, call))
            return result(call, await self._use(use, tool, call))

    async def _use(self, use: ToolUse, tool: ChatTool, call: ToolCall) -> ToolOutcome:
        if use.began_at is not None and not tool.repeatable:
            # It was under way when the turn was cancelled or lost: nobody knows how far it came.
            return await self._ended(use, ToolUse.Status.UNKNOWN, unknown(use))
        if tool.ask_first and use.began_at is None and (refused := await self._permission(use, tool)) is not None:
            return refused
        if (said := await in_domain(withdrawn.refusal, *self._who, tool, self._subjects)) is not None:
            return await self._ended(use, ToolUse.Status.FAILED, ToolOutcome.said(said, failed=True))
        return await self._make(use, tool, call)

    async def _make(self, use: ToolUse, tool: ChatTool, call: ToolCall) -> ToolOutcome:
        await self._stands(use, ToolUse.Status.RUNNING)
        said: list[str] = []
        try:
            outcome = await tool.perform(call.arguments, self._context(use, said))
        except DomainError as error:
            outcome = ToolOutcome.said(error.message, failed=True)
        except asyncio.CancelledError:
            if said:
                await whole(in_domain(store.note_use, self._run.held, use.pk, said))
            raise
        status = ToolUse.Status.FAILED if outcome.is_error else ToolUse.Status.DONE
        return await self._ended(use, status, outcome)

    async def _not_made(self, use: ToolUse, tool: ChatTool | None, call: ToolCall) -> ToolOutcome:
        """A call of a tool that there is not, or with arguments that nobody can read: people see it all the same."""
        said = call.fault
        if tool is None:
            said = f"There is no tool {call.name[:100]} here. Use one of those listed."
        return await self._ended(use, ToolUse.Status.FAILED, ToolOutcome.said(said, failed=True))

    async def _permission(self, use: ToolUse, tool: ChatTool) -> ToolOutcome | None:
        """Ask the person for this very call, unless it was allowed. What stands in its place where they deny it."""
        if await in_domain(permissions.is_granted, self._conversation, tool):
            return None
        if self._loaded.is_unattended:
            return await self._denied(use, NOBODY_THERE)
        # What they said before the turn was interrupted holds.
        known = (use.round, use.place) in self._known
        action = await in_domain(store.permission_given, use.pk) if known else None
        if action is None:
            await self._stands(use, ToolUse.Status.WAITING)
            action = await self._asked(use, tool)
        if action not in ("once", "always"):
            return await self._denied(use, DENIED if action == "deny" else UNANSWERED)
        if action == "always":
            await in_domain(permissions.grant, self._run.held, self._conversation, tool)
            await self._let_others_go(tool)
        return None

    async def _asked(self, use: ToolUse, tool: ChatTool) -> str:
        inquiry = Inquiry(
            turn_id=self._run.held.id,
            tool_use_id=use.pk,
            kind=Inquiry.Kind.PERMISSION,
            asked_by=tool.origin_name,
            message=f"Allow “{tool.title}” of {tool.origin_name} to run?",
        )
        self._waiting[inquiry.pk] = tool
        try:
            return str((await self._run.inquiries.put(inquiry))["action"])
        finally:
            del self._waiting[inquiry.pk]

    async def _let_others_go(self, tool: ChatTool) -> None:
        """What was allowed for the chat is allowed to the round's other calls of the tool, which wait for the same."""
        alike = [pk for pk, waiting in self._waiting.items() if waiting is tool]
        if alike:
            await in_domain(store.answer_alike, self._run.held, alike, "always")
            await self._run.inquiries.look()

    async def _denied(self, use: ToolUse, said: str) -> ToolOutcome:
        return await self._ended(use, ToolUse.Status.DENIED, ToolOutcome.said(said, failed=True))

    def _new(self, number: int, place: int, call: ToolCall, tool: ChatTool | None) -> ToolUse:
        """The call's row, not stored yet."""
        return ToolUse(
            id=uuid7(),
            turn_id=self._run.held.id,
            round=number,
            place=place,
            name=storable(call.name)[:64],
            title=storable(tool.title if tool else call.name)[:200],
            origin=tool.origin if tool else "none",
            origin_name=tool.origin_name[:255] if tool else "Not offered",
            arguments=storable(call.arguments),
            status=ToolUse.Status.WAITING,
        )

    async def _stands(self, use: ToolUse, status: ToolUse.Status) -> None:
        """Store and show where the call is: before it is made, that it is."""
        if status == ToolUse.Status.RUNNING:
            use.began_at = timezone.now()
        use.status, use.result, use.ended_at = status, None, None
        await in_domain(store.keep_use, self._run.held, use)
        self._show(use)

    async def _ended(self, use: ToolUse, status: ToolUse.Status, outcome: ToolOutcome) -> ToolOutcome:
        await in_domain(store.end_use, self._run.held, use, status, outcome)
        self._show(use)
        return outcome

    def _show(self, use: ToolUse) -> None:
        self._run.show(
            "tool",
            {
                "toolUseId": str(use.pk),
                "round": use.round,
                "place": use.place,
                "name": use.name,
                "title": use.title,
                "origin": use.origin_name,
                "status": str(use.status),
            },
        )

    def _context(self, use: ToolUse, said: list[str]) -> CallContext:
        async def ask(question: Question) -> Reply:
            if self._loaded.is_unattended:
                return as_answer(UNANSWERED_QUESTION)
            inquiry = from_server(question, self._run.held.id, use.pk)
            return as_answer(await self._run.inquiries.put(inquiry))

        key = f"{self._run.held.id}/{use.round}.{use.place}"
        return CallContext(self._loaded.caller, str(self._conversation), key, allowed=True, ask=ask, say=said.append)

    @property
    def _who(self) -> tuple[Caller, UUID]:
        """Who talks, and to which agent."""
        return self._loaded.caller, self._loaded.agent.pk

    @property
    def _conversation(self) -> UUID:
        return self._loaded.turn.conversation_id


def _known_to(loaded: Loaded) -> Iterator[tuple[str, bool]]:
    """The tools that the conversation has found or called so far, and whether it called them."""
    for turn in [*loaded.before, *loaded.steps.told]:
        match turn:
            case Answer(calls=calls):
                yield from ((call.name, True) for call in calls)
            case Returned(results=results):
                yield from ((name, False) for result in results for name in found_in(result))
