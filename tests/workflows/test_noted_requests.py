"""A request that was noted is sent: what was never sent is not taken for a request of unknown outcome."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from tests.serving import serve
from tests.workflows.tasks import on
from tests.workflows.test_api_node import Server, sending
from workflows.engine import store
from workflows.engine.states import Status
from workflows.engine.store import Held
from workflows.engine.watch import watch
from workflows.engine.work import Interrupt
from workflows.engine.worktime import WorkTime
from workflows.models import Checkpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def interrupts(monkeypatch: pytest.MonkeyPatch) -> list[Interrupt]:
    """Those of the runs that are carried out, which nobody watches."""
    found: list[Interrupt] = []

    def over(held: Held, interrupt: Interrupt, worktime: WorkTime) -> Any:
        found.append(interrupt)
        return nullcontext()

    monkeypatch.setattr(watch, "over", over)
    return found


@pytest.fixture
def server() -> Iterator[Server]:
    counting = Server()
    with serve(Starlette(routes=[Route("/", counting.answer, methods=["POST"])])) as served:
        counting.url = f"http://127.0.0.1:{served.port}/"
        yield counting


def test_a_worker_that_ends_while_a_request_begins_sends_it_first(
    server: Server, interrupts: list[Interrupt], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, execution = sending(server, "POST")
    stored = store.checkpoint

    def checkpoint(held: Any, row: Any, *rest: Any) -> Any:
        seen = stored(held, row, *rest)
        if row.kind == Checkpoint.Kind.ACTION_BEGUN:
            interrupts[-1].set("worker_ends")
        return seen

    monkeypatch.setattr(store, "checkpoint", checkpoint)
    assert on(execution).state == Status.RUNNING
    assert on(execution).state == Status.COMPLETED
    assert len(server.seen) == 1
