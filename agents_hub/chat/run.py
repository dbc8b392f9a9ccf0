"""Carrying one turn out: ask the model, do what it calls for, and again, until it has answered.

Each answer and the results of its calls are stored before anything follows from them, so a turn that was interrupted
goes on from there: no model is asked again for what it answered, and no call that was made is made twice.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Any, Literal

from django.db import DatabaseError, InterfaceError

from accounts.errors import DomainError, Unavailable
from agents_hub.chat import compaction, store, withdrawn
from agents_hub.chat.asking import Asking, question_for
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
from llm.storing import said_by_model, without_calls
from llm.turns import Answer, Question, ToolResult
from mcp_gateway.offload import in_domain
from security import request_id

logger = logging.getLogger(__name__)

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
        # The tokens of a history of which no summary is asked for again, after one that came to nothing.
        self._not_short_until = 0
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
                asking = Asking(self.held, loaded, lambda: CUT_OFF.get(self.ending or ""))
                await self._answer(loaded, calls, asking)
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

    async def _answer(self, loaded: Loaded, calls: Calls, asking: Asking) -> None:
        while True:
            if loaded.steps.open is not None:
                results = await calls.settle(loaded.steps.answers, loaded.steps.open)
                await whole(self._keep_results(loaded.steps, results))
                await in_domain(withdrawn.check_agent, loaded.caller, loaded.agent.pk)
            if loaded.steps.is_done:
                return
            if not (await self._ask(loaded, calls, asking)).calls:
                return

    async def _ask(self, loaded: Loaded, calls: Calls, asking: Asking) -> Answer:
        """One answer of the model, shown as it comes, and stored."""
        steps = loaded.steps
        number = steps.answers + 1
        is_last = number > loaded.agent.max_tool_rounds
        question = question_for(loaded, calls, is_last=is_last)
        if compaction.is_due(question.history, from_tokens=max(loaded.long_from, self._not_short_until)):
            if not await self._compact(steps, asking, question, loaded.long_from):
                self._not_short_until = int(compaction.length(question.history) * compaction.GROWTH)
            question = question_for(loaded, calls, is_last=is_last)
        try:
            answer, recorded = await self._begin(asking, question, number)
        except QuestionTooLong:
            tokens = compaction.length(question.history)
            if not tokens or not await self._compact(steps, asking, question, tokens // 2):
                raise
            answer, recorded = await self._begin(asking, question_for(loaded, calls, is_last=is_last), number)
        if is_last:
            # What it calls for all the same is not done.
            answer = without_calls(answer)
        if answer.is_empty and not steps.text:
            # Nothing to go on from: trying again asks the model again.
            await asking.keep(recorded)
            raise Unavailable(NO_ANSWER, code="no_answer")
        await whole(self._keep_answer(steps, answer, recorded))
        self.show("answered", {"round": number, "calls": len(answer.calls)})
        return answer

    async def _begin(self, asking: Asking, question: Question, number: int) -> tuple[Answer, Recorded]:
        """Ask it once, and show what it says meanwhile as that round's."""
        self._partial = ""
        self.show("began", {"round": number})
        return await asking.ask(question, on_text=self._pass_on(number))

    async def _compact(self, steps: Steps, asking: Asking, question: Question, most: int) -> bool:
        """Have the model write down what matters of a long history, of which it is shown about `most` tokens.

        Whether it did, and the turn goes on from that.
        """
        self.show("compacting", {})
        short = compaction.question(question, most)
        answer, recorded = await asking.ask(short, purpose=TurnCall.Purpose.SUMMARY)
        if not answer.text.strip():
            # It goes on with the long history; where that no longer fits, the provider says so.
            await asking.keep(recorded)
            return False
        text = compaction.told(question.history, answer.text)
        await whole(self._keep_summary(steps, text, recorded))
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
