"""Values on their way through a run: into addresses, headers, bodies and prompts, and out of answers by name."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from llm.turns import Question
from tests.agents_hub.api.door import read, rest
from tests.agents_hub.factories import AgentFactory, member_of
from tests.serving import serve
from tests.workflows.factories import WorkflowFactory
from tests.workflows.graphs import graph, node, way
from tests.workflows.tasks import END, call, done, on, started, task, told
from workflows.clipping import clipped_each
from workflows.models import Execution, Step

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unwatched")]
ORDER = {"id": "A 17", "lines": [{"sku": "rope", "units": 7}], "paid": True, "note": None}


@dataclass
class Shop:
    """An API that gives the order and keeps what it was sent."""

    url: str
    seen: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop("")

    async def answer(request: Request) -> JSONResponse:
        path = request.scope["raw_path"].decode()
        sent = {"path": path, "query": dict(request.query_params), "headers": dict(request.headers)}
        made.seen.append(sent | {"body": json.loads(await request.body() or b"null")})
        return JSONResponse(ORDER)

    with serve(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "PUT"])])) as served:
        made.url = f"http://127.0.0.1:{served.port}"
        yield made


def request(name: str, url: str, *, method: str = "GET", **properties: Any) -> dict[str, Any]:
    return node(
        name.lower().replace(" ", "-"), "api", name=name, properties={"method": method, "url": url} | properties
    )


def line(*nodes: dict[str, Any]) -> list[dict[str, Any]]:
    """The nodes one after the other, and the end."""
    following = [*nodes[1:], END]
    return [
        *nodes,
        END,
        *(way(one["id"], two["id"], "outcome_success") for one, two in zip(nodes, following, strict=True)),
    ]


def run(*nodes: dict[str, Any], **inputs: Any) -> Execution:
    return on(started(*line(*nodes), inputs=inputs)[1])


def test_a_value_in_an_address_is_encoded_and_adds_nothing_to_it(shop: Shop) -> None:
    url = "{{.shop}}/orders/{{.order}}/lines?q={{.name}}&x=1#{{.name}}"
    run(request("Fetch", url), shop=shop.url, order="../A/7?b", name="Ada Byron & co+1 Łódź")
    [sent] = shop.seen
    assert sent["path"] == "/orders/..%2FA%2F7%3Fb/lines"
    assert sent["query"] == {"q": "Ada Byron & co+1 Łódź", "x": "1"}


def test_two_dots_do_not_lead_up(shop: Shop) -> None:
    run(request("Fetch", f"{shop.url}/orders/{{{{.order}}}}/lines"), order="..")
    assert shop.seen[0]["path"] == "/orders/%2E%2E/lines"


def test_a_host_and_a_port_may_be_values(shop: Shop) -> None:
    execution = run(request("Fetch", "http://{{.host}}/orders"), host=shop.url.removeprefix("http://"))
    assert execution.status == "completed"
    execution = run(request("Fetch", "http://{{.host}}/orders"), host="shop.example.com/elsewhere?a")
    assert execution.status == "failed"
    assert len(shop.seen) == 1


def test_json_keeps_its_types_where_a_text_is_one_placeholder(shop: Shop) -> None:
    body = {
        "amount": "{{.amount}}",
        "order": "{{ .order }}",
        "off": "{{.off}}",
        "none": "{{.none}}",
        "list": ["{{.amount}}", "{{.amount}} of {{.order}}"],
    }
    inputs = {"amount": 7, "order": {"units": [1]}, "off": False, "none": None}
    run(request("Send", shop.url, method="POST", body=body, headers={"X-Units": "{{.amount}}"}), **inputs)
    assert shop.seen[0]["body"] == {
        "amount": 7,
        "order": {"units": [1]},
        "off": False,
        "none": None,
        "list": [7, '7 of {"units": [1]}'],
    }
    assert shop.seen[0]["headers"]["x-units"] == "7"


def test_the_answer_of_a_node_is_reached_into_by_the_words_of_its_name(shop: Shop) -> None:
    body = {"units": "{{.Fetch_order.body.lines.0.units}}", "paid": "{{.Fetch_order.body.paid}}"}
    execution = run(
        request("Fetch order", f"{shop.url}/orders"),
        request("Ship it", f"{shop.url}/ship/{{{{.Fetch_order.body.id}}}}", method="PUT", body=body),
    )
    assert execution.status == "completed", execution.failure
    assert set(execution.variables) == {"Fetch_order", "Ship_it"}
    assert (shop.seen[1]["path"], shop.seen[1]["body"]) == ("/ship/A%2017", {"units": 7, "paid": True})


@pytest.mark.parametrize(
    ("placeholder", "said"),
    [
        ("{{.Fetch.body.price}}", "{{.Fetch.body.price}} has no value: Fetch.body has id, lines, paid, note."),
        ("{{.Fetch.body.lines.9}}", "Fetch.body.lines is a list of 1, numbered from 0."),
        ("{{.Fetch.body.id.x}}", "Fetch.body.id is a single value, without parts."),
        ("{{.Fetch.body.note.x}}", "Fetch.body.note is null."),
    ],
)
def test_a_part_that_is_not_there_fails_the_run_and_is_named(shop: Shop, placeholder: str, said: str) -> None:
    execution = run(request("Fetch", shop.url), node("look", properties={"instructions": f"Look at {placeholder}."}))
    assert execution.status == "failed"
    assert execution.failure.startswith("“Look”: ")
    assert said in execution.failure


def test_a_prompt_holds_texts_as_they_are_and_the_rest_as_json(shop: Shop, asked: list[Question]) -> None:
    words = "Ship {{.Fetch.body.id}}: {{.Fetch.body.lines}}, paid {{.Fetch.body.paid}}, {{.Fetch.body.note}}."
    assert run(request("Fetch", shop.url), task("look", done(), words=words)).status == "completed"
    assert 'Ship A 17: [{"sku": "rope", "units": 7}], paid true, null.' in asked[0].instructions


def test_what_an_earlier_node_is_sure_to_keep_is_not_asked_for(shop: Shop) -> None:
    """Through the REST door: the contract's inputs name all placeholders, and a run needs those that nothing yields."""
    parts = line(
        request("Fetch order", f"{shop.url}/{{{{.order}}}}"),
        task("look", done(size="large"), words="Look at {{.Fetch_order.body}}."),
        request("Ship", f"{shop.url}/{{{{.Look.size}}}}"),
    )
    workflow = WorkflowFactory(agent=AgentFactory(), graph=graph(*parts))
    door = rest(member_of(workflow.agent.organization))
    at = f"agents/{workflow.agent_id}/workflows/{workflow.pk}"
    assert read(door.ask("GET", at))["inputs"] == ["order", "Fetch_order", "Look"]
    refused = door.ask("POST", f"{at}/execute", {"inputVariables": {}})
    assert (refused.status_code, read(refused)["message"]) == (
        400,
        "The workflow asks for order. Give each in the inputs.",
    )
    made = read(door.ask("POST", f"{at}/execute", {"inputVariables": {"order": "A1"}}))
    assert on(Execution.objects.get(pk=made["executionId"])).status == "completed"
    assert shop.seen[1]["path"] == "/large"


