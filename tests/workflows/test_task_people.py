"""People and time in AI tasks: what is said is heard once and never lost, waits give the worker back, time runs out."""

import asyncio
import threading
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from llm.turns import Answer, Question, Returned, Said, ToolCall, Usage
from tests.workflows.graphs import way
from tests.workflows.tasks import END, call, done, failures, on, started, task, told
from workflows.engine.states import Status
from workflows.engine.store import Fenced
from workflows.engine.work import Work
from workflows.models import Execution, UserMessage
from workflows.services import waiting, wishes
from workflows.task import clock, compaction
from workflows.task.loop import Task

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unwatched")]

ASK = call("ask_user", questions=[{"question": "Which?"}])


def asking(*after: dict[str, Any]) -> tuple[Any, Execution]:
    return started(task("look", ASK, *after, done(), tools=("ask_user",)), END, way("look", "end"))


def test_what_was_said_before_the_question_is_no_answer_to_it(
    asked: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, execution = asking()
    begin = Task.begin

    async def begun_while_somebody_speaks(self: Task, *given: Any) -> None:
        await sync_to_async(wishes.add_message)(caller, execution_id=execution.pk, text="By the way, it rains.")
        await begin(self, *given)

    monkeypatch.setattr(Task, "begin", begun_while_somebody_speaks)
    assert on(execution).state == Status.PAUSED_BY_AGENT
    wishes.add_message(caller, execution_id=execution.pk, text="The red one.")
    assert on(execution).state == Status.COMPLETED
    _, _, results, said = asked[-1].history
    assert isinstance(results, Returned)
    assert results.results[0].content == "The red one."
    assert said == Said("A person says: By the way, it rains.")
    assert not UserMessage.objects.filter(seen_in_step=None).exists()


def test_an_answer_is_not_lost_with_the_worker_that_took_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    caller, execution = asking()
    on(execution)
    wishes.add_message(caller, execution_id=execution.pk, text="The red one.")

    async def lost(*_: Any, **__: Any) -> None:
        raise Fenced("the worker was lost")

    with monkeypatch.context() as patch:
        patch.setattr(Task, "finished", lost)
        on(execution)
    assert UserMessage.objects.filter(seen_in_step=None).count() == 1
    Execution.objects.update(lease_until=None)
    assert on(execution).state == Status.COMPLETED
    assert not UserMessage.objects.filter(seen_in_step=None).exists()


def test_a_question_put_again_after_a_lost_worker_waits_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost between the question's beginning and the giving back, nobody has been asked yet."""
    _, execution = asking()

    async def lost(*_: Any, **__: Any) -> None:
        raise Fenced("the worker was lost")

    with monkeypatch.context() as patch:
        patch.setattr(Task, "give_back", lost)
        on(execution)
    Execution.objects.update(lease_until=None)
    assert on(execution).state == Status.PAUSED_BY_AGENT


def test_a_long_wait_gives_the_worker_back_and_ends_by_itself() -> None:
    wait = call("util_wait_time", seconds=3600)
    _, execution = started(task("look", wait, done(), tools=("util_wait_time",)), END, way("look", "end"))
    assert on(execution).state == Status.PAUSED_BY_AGENT
    assert told(execution)[-1]["pausedPayload"] == {"reason": "The agent waits for 3600 seconds."}
    assert waiting.settle_what_waited() == 0
    Execution.objects.update(wake_at=timezone.now())
    assert waiting.settle_what_waited() == 1
    assert on(execution).state == Status.COMPLETED
    assert failures(execution) == []


def test_a_question_that_nobody_answers_in_time_fails_the_run() -> None:
    _, execution = asking()
    on(execution)
    Execution.objects.update(wake_at=timezone.now())
    waiting.settle_what_waited()
    execution.refresh_from_db()
    assert execution.state == Status.FAILED


def test_what_was_said_just_before_the_run_was_given_back_is_no_answer(
    asked: list[Question], monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, execution = asking()
    hear = Task.hear

    async def heard_and_then_somebody_speaks(self: Task) -> None:
        await hear(self)
        if self.record.open_calls:
            await sync_to_async(wishes.add_message)(caller, execution_id=execution.pk, text="By the way, it rains.")

    monkeypatch.setattr(Task, "hear", heard_and_then_somebody_speaks)
    assert on(execution).state == Status.PAUSED_BY_AGENT
    wishes.add_message(caller, execution_id=execution.pk, text="The red one.")
    assert on(execution).state == Status.COMPLETED
    answered, heard = asked[-1].history[-2:]
    assert isinstance(answered, Returned)
    assert answered.results[0].content == "The red one."
    assert heard == Said("A person says: By the way, it rains.")


def test_a_list_of_what_is_to_be_done_says_what_is_being_done() -> None:
    todos = call("todos", todos=[{"content": "Look", "activeForm": "Looking", "status": "in_progress"}])
    _, execution = started(task("look", todos, done(), tools=("todos",)), END, way("look", "end"))
    assert on(execution).state == Status.COMPLETED
    [line] = [line for line in told(execution) if "todos" in line]
    assert line["todos"] == [{"content": "Look", "activeForm": "Looking", "status": "in_progress"}]


def test_past_the_soft_limit_the_model_is_told_once(asked: list[Question], monkeypatch: pytest.MonkeyPatch) -> None:
    tools = ("util_get_datetime",)
    look = task("look", call("util_get_datetime"), call("util_get_datetime"), done(), tools=tools)
    _, execution = started(look, END, way("look", "end"), options={"softTimeoutMins": 1})
    most = execution.workflow.settings["max_timeout_mins"]
    left = iter([most * 60, (most - 1) * 60 - 1, (most - 1) * 60 - 2])
    monkeypatch.setattr(clock.Clock, "seconds_left", property(lambda self: next(left)))
    assert on(execution).state == Status.COMPLETED
    nudged = [sum(turn == Said(clock.NUDGE) for turn in question.history) for question in asked]
    assert nudged == [0, 1, 1]


def test_a_long_history_is_made_short_and_the_task_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm.compaction.FROM_TOKENS", 1_000)
    looks, completes = ToolCall("a", "util_get_datetime", {}), ToolCall("b", "complete_task", {"summary": "Done."})
    answers = [
        Answer("", [looks], Usage(2_000, 0, 7), "fake:model", {}),
        Answer("Seen: a red one.", [], Usage(2_000, 0, 7), "fake:model", {}),
        Answer("", [completes], Usage(10, 0, 7), "fake:model", {}),
    ]
    asked: list[Question] = []

    async def ask(self: Task, question: Question) -> Answer:
        asked.append(Question(question.instructions, list(question.history)))
        return answers[len(asked) - 1]

    monkeypatch.setattr(Task, "ask", ask)
    _, execution = started(task("look", done(), tools=("util_get_datetime",)), END, way("look", "end"))
    assert on(execution).state == Status.COMPLETED
    assert asked[2].history == [Said(compaction.told("Seen: a red one."))]
    performed = [line for line in told(execution) if "summaryTokens" in line]
    assert [line["summaryTokens"] for line in performed] == [7]


def test_cancelling_interrupts_a_model_that_thinks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the watch's thread does it: by the interrupt, from outside of the loop."""
    thinks = threading.Event()
    works: list[Work] = []

    async def ask(self: Task, question: Question) -> Answer:
        works.append(self.work)
        thinks.set()
        await asyncio.sleep(3600)
        raise AssertionError("nobody answers")

    monkeypatch.setattr(Task, "ask", ask)

    def cancel() -> None:
        assert thinks.wait(20)
        works[0].interrupt.set("cancelled")

    _, execution = started(task("look", done()), END, way("look", "end"))
    person = threading.Thread(target=cancel)
    person.start()
    assert on(execution).state == Status.CANCELLED
    person.join()
    # What is said after the end reaches nobody, and breaks nothing.
    works[0].interrupt.set("timeout")
