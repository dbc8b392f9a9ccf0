"""What an API may answer, and what people are told of it; and requests that cannot be sent as they are written."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.serving import serve
from tests.workflows.graphs import graph, node, way
from tests.workflows.tasks import END, call, done, failures, on, started, task
from workflows.engine.states import Status
from workflows.engine.watch import watch
from workflows.engine.work import Interrupt
from workflows.graph.shapes import Graph
from workflows.graph.validate import validate
from workflows.models import Execution
from workflows.nodes import requests
from workflows.webhooks import sending

pytestmark = pytest.mark.django_db
METHODS = ["GET", "POST"]
WHY = {"error": "The order 17 is closed."}


class Server:
    """It answers by the path, and keeps what came."""

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[tuple[str, Any, bytes]] = []
        self.interrupt: Interrupt | None = None

    async def answer(self, request: Request) -> Response:
        self.seen.append((request.method, request.headers, await request.body()))
        match request.url.path:
            case "/moved":
                return RedirectResponse("/there", 302)
            case "/round":
                return RedirectResponse("/round", 307)
            case "/refuses":
                return JSONResponse(WHY, 422)
            case "/long":
                return Response(b"x" * 2_000_000)
            case "/deep":
                return Response(b"[" * 900 + b"]" * 900)
            case "/hangs":
                assert self.interrupt is not None
                self.interrupt.set("cancelled")
                await request.receive()  # until whoever asked has gone
        return JSONResponse({"path": request.url.path})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr("workflows.nodes.api.PAUSES", (0, 0))
    served_by = Server()

    def over(_: object, interrupt: Interrupt, *__: object) -> Any:
        served_by.interrupt = interrupt
        return nullcontext()

    monkeypatch.setattr(watch, "over", over)
    with serve(Starlette(routes=[Route("/{path}", served_by.answer, methods=METHODS)])) as served:
        served_by.url = f"http://127.0.0.1:{served.port}"
        yield served_by


def sent(url: str, method: str = "GET", **options: Any) -> Execution:
    """A run of one api node, as far as it came."""
    secrets, inputs = options.pop("secrets", None), options.pop("inputs", {})
    send = node("send", "api", properties={"method": method, "url": url, **options})
    _, execution = started(send, END, way("send", "end", "outcome_success"), secrets=secrets, inputs=inputs)
    return on(execution)


@pytest.mark.parametrize("method", METHODS)
def test_a_redirect_is_followed(server: Server, method: str) -> None:
    execution = sent(f"{server.url}/moved", method)
    assert execution.variables["Send"] == {"status": 200, "body": {"path": "/there"}}
    assert [came for came, *_ in server.seen] == [method, "GET"]


def test_redirects_that_go_round_fail_the_run_at_once(server: Server) -> None:
    execution = sent(f"{server.url}/round")
    assert execution.failure == f"GET {server.url}/round was redirected more than 5 times."
    assert len(server.seen) == 6


def test_a_failure_holds_what_the_server_said(server: Server) -> None:
    execution = sent(f"{server.url}/refuses")
    assert execution.failure == f'GET {server.url}/refuses was answered 422: {{"error": "The order 17 is closed."}}'
    assert failures(execution) == [execution.failure]


def test_what_the_server_said_of_a_secret_is_hidden_before_it_is_cut(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.nodes.requests.MOST_SAID", 20)
    execution = sent(f"{server.url}/refuses", headers={"X-Key": "${secret.KEY}"}, secrets={"KEY": "order 17 is closed"})
    assert "order" not in execution.failure
    assert "order" not in failures(execution)[0]


def test_an_answer_that_is_too_long_is_not_asked_for_again(server: Server) -> None:
    execution = sent(f"{server.url}/long")
    assert "was answered too much" in execution.failure
    assert "not answered" not in execution.failure
    assert len(server.seen) == 1


def test_json_too_deep_to_be_worked_with_is_kept_as_text(server: Server) -> None:
    execution = sent(f"{server.url}/deep")
    assert execution.variables["Send"]["body"] == "[" * 900 + "]" * 900


def test_cancelling_breaks_a_request_off(server: Server) -> None:
    assert sent(f"{server.url}/hangs", "POST").state == Status.CANCELLED


@pytest.mark.parametrize("bounds", [requests.BOUNDS, sending.BOUNDS])
def test_an_answer_may_begin_as_late_as_a_request_may_take(bounds: Any) -> None:
    assert bounds.read == bounds.total


def test_white_space_around_the_value_of_a_header_is_left_out(server: Server) -> None:
    execution = sent(f"{server.url}/a", headers={"X-Order": "{{.order}}"}, inputs={"order": " 17\n"})
    assert execution.state == Status.COMPLETED
    assert server.seen[0][1]["x-order"] == "17"


def test_an_idempotency_key_of_ones_own_is_the_only_one(server: Server) -> None:
    sent(f"{server.url}/a", "POST", headers={"idempotency-key": "mine"})
    assert server.seen[0][1].getlist("idempotency-key") == ["mine"]


def test_names_within_a_body_may_hold_placeholders(server: Server) -> None:
    sent(f"{server.url}/a", "POST", body={"lines": {"{{.name}}": "{{.units}}"}}, inputs={"name": "rope", "units": 4})
    assert server.seen[0][2] == b'{"lines":{"rope":4}}'


def test_a_placeholder_in_a_name_asks_for_its_input() -> None:
    drawn = graph(node("send", "api", properties={"method": "POST", "url": "https://a.example", "body": {"{{x": 1}}))
    said = [fault.message for fault in validate(Graph.model_validate(drawn), capabilities=())]
    assert [one for one in said if "“{{x” in body is not a placeholder" in one]


@pytest.mark.parametrize("name", ["", "a b", "X-Ü", "X:"])
def test_a_name_that_is_none_of_a_header_is_a_fault_of_the_graph(name: str) -> None:
    properties = {"method": "GET", "url": "https://a.example", "headers": {name: "1"}}
    drawn = graph(node("send", "api", properties=properties), END, way("send", "end", "outcome_success"))
    [fault] = validate(Graph.model_validate(drawn), capabilities=())
    assert fault.message.endswith("the name of a header has letters, digits and - alone.")


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding"])
def test_a_header_that_is_counted_is_named(server: Server, name: str) -> None:
    execution = sent(f"{server.url}/a", "POST", headers={name: "5"})
    assert execution.failure == f"“Send”: the header {name} cannot be set: it is counted. Leave it out."
    request = call("ext_api_call", method="POST", url=f"{server.url}/a", headers={name: "5"}, body={"a": 1})
    _, execution = started(task("look", request, done(), tools=("ext_api_call",)), END, way("look", "end"))
    assert on(execution).state == Status.COMPLETED
    assert f"the header {name} cannot be set" in failures(execution)[0]
    assert server.seen == []


def test_a_run_without_a_profile_is_told_to_have_one(server: Server) -> None:
    execution = sent(f"{server.url}/a", headers={"X-Key": "${secret.KEY}"})
    assert "start it with agentProfileId" in execution.failure
