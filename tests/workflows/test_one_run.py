"""One run through everything, asked for over REST as people do, its graph validated and its control watched."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from pytest_django import Settings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from accounts.models import User
from agents_hub.models import Agent
from agents_hub.services.agent_servers import change_servers
from mcp_gateway.models import RemoteServer, RemoteTool
from mcp_gateway.remote import discovery, toolbox
from tests.agents_hub.api.door import Rest, read, rest
from tests.agents_hub.factories import AgentFactory
from tests.factories import caller_for
from tests.fakes.mcp_server import McpServer, mcp_server
from tests.mcp_gateway.remote.elsewhere import row, run
from tests.serving import serve
from tests.workflows.graphs import graph, node, way
from tests.workflows.tasks import call, done, script, task
from workflows.engine import admission
from workflows.engine.run import drive
from workflows.engine.watch import Watch
from workflows.models import Execution

pytestmark = pytest.mark.django_db(transaction=True)

DECISION = script(
    call("decide_outcome", outcome="burnt", reasoning="No."),
    call("decide_outcome", outcome="printed", reasoning="It was."),
)
STATUSES = [
    "running", "paused_by_agent", "running", "paused", "running", "paused_by_agent", "running",
    "awaiting_confirmation", "running", "completed",
]  # fmt: skip


class Shop:
    """An HTTP API that says what is in stock, once it is let."""

    def __init__(self) -> None:
        self.asked, self.answers = threading.Event(), threading.Event()
        self.base = ""

    def stock(self, request: Request) -> JSONResponse:
        self.asked.set()
        assert self.answers.wait(60)
        return JSONResponse({"sku": request.path_params["sku"], "units": 7})


@pytest.fixture
def shop(settings: Settings) -> Iterator[Shop]:
    settings.OUTBOUND_ALLOW_LOCAL = True
    made = Shop()
    with serve(Starlette(routes=[Route("/stock/{sku}", made.stock)])) as served:
        made.base = f"http://127.0.0.1:{served.port}"
        yield made


@pytest.fixture
def server() -> Iterator[McpServer]:
    discovery.clear()
    with mcp_server() as made:
        yield made


@pytest.fixture
def agent(person: User) -> Agent:
    made: Agent = AgentFactory(organization=person.organizations.get(), created_by=person)
    return made


@pytest.fixture
def printer(server: McpServer, person: User, agent: Agent) -> RemoteServer:
    """A server of the agent's, whose `echo` asks before use."""
    made = row(agent.organization, server, slug="printer")
    change_servers(caller_for(person), agent_id=agent.pk, add=[made.pk], remove=[])

    async def look() -> None:
        async with toolbox.open(caller_for(person), [made.pk]):
            pass

    run(look)
    RemoteTool.objects.filter(server=made, name="echo").update(ask_first=True)
    server.seen.clear()
    return made


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What a worker does with an execution that has a place, until it ends or gives it back."""
    own = Watch()
    monkeypatch.setattr("workflows.engine.run.watch", own)

    def on() -> str:
        admission.admit()
        execution = Execution.objects.get()
        assert drive(execution.pk)
        execution.refresh_from_db()
        return execution.status

    yield on
    own.close()


def drawing(shop: Shop, printer: RemoteServer) -> dict[str, Any]:
    """A task that asks, a request, a task that calls a remote tool, and an end that is confirmed."""
    question = call("ask_user", questions=[{"question": "Which size?", "options": [{"label": "Large"}]}])
    echo = call(f"printer_{printer.pk}__echo", text="label A1")
    return graph(
        task("look", question, done(sku="A1"), tools=("ask_user",)),
        node("fetch", "api", properties={"method": "GET", "url": shop.base + "/stock/{{.Look.sku}}"}),
        task("print", echo, done(printed=True), tools=("mcp_call",)),
        node("end", "output", properties={"outcomes": ["printed", "not printed"], "instructions": DECISION}),
        way("look", "fetch"),
        way("fetch", "print", "outcome_success"),
        way("print", "end", require_confirmation=True),
    )


def post(door: Rest, path: str, body: Any) -> Any:
    answer = door.post(path, body)
    assert answer.status_code == 200, answer.content
    return read(answer)


def pause_in_the_request(door: Rest, shop: Shop, where: str) -> None:
    """While the shop is being asked, a person pauses the run."""
    try:
        assert shop.asked.wait(60)
        post(door, f"{where}/status", {"status": "paused"})
    finally:
        shop.answers.set()
        connections.close_all()


def test_one_run_goes_through_everything(
    person: User, agent: Agent, server: McpServer, printer: RemoteServer, shop: Shop, work: Any
) -> None:
    door = rest(person)
    made = post(door, f"agents/{agent.pk}/workflows", {"graph": drawing(shop, printer)})
    post(door, f"agents/{agent.pk}/workflows/{made['workflowId']}/publish", None)
    started = post(door, f"agents/{agent.pk}/execute", {})
    where = f"executions/{started['executionId']}"

    assert work() == "paused_by_agent"
    post(door, f"{where}/user-messages", {"message": "Large, and the newest."})
    with ThreadPoolExecutor(1) as another:
        pausing = another.submit(pause_in_the_request, door, shop, where)
        assert work() == "paused"
        pausing.result()
    post(door, f"{where}/user-messages", {"message": "Print one only."})
    post(door, f"{where}/status", {"status": "running"})
    assert work() == "paused_by_agent"
    assert server.asked("tools/call") == []
    post(door, f"{where}/user-messages", {"message": "Allow"})
    assert work() == "awaiting_confirmation"
    assert len(server.asked("tools/call")) == 1
    post(door, f"{where}/status", {"status": "running"})
    assert work() == "completed"

    ended = read(door.get(where))
    assert (ended["executionResult"]["outcome"], ended["executionResult"]["reasoning"]) == ("printed", "It was.")
    told = [line["payload"] for line in read(door.get(f"{where}/activities?order=asc&limit=1000"))]
    assert [payload["status"] for payload in told if payload["activityType"] == "status_changed"] == STATUSES
    left = {one["name"]: one["value"] for line in told for one in line.get("fromNodeOutput", [])}
    assert left["Fetch"]["body"] == {"sku": "A1", "units": 7}
    assert left["printed"] is True
    said = [payload["message"] for payload in told if payload["activityType"] == "user_message_received"]
    assert said == ["Large, and the newest.", "Print one only.", "Allow"]
    assert not Execution.objects.get().messages.filter(seen_in_step=None).exists()