def test_an_ai_task_keeps_what_later_nodes_ask_of_it_by_name(shop: Shop) -> None:
    look = task("look", done(colour="red"), done(size=3, colour="red"))
    execution = run(look, request("Ship", shop.url, method="POST", body={"size": "{{.Look.size}}"}))
    assert execution.status == "completed", execution.failure
    assert shop.seen[0]["body"] == {"size": 3}
    assert execution.variables["Look"] == {"size": 3}


def test_what_only_some_ways_yield_has_to_be_given(shop: Shop) -> None:
    choose = task("choose", call("complete_task", summary="Straight on.", next="Use"))
    workflow = WorkflowFactory(
        graph=graph(
            choose,
            request("Fetch", shop.url),
            task("use", done(), words="{{.Fetch.body.id}}"),
            END,
            way("choose", "fetch"),
            way("choose", "use"),
            way("fetch", "use", "outcome_success"),
            way("use", "end"),
        )
    )
    assert workflow.needed_inputs == ["Fetch"]


def test_the_words_of_a_header_that_no_header_can_hold_are_named(shop: Shop) -> None:
    execution = run(request("Fetch", shop.url, headers={"X-Name": "{{.name}}"}), name="Łovelace")
    assert execution.status == "failed"
    assert "a header holds “Ł”" in execution.failure
    assert shop.seen == []
    assert [one["message"] for one in told(execution) if one.get("actionName") == "ext_api_call"][-1].endswith("it.")


def test_a_prompt_is_bounded_and_names_what_is_left_out(shop: Shop, asked: list[Question]) -> None:
    many = done(**{f"v{number}": "x" * 7_000 for number in range(12)}, small="seen")
    words = "{{.long}} {{.v1}}"
    execution = run(task("first", many), task("second", done(), words=words), long="y" * 200_000, v1="")
    assert execution.status == "completed", execution.failure
    assert len(asked[-1].instructions) < 60_000 + 50_000 + 20_000
    assert "[cut: 200,000 characters]" in asked[-1].instructions
    assert 'small: "seen"' in asked[-1].instructions
    assert "Left out, for there is too much: v" in asked[-1].instructions


def test_instructions_that_values_make_very_long_fail_the_run_and_say_so() -> None:
    execution = run(node("look", properties={"instructions": "{{.long}}" * 7}), long="y" * 60_000)
    assert "at most 300,000 are put before a model" in execution.failure


def test_all_variables_together_are_bounded(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.nodes.keeping.MOST_KEPT", 2_000)
    look = task("look", done(long="x" * 3_000), done(long="x" * 1_900))
    execution = run(look, request("Fetch", shop.url))
    assert execution.variables["long"] == "x" * 1_900
    assert execution.failure.startswith("“Fetch” was answered too much: the run's variables would have 2,0")


def test_activities_and_steps_hold_the_beginning_of_what_is_long(shop: Shop) -> None:
    execution = run(task("look", done(long="x" * 90_000)))
    assert len(execution.variables["long"]) == 90_000
    [moved] = [line for line in told(execution) if "newNodeUUID" in line]
    [output] = moved["fromNodeOutput"]
    assert output["value"].endswith("[It was cut here: 90,000 characters.]")
    assert len(output["value"]) < 11_000
    assert len(json.dumps(Step.objects.get(number=1).output)) < 51_000


def test_what_is_cut_is_cut_sooner_where_there_is_much_of_it() -> None:
    cut = clipped_each({"a": "x" * 900, "b": {"is": "y" * 900}, "c": "z" * 900, "d": 7}, 600, 1_000)
    assert [cut["a"].count("x"), cut["c"].count("z"), cut["d"]] == [600, 80, 7]
    assert 300 < cut["b"].count("y") < 400
    assert cut["c"].endswith("[It was cut here: 900 characters.]")
