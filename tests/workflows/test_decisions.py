"""How runs end: by a model's decision among the outcomes, with a result that fits the node's schema."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm.turns import ToolCall
from mcp_gateway.structured_output import violations
from tests.workflows.graphs import node, way
from tests.workflows.tasks import call, done, on, script, started, task, told
from workflows.engine.moves import NodeResult
from workflows.engine.states import Status
from workflows.graph.properties import Output
from workflows.task.actions import ActionFailed
from workflows.task.decision import decision, ending_of

pytestmark = pytest.mark.usefixtures("unwatched")
TREE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}},
    "required": ["name", "children"],
    "additionalProperties": False,
}


def decide(outcome: str, **given: Any) -> dict[str, Any]:
    return call("decide_outcome", outcome=outcome, reasoning="So it is.", **given)


def end(*lines: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return node("end", "output", properties={"instructions": script(*lines), **properties})


@pytest.mark.django_db
def test_a_result_that_does_not_fit_is_told_to_the_model_which_is_asked_again() -> None:
    wrong = {"name": "root", "children": [{"name": 1, "children": []}]}
    right = {"name": "root", "children": [{"name": "leaf", "children": []}]}
    outcomes = ["found", "lost"]
    ending = end(
        decide("gone", result=right), decide("found", result=wrong), decide("found", result=right),
        outcomes=outcomes, schema=TREE,
    )  # fmt: skip
    _, execution = started(task("look", done()), ending, way("look", "end"))
    assert on(execution).state == Status.COMPLETED
    assert (execution.outcome, execution.reasoning, execution.result) == ("found", "So it is.", right)
    said = told(execution)[-1]["completedPayload"]
    assert said == {"outcome": "found", "reasoning": "So it is.", "result": right}


@pytest.mark.django_db
def test_a_model_that_does_not_find_to_an_end_fails_the_run_and_says_what_did_not_fit() -> None:
    ending = end(*[decide("gone")] * 6, outcomes=["found", "lost"])
    _, execution = started(task("look", done()), ending, way("look", "end"))
    assert on(execution).state == Status.FAILED
    assert "outcome: 'gone' is not one of ['found', 'lost']" in execution.failure


@pytest.mark.django_db
def test_instructions_that_are_switched_off_are_not_followed() -> None:
    ending = end(decide("found"), outcomes=["found", "lost"], instructionsEnabled=False)
    _, execution = started(task("look", done()), ending, way("look", "end"))
    assert on(execution).state == Status.FAILED
    assert "No model is configured" in execution.failure


def closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def ended(schema: dict[str, Any], result: Any) -> NodeResult:
    output = Output.model_validate({"outcomes": ["done"], "schema": schema})
    return ending_of(output, ToolCall("1", "decide_outcome", {"outcome": "done", "reasoning": "", "result": result}))


def test_no_pattern_keeps_a_worker_busy() -> None:
    """By an engine that tries again these take longer than anybody lives."""
    with pytest.raises(ActionFailed, match="does not match"):
        ended(closed(name={"type": "string", "pattern": "^(a+)+$"}), {"name": "a" * 5_000 + "!"})
    assert ended(closed(name={"type": "string", "pattern": "^(a+)+$"}), {"name": "a" * 5_000}).ending


def test_alternatives_within_alternatives_do_not_either() -> None:
    twice = {f"d{level}": closed(a={"anyOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 2}) for level in range(40)}
    schema = closed(a={"$ref": "#/$defs/d0"}) | {"$defs": twice | {"d40": {"type": "string"}}}
    result: Any = 5
    for _ in range(41):
        result = {"a": result}
    assert violations(schema) == []
    with pytest.raises(ActionFailed, match="takes too long"):
        ended(schema, result)


VALUES = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.text("a(#", max_size=3)
KEYWORDS = ["pattern", "minLength", "maxItems", "minimum", "multipleOf", "format", "$id", "enum", "const", "title"]
PARTS = st.recursive(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["string", "number", "integer", "null"])},
        optional=dict.fromkeys(KEYWORDS, VALUES | st.lists(VALUES, max_size=2)),
    )
    | st.sampled_from(["#", "#/properties/a", "#/$defs/d"]).map(lambda to: {"$ref": to}),
    lambda inner: (
        st.lists(inner, max_size=2).map(lambda parts: {"anyOf": parts})
        | inner.map(lambda items: {"type": "array", "items": items})
        | inner.map(lambda part: closed(a=part))
    ),
    max_leaves=6,
)


@given(PARTS, PARTS, VALUES | st.lists(VALUES, max_size=2) | VALUES.map(lambda value: {"a": value}))
def test_a_schema_that_can_be_used_can_be_held_to(first: dict[str, Any], second: dict[str, Any], value: Any) -> None:
    schema = closed(a=first) | {"$defs": {"d": second}}
    if not violations(schema):
        with suppress(ActionFailed):
            ended(schema, {"a": value})


def test_a_fault_is_named_with_its_place() -> None:
    output = Output.model_validate({"outcomes": ["done"], "schema": TREE})
    given = {"outcome": "done", "reasoning": "", "result": {"name": "root", "children": [{"name": "leaf"}]}}
    with pytest.raises(ActionFailed, match=r"result\.children\.0: 'children' is a required property"):
        ending_of(output, ToolCall("1", "decide_outcome", given))


def test_a_schema_refers_to_its_own_parts_among_the_arguments_too() -> None:
    output = Output.model_validate({"outcomes": ["done"], "schema": TREE})
    parts = decision(output).parameters["properties"]["result"]["properties"]
    assert parts["children"]["items"] == {"$ref": "#/properties/result"}
