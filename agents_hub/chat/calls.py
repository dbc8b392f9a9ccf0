"""The calls of one answer: each is permitted where it has to be, made, shown, and its result kept."""

import asyncio
import binascii
import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings

from accounts.errors import DomainError
from agents_hub.chat import permissions, store
from agents_hub.chat.inquiries import UNANSWERED as UNANSWERED_QUESTION
from agents_hub.chat.inquiries import Inquiries, as_answer, from_server
from agents_hub.chat.loading import Loaded
from agents_hub.chat.searching import Selection
from agents_hub.chat.sources import CallContext, ChatTool, Problem, ToolOutcome
from agents_hub.chat.store import Held
from agents_hub.chat.toolset import Toolset
from agents_hub.chat.whole import whole
from agents_hub.models import Inquiry, ToolUse
from llm.turns import Answer, Image, ToolCall, ToolResult
from mcp_gateway.offload import in_domain
from mcp_gateway.remote.questions import Answer as Reply
from mcp_gateway.remote.questions import Question
from security.identifiers import uuid7
from security.storable import storable

# Of what one call gives the model, in characters. People see all that is kept.
MOST_GIVEN = 50_000
# Calls of one answer that are made at the same time.
AT_ONCE = 8
UNKNOWN = (
    "The outcome of this call is unknown: the platform was interrupted while it was under way. It may have been "
    "carried out. Find out before you call it again."
)
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
        self._selection = Selection(tools.tools, settings.CHAT_TOOLS_DIRECT, _called(loaded))
        self._known = {(use.round, use.place): use for use in loaded.uses}
        self._gate = asyncio.Semaphore(AT_ONCE)
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
            if use is not None and use.status not in (ToolUse.Status.WAITING, ToolUse.Status.RUNNING):
                # One that was cancelled with its turn was under way: nobody knows how far it came.
                if use.status == ToolUse.Status.STOPPED:
                    return _result(call, ToolOutcome.said(UNKNOWN, failed=True))
                return _result(call, _outcome_of(use))
            tool = self._selection.find(call.name)
            if tool is None or call.fault:
                said = call.fault or f"There is no tool {call.name[:100]} here. Use one of those listed."
                return _result(call, ToolOutcome.said(said, failed=True))
            return _result(call, await self._use(number, place, tool, call, use))

    async def _use(
        self, number: int, place: int, tool: ChatTool, call: ToolCall, before: ToolUse | None
    ) -> ToolOutcome:
        if before is not None and before.status == ToolUse.Status.RUNNING and not tool.repeatable:
            return await self._ended(before, ToolUse.Status.UNKNOWN, ToolOutcome.said(UNKNOWN, failed=True))
        asks = tool.ask_first and not await in_domain(permissions.is_granted, self._conversation, tool)
        use = before or await self._begun(number, place, tool, call, asks=asks)
        if asks and (refused := await self._permission(use, tool)) is not None:
            return refused
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

    async def _permission(self, use: ToolUse, tool: ChatTool) -> ToolOutcome | None:
        """Ask the person for this very call. What stands in its place where they do not allow it."""
        if self._loaded.is_unattended:
            return await self._ended(use, ToolUse.Status.DENIED, ToolOutcome.said(NOBODY_THERE, failed=True))
        inquiry = Inquiry(
            turn_id=self._run.held.id,
            tool_use_id=use.pk,
            kind=Inquiry.Kind.PERMISSION,
            asked_by=tool.origin_name,
            message=f"Allow “{tool.title}” of {tool.origin_name} to run?",
        )
        action = (await self._run.inquiries.put(inquiry))["action"]
        if action not in ("once", "always"):
            said = DENIED if action == "deny" else UNANSWERED
            return await self._ended(use, ToolUse.Status.DENIED, ToolOutcome.said(said, failed=True))
        if action == "always":
            await in_domain(permissions.grant, self._run.held, self._conversation, tool)
        use.status = ToolUse.Status.RUNNING
        await in_domain(store.change_use, self._run.held, use.pk, ToolUse.Status.RUNNING)
        self._show(use)
        return None

    async def _begun(self, number: int, place: int, tool: ChatTool, call: ToolCall, *, asks: bool) -> ToolUse:
        use = ToolUse(
            id=uuid7(),
            turn_id=self._run.held.id,
            round=number,
            place=place,
            name=tool.name,
            title=tool.title[:200],
            origin=tool.origin,
            origin_name=tool.origin_name[:255],
            arguments=storable(call.arguments),
            status=ToolUse.Status.WAITING if asks else ToolUse.Status.RUNNING,
        )
        await in_domain(store.begin_use, self._run.held, use)
        self._show(use)
        return use

    async def _ended(self, use: ToolUse, status: ToolUse.Status, outcome: ToolOutcome) -> ToolOutcome:
        await in_domain(store.end_use, self._run.held, use.pk, status, outcome)
        use.status = status
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
    def _conversation(self) -> UUID:
        return self._loaded.turn.conversation_id


def _called(loaded: Loaded) -> Iterator[str]:
    """The tools that the conversation has called so far."""
    for turn in [*loaded.before, *loaded.steps.told]:
        if isinstance(turn, Answer):
            yield from (call.name for call in turn.calls)


def _result(call: ToolCall, outcome: ToolOutcome) -> ToolResult:
    """What the model is given of it: the structured content where there is any, else the words."""
    return ToolResult(call.id, call.name, _given(outcome), outcome.is_error, images=_images(outcome))


def _images(outcome: ToolOutcome) -> list[Image]:
    """The pictures that the tool gave, for models that look at them. They are not kept for later questions."""
    found = []
    for block in outcome.content:
        if block.get("type") == "image":
            with suppress(binascii.Error, ValueError):
                found.append(Image(str(block.get("mimeType")), b64decode(str(block.get("data")), validate=True)))
    return found


def _given(outcome: ToolOutcome) -> Any:
    if outcome.structured is not None and not outcome.is_error:
        return _clipped(outcome.structured)
    others = [f"[{block.get('type')}: shown to the person]" for block in outcome.content if block.get("type") != "text"]
    return _clipped("\n".join([outcome.text, *others]).strip()) or "Done; the tool returned nothing."


def _clipped(given: Any) -> Any:
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    if len(text) <= MOST_GIVEN:
        return given
    return f"{text[:MOST_GIVEN]}\n[It was cut here: {len(text):,} characters.]"


def _outcome_of(use: ToolUse) -> ToolOutcome:
    """What a call that was made before gave."""
    kept: Mapping[str, Any] = use.result or {}
    return ToolOutcome(
        kept.get("content", ()), kept.get("structured"), use.status != ToolUse.Status.DONE, kept.get("notes", ())
    )
