"""Making a task's long history short: the model says what matters of it, and goes on from its own words."""

import time
from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async

from llm import compaction
from llm.asking import QuestionTooLong
from llm.turns import Answer
from workflows.engine import activities
from workflows.engine.activities import Line
from workflows.engine.work import NodeFailed
from workflows.models import Checkpoint

if TYPE_CHECKING:
    from workflows.task.loop import Task

# How often a history is cut further where the model takes even less, and to what part of it.
TRIES, FURTHER = 3, 4
NOTHING = "The history could not be made shorter: the model wrote nothing."


async def make_short(task: "Task", most: int) -> bool:
    """Have the model say in short what happened, from a history of about `most` tokens, and go on from that.

    False where it writes nothing. Raises `NodeFailed` where the model takes not even what is left after cutting.
    """
    await sync_to_async(task.work.tell)(started())
    began = time.monotonic()
    answer = await _summary(task, most)
    if not answer.text.strip():
        await sync_to_async(task.work.tell)(activities.generic(NOTHING))
        return False
    line = performed(answer.usage.output, int((time.monotonic() - began) * 1000))
    await task.point(Checkpoint.Kind.COMPACTION, {"text": told(answer.text)}, lines=[line])
    return True


async def _summary(task: "Task", most: int) -> Answer:
    question = await task.question()
    for attempt in range(TRIES):
        try:
            return await task.ask(compaction.question(question, most // FURTHER**attempt))
        except QuestionTooLong as error:
            refusal = error
    raise NodeFailed(f"“{task.work.node.name}”: {refusal.message}")


def told(summary: str) -> str:
    return f"What happened in this task so far, as you wrote it down:\n{summary}\n\nGo on from there."


def started() -> Line:
    return Line("compaction_started", {})


def performed(summary_tokens: int, milliseconds: int) -> Line:
    return Line("compaction_performed", {"summaryTokens": summary_tokens, "durationMs": milliseconds})
