"""The loop of an AI task: ask the model, do what it calls for, and again, until it says that the task is complete.

Each answer and each action is a checkpoint, so a worker that takes the task over goes on after the last of them:
nothing that completed is done again. What was begun and not finished is repeated where that does no harm; of the rest
the model is told that the outcome is unknown, or a person is asked where one allows each call.
"""

import asyncio
import logging
import time
from contextlib import AsyncExitStack, suppress
from typing import Any

from asgiref.sync import sync_to_async
from django.db import InterfaceError, OperationalError

from accounts.errors import DomainError
from llm import scripted
from llm.asking import QuestionTooLong
from llm.compaction import GROWTH, due_from
from llm.services.choosing import window_of
from llm.storing import answer_as_json
from llm.telling import UNKNOWN
from llm.turns import Answer, Question, ToolSpec
from security import request_id
from workflows.engine import activities
from workflows.engine.activities import Line
from workflows.engine.moves import NodeResult
from workflows.engine.store import Fenced
from workflows.engine.work import Interrupted, NodeFailed, Waiting, Work
from workflows.models import Checkpoint
from workflows.nodes import keeping
from workflows.secrets import UnknownSecret
from workflows.task import compaction, people, permission, remote
from workflows.task.actions import MOST_SHOWN, Action, ActionFailed, clipped
from workflows.task.assignment import Assignment
from workflows.task.clock import Clock
from workflows.task.prompt import instructions_for
from workflows.task.record import Call, Record
from workflows.task.thinking import thinker_of

logger = logging.getLogger(__name__)

# Answers of a model in one task, and those in a row that call for nothing, before the task is given up.
MOST_ANSWERS = 100
MOST_IDLE = 3
# Seconds after which a task that was told to stop, and did not, is told again.
AGAIN = 5.0
URGED = "Nothing was called. Go on with the task by calling a tool, or call {ending} when it is done."


