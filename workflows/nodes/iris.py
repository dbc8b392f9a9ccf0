"""The iris node: an AI task, run on an event loop of its own within the worker's thread."""

from asgiref.sync import async_to_sync

from workflows.engine.moves import NodeResult
from workflows.engine.work import Work
from workflows.task.loop import Task


def run_iris(work: Work) -> NodeResult:
    return async_to_sync(Task(work).run)()
