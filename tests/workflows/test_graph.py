"""What is wrong with a graph is said at once, each fault with the part it is in; what it asks for; how two differ."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.workflows.graphs import graph, node, sound, sound_graphs, way
from workflows.graph.diff import Content, difference
from workflows.graph.filling import NoValue, fill
from workflows.graph.placeholders import inputs_of
from workflows.graph.properties import OF_NODE
from workflows.graph.shapes import Graph, Node
from workflows.graph.validate import Code, Fault, validate
from workflows.graph.yields import needed_of, variable_of

END = node("end", "output")


def faults(drawn: dict[str, Any], capabilities: frozenset[str] = frozenset({"file_read"})) -> list[Fault]:
    return validate(Graph.model_validate(drawn), capabilities=capabilities)


def found(drawn: dict[str, Any]) -> set[tuple[Code, str | None]]:
    return {(fault.code, fault.node_id or fault.transition_id) for fault in faults(drawn)}


def test_a_graph_that_can_run_has_no_faults() -> None:
    assert faults(sound()) == []


def test_whoever_writes_graphs_is_told_what_each_type_needs() -> None:
    described = Graph.model_json_schema()["$defs"]["Node"]["properties"]["properties"]["description"]
    lines = {line.partition(" ")[0].rstrip(":"): line for line in described.splitlines()}
    for kind, properties in OF_NODE.items():
        needed = [each.alias or name for name, each in properties.model_fields.items() if each.is_required()]
        assert [name for name in needed if name not in lines[kind].partition(":")[2]] == [], kind


@given(sound_graphs())
def test_no_graph_that_can_run_is_refused(drawn: dict[str, Any]) -> None:
    assert faults(drawn) == []


BROKEN: dict[str, tuple[dict[str, Any], tuple[Code, str | None]]] = {
    "nothing at all": (graph(), (Code.NO_START, None)),
    "no start": (graph(node("a", is_start_node=False), END, way("a", "end")), (Code.NO_START, None)),
    "two starts": (
        graph(node("a"), node("b", is_start_node=True), END, way("a", "b"), way("b", "end")),
        (Code.SEVERAL_STARTS, "b"),
    ),
    "an id twice": (graph(node("a"), node("a"), END, way("a", "end")), (Code.SAME_ID, "a")),
    "a transition's id twice": (
        graph(node("a"), END, way("a", "end"), way("a", "end")),
        (Code.SAME_ID, "a-end"),
    ),
    "a way to nowhere": (graph(node("a"), END, way("a", "end"), way("a", "b")), (Code.UNKNOWN_NODE, "a-b")),
    "a way from nowhere": (graph(node("a"), END, way("a", "end"), way("b", "a")), (Code.UNKNOWN_NODE, "b-a")),
    "an island": (graph(node("a"), node("b"), END, way("a", "end"), way("b", "end")), (Code.UNREACHABLE, "b")),
    "a dead end": (graph(node("a"), node("b"), END, way("a", "end"), way("a", "b")), (Code.NO_WAY_OUT, "b")),
    "a circle": (
        graph(node("a"), node("b"), node("c"), END, way("a", "end"), way("a", "b"), way("b", "c"), way("c", "b")),
        (Code.NO_WAY_OUT, "b"),
    ),
    "on after the end": (graph(node("a"), END, way("a", "end"), way("end", "a")), (Code.AFTER_THE_END, "end-a")),
    "two ways on success": (
        graph(
            node("a", "url"),
            node("b", "url"),
            END,
            way("a", "b", "outcome_success"),
            way("a", "end", "outcome_success"),
            way("b", "end", "outcome_success"),
        ),
        (Code.AMBIGUOUS, "a"),
    ),
    "a choice nobody makes": (graph(node("a", "api"), END, way("a", "end")), (Code.PROPERTY, "a-end")),
    "a look at a page that a request does not open": (
        graph(
            node("a", "api"),
            END,
            way("a", "end", "selector", properties={"type": "selector", "name": "seen", "selector": "a"}),
        ),
        (Code.PROPERTY, "a-end"),
    ),
    "a selector that is missing": (
        graph(node("a"), END, way("a", "end", "selector")),
        (Code.PROPERTY, "a-end"),
    ),
    "a task without instructions": (
        graph(node("a", properties={}), END, way("a", "end")),
        (Code.PROPERTY, "a"),
    ),
    "a property of another type": (
        graph(node("a", properties={"instructions": "Go.", "url": "x"}), END, way("a", "end")),
        (Code.PROPERTY, "a"),
    ),
    "a request by an unknown method": (
        graph(node("a", "api", properties={"method": "BREW", "url": "x"}), END, way("a", "end", "outcome_success")),
        (Code.PROPERTY, "a"),
    ),
    "no outcome": (graph(node("end", "output", properties={"outcomes": []})), (Code.PROPERTY, "end")),
    "an outcome too long": (graph(node("end", "output", properties={"outcomes": ["x" * 31]})), (Code.OUTCOME, "end")),
    "an empty outcome": (graph(node("end", "output", properties={"outcomes": [" "]})), (Code.OUTCOME, "end")),
    "an outcome twice": (graph(node("end", "output", properties={"outcomes": ["a", "a"]})), (Code.OUTCOME, "end")),
    "an open schema": (
        graph(node("end", "output", properties={"outcomes": ["a"], "schema": {"type": "object"}})),
        (Code.SCHEMA, "end"),
    ),
    "a placeholder without a dot": (
        graph(node("a", properties={"instructions": "Read {{order}}."}), END, way("a", "end")),
        (Code.PLACEHOLDER, "a"),
    ),
    "a placeholder left open": (
        graph(node("a", properties={"instructions": "Read {{.order and go."}), END, way("a", "end")),
        (Code.PLACEHOLDER, "a"),
    ),
    "a capability that is not there": (
        graph(node("a", properties={"instructions": "Go.", "tools": ["teleport"]}), END, way("a", "end")),
        (Code.CAPABILITY, "a"),
    ),
    "two answers by one name": (
        graph(
            node("a", "api", name="Fetch it"),
            node("b", "api", name="Fetch (it)"),
            END,
            way("a", "b", "outcome_success"),
            way("b", "end", "outcome_success"),
        ),
        (Code.VARIABLE, "b"),
    ),
    "an answer in the place of the note": (
        graph(node("a", "api", name="scratchpad"), END, way("a", "end", "outcome_success")),
        (Code.VARIABLE, "a"),
    ),
    "no name": (graph(node("a", name=" "), END, way("a", "end")), (Code.NAMELESS, "a")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_fault_is_found_where_it_is(name: str) -> None:
    drawn, fault = BROKEN[name]
    assert fault in found(drawn)


def test_all_faults_are_said_at_once() -> None:
    drawn = graph(node("a", properties={"tools": ["teleport"]}), node("b", name=""), way("a", "c"))
    assert {code for code, _ in found(drawn)} == {
        Code.PROPERTY,
        Code.CAPABILITY,
        Code.NAMELESS,
        Code.UNKNOWN_NODE,
        Code.UNREACHABLE,
        Code.NO_WAY_OUT,
    }


@given(sound_graphs(), st.data())
def test_a_graph_that_lost_a_node_names_what_is_left_hanging(drawn: dict[str, Any], data: st.DataObject) -> None:
    gone = data.draw(st.sampled_from([one["id"] for one in drawn["nodes"]]))
    drawn["nodes"] = [one for one in drawn["nodes"] if one["id"] != gone]
    hanging = {one["id"] for one in drawn["transitions"] if gone in (one["from"], one["to"])}
    assert {(Code.UNKNOWN_NODE, identifier) for identifier in hanging} <= found(drawn)


def test_braces_in_a_script_are_code() -> None:
    script = {"script": "f({{a: 1}}); type('{{.order}}')"}
    drawn = graph(node("a", "playwright_script", properties=script), END, way("a", "end", "outcome_success"))
    assert faults(drawn) == []
    assert inputs_of(Graph.model_validate(drawn)) == ["order"]


def test_inputs_are_the_placeholders_once_each_in_their_order() -> None:
    assert inputs_of(Graph.model_validate(sound())) == ["order", "shop"]


def test_what_a_script_works_out_is_no_input() -> None:
    variables = [{"name": "size", "type": "string", "description": "Small or large."}]
    script = {"script": "pick('{{.size}}', '{{.colour}}')", "llm_vars": variables}
    drawn = graph(node("a", "playwright_script", properties=script), END, way("a", "end", "outcome_success"))
    assert inputs_of(Graph.model_validate(drawn)) == ["colour"]


def test_placeholders_are_filled_once_and_what_has_no_value_is_named() -> None:
    assert fill("{{.a}} and {{ .b }}", {"a": 1, "b": "{{.a}}"}) == "1 and {{.a}}"
    with pytest.raises(NoValue, match="no input and no variable is called c"):
        fill("{{.c}}", {"a": 1})


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("order", "order"),
        ("_x_", "_x_"),
        ("Fetch order", "Fetch_order"),
        ("Prüfe: Größe?", "Prufe_Groe"),
        ("2nd try", "_2nd_try"),
        ("注文", "n_1"),
    ],
)
def test_a_nodes_variable_is_its_name_as_one_word(name: str, variable: str) -> None:
    assert variable_of(Node.model_validate(node("n-1", "api", name=name))) == variable


@given(sound_graphs())
def test_a_run_is_never_asked_for_more_than_the_placeholders_name(drawn: dict[str, Any]) -> None:
    for one in drawn["nodes"]:
        if one["type"] == "iris":
            one["properties"] = {"instructions": " ".join(f"{{{{.{name}.x}}}}" for name in ("N0", "N1", "N2", "z"))}
    read = Graph.model_validate(drawn)
    assert set(needed_of(read)) <= set(inputs_of(read))
    if any(one["type"] == "iris" for one in drawn["nodes"]):
        assert "z" in needed_of(read)


def test_a_part_that_the_contract_does_not_name_is_no_graph() -> None:
    with pytest.raises(ValidationError):
        Graph.model_validate({"nodes": [node("a", colour="red")]})


def test_the_difference_names_parts_and_fields() -> None:
    before = sound()
    after = copy.deepcopy(before)
    after["nodes"][0]["properties"]["instructions"] = "Read {{.order}}."
    after["nodes"].append(node("more", "url"))
    after["transitions"].pop()
    found = difference(
        Content(Graph.model_validate(before), {"max_iterations": 5}, "Be kind.\nBe quick."),
        Content(Graph.model_validate(after), {"max_iterations": 9}, "Be kind.\nBe slow."),
    )
    assert [(change.kind, change.id) for change in found.nodes] == [("added", "more"), ("changed", "read")]
    assert [field.path for field in found.nodes[1].fields] == ["properties.instructions"]
    assert [(change.kind, change.id) for change in found.transitions] == [("removed", "ask-end")]
    assert [(field.path, field.before, field.after) for field in found.settings] == [("max_iterations", 5, 9)]
    assert found.rules[-2:] == ["-Be quick.", "+Be slow."]


@given(sound_graphs())
def test_a_version_does_not_differ_from_itself(drawn: dict[str, Any]) -> None:
    content = Content(Graph.model_validate(drawn), {}, "")
    assert difference(content, content).is_empty
