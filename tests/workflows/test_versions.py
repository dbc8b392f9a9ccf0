"""Versions by MCP and by REST: drafts, numbers, the default, rollback, and that what was published stays."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import InternalError, ProgrammingError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid, NotFound
from accounts.models import User
from agents_hub.models import Agent, Stage
from mcp_gateway.asgi import Endpoint
from security.models import AuditEntry
from tests.agents_hub.api.door import Rest, fault, read, rest
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import caller_for
from tests.mcp_gateway import door
from tests.mcp_gateway.door import Direct
from tests.threads import at_once
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from tests.workflows.graphs import graph, node, sound
from workflows.graph.shapes import Settings
from workflows.models import Execution, Publication, Workflow
from workflows.services import versions

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(db: None) -> Agent:
    return AgentFactory()


@pytest.fixture
def person(agent: Agent) -> User:
    return member_of(agent.organization)


@pytest.fixture
def caller(person: User) -> Caller:
    return caller_for(person)


@pytest.fixture
def mcp(person: User, settings: Any) -> Direct:
    settings.QUICK_THREADS = 0
    return Direct(Endpoint(door.IDENTITY, tools="platform", per_minute=0), door.api_key(person))


@pytest.fixture
def api(person: User) -> Rest:
    return rest(person)


def ask(mcp: Direct, tool: str, **arguments: Any) -> Any:
    result = mcp.call(tool, **arguments).result
    assert not result.get("isError"), result
    return result["structuredContent"]


def test_a_version_is_made_read_changed_and_published_by_mcp(mcp: Direct, agent: Agent, person: User) -> None:
    where = {"agentId": str(agent.pk)}
    first = ask(mcp, "workflowCreate", **where, graph=sound(), rules="Be kind.")["workflowId"]
    loaded = ask(mcp, "workflowGet", workflowId=first)
    assert (loaded["version"], loaded["inputs"], loaded["author"]) == (None, ["order", "shop"], person.email)
    assert loaded["graph"]["transitions"][0]["from"] == "read"
    loaded["graph"]["nodes"][0]["name"] = "Look"
    second = ask(mcp, "workflowCreate", **where, parentId=first, graph=loaded["graph"], settings=loaded["settings"])[
        "workflowId"
    ]
    published = ask(mcp, "workflowPublish", **where, workflowId=second)
    assert published == {"workflowId": second, "version": 1}
    listed = ask(mcp, "workflowsList", **where)["result"]
    assert [(one["id"], one["version"], one["parentId"], one["isDeletable"]) for one in listed] == [
        (second, 1, first, False),
        (first, None, None, True),
    ]


def test_a_list_is_bare_by_rest_and_in_an_object_by_mcp(mcp: Direct, api: Rest, agent: Agent) -> None:
    WorkflowFactory(agent=agent)
    bare = read(api.get(f"agents/{agent.pk}/workflows"))
    assert isinstance(bare, list)
    assert mcp.call("workflowsList", agentId=str(agent.pk)).result["structuredContent"] == {"result": bare}


def test_publishing_numbers_in_order_and_an_older_one_again_is_a_rollback(caller: Caller, agent: Agent) -> None:
    first, second = WorkflowFactory(agent=agent), WorkflowFactory(agent=agent)
    for version in (first, second, first):
        versions.publish_version(caller, agent_id=agent.pk, workflow_id=version.pk)
    assert versions.default_version(agent.pk) == first
    assert list(Workflow.objects.order_by("version").values_list("pk", "version")) == [(first.pk, 1), (second.pk, 2)]
    assert list(Publication.objects.order_by("id").values_list("workflow_id", flat=True)) == [
        first.pk,
        second.pk,
        first.pk,
    ]


def test_publishing_what_is_the_default_already_changes_nothing(caller: Caller, agent: Agent) -> None:
    draft = WorkflowFactory(agent=agent)
    for _ in range(2):
        assert versions.publish_version(caller, agent_id=agent.pk, workflow_id=draft.pk).version == 1
    assert Publication.objects.count() == 1
    assert AuditEntry.objects.filter(action="workflow.publish").count() == 1


@pytest.mark.django_db(transaction=True)
def test_drafts_published_at_the_same_moment_get_numbers_of_their_own() -> None:
    agent = AgentFactory()
    caller = caller_for(member_of(agent.organization))
    drafts = [WorkflowFactory(agent=agent) for _ in range(4)]

    def publishing(draft: Workflow) -> Callable[[], Workflow]:
        return lambda: versions.publish_version(caller, agent_id=agent.pk, workflow_id=draft.pk)

    at_once(*map(publishing, drafts))
    assert sorted(draft.version or 0 for draft in Workflow.objects.all()) == [1, 2, 3, 4]
    newest = Publication.objects.select_related("workflow").latest("id").workflow
    assert (newest.version, versions.default_version(agent.pk)) == (4, newest)


def test_a_faulty_graph_is_kept_as_a_draft_and_not_published(api: Rest, agent: Agent, caller: Caller) -> None:
    made = api.post(f"agents/{agent.pk}/workflows", {"graph": graph(node("a", properties={"tools": ["teleport"]}))})
    workflow_id = read(made)["workflowId"]
    code, message = fault(api.post(f"agents/{agent.pk}/workflows/{workflow_id}/publish"))
    assert code == 400
    assert "instructions is missing" in message
    assert "teleport" in message
    with pytest.raises(Invalid) as refused:
        versions.publish_version(caller, agent_id=agent.pk, workflow_id=workflow_id)
    assert {one["code"] for one in refused.value.data["faults"]} == {"property", "capability", "no_way_out"}
    assert Workflow.objects.get().version is None


def test_an_assistant_is_told_all_that_is_wrong_in_the_words_it_reads(mcp: Direct, agent: Agent) -> None:
    nodes = [node(f"n{number}", properties={}) for number in range(20)]
    made = ask(mcp, "workflowCreate", agentId=str(agent.pk), graph=graph(*nodes))
    refused = mcp.call("workflowPublish", agentId=str(agent.pk), workflowId=made["workflowId"]).result
    [said] = [part["text"] for part in refused["content"]]
    assert refused["isError"]
    assert [number for number in range(20) if f"“N{number}”: instructions is missing" not in said] == []


@pytest.mark.parametrize("change", ["graph = '{}'", "rules = 'x'", "settings = '{}'", "version = 7", "version = NULL"])
def test_the_database_refuses_to_change_a_published_version(caller: Caller, agent: Agent, change: str) -> None:
    version = WorkflowFactory(agent=agent)
    versions.publish_version(caller, agent_id=agent.pk, workflow_id=version.pk)
    with pytest.raises((InternalError, ProgrammingError), match="does not change"), connection.cursor() as cursor:
        cursor.execute(f"UPDATE workflows_workflow SET {change}")


def test_a_draft_can_be_deleted_and_a_published_version_not(api: Rest, agent: Agent) -> None:
    draft, published = WorkflowFactory(agent=agent), WorkflowFactory(agent=agent)
    base = f"agents/{agent.pk}/workflows"
    assert read(api.post(f"{base}/{published.pk}/publish"))["version"] == 1
    assert api.ask("DELETE", f"{base}/{draft.pk}").status_code == 204
    assert fault(api.ask("DELETE", f"{base}/{published.pk}"))[0] == 409
    assert list(Workflow.objects.all()) == [published]


def test_a_draft_that_was_run_stays_with_its_executions(api: Rest, agent: Agent) -> None:
    draft = ExecutionFactory(workflow__agent=agent).workflow
    base = f"agents/{agent.pk}/workflows"
    assert fault(api.ask("DELETE", f"{base}/{draft.pk}"))[0] == 409
    assert [one["isDeletable"] for one in read(api.get(base))] == [False]
    assert draft.executions.exists()


def test_a_parent_is_a_version_of_the_same_agent(caller: Caller, agent: Agent) -> None:
    stranger = WorkflowFactory(agent=AgentFactory(organization=agent.organization))
    with pytest.raises(NotFound, match="parentId"):
        versions.create_version(
            caller, agent_id=agent.pk, graph=stranger.drawn, settings=Settings(), parent_id=stranger.pk
        )


def test_a_version_is_found_under_its_own_agent_alone(api: Rest, agent: Agent) -> None:
    other = WorkflowFactory(agent=AgentFactory(organization=agent.organization))
    assert fault(api.get(f"agents/{agent.pk}/workflows/{other.pk}"))[0] == 404


def test_two_versions_are_compared(caller: Caller, agent: Agent) -> None:
    first = WorkflowFactory(agent=agent)
    second = WorkflowFactory(agent=agent, rules="Be quick.", graph=sound() | {"transitions": []})
    found = versions.compare(caller, agent_id=agent.pk, before_id=first.pk, after_id=second.pk)
    assert [change.kind for change in found.transitions] == ["removed", "removed"]
    assert found.rules[-1] == "+Be quick."


def test_a_graph_in_another_shape_is_refused_by_its_path(api: Rest, agent: Agent) -> None:
    code, message = fault(api.post(f"agents/{agent.pk}/workflows", {"graph": {"nodes": [{"id": "a", "type": "x"}]}}))
    assert code == 400
    assert "graph.nodes.0.type" in message
    assert not Workflow.objects.exists()


def test_the_list_costs_the_same_however_many_versions(api: Rest, agent: Agent) -> None:
    api.get("context")  # the first use of a key is noted, by a query of its own
    counts = []
    for _ in range(2):
        for _ in range(10):
            WorkflowFactory(agent=agent)
        with CaptureQueriesContext(connection) as queries:
            api.get(f"agents/{agent.pk}/workflows")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_deleting_a_version_twice_at_once_says_conflict_or_not_found(caller: Caller, agent: Agent) -> None:
    draft = WorkflowFactory(agent=agent)
    versions.delete_version(caller, agent_id=agent.pk, workflow_id=draft.pk)
    with pytest.raises((NotFound, Conflict)):
        versions.delete_version(caller, agent_id=agent.pk, workflow_id=draft.pk)


def test_a_visitor_without_a_key_sees_nothing(agent: Agent) -> None:
    assert Client().get(f"/agents/v2/agents/{agent.pk}/workflows").status_code == 401


def test_what_is_different_between_two_versions_is_given_as_data(api: Rest, agent: Agent) -> None:
    first = WorkflowFactory(agent=agent, version=1)
    changed = sound()
    changed["nodes"][1]["properties"]["method"] = "DELETE"
    changed["nodes"].append(node("tell", "url", is_start_node=False))
    bounds = Settings(max_iterations=7).model_dump(exclude_none=True)
    second = WorkflowFactory(agent=agent, parent=first, graph=changed, rules="Be brief.", settings=bounds)
    path = f"agents/{agent.pk}/workflows/{second.pk}/diff"
    found = read(api.get(path))
    assert found == read(api.get(f"{path}?before={first.pk}"))
    assert (found["before"], found["after"]) == (str(first.pk), str(second.pk))
    assert found["nodes"] == [
        {"kind": "added", "id": "tell", "name": "Tell", "fields": []},
        {
            "kind": "changed",
            "id": "ask",
            "name": "Ask",
            "fields": [{"path": "properties.method", "before": "GET", "after": "DELETE"}],
        },
    ]
    assert found["settings"] == [{"path": "max_iterations", "before": 100, "after": 7}]
    assert "+Be brief." in found["rules"]
    assert (found["transitions"], found["stickyNotes"]) == ([], [])
    # The first has nothing before it, unless one is named.
    of_first = f"agents/{agent.pk}/workflows/{first.pk}/diff"
    assert "first version" in fault(api.get(of_first))[1]
    assert read(api.get(f"{of_first}?before={second.pk}"))["nodes"][0]["kind"] == "removed"
    assert fault(api.get(f"{path}?before={WorkflowFactory().pk}"))[0] == 404


def test_members_propose_versions_of_a_released_agent_and_those_in_charge_publish_them(
    api: Rest, agent: Agent, person: User
) -> None:
    published = WorkflowFactory(agent=agent, version=1)
    Agent.objects.update(stage=Stage.RELEASED)
    own = f"agents/{agent.pk}/workflows"
    draft = read(api.post(own, {"graph": sound(), "parentId": str(published.pk)}))["workflowId"]
    for workflow_id in (draft, published.pk):
        code, said = fault(api.post(f"{own}/{workflow_id}/publish"))
        assert (code, "in charge" in said or "released" in said) == (403, True), said
    other = WorkflowFactory(agent=agent)
    assert fault(api.ask("DELETE", f"{own}/{other.pk}"))[0] == 403
    assert api.ask("DELETE", f"{own}/{draft}").status_code == 204
    Agent.objects.update(created_by=person)
    assert read(api.post(f"{own}/{other.pk}/publish"))["version"] == 2


def test_a_run_of_somebody_else_is_pointed_at_a_draft_by_those_in_charge_alone(
    api: Rest, agent: Agent, person: User
) -> None:
    """Else any member could have a released agent do what they like with another's connections."""
    Agent.objects.update(stage=Stage.RELEASED)
    published, draft = WorkflowFactory(agent=agent, version=1), WorkflowFactory(agent=agent)
    paused = {"workflow": published, "status": "paused", "inputs": {"order": 1, "shop": "Rope"}}
    others = ExecutionFactory(**paused, runner=member_of(agent.organization))
    own = ExecutionFactory(**paused, runner=person)

    def synced(workflow: Workflow, execution: Execution) -> int:
        path = f"agents/{agent.pk}/workflows/{workflow.pk}/sync-execution"
        return api.post(path, {"executionId": str(execution.pk)}).status_code

    assert (synced(draft, others), synced(published, others), synced(draft, own)) == (403, 200, 200)
    Agent.objects.update(created_by=person)
    assert synced(draft, others) == 200
