"""The loop of an AI task: ask the model, do what it calls for, and again, until it says that the task is complete.

Each answer and each action is a checkpoint, so a worker that takes the task over goes on after the last of them:
nothing that completed is done again. What was begun and not finished is repeated where that does no harm; of the rest
the model is told that the outcome is unknown.
"""

import asyncio
import time
from typing import Any

from asgiref.sync import sync_to_async

from accounts.errors import DomainError
from llm import scripted
from llm.services.thinking import Thinker
from llm.turns import Question, Thinking, ToolCall, ToolSpec
from workflows.engine import activities
from workflows.engine.activities import Line
from workflows.engine.moves import NodeResult
from workflows.engine.work import Interrupted, NodeFailed, Work
from workflows.graph.placeholders import fill
from workflows.graph.properties import AITask
from workflows.models import Checkpoint
from workflows.task.actions import Action, ActionFailed, actions
from workflows.task.completion import COMPLETE, completion, result_of
from workflows.task.prompt import instructions_for
from workflows.task.record import Record, answer_as_json

PRODUCT = "workflows"
# Answers of a model in one task, and those in a row that call for nothing, before the task is given up.
MOST_ANSWERS = 100
MOST_IDLE = 3
URGED = "Nothing was called. Go on with the task by calling a tool, or call complete_task when it is done."
UNKNOWN = (
    "The outcome of this call is unknown: the platform was interrupted while it was under way. It may have been "
    "carried out. Find out before you call it again."
)


class Task:
    """One AI task of one visit."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.node = AITask.model_validate(work.node.properties)
        self.record = Record.of(work.checkpoints)
        self.actions: dict[str, Action] = {action.name: action for action in actions.of(self.node.tools)}
        self.thinker = Thinker(
            organization_id=work.execution.organization_id,
            user_id=work.execution.runner_id,
            product=PRODUCT,
            subject=work.id,
        )
        self.idle = 0

    async def run(self) -> NodeResult:
        """Go on until the task is complete. Raises `Interrupted`, `Waiting`, `NodeFailed`."""
        current = asyncio.current_task()
        loop = asyncio.get_running_loop()
        assert current is not None

        def stop_waiting() -> None:
            # A pause lets what is under way come to its end; the rest does not wait for it.
            if self.work.interrupt.reason != "paused":
                loop.call_soon_threadsafe(current.cancel)

        self.work.interrupt.on(stop_waiting)
        try:
            return await self._run()
        except asyncio.CancelledError:
            if self.work.interrupt.reason is None:
                raise
            raise Interrupted(self.work.interrupt.reason) from None
        finally:
            self.work.interrupt.on(None)

    async def _run(self) -> NodeResult:
        while True:
            for call in self.record.open_calls:
                self.work.interrupt.check()
                if (ended := await self.settle(call)) is not None:
                    return ended
            self.work.interrupt.check()
            await self.hear()
            await self.think()

    async def hear(self) -> None:
        """Put what people said meanwhile before the model."""
        messages = await sync_to_async(self.work.unseen_messages)()
        for message in messages:
            await self.point(Checkpoint.Kind.SAID, {"text": f"A person says: {message.text}"})
        if messages:
            await sync_to_async(self.work.take_up)(messages)

    async def think(self) -> None:
        if self.record.answers >= MOST_ANSWERS:
            raise NodeFailed(f"“{self.work.node.name}” was not complete after {MOST_ANSWERS} answers of the model.")
        values = self.work.values
        question = Question(
            instructions=await sync_to_async(instructions_for)(self.work, fill(self.node.instructions, values)),
            history=self.record.turns or await self.first_words(),
            tools=self.tools(),
            temperature=self.node.temperature,
            thinking=Thinking(self.node.thinking_mode, self.node.thinking_budget_tokens, self.node.thinking_effort),
        )
        try:
            answer = await self.thinker.ask(self.node.model, question)
        except DomainError as error:
            raise NodeFailed(f"“{self.work.node.name}”: {error.message}") from error
        said = answer.reasoning or answer.text
        lines = [Line("reasoning", {"reasoning": said})] if said else []
        await self.point(Checkpoint.Kind.MODEL, answer_as_json(answer), lines=lines)
        if answer.calls:
            self.idle = 0
            return
        if answer.model == scripted.NAME:
            raise NodeFailed(f"“{self.work.node.name}”: {answer.text}")
        self.idle += 1
        if self.idle >= MOST_IDLE:
            raise NodeFailed(f"“{self.work.node.name}”: the model called for nothing {MOST_IDLE} times in a row.")
        await self.point(Checkpoint.Kind.SAID, {"text": URGED})

    async def first_words(self) -> list[Any]:
        await self.point(Checkpoint.Kind.SAID, {"text": "Begin."})
        return self.record.turns

    def tools(self) -> list[ToolSpec]:
        return [*(action.spec for action in self.actions.values()), completion(self.work.graph, self.work.node)]

    async def settle(self, call: ToolCall) -> NodeResult | None:
        """Do what the call asks for and note what came of it; the result where it completes the task."""
        if call.name == COMPLETE:
            return await self.complete(call)
        action = self.actions.get(call.name)
        if action is None or call.fault:
            fault = call.fault or f"There is no tool {call.name} here."
            await self.finished(call, fault, failed=True)
            return None
        if call.id in self.record.begun and not action.repeatable:
            await self.finished(call, UNKNOWN, failed=True)
            return None
        await self.perform(action, call)
        return None

    async def perform(self, action: Action, call: ToolCall) -> None:
        identifier = self.identifier(call)
        # Taken over from a lost worker it was not waited for, whatever had been begun.
        self.work.resumed = call.id in self.record.begun and self.work.held.attempts == 1
        if call.id not in self.record.begun:
            started = activities.action_started(action.name, identifier, action.name, info=call.arguments)
            await self.point(Checkpoint.Kind.ACTION_BEGUN, {}, action_id=call.id, lines=[started])
        began = time.monotonic()
        try:
            given = await action.perform(self.work, action.read(call.arguments))
        except (ActionFailed, DomainError) as error:
            milliseconds = int((time.monotonic() - began) * 1000)
            line = activities.action_failed(action.name, identifier, str(error), milliseconds)
            await self.finished(call, str(error), failed=True, line=line)
        else:
            milliseconds = int((time.monotonic() - began) * 1000)
            line = activities.action_completed(action.name, identifier, action.name, milliseconds)
            await self.finished(call, given, failed=False, line=line)

    async def complete(self, call: ToolCall) -> NodeResult | None:
        try:
            return result_of(self.work.graph, self.work.node, call)
        except ActionFailed as error:
            await self.finished(call, str(error), failed=True)
            return None

    async def finished(self, call: ToolCall, content: Any, *, failed: bool, line: Line | None = None) -> None:
        body = {"content": content, "failed": failed}
        await self.point(Checkpoint.Kind.ACTION_DONE, body, action_id=call.id, lines=[line] if line else [])

    async def point(self, kind: str, body: Any, *, action_id: str = "", lines: list[Line] | None = None) -> None:
        """Store a checkpoint, and go on from it as one who takes over would."""
        point = await sync_to_async(self.work.checkpoint)(kind, body, action_id=action_id, lines=lines or [])
        self.record.add(point)

    def identifier(self, call: ToolCall) -> str:
        """What tells this action from all others: the same again after a takeover."""
        return f"{self.work.id}/{self.work.step}/{self.work.node.id}/{call.id}"
