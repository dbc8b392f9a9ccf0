"""Whatever the graph, real nodes carry it to an end within its limits: scripted tasks, requests by socket, outputs."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.serving import serve
from tests.workflows.graphs import Parts, sound_graphs
from tests.workflows.random_runs import comes_to_an_end, started
from tests.workflows.tasks import call, done, script
from workflows.nodes import api

pytestmark = pytest.mark.django_db

DECISION = script(call("decide_outcome", outcome="done", reasoning="It was."))
# What a task does before its end, and how it ends: as it should, wrongly at first, or not at all.
BEFORE = [
    call("scratchpad_write", text="seen"),
    call("scratchpad_write", txt="mistyped"),
    call("no_such_tool"),
    {"say": "I am still looking."},
]
ENDS = ["ends", "ends", "ends", "misspells", "stops"]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, unwatched: None, settings: Settings) -> None:
    """The watch has a connection of its own, which does not see a test's transaction; nothing waits to try again."""
    monkeypatch.setattr(api, "PAUSES", [0.0] * len(api.PAUSES))
    settings.OUTBOUND_ALLOW_LOCAL = True


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """An HTTP API that answers with the status it is asked for."""

    async def answer(request: Request) -> JSONResponse:
        status = int(request.path_params["status"])
        return JSONResponse({"status": status}, status)

    with serve(Starlette(routes=[Route("/{status}", answer)])) as served:
        yield f"http://127.0.0.1:{served.port}"


@st.composite
def drawn_graphs(draw: st.DrawFn) -> Parts:
    """Tasks with scripts, requests where there is one way on, an output that decides, confirmations now and then."""
    drawn = draw(sound_graphs())
    names = {one["id"]: one["name"] for one in drawn["nodes"]}
    ways_from = Counter(one["from"] for one in drawn["transitions"])
    nodes = [
        draw(_node(one, [names[way["to"]] for way in drawn["transitions"] if way["from"] == one["id"]], ways_from))
        for one in drawn["nodes"]
    ]
    requests = {one["id"] for one in nodes if one["type"] == "api"}
    ways = [
        {
            "id": one["id"],
            "from": one["from"],
            "to": one["to"],
            "type": "outcome_success" if one["from"] in requests else "iris",
            "require_confirmation": draw(st.sampled_from([False, False, False, True])),
        }
        for one in drawn["transitions"]
    ]
    return {**drawn, "nodes": nodes, "transitions": ways}


@st.composite
def _node(draw: st.DrawFn, one: Parts, targets: list[str], ways_from: Counter[str]) -> Parts:
    if one["type"] == "output":
        return {**one, "properties": {"outcomes": ["done", "not done"], "instructions": DECISION}}
    if one["type"] == "api" and ways_from[one["id"]] == 1:
        status = draw(st.sampled_from([200, 200, 200, 404, 503]))
        method = draw(st.sampled_from(["GET", "POST"]))
        return {**one, "properties": {"method": method, "url": f"{{{{.shop}}}}/{status}"}}
    lines = draw(st.lists(st.sampled_from(BEFORE), max_size=2))
    target = draw(st.sampled_from(targets))
    match draw(st.sampled_from(ENDS)):
        case "ends":
            lines = [*lines, _complete(targets, target)]
        case "misspells":
            lines = [*lines, call("complete_task", summary="Done.", next="Nowhere"), _complete(targets, target)]
    properties = {"instructions": script(*lines), "tools": ["scratchpad_write"]}
    return {**one, "type": "iris", "properties": properties}


def _complete(targets: list[str], target: str) -> dict[str, Any]:
    return done() if len(targets) == 1 else call("complete_task", summary="Done.", next=target)


@hypothesis_settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(drawn=drawn_graphs())
def test_any_graph_of_real_nodes_comes_to_an_end_within_its_limits(shop: str, drawn: Parts) -> None:
    caller, execution = started(drawn, {"shop": shop})
    comes_to_an_end(caller, execution)
    assert "our side" not in execution.failure
