"""The api node through pauses and lost workers: nothing is sent twice that must not be, and nothing fails unsent."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.serving import serve
from tests.workflows.graphs import node, way
from tests.workflows.tasks import END, on, started, told
from workflows.engine import store
from workflows.engine.run import drive
from workflows.engine.states import Status
from workflows.engine.store import Fenced
from workflows.models import Checkpoint, Execution
from workflows.services import wishes

pytestmark = pytest.mark.django_db


class Server:
    """An API that counts; `statuses` are those of its next answers."""

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[str] = []
        self.statuses: list[int] = []

    async def answer(self, request: Request) -> JSONResponse:
        self.seen.append(request.headers["idempotency-key"])
        return JSONResponse({"count": len(self.seen)}, self.statuses.pop(0) if self.statuses else 200)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch, unwatched: None) -> None:
    monkeypatch.setattr("workflows.nodes.api.PAUSES", (0, 0))


@pytest.fixture
def server() -> Iterator[Server]:
    counting = Server()
    with serve(Starlette(routes=[Route("/", counting.answer, methods=["GET", "POST", "PUT", "DELETE"])])) as served:
        counting.url = f"http://127.0.0.1:{served.port}/"
        yield counting


def sending(server: Server, method: str) -> tuple[Any, Execution]:
    send = node("send", "api", properties={"method": method, "url": server.url})
    return started(send, END, way("send", "end", "outcome_success"))


def lost_after(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """The worker is lost as soon as the first checkpoint of this kind is stored."""
    stored = store.checkpoint
    lost: list[str] = []

    def checkpoint(held: Any, row: Any, *rest: Any) -> Any:
        seen = stored(held, row, *rest)
        if row.kind == kind and not lost:
            lost.append(kind)
            raise Fenced("the worker was lost")
        return seen

    monkeypatch.setattr(store, "checkpoint", checkpoint)


def taken_over(execution: Execution) -> Execution:
    Execution.objects.filter(pk=execution.pk).update(lease_until=timezone.now())
    assert drive(execution.pk)
    execution.refresh_from_db()
    return execution


def actions(execution: Execution) -> list[str]:
    return [line["message"] for line in told(execution) if line.get("actionName") == "ext_api_call"]


def test_a_pause_while_a_request_begins_lets_it_be_sent_and_the_run_goes_on(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, execution = sending(server, "POST")
    stored = store.checkpoint

    def checkpoint(held: Any, row: Any, *rest: Any) -> Any:
        if row.kind == Checkpoint.Kind.ACTION_BEGUN:
            wishes.ask_status(caller, execution_id=execution.pk, status=Status.PAUSED)
        return stored(held, row, *rest)

    monkeypatch.setattr(store, "checkpoint", checkpoint)
    assert on(execution).state == Status.PAUSED
    assert len(server.seen) == 1
    wishes.ask_status(caller, execution_id=execution.pk, status=Status.RUNNING)
    assert on(execution).state == Status.COMPLETED
    assert len(server.seen) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_an_answer_that_was_there_when_the_worker_was_lost_is_gone_on_from(
    method: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, execution = sending(server, method)
    lost_after(monkeypatch, Checkpoint.Kind.ACTION_DONE)
    drive(execution.pk)
    assert taken_over(execution).state == Status.COMPLETED
    assert execution.variables["Send"]["body"] == {"count": 1}
    assert len(server.seen) == 1
    assert len(actions(execution)) == 2


def test_a_refusal_that_was_there_when_the_worker_was_lost_is_gone_on_from(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.statuses = [409]
    _, execution = sending(server, "POST")
    lost_after(monkeypatch, Checkpoint.Kind.ACTION_DONE)
    drive(execution.pk)
    assert taken_over(execution).failure == f'POST {server.url} was answered 409: {{"count": 1}}'


def test_a_request_of_unknown_outcome_is_sent_again_where_that_does_no_harm_alone(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for method, status, times in (("PUT", Status.COMPLETED, 1), ("POST", Status.FAILED, 0)):
        server.seen.clear()
        _, execution = sending(server, method)
        with monkeypatch.context() as patched:
            lost_after(patched, Checkpoint.Kind.ACTION_BEGUN)
            drive(execution.pk)
        assert taken_over(execution).state == status
        assert len(server.seen) == times
        assert actions(execution).count(f"{method} {server.url}") == 1
    assert "its outcome is not known" in execution.failure


def test_what_may_be_repeated_is_tried_three_times_under_one_key(server: Server) -> None:
    server.statuses = [500, 503, 200]
    _, execution = sending(server, "GET")
    assert on(execution).state == Status.COMPLETED
    assert len(server.seen) == 3
    assert len(set(server.seen)) == 1
    server.statuses = [500]
    _, execution = sending(server, "POST")
    assert on(execution).failure == f'POST {server.url} was answered 500: {{"count": 4}}'
