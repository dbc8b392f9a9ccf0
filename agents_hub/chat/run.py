"""Carrying one turn out: ask the model, do what it calls for, and again, until it has answered.

Each answer and the results of its calls are stored before anything follows from them, so a turn that was interrupted
goes on from there: no model is asked again for what it answered, and no call that was made is made twice.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from accounts.errors import DomainError, Unavailable
from agents_hub.chat import compaction, prompt, store
from agents_hub.chat.calls import Calls
from agents_hub.chat.history import Steps
from agents_hub.chat.inquiries import Inquiries
from agents_hub.chat.loading import Loaded, load
from agents_hub.chat.record import Recorded
from agents_hub.chat.scribe import Scribe
from agents_hub.chat.store import Held, Overtaken
from agents_hub.chat.toolset import Opened
from agents_hub.chat.whole import whole
from agents_hub.models import Inquiry, TurnCall, TurnStatus
from agents_hub.models.turns import INTERRUPTED
from llm.asking import OnText, QuestionTooLong
from llm.services.thinking import Thinker
from llm.storing import said_by_model, without_calls
from llm.turns import Answer, Question, ToolResult, ToolSpec, Usage
from mcp_gateway.offload import in_domain
from security import request_id

logger = logging.getLogger(__name__)

PRODUCT = "chat"
LAST_ROUND = (
    "You have used all of your {rounds} rounds of tool calls. Answer now with what you have, and say what is missing."
)
NO_ANSWER = "The model returned no answer. Try again, or rephrase the question."

# Why a turn is to end before it is done.
Ending = Literal["stopped", "timeout", "overtaken", "shutdown"]
# What the record says of a question that was at work then.
CUT_OFF: dict[str, str] = {
    "stopped": "The person stopped the answer.",
    "timeout": "The answer took longer than it may.",
    "shutdown": "The platform stopped while the model answered.",
}


class TurnRun:
    """One turn as its holder carries it out. `ending` is set by whoever cancels the task that runs it."""

    def __init__(self, held: Held, scribe: Scribe) -> None:
        self.held = held
        self.scribe = scribe
        self.ending: Ending | None = None
        self.inquiries = Inquiries(held, self._told_of)
        self._number = 0
        self._partial = ""
        self._has_ended = False
        self._loaded: Loaded | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the end is stored. What is left is to close connections."""
        return self._has_ended

    async def run(self) -> None:
        """Go on until the turn has ended, and its connections are closed behind it.

        Raises `Overtaken` where it is somebody else's by now.
        """
        async with contextlib.AsyncExitStack() as behind:
            try:
                loaded = self._loaded = await in_domain(load, self.held)
                self._number = loaded.last_event
                opened = Opened(loaded.caller, loaded.agent)
                behind.push_async_callback(opened.close)
                calls = Calls(self, loaded, await opened.tools())
                self._show_tools(calls)
                await self._answer(loaded, calls)
                await self._end(TurnStatus.COMPLETED)
            except asyncio.CancelledError:
                if self.ending is None:
                    raise
                _resume()
                await self._end_early(self.ending)
            except DomainError as error:
                await self._end(TurnStatus.ERROR, code=error.code, said=error.message)
            except (Overtaken, DatabaseError, InterfaceError):
                raise
            except Exception:  # a fault of ours ends this turn and no other; people are told where to look
                logger.exception("Turn %s failed", self.held.id)
                said = f"Something failed on our side. It is in the log under {request_id.current() or self.held.id}."
                await self._end(TurnStatus.ERROR, code="internal", said=said)

    # Rounds ---------------------------------------------------------------------------------------------------------

    async def _answer(self, loaded: Loaded, calls: Calls) -> None:
        while True:
            if loaded.steps.open is not None:
                results = await calls.settle(loaded.steps.answers, loaded.steps.open)
                await whole(self._keep_results(loaded.steps, results))
            if loaded.steps.is_done:
                return
            if not (await self._ask(loaded, calls)).calls:
                return

    async def _ask(self, loaded: Loaded, calls: Calls) -> Answer:
        """One answer of the model, shown as it comes, and stored."""
        steps, agent = loaded.steps, loaded.agent
        number = steps.answers + 1
        is_last = number > agent.max_tool_rounds
        question = self._question(loaded, calls, is_last=is_last)
        if compaction.is_due(question.history, from_tokens=loaded.long_from):
            await self._compact(loaded, question, loaded.long_from)
            question = self._question(loaded, calls, is_last=is_last)
        self._partial = ""
        self.show("began", {"round": number})
        try:
            answer, recorded = await self._thought(loaded, question, on_text=self._pass_on(number))
        except QuestionTooLong:
            tokens = compaction.length(question.history)
            if not tokens or not await self._compact(loaded, question, tokens // 2):
                raise
            question = self._question(loaded, calls, is_last=is_last)
            self.show("began", {"round": number})
            answer, recorded = await self._thought(loaded, question, on_text=self._pass_on(number))
        if is_last:
            # What it calls for all the same is not done.
            answer = without_calls(answer)
        if answer.is_empty and not steps.text:
            # Nothing to go on from: trying again asks the model again.
            await whole(in_domain(store.keep_call, self.held, recorded))
            raise Unavailable(NO_ANSWER, code="no_answer")
        await whole(self._keep_answer(steps, answer, recorded))
        self.show("answered", {"round": number, "calls": len(answer.calls)})
        return answer

    async def _thought(
        self,
        loaded: Loaded,
        question: Question,
        *,
        on_text: OnText | None = None,
        purpose: TurnCall.Purpose = TurnCall.Purpose.ANSWER,
    ) -> tuple[Answer, Recorded]:
        """What the model answers, and the record of it. A question that comes to nothing leaves its record here."""
        record = partial(Recorded, question, time.monotonic(), purpose=purpose)
        asked, used = loaded.agent.model, Usage()

        def lost(model: str, usage: Usage) -> None:
            nonlocal asked, used
            asked, used = model, usage

        try:
            answer = await _thinker(loaded).ask(loaded.agent.model, question, on_text=on_text, on_lost=lost)
        except BaseException as fault:  # recorded and raised again, whatever it is
            if (why := self._why(fault)) is not None:
                failed = record(error=why, model=asked, lost=used)
                with contextlib.suppress(Overtaken):
                    await whole(in_domain(store.keep_call, self.held, failed))
            raise
        return answer, record(answer)

    def _why(self, fault: BaseException) -> str | None:
        """Why there is no answer, for the record; none where the turn is no longer ours to write to."""
        match fault:
            case DomainError():
                return fault.message
            case asyncio.CancelledError():
                return CUT_OFF.get(self.ending or "")
            case DatabaseError() | InterfaceError():
                return None
            case Exception():
                return f"Something failed on our side: {type(fault).__name__}."
        return None

    async def _compact(self, loaded: Loaded, question: Question, most: int) -> bool:
        """Have the model write down what matters of a long history, of which it is shown about `most` tokens.

        Whether it did, and the turn goes on from that.
        """
        self.show("compacting", {})
        short = compaction.question(question, most)
        answer, recorded = await self._thought(loaded, short, purpose=TurnCall.Purpose.SUMMARY)
        if not answer.text.strip():
            # It goes on with the long history; where that no longer fits, the provider says so.
            await whole(in_domain(store.keep_call, self.held, recorded))
            return False
        text = compaction.told(question.history, answer.text)
        await whole(self._keep_summary(loaded.steps, text, recorded))
        return True

    async def _keep_summary(self, steps: Steps, text: str, recorded: Recorded) -> None:
        await in_domain(store.keep_summary, self.held, steps.count + 1, text, recorded)
        steps.summary(text)

    async def _keep_answer(self, steps: Steps, answer: Answer, recorded: Recorded) -> None:
        await self.scribe.all_written()
        text = steps.text_with(answer.text)
        await in_domain(store.keep_answer, self.held, steps.count + 1, answer, recorded, text)
        steps.answer(answer)
        self._partial = ""

    async def _keep_results(self, steps: Steps, results: Sequence[ToolResult]) -> None:
        await in_domain(store.keep_results, self.held, steps.count + 1, results)
        steps.results(results)

    def _question(self, loaded: Loaded, calls: Calls, *, is_last: bool) -> Question:
        offered = calls.offered
        instructions = prompt.instructions_for(
            loaded.agent,
            person=loaded.person,
            now=timezone.now(),
            problems=calls.problems,
            has_tools=bool(offered),
            searched=calls.searched,
        )
        if is_last:
            instructions += "\n\n" + LAST_ROUND.format(rounds=loaded.agent.max_tool_rounds)
        steps = loaded.steps
        return Question(
            instructions=instructions,
            history=[*([] if steps.starts_anew else loaded.before), *steps.told],
            tools=[ToolSpec(tool.name, tool.description, dict(tool.parameters)) for tool in offered],
            temperature=loaded.agent.temperature,
        )

    # What is seen ---------------------------------------------------------------------------------------------------

    def show(self, kind: str, body: dict[str, Any]) -> None:
        """Have those who look at the turn see something."""
        self._number += 1
        self.scribe.add(self.held, self._number, kind, body)

    def _pass_on(self, number: int) -> OnText:
        async def on_text(text: str) -> None:
            self._partial += text
            self.show("text", {"round": number, "text": text})

        return on_text

    def _show_tools(self, calls: Calls) -> None:
        for problem in calls.problems:
            self.show(
                "problem",
                {
                    "origin": problem.origin,
                    "name": problem.origin_name,
                    "code": problem.code,
                    "message": problem.message,
                    "connects": problem.connects,
                },
            )
        self.show("tools", {"count": calls.count, "searched": calls.searched})

    def _told_of(self, inquiry: Inquiry, is_open: bool) -> None:
        body = {"inquiryId": str(inquiry.pk), "toolUseId": str(inquiry.tool_use_id), "kind": inquiry.kind}
        self.show("inquiry" if is_open else "inquired", body)

    # Ends -----------------------------------------------------------------------------------------------------------

    async def _end_early(self, ending: Ending) -> None:
        match ending:
            case "overtaken":
                raise Overtaken(f"Turn {self.held.id} is no longer held under fence {self.held.fence}.")
            case "stopped":
                await self._end(TurnStatus.STOPPED)
            case "timeout":
                said = "The answer took too long. Try again continues from here."
                await self._end(TurnStatus.TIMEOUT, code="timeout", said=said)
            case "shutdown":
                await self._end(TurnStatus.ERROR, code=INTERRUPTED, said=store.INTERRUPTED_SAID)

    async def _end(self, status: TurnStatus, *, code: str = "", said: str = "") -> None:
        await whole(self._store_end(status, code, said))

    async def _store_end(self, status: TurnStatus, code: str, said: str) -> None:
        """Store the end, after all that was seen before it. What broke off stays in the message, and a stopped turn's
        in what the model is told of it."""
        await self.scribe.all_written()
        text: str | None = None
        broken_off: Answer | None = None
        if self._loaded is not None:
            steps = self._loaded.steps
            text = steps.text_with(self._partial)
            if status == TurnStatus.STOPPED and self._partial.strip() and steps.open is None:
                broken_off = said_by_model(self._partial.strip(), self._loaded.turn.model)

        def write() -> None:
            store.end(self.held, status, text=text, partial=broken_off, code=code, said=said)

        await in_domain(write)
        self._has_ended = True


def _resume() -> None:
    """What was cancelled is taken note of: the task goes on."""
    if (task := asyncio.current_task()) is not None:
        task.uncancel()


def _thinker(loaded: Loaded) -> Thinker:
    return Thinker(
        organization_id=loaded.agent.organization_id,
        user_id=loaded.caller.user_id,
        product=PRODUCT,
        subject=loaded.turn.conversation_id,
        hop=in_domain,
    )