class Task:
    """One assignment in one visit of a node."""

    def __init__(self, work: Work, assignment: Assignment) -> None:
        self.work = work
        self.assignment = assignment
        self.record = Record.of(work.checkpoints)
        self.clock = Clock(work)
        self.actions: dict[str, Action] = {action.name: action for action in assignment.actions}
        self.problems: list[str] = []
        self.thinker = thinker_of(work)
        self.idle = self.refused = self.due = 0

    async def run(self) -> NodeResult:
        """Go on until the task is complete. Raises `Interrupted`, `Waiting`, `NodeFailed`."""
        current = asyncio.current_task()
        loop = asyncio.get_running_loop()
        assert current is not None

        def stop() -> None:
            # What goes on in a thread takes no notice, so it is told until it has ended.
            if not current.done():
                current.cancel()
                loop.call_later(AGAIN, stop)

        def stop_waiting() -> None:
            # A pause lets what is under way come to its end; what is not gentle does not wait for it.
            if not self.work.interrupt.is_gentle:
                with suppress(RuntimeError):  # the task and its loop have ended meanwhile
                    loop.call_soon_threadsafe(stop)

        self.work.interrupt.on(stop_waiting)
        try:
            async with AsyncExitStack() as open_servers:
                if self.assignment.remote:
                    await self.connect(open_servers)
                return await self._run()
        except asyncio.CancelledError:
            if self.work.interrupt.reason is None:
                raise
            raise Interrupted(self.work.interrupt.reason) from None
        finally:
            self.work.interrupt.on(None)

    async def connect(self, open_servers: AsyncExitStack) -> None:
        """Take the tools of the agent's servers in; what is wrong with some of them people and the model are told."""
        found = await open_servers.enter_async_context(remote.tools_of(self.work, self.assignment.secrets))
        self.actions |= {action.name: action for action in found.actions}
        self.problems = found.problems
        if self.problems and not self.record.answers:
            await sync_to_async(self.work.tell)(*map(activities.generic, self.problems))

    async def _run(self) -> NodeResult:
        while True:
            for call in self.record.open_calls:
                self.work.interrupt.check()
                if (ended := await self.settle(call)) is not None:
                    return ended
            await self.hear()
            await self.think()

    async def hear(self) -> None:
        """Put what people said meanwhile before the model."""
        for message in await sync_to_async(self.work.unseen_messages)():
            self.work.take_up([message])
            await self.say(f"A person says: {message.text}")

    async def think(self) -> None:
        if self.record.answers >= MOST_ANSWERS:
            raise NodeFailed(f"“{self.work.node.name}” was not complete after {MOST_ANSWERS} answers of the model.")
        if not self.record.turns:
            await self.say("Begin.")
        if (nudge := self.clock.nudge(self.record.turns)) is not None:
            await self.say(nudge)
        tokens = self.record.tokens
        if tokens and tokens > await self.short_from() and not await compaction.make_short(self, self.due):
            self.due = int(tokens * GROWTH)
        question, answer = await self.answer()
        said = answer.reasoning or answer.text
        lines = [Line("reasoning", {"reasoning": clipped(self.work.secrets.hide(said))})] if said else []
        await self.point(Checkpoint.Kind.MODEL, answer_as_json(answer), lines=lines)
        if answer.calls:
            self.idle = 0
            return
        if answer.model == scripted.NAME and not scripted.has_line_for(question):
            raise NodeFailed(f"“{self.work.node.name}”: {answer.text}")
        self.idle += answer.model != scripted.NAME
        if self.idle >= MOST_IDLE:
            raise NodeFailed(f"“{self.work.node.name}”: the model called for nothing {MOST_IDLE} times in a row.")
        await self.say(URGED.format(ending=self.assignment.ending.name))

    async def short_from(self) -> int:
        """Tokens of the history from which on it is made short."""
        if not self.due:
            window = await sync_to_async(window_of)(self.work.execution.organization_id, self.assignment.model)
            self.due = due_from(window)
        return self.due

    async def answer(self) -> tuple[Question, Answer]:
        """The next question and its answer. What is too long for the model is made short once, and asked again."""
        question = await self.question()
        try:
            return question, await self.ask(question)
        except QuestionTooLong as error:
            if not self.record.tokens or not await compaction.make_short(self, self.record.tokens // 2):
                raise NodeFailed(f"“{self.work.node.name}”: {error.message}") from error
        question = await self.question()
        try:
            return question, await self.ask(question)
        except QuestionTooLong as error:
            raise NodeFailed(f"“{self.work.node.name}”: {error.message}") from error

    async def question(self) -> Question:
        task = self.assignment
        said = await sync_to_async(instructions_for)(self.work, task, self.problems)
        return Question(
            instructions=self.work.secrets.hide(said),
            history=list(self.record.turns),
            tools=self.tools(),
            must_call=not self.actions,
            **task.settings,
        )

    async def ask(self, question: Question) -> Answer:
        self.work.interrupt.check()
        try:
            return await self.thinker.ask(self.assignment.model, question)
        except QuestionTooLong:
            raise
        except DomainError as error:
            raise NodeFailed(f"“{self.work.node.name}”: {error.message}") from error

    def tools(self) -> list[ToolSpec]:
        return [*(action.spec for action in self.actions.values()), self.assignment.ending]

    async def settle(self, call: Call) -> NodeResult | None:
        """Do what the call asks for and note what came of it; the result where it completes the task."""
        asked, stage = call.asked, self.record.stages.get(call.key)
        if asked.name == self.assignment.ending.name:
            return await self.complete(call)
        action = self.actions.get(asked.name)
        if action is None or asked.fault:
            await self.refuse(call, asked.fault or f"There is no tool {asked.name} here.")
        elif action.ask_first:
            await self.perform_if_allowed(action, call)
        elif stage == "begun" and not action.may_be_repeated(asked.arguments):
            await self.finished(call, UNKNOWN, failed=True, line=self.failed_line(action, call, UNKNOWN))
        else:
            if stage is None:
                await self.begin(action, call)
            await self.perform(action, call)
        return None

    async def perform_if_allowed(self, action: Action, call: Call) -> None:
        """Ask a person for this very call, and carry it out once they allowed it. What was lost is asked for again."""
        stage = self.record.stages.get(call.key)
        if stage != "waited":
            hidden = self.work.secrets.hide(call.asked.arguments)
            await self.give_back(call, permission.asked_for(action, hidden, lost=stage == "begun"))
        messages = await sync_to_async(people.answers)(self.work)
        self.work.take_up(messages)
        if permission.is_given([message.text for message in messages]):
            await self.begin(action, call)
            await self.perform(action, call)
            return
        said = permission.refused([message.text for message in messages])
        await self.finished(call, said, failed=True, line=self.failed_line(action, call, "It was not allowed."))

    async def begin(self, action: Action, call: Call) -> None:
        key, name = self.identifier(call), action.shown
        info = clipped(self.work.secrets.hide(call.asked.arguments), MOST_SHOWN)
        line = activities.action_started(name, key, call.asked.name, info=info)
        await self.point(Checkpoint.Kind.ACTION_BEGUN, {}, action_id=call.key, lines=[line])

    async def perform(self, action: Action, call: Call) -> None:
        self.work.action_key = self.identifier(call)
        self.work.resumed = self.record.stages.get(call.key) == "waited"
        began = time.monotonic()
        try:
            given = await action.perform(self.work, action.read(call.asked.arguments))
        except Waiting as wait:
            await self.give_back(call, wait)
        except (ActionFailed, DomainError, UnknownSecret) as error:
            line = self.failed_line(action, call, str(error), began)
            await self.finished(call, str(error), failed=True, line=line)
        except (Interrupted, NodeFailed, Fenced, OperationalError, InterfaceError):
            raise
        except Exception:  # a fault of ours in one action is told like any other, and ends no run
            logger.exception("%s of execution %s failed", action.name, self.work.id)
            said = f"Something failed on our side. It is in the log under {request_id.current() or self.work.id}."
            await self.finished(call, said, failed=True, line=self.failed_line(action, call, said, began))
        else:
            shown = None if action.is_secret else clipped(self.work.secrets.hide(given), MOST_SHOWN)
            milliseconds = int((time.monotonic() - began) * 1000)
            line = activities.action_completed(
                action.shown, self.identifier(call), call.asked.name, milliseconds, info=shown
            )
            await self.finished(call, given, failed=False, line=line)

    async def give_back(self, call: Call, wait: Waiting) -> None:
        """Wait without a worker. What people said before is no answer, so it is heard first."""
        await self.hear()
        wait.point = self.work.point(Checkpoint.Kind.ACTION_BEGUN, {"waited": True}, action_id=call.key)
        raise wait

    async def complete(self, call: Call) -> NodeResult | None:
        try:
            given = self.assignment.result_of(call.asked)
            if said := keeping.refusal(self.work, given.variables):
                raise ActionFailed(f"variables: {said}")
            return given
        except ActionFailed as error:
            self.refused += 1
            if self.refused >= self.assignment.tries:
                raise NodeFailed(
                    f"“{self.work.node.name}”: {self.assignment.ending.name} was called wrongly {self.refused} times. "
                    f"The last time: {error}"
                ) from None
            await self.refuse(call, str(error))
            return None

    async def refuse(self, call: Call, said: str) -> None:
        """Tell the model what is wrong with a call that is none of an action, and people that it was made."""
        shown = clipped(self.work.secrets.hide(f"{call.asked.name} was called, and refused: {said}"), MOST_SHOWN)
        await self.finished(call, said, failed=True, line=activities.generic(shown))

    def failed_line(self, action: Action, call: Call, said: str, began: float | None = None) -> Line:
        milliseconds = 0 if began is None else int((time.monotonic() - began) * 1000)
        said = clipped(self.work.secrets.hide(said), MOST_SHOWN)
        return activities.action_failed(action.shown, self.identifier(call), said, milliseconds)

    async def finished(self, call: Call, content: Any, *, failed: bool, line: Line | None = None) -> None:
        body = {"content": content, "failed": failed}
        await self.point(Checkpoint.Kind.ACTION_DONE, body, action_id=call.key, lines=[line] if line else [])

    async def say(self, text: str) -> None:
        await self.point(Checkpoint.Kind.SAID, {"text": text})

    async def point(self, kind: str, body: Any, *, action_id: str = "", lines: list[Line] | None = None) -> None:
        """Store a checkpoint, and go on from it as one who takes over would."""
        point = await sync_to_async(self.work.checkpoint)(kind, body, action_id=action_id, lines=lines or [])
        self.record.add(point)

    def identifier(self, call: Call) -> str:
        """What tells this action from all others: the same again after a takeover."""
        return f"{self.work.id}/{self.work.step}/{self.work.node.id}/{call.key}"
