"""What tests of the engine share: nodes that do what the test says, and the messages by which workers are called."""

from collections.abc import Callable
from typing import Any

import pytest

from workflows import tasks
from workflows.engine.moves import NodeResult
from workflows.engine.work import Work
from workflows.nodes import kinds


@pytest.fixture
def during(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Work], Any]], None]:
    """Has nodes of type `url` do what the test says."""

    def use(act: Callable[[Work], Any]) -> None:
        def carry_out(work: Work) -> NodeResult:
            act(work)
            return NodeResult(variables={work.node.id: work.step})

        monkeypatch.setitem(kinds._kinds, "url", carry_out)

    use(lambda work: None)
    return use


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The messages by which workers are called, as they would be sent."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.run_next_execution, "apply_async", lambda *_, **options: sent.append(options))
    monkeypatch.setattr(tasks.run_next_execution, "delay", lambda: sent.append({}))
    return sent
