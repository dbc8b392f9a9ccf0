"""The quick start, its five steps in their order, by a client that signed in; and a failed run debugged by tools."""

import json
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import Settings

from accounts.models import User
from agents_hub.models import Agent
from tests.agents_hub.factories import AgentFactory
from tests.workflows.assistant import Assistant
from tests.workflows.factories import WorkflowFactory
from tests.workflows.graphs import graph, node, way
from tests.workflows.tasks import work
from workflows.models import Publication

pytestmark = pytest.mark.django_db
THE_32 = {
    "getContext",
    "listAvailableTools",
    "searchDocs",
    "agentList",
    "agentProfilesList",
    "agentProfilesCreate",
    "agentProfileGet",
    "agentProfileUpdate",
    "agentProfileDelete",
    "agentProfileClearBrowserCache",
    "agentExecutePost",
    "executionsList",
    "executionGet",
    "executionActivitiesGet",
    "executionContextFilesGet",
    "executionContextFilesUpload",
    "executionStatusUpdate",
    "executionUserMessagesAdd",
    "workflowsList",
    "workflowGet",
    "workflowCreate",
    "workflowPublish",
    "workflowExecute",
    "workflowSyncExecution",
    "tempFilesStage",
    "agentSharedFilesGet",
    "agentSharedFilesUpload",
    "agentSharedFilesUpdate",
    "agentSharedFilesDelete",
    "agentSharedFilesDeleteAll",
    "agentSharedFilesFreeze",
    "schemaValidate",
}


@pytest.fixture(autouse=True)
def _alone(unwatched: None, settings: Settings) -> None:
    """Everything in the test's own transaction; the watch has a connection of its own, which does not see it."""
    settings.QUICK_THREADS = 0
    cache.clear()


@pytest.fixture
def agent(person: User) -> Agent:
    """An agent whose published workflow always fails: it asks for what it was never given."""
    made: Agent = AgentFactory(organization=person.organizations.get(), name="Harbour desk")
    broken = graph(task("look", {"fail": "the tide table"}), node("end", "output"), way("look", "end"))
    workflow = WorkflowFactory(agent=made, graph=broken, version=1, author=person)
    Publication.objects.create(workflow=workflow, agent=made)
    return made


def task(identifier: str, *lines: dict[str, Any]) -> dict[str, Any]:
    script = "\n".join(json.dumps(line) for line in lines)
    return node(identifier, properties={"instructions": f"Look at {{{{.berth}}}}.\n```script\n{script}\n```"})


def test_the_quick_start_in_its_order(person: User, agent: Agent) -> None:
    # 1 and 2: the server is set up, and the first use asks for a sign-in.
    assistant = Assistant(person)
    assert assistant.refused == 401
    assert set(assistant.tools()) == THE_32
    # 3: who am I, and what are my agents?
    [organization] = assistant.ask("getContext")["organizations"]
    [found] = assistant.ask("agentList", organizationId=organization["id"])["items"]
    assert found["id"] == str(agent.pk)
    # 4: read the graph of a version, change it, ship it.
    [version] = assistant.ask("workflowsList", agentId=found["id"])
    loaded = assistant.ask("workflowGet", workflowId=version["id"])
    assert loaded["inputs"] == ["berth"]
    mended = loaded["graph"]
    mended["nodes"][0]["properties"]["instructions"] = task(
        "look", {"call": "complete_task", "arguments": {"summary": "Berth 4 is free."}}
    )["properties"]["instructions"]
    made = assistant.ask(
        "workflowCreate",
        agentId=found["id"],
        parentId=version["id"],
        rules=loaded["rules"],
        settings=loaded["settings"],
        graph=mended,
    )
    assert assistant.ask("workflowGet", workflowId=made["workflowId"])["version"] is None
    published = assistant.ask("workflowPublish", agentId=found["id"], workflowId=made["workflowId"])
    assert published == {"workflowId": made["workflowId"], "version": 2}
    # 5: run it, and look at what it did.
    started = assistant.ask("agentExecutePost", agentId=found["id"], inputs={"berth": 4})
    work()
    execution = assistant.ask("executionGet", executionId=started["executionId"])
    assert (execution["status"], execution["workflowId"]) == ("completed", made["workflowId"])
    assert execution["executionResult"]["outcome"] == "done"
    seen = assistant.ask("executionActivitiesGet", executionId=started["executionId"])
    kinds = [one["payload"]["activityType"] for one in seen]
    assert kinds[0] == "status_changed"
    assert {"step_started", "step_completed", "transitioned_node"} <= set(kinds)
    assert seen[-1]["payload"]["completedPayload"]["outcome"] == "done"


def test_a_failed_run_is_debugged_by_its_tools(person: User, agent: Agent) -> None:
    """From its failure to the line of the version that caused it, and to a run of a mended draft, by tools alone."""
    assistant = Assistant(person)
    assistant.ask("agentExecutePost", agentId=str(agent.pk), inputs={"berth": 4}, metadata={"ticket": "17"})
    work()
    [failed] = assistant.ask("executionsList", status=["failed"], metadataKey="ticket", metadataValue="17")["items"]
    last, *_ = assistant.ask("executionActivitiesGet", executionId=failed["id"], order="desc", limit=5)
    reason = last["payload"]["failedPayload"]["reason"]
    version = assistant.ask("workflowGet", workflowId=failed["workflowId"])
    [named] = [one for one in version["graph"]["nodes"] if f"“{one['name']}”" in reason]
    named["properties"]["instructions"] = task("look", {"call": "complete_task", "arguments": {"summary": "Found."}})[
        "properties"
    ]["instructions"]
    draft = assistant.ask(
        "workflowCreate",
        agentId=str(agent.pk),
        parentId=version["id"],
        settings=version["settings"],
        graph=version["graph"],
    )
    rerun = assistant.ask(
        "workflowExecute",
        agentId=str(agent.pk),
        workflowId=draft["workflowId"],
        inputVariables=failed["inputs"],
        parentExecutionId=failed["id"],
    )
    work()
    mended = assistant.ask("executionGet", executionId=rerun["executionId"])
    assert (mended["status"], mended["parentExecutionId"]) == ("completed", failed["id"])
    assert assistant.ask("executionGet", executionId=failed["id"])["hasBeenRerun"]
