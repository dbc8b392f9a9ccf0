"""What tests of workflows share: workers of their own, and runs in the test's own transaction."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path

import pytest

from llm.turns import Answer, Question
from tests.pages import person
from tests.workflows.crowd import Workers
from workflows.engine.watch import watch
from workflows.task.loop import Task

__all__ = ["person"]


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Callable[..., Workers]]:
    with ExitStack() as running:
        yield lambda **environment: Workers(tmp_path, running, **environment)


@pytest.fixture
def unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch has a connection of its own, which does not see a test's transaction."""
    monkeypatch.setattr(watch, "over", lambda *_: nullcontext())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Question]:
    """All that models were asked by AI tasks."""
    questions: list[Question] = []
    ask = Task.ask

    async def note(self: Task, question: Question) -> Answer:
        questions.append(Question(question.instructions, list(question.history)))
        return await ask(self, question)

    monkeypatch.setattr(Task, "ask", note)
    return questions
