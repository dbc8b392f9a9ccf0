"""Carrying one turn out: ask the model, do what it calls for, and again, until it has answered.

Each answer and the results of its calls are stored before anything follows from them, so a turn that was interrupted
goes on from there: no model is asked again for what it answered, and no call that was made is made twice.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Literal

from django.utils import timezone

from accounts.errors import DomainError, Unavailable
from agents_hub.chat import compaction, prompt, store, toolset
from agents_hub.chat.calls import Calls
from agents_hub.chat.history import Steps
from agents_hub.chat.inquiries import Inquiries
from agents_hub.chat.loading import Loaded, load
from agents_hub.chat.record import Recorded
from agents_hub.chat.scribe import Scribe
from agents_hub.chat.store import Held, Overtaken
from agents_hub.chat.whole import whole
from agents_hub.models import Inquiry, TurnStatus
from agents_hub.models.turns import INTERRUPTED
from llm.asking import OnText
from llm.services.thinking import Thinker
from llm.storing import said_by_model, without_calls
from llm.turns import Answer, Question, ToolResult, ToolSpec
from mcp_gateway.offload import in_domain

PRODUCT = "chat"
LAST_ROUND = (
    "You have used all of your {rounds} rounds of tool calls. Answer now with what you have, and say what is missing."
)
NO_ANSWER = "The model returned no answer. Try again, or rephrase the question."

# Why a turn is to end before it is done.
Ending = Literal["stopped", "timeout", "overtaken", "shutdown"]


class TurnRun:
    """One turn as its holder carries it out. `ending` is set by whoever cancels the task that runs it."""

    def __init__(self, held: Held, scribe: Scribe) -> None:
        self.held = held
        self.scribe = scribe
        self.ending: Ending | None = None
        self.inquiries = Inquiries(held, self._told_of)
        self._number = 0
        self._partial = ""
        self._loaded: Loaded | None = None

    async def run(self) -> None:
        """Go on until the turn has ended. Raises `Overtaken` where it is somebody else's by now."""
        try:
            loaded = self._loaded = await in_domain(load, self.held)
            self._number = loaded.last_event
            async with toolset.opened(loaded.caller, loaded.agent) as tools:
                calls = Calls(self, loaded, tools)
                self._show_tools(calls)
                await self._answer(loaded, calls)
            await self._end(TurnStatus.COMPLETED)
        except asyncio.CancelledError:
            if self.ending is None:
                raise
            await whole(self._end_early(self.ending))
        except DomainError as error:
            await self._end(TurnStatus.ERROR, code=error.code, said=error.message)

    # Rounds ---------------------------------------------------------------------------------------------------------

    async def _answer(self, loaded: Loaded, calls: Calls) -> None:
        while True:
            if loaded.steps.open is not None:
                results = await calls.settle(loaded.steps.answers, loaded.steps.open)
                await whole(self._keep_results(loaded.steps, results))
            if loaded.steps.told and isinstance(loaded.steps.told[-1], Answer):
                return
            answer = await self._ask(loaded, calls)
            if not answer.calls:
                if not loaded.steps.text:
                    raise Unavailable(NO_ANSWER, code="no_answer")
                return

    async def _ask(self, loaded: Loaded, calls: Calls) -> Answer:
        """One answer of the model, shown as it comes, and stored."""
        steps, agent = loaded.steps, loaded.agent
        number = steps.answers + 1
        is_last = number > agent.max_tool_rounds
        question = self._question(loaded, calls, is_last=is_last)
        thinker = _thinker(loaded)
        if compaction.is_due(question.history):
            await self._compact(loaded, thinker, question)
            question = self._question(loaded, calls, is_last=is_last)
        self._partial = ""
        self.show("began", {"round": number})
        began = time.monotonic()
        try:
            answer = await thinker.ask(agent.model, question, on_text=self._pass_on(number))
        except DomainError as error:
            await in_domain(store.keep_failed_call, self.held, Recorded(number, question, began, error=error.message))
            raise
        recorded = Recorded(number, question, began, answer)
        if is_last:
            # What it calls for all the same is not done.
            answer = without_calls(answer)
        await whole(self._keep_answer(steps, answer, recorded))
        self.show("answered", {"round": number, "calls": len(answer.calls)})
        return answer

    async def _compact(self, loaded: Loaded, thinker: Thinker, question: Question) -> None:
        """Have the model write down what matters of a history that has become long, and go on from that."""
        answer = await thinker.ask(loaded.agent.model, compaction.question(question))
        if not answer.text.strip():
            # It goes on with the long history; where that no longer fits, the provider says so.
            return
        await whole(self._keep_summary(loaded.steps, compaction.told(question.history, answer.text)))

    async def _keep_summary(self, steps: Steps, text: str) -> None:
        await in_domain(store.keep_summary, self.held, steps.count + 1, text)
        steps.summary(text)

    async def _keep_answer(self, steps: Steps, answer: Answer, recorded: Recorded) -> None:
        await self.scribe.all_written()
        text = "\n\n".join(filter(None, [steps.text, answer.text.strip()]))
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

    async def give_up(self, code: str, said: str) -> None:
        """End after a fault that nobody foresaw."""
        await self._end(TurnStatus.ERROR, code=code, said=said)

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
        """Store the end, after all that was seen before it. What broke off stays in the message, and a stopped turn's
        in what the model is told of it."""
        await self.scribe.all_written()
        text: str | None = None
        partial: Answer | None = None
        if self._loaded is not None:
            steps = self._loaded.steps
            text = "\n\n".join(filter(None, [steps.text, self._partial.strip()]))
            if status == TurnStatus.STOPPED and self._partial.strip() and steps.open is None:
                partial = said_by_model(self._partial.strip(), self._loaded.turn.model)

        def write() -> None:
            store.end(self.held, status, text=text, partial=partial, code=code, said=said)

        await in_domain(write)


def _thinker(loaded: Loaded) -> Thinker:
    return Thinker(
        organization_id=loaded.agent.organization_id,
        user_id=loaded.caller.user_id,
        product=PRODUCT,
        subject=loaded.turn.conversation_id,
        hop=in_domain,
    )
