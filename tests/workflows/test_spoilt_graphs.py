"""Any sound graph with one thing spoilt: what is wrong is named where it is, and nothing of it is published or run."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.errors import Invalid
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import caller_for
from tests.workflows.factories import WorkflowFactory
from tests.workflows.graphs import Parts, node, sound_graphs, way
from workflows.graph.shapes import Graph
from workflows.graph.validate import Code, validate
from workflows.models import Execution, Publication
from workflows.services import executions, versions

Place = str | None
Spoil = Callable[[Parts, st.DataObject], Place]


def any_of(drawn: Parts, data: st.DataObject, *kinds: str) -> Parts:
    chosen: Parts = data.draw(st.sampled_from([one for one in drawn["nodes"] if not kinds or one["type"] in kinds]))
    return chosen


def end_of(drawn: Parts) -> Parts:
    return next(one for one in drawn["nodes"] if one["type"] == "output")


def no_start(drawn: Parts, data: st.DataObject) -> Place:
    for one in drawn["nodes"]:
        one["is_start_node"] = False
    return None


def another_start(drawn: Parts, data: st.DataObject) -> Place:
    drawn["nodes"].append(node("more", "url", is_start_node=True))
    drawn["transitions"].append(way("more", "end", "outcome_success"))
    return "more"


def an_id_twice(drawn: Parts, data: st.DataObject) -> Place:
    twin = {**any_of(drawn, data), "is_start_node": False}
    drawn["nodes"].append(twin)
    return str(twin["id"])


def a_way_to_nowhere(drawn: Parts, data: st.DataObject) -> Place:
    led = data.draw(st.sampled_from(drawn["transitions"]))
    led[data.draw(st.sampled_from(["from", "to"]))] = "nowhere"
    return str(led["id"])


def an_island(drawn: Parts, data: st.DataObject) -> Place:
    drawn["nodes"].append(node("island", is_start_node=False))
    drawn["transitions"].append(way("island", "end"))
    return "island"


def a_dead_end(drawn: Parts, data: st.DataObject) -> Place:
    drawn["nodes"].append(node("dead", is_start_node=False))
    drawn["transitions"].append(way(drawn["nodes"][0]["id"], "dead", "outcome_success"))
    return "dead"


def on_after_the_end(drawn: Parts, data: st.DataObject) -> Place:
    drawn["transitions"].append(way("end", any_of(drawn, data)["id"], "outcome_success"))
    return str(drawn["transitions"][-1]["id"])


def two_ways_on_success(drawn: Parts, data: st.DataObject) -> Place:
    source = any_of(drawn, data, "iris", "api", "url", "playwright_script")["id"]
    drawn["transitions"] += [way(source, "end", "outcome_success", id=f"success-{number}") for number in range(2)]
    return str(source)


def nothing_it_needs(drawn: Parts, data: st.DataObject) -> Place:
    bare = any_of(drawn, data)
    bare["properties"] = {}
    return str(bare["id"])


def an_unknown_property(drawn: Parts, data: st.DataObject) -> Place:
    changed = any_of(drawn, data)
    changed["properties"] = {**changed["properties"], "colour": "red"}
    return str(changed["id"])


def an_outcome_that_does_not_fit(drawn: Parts, data: st.DataObject) -> Place:
    names = data.draw(st.sampled_from([[""], ["x" * 31], ["done", "done"]]))
    end_of(drawn)["properties"] = {"outcomes": names}
    return "end"


def no_schema(drawn: Parts, data: st.DataObject) -> Place:
    end_of(drawn)["properties"] = {"outcomes": ["done"], "schema": {"type": "nonsense"}}
    return "end"


def no_placeholder(drawn: Parts, data: st.DataObject) -> Place:
    drawn["nodes"].append(node("asks", "api", is_start_node=False))
    wrong = data.draw(st.sampled_from(["{{order}}", "{{.or der}}", "{{.}}", "{{ }}"]))
    drawn["nodes"][-1]["properties"] = {"method": "GET", "url": f"https://shop.example/{wrong}"}
    return "asks"


def no_capability(drawn: Parts, data: st.DataObject) -> Place:
    drawn["nodes"].append(node("tries", is_start_node=False))
    drawn["nodes"][-1]["properties"] = {"instructions": "Go.", "tools": ["teleport"]}
    return "tries"


def no_name(drawn: Parts, data: st.DataObject) -> Place:
    nameless = any_of(drawn, data)
    nameless["name"] = data.draw(st.sampled_from(["", "  "]))
    return str(nameless["id"])


def one_variable_of_two(drawn: Parts, data: st.DataObject) -> Place:
    for name in ("first", "second"):
        drawn["nodes"].append(node(name, "api", name="Fetch it", is_start_node=False))
    return "second"


def no_server(drawn: Parts, data: st.DataObject) -> Place:
    drawn["nodes"].append(node("calls", is_start_node=False))
    drawn["nodes"][-1]["properties"] = {"instructions": "Go.", "tools": ["mcp_call"]}
    return "calls"


SPOILT: dict[Code, tuple[Spoil, ...]] = {
    Code.NO_START: (no_start,),
    Code.SEVERAL_STARTS: (another_start,),
    Code.SAME_ID: (an_id_twice,),
    Code.UNKNOWN_NODE: (a_way_to_nowhere,),
    Code.UNREACHABLE: (an_island,),
    Code.NO_WAY_OUT: (a_dead_end,),
    Code.AFTER_THE_END: (on_after_the_end,),
    Code.AMBIGUOUS: (two_ways_on_success,),
    Code.PROPERTY: (nothing_it_needs, an_unknown_property),
    Code.OUTCOME: (an_outcome_that_does_not_fit,),
    Code.SCHEMA: (no_schema,),
    Code.PLACEHOLDER: (no_placeholder,),
    Code.CAPABILITY: (no_capability,),
    Code.NAMELESS: (no_name,),
    Code.VARIABLE: (one_variable_of_two,),
    Code.SERVER: (no_server,),
}


def test_every_kind_of_fault_is_made_here() -> None:
    assert set(SPOILT) == set(Code)


@pytest.mark.parametrize(("code", "spoil"), [(code, spoil) for code, ways in SPOILT.items() for spoil in ways])
@hypothesis_settings(max_examples=25)
@given(drawn=sound_graphs(), data=st.data())
def test_what_is_wrong_is_named_where_it_is(code: Code, spoil: Spoil, drawn: Parts, data: st.DataObject) -> None:
    place = spoil(drawn, data)
    found = validate(Graph.model_validate(drawn), capabilities=frozenset({"file_read"}), has_servers=False)
    assert (code, place) in {(fault.code, fault.node_id or fault.transition_id) for fault in found}
    assert all(fault.message.endswith(".") for fault in found)


@pytest.mark.django_db
@hypothesis_settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(drawn=sound_graphs(), data=st.data())
def test_a_spoilt_graph_is_neither_published_nor_run(drawn: Parts, data: st.DataObject) -> None:
    code = data.draw(st.sampled_from(sorted(SPOILT)))
    place = data.draw(st.sampled_from(SPOILT[code]))(drawn, data)
    draft = WorkflowFactory(agent=AgentFactory(), graph=drawn)
    caller = caller_for(member_of(draft.agent.organization))
    refusals: list[Callable[[], Any]] = [
        lambda: versions.publish_version(caller, agent_id=draft.agent_id, workflow_id=draft.pk),
        lambda: executions.execute_workflow(caller, agent_id=draft.agent_id, workflow_id=draft.pk, inputs={}),
    ]
    for act in refusals:
        with pytest.raises(Invalid) as refused:
            act()
        named = [
            (fault["code"], fault.get("nodeId") or fault.get("transitionId")) for fault in refused.value.data["faults"]
        ]
        assert (code, place) in named
    assert not Publication.objects.filter(workflow=draft).exists()
    assert not Execution.objects.filter(workflow=draft).exists()
