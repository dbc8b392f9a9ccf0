"""The contract, walked field by field over real answers: each route's, and the same again by its tool."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.base import ContentFile
from pytest_django import Settings

from accounts.caller import Caller
from agents_hub.services import shared_files
from mcp_gateway.registry import registry
from mcp_gateway.rest.routes import PLATFORM, REST_ONLY, api
from tests.agents_hub.api.door import read, rest
from tests.agents_hub.factories import AgentFactory, ProfileFactory, member_of
from tests.factories import UserFactory, caller_for
from tests.file_storage import keep_files_in
from tests.workflows import contract
from tests.workflows.factories import WorkflowFactory
from tests.workflows.graphs import graph, node, way
from workflows.engine import admission, store
from workflows.engine.run import drive
from workflows.engine.states import Status
from workflows.models import Directory, Execution, ExecutionFile, Publication, Trigger, Workflow
from workflows.services import executions, files, marks, wishes

pytestmark = pytest.mark.django_db
QUESTION = {"question": "Which berth?", "header": "Berth", "options": [{"label": "4", "description": "At the quay"}]}
SCRIPT = [
    {"call": "todos", "arguments": {"todos": [{"content": "Look", "status": "pending"}]}},
    {"call": "scratchpad_write", "arguments": {"text": "seen"}},
    {"call": "scratchpad_write", "arguments": {"txt": "mistyped"}},
    {"call": "util_send_user_message", "arguments": {"message": "On my way."}},
    {"call": "ask_user", "arguments": {"questions": [QUESTION]}},
    {"call": "complete_task", "arguments": {"summary": "Done.", "variables": {"size": "large"}}},
]


@pytest.fixture(autouse=True)
def _alone(unwatched: None, settings: Settings, tmp_path: Path) -> None:
    keep_files_in(tmp_path, settings)


@pytest.fixture
def workflow() -> Workflow:
    """A version that does a little of everything that runs offline."""
    lines = "\n".join(json.dumps(line) for line in SCRIPT)
    tools = ["scratchpad_write", "util_send_user_message", "ask_user", "todos"]
    look = node("look", properties={"instructions": f"Do.\n```script\n{lines}\n```", "tools": tools})
    drawn = graph(
        look | {"position": {"x": 1, "y": 2}}, node("end", "output"), way("look", "end", require_confirmation=True)
    )
    drawn["sticky_notes"] = [{"id": "n", "content": "Here", "color": "yellow", "position": {"x": 0, "y": 0}}]
    made: Workflow = WorkflowFactory(
        agent=AgentFactory(created_by=UserFactory()),
        graph=drawn,
        version=1,
        environment_template={"type": "browser", "config": {}},
    )
    Publication.objects.create(workflow=made, agent=made.agent)
    return made


@pytest.fixture
def caller(workflow: Workflow) -> Caller:
    return caller_for(member_of(workflow.agent.organization))


@pytest.fixture
def execution(caller: Caller, workflow: Workflow) -> Execution:
    """One that went through everything, and was rerun."""
    profile = ProfileFactory(organization=workflow.agent.organization)
    shared_files.upload_shared_files(caller, agent_id=workflow.agent_id, files=[ContentFile(b"a", name="shared.txt")])
    options: dict[str, Any] = {
        "workflow": workflow,
        "inputs": {"order": 7},
        "metadata": {"ticket": "17"},
        "profile_id": profile.pk,
        "options": {"softTimeoutMins": 5},
    }
    made = executions.start(caller, trigger=Trigger.API, **options)
    files.upload_context_files(caller, execution_id=made.pk, files=[ContentFile(b"a,b", name="order.csv")])

    def work() -> Execution:
        admission.admit()
        drive(made.pk)
        return Execution.objects.get(pk=made.pk)

    assert work().status == "paused_by_agent"
    wishes.add_message(caller, execution_id=made.pk, text="Four.")
    assert work().status == "awaiting_confirmation"
    wishes.ask_status(caller, execution_id=made.pk, status=Status.RUNNING)
    assert work().status == "completed"
    label = marks.create_label(caller, organization_id=workflow.agent.organization.uid, name="Checked")
    marks.set_labels(caller, execution_id=made.pk, label_ids=[label.pk])
    marks.change_comment(
        caller, comment_id=marks.add_comment(caller, execution_id=made.pk, content="A").pk, content="B", public=True
    )
    ExecutionFile.objects.filter(directory=Directory.SHARED).update(created_by="system")
    rerun = executions.start(caller, parent_id=made.pk, **options)
    wishes.ask_status(caller, execution_id=rerun.pk, status=Status.CANCELLED)
    return made


def test_the_routes_and_tools_are_the_contracts_and_beside_them_only_routes_of_ours() -> None:
    rows = {tuple(line.split()) for line in contract.ROUTES.strip().splitlines()}
    ours = {(*line.split(), "-") for line in contract.OURS.strip().splitlines()}
    tools = {registry_tool.name for registry_tool in registry.tools(PLATFORM)}
    served = {(route.method, f"/{route.path}", route.tool.name if route.tool.name in tools else "-") for route in api}
    assert served == rows | ours
    assert not rows & ours
    assert tools == {name for _, _, name in rows} - {"-"}
    assert len(tools) == 32
    assert {route.tool.name for route in api} <= tools | {tool.name for tool in registry.tools(REST_ONLY)}


def test_what_is_read_is_shaped_as_the_contract_says(caller: Caller, workflow: Workflow, execution: Execution) -> None:
    key = rest(execution.runner)  # type: ignore[arg-type]
    ids = {"agentId": workflow.agent_id, "workflowId": workflow.pk, "executionId": execution.pk}
    walked = {
        "executionsList": ("executions", "Executions"),
        "executionGet": ("executions/{executionId}", "Execution"),
        "executionActivitiesGet": ("executions/{executionId}/activities?limit=1000", "[Activity]"),
        "executionContextFilesGet": ("executions/{executionId}/context-files", "[ContextFile]"),
        "executionFilesGet": ("executions/{executionId}/files", "Files"),
        "workflowsList": ("agents/{agentId}/workflows", "[WorkflowRef]"),
        "workflowGet": ("agents/{agentId}/workflows/{workflowId}", "Workflow"),
        "agentSharedFilesGet": ("agents/{agentId}/shared-files", "SharedFiles"),
        "agentList": ("agents", "Agents"),
    }
    wrong: list[str] = []
    for tool_name, (path, shape) in walked.items():
        by_route = read(key.get(path.format(**ids)))
        wrong += contract.faults(shape, by_route)
        tool = registry.find(PLATFORM, tool_name) or registry.find(REST_ONLY, tool_name)
        assert tool is not None
        needed = {name: str(value) for name, value in ids.items() if f"{{{name}}}" in path}
        result = tool.function(caller, tool.arguments.model_validate(needed))
        by_tool = result.model_dump(mode="json", by_alias=True)
        wrong += [f"{fault} (by tool)" for fault in contract.faults(shape, by_tool)]
    assert not wrong, "\n".join(wrong)


def test_the_walk_saw_every_activity_that_an_offline_run_has(execution: Execution) -> None:
    told = set(execution.activities.values_list("type", flat=True))
    elsewhere = {"terminal", "reasoning", "compaction_started", "compaction_performed", "workflow_updated"}
    of_the_browser = {"playwright_script_generated", "script_variables_substituted"}
    assert told >= set(contract.PAYLOADS) - elsewhere - of_the_browser


def test_what_acts_answers_as_the_contract_says(caller: Caller, workflow: Workflow, execution: Execution) -> None:
    key = rest(execution.runner)  # type: ignore[arg-type]
    own, version = f"agents/{workflow.agent_id}", f"agents/{workflow.agent_id}/workflows/{workflow.pk}"

    def post(path: str, body: Any, shape: str) -> Any:
        answer = read(key.post(path, body))
        assert not contract.faults(shape, answer), contract.faults(shape, answer)
        return answer

    started = post(f"{own}/execute", {"inputs": {"order": 1}, "metadata": {"a": "b"}, "version": 1}, "Started")
    where = f"executions/{started['executionId']}"
    post(f"{version}/execute", {"inputVariables": {}, "parentExecutionId": str(execution.pk)}, "Started")
    post(f"{version}/sync-execution", {"executionId": started["executionId"]}, "Synced")
    post(f"{where}/user-messages", {"message": "Hello"}, "text")
    admission.admit()
    store.claim(UUID(started["executionId"]))
    for status in ("paused", "running", "cancelled"):
        post(f"{where}/status", {"status": status}, "text")
    loaded = read(key.get(version))
    made = post(
        f"{own}/workflows",
        {name: loaded[name] for name in ("rules", "settings", "graph", "environmentTemplate")}
        | {"parentId": loaded["id"]},
        "Created",
    )
    post(f"{own}/workflows/{made['workflowId']}/publish", None, "Published")
    for path, shape in ((f"{where}/context-files", "text"), (f"temp-files/{execution.organization.uid}", "TempFiles")):
        answer = key.send_file("POST", path, "a.txt", b"a")
        assert answer.status_code == 200
        assert not contract.faults(shape, read(answer))


def test_the_walk_finds_what_is_not_as_the_contract_says() -> None:
    ref = {"id": "0198c0de-7a11-7000-8000-000000000000", "createdAt": "2026-01-01T00:00:00Z", "isDeletable": True}
    assert not contract.faults("WorkflowRef", ref)
    for broken in (
        ref | {"extra": 1},
        ref | {"isDeletable": "yes"},
        ref | {"createdAt": "2026-01-01"},
        ref | {"id": "x"},
        {name: value for name, value in ref.items() if name != "isDeletable"},
    ):
        assert len(contract.faults("WorkflowRef", broken)) == 1
