"""Each of the contract's tools and its route: one story told through either door, its answers walked field by field."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from pytest_django import Settings

from accounts.models import User
from agents_hub.models import Agent
from mcp_gateway import guides
from tests.agents_hub.api.door import BASE, Rest, read, rest
from tests.agents_hub.factories import AgentFactory
from tests.file_storage import keep_files_in
from tests.workflows import contract
from tests.workflows.assistant import Assistant
from tests.workflows.factories import WorkflowFactory
from tests.workflows.graphs import graph, node, way
from tests.workflows.tasks import call, done, task, work
from workflows.models import Publication

pytestmark = pytest.mark.django_db

ROWS = [line.split() for line in contract.ROUTES.strip().splitlines()]
ROUTES = {tool: (method, path.lstrip("/")) for method, path, tool in ROWS if tool != "-"}
SCHEMA = {
    "type": "object",
    "properties": {"berth": {"type": "string"}},
    "required": ["berth"],
    "additionalProperties": False,
}
COOKIE = {
    "name": "Session", "key": "session", "value": "abc", "domain": "harbour.example", "secure": True,
    "sameSite": "Lax", "httpOnly": True,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _alone(unwatched: None, settings: Settings, tmp_path: Path) -> None:
    """Everything in the test's own transaction; the watch has a connection of its own, which does not see it."""
    settings.QUICK_THREADS = 0
    cache.clear()
    keep_files_in(tmp_path, settings)


class Tools:
    """The MCP server, signed in to by OAuth."""

    def __init__(self, person: User) -> None:
        self._assistant = Assistant(person)

    def ask(self, tool: str, **arguments: Any) -> Any:
        if files := arguments.pop("files", None):
            encoded = {name: base64.b64encode(content).decode() for name, content in files.items()}
            arguments["files"] = [{"name": name, "contentBase64": content} for name, content in encoded.items()]
        return self._assistant.ask(tool, **arguments)


class Routes:
    """The REST API, with a key: the route that shares the tool, by the contract's table."""

    def __init__(self, person: User) -> None:
        self._rest: Rest = rest(person)

    def ask(self, tool: str, **arguments: Any) -> Any:
        method, template = ROUTES[tool]
        in_path = {name for name in arguments if f"{{{name}}}" in template}
        path = template.format(**{name: arguments.pop(name) for name in in_path})
        if files := arguments.pop("files", None):
            answer = self._send(method, path, files)
        elif method == "GET":
            answer = self._rest.get(path + ("?" + urlencode(arguments, doseq=True) if arguments else ""))
        else:
            answer = self._rest.ask(method, path, arguments or None)
        assert answer.status_code < 300, (tool, answer.status_code, answer.content)
        return read(answer) if answer.content else None

    def _send(self, method: str, path: str, files: dict[str, bytes]) -> Any:
        sent = {"files": [SimpleUploadedFile(name, content) for name, content in files.items()]}
        return self._rest.client.generic(
            method,
            f"{BASE}{path}",
            encode_multipart(BOUNDARY, sent),
            content_type=MULTIPART_CONTENT,
            headers={"authorization": f"Bearer {self._rest.key}"},
        )


class Story:
    """What was asked so far, and what in the answers was not as the contract says."""

    def __init__(self, door: Tools | Routes) -> None:
        self._door = door
        self.used: set[str] = set()
        self.wrong: list[str] = []

    def __call__(self, tool: str, shape: str | None, **arguments: Any) -> Any:
        answer = self._door.ask(tool, **arguments)
        self.used.add(tool)
        if shape is not None:
            self.wrong += contract.faults(shape, answer, tool)
        return answer


@pytest.fixture
def agent(person: User) -> Agent:
    """An agent whose published version asks a question, and then has its transition confirmed."""
    made: Agent = AgentFactory(organization=person.organizations.get(), name="Harbour desk", created_by=person)
    question = {"question": "Which?", "header": "Berth", "options": [{"label": "4", "description": "At the quay"}]}
    look = task("look", call("ask_user", questions=[question]), done(), tools=("ask_user",))
    drawn = graph(look, node("end", "output"), way("look", "end", require_confirmation=True))
    Publication.objects.create(workflow=WorkflowFactory(agent=made, graph=drawn, version=1, author=person), agent=made)
    return made


def about_the_platform(ask: Story, agent: Agent) -> str:
    [organization] = ask("getContext", "Context")["organizations"]
    assert ask("listAvailableTools", "AvailableTools")["tools"]
    assert ask("searchDocs", "Found", query="execution")["results"]
    assert ask("schemaValidate", "Verdict", schema=SCHEMA) == {"valid": True, "errors": []}
    assert ask("schemaValidate", "Verdict", schema={"type": "array"})["errors"]
    assert ask("agentList", "Agents", organizationId=organization["id"])["total"] == 1
    return str(organization["id"])


def about_profiles(ask: Story, organization_id: str) -> str:
    made = ask(
        "agentProfilesCreate",
        "Profile",
        name="Quay",
        description="Signs in at the quay.",
        organizationId=organization_id,
        proxyMode="custom",
        customProxy={"server": "http://proxy.example:3128", "username": "quay", "password": "a harbour"},
        credentials=[{"name": "token", "data": "a harbour at night"}],
        cookies=[COOKIE],
    )
    ask("agentProfilesList", "Profiles", organizationId=organization_id, sortField="updated_at")
    ask("agentProfileUpdate", "Profile", profileId=made["id"], credentialsToAdd=[{"name": "pin", "data": "1234"}])
    found = ask("agentProfileGet", "Profile", profileId=made["id"])
    assert [one["name"] for one in found["credentials"]] == ["TOKEN", "PIN"]
    ask("agentProfileClearBrowserCache", "Message", profileId=made["id"])
    return str(made["id"])


def about_files(ask: Story, agent_id: str) -> None:
    uploaded = ask("agentSharedFilesUpload", "Uploaded", agentId=agent_id, files={"a.txt": b"a", "b.txt": b"b"})
    first = {"agentId": agent_id, "fileId": uploaded["files"][0]["id"]}
    assert ask("agentSharedFilesUpdate", "SharedFile", **first, files={"a.txt": b"aa"})["version"] == 2
    assert ask("agentSharedFilesFreeze", "SharedFile", **first, isFrozen=True)["isFrozen"]
    assert len(ask("agentSharedFilesGet", "SharedFiles", agentId=agent_id)["files"]) == 2
    ask("agentSharedFilesDelete", None, **first)
    ask("agentSharedFilesDeleteAll", None, agentId=agent_id)
    assert ask("agentSharedFilesGet", "SharedFiles", agentId=agent_id) == {"files": [], "totalSize": 0}


def about_versions(ask: Story, agent_id: str) -> tuple[str, str]:
    """The published version, and a draft made of it that is published in turn."""
    [published] = ask("workflowsList", "[WorkflowRef]", agentId=agent_id)
    loaded = ask("workflowGet", "Workflow", agentId=agent_id, workflowId=published["id"])
    parts = {name: loaded[name] for name in ("rules", "settings", "graph")}
    made = ask("workflowCreate", "Created", agentId=agent_id, parentId=published["id"], **parts)
    own = {"agentId": agent_id, "workflowId": made["workflowId"]}
    assert ask("workflowPublish", "Published", **own)["version"] == 2
    return str(published["id"]), str(made["workflowId"])


def about_runs(ask: Story, agent_id: str, organization_id: str, profile_id: str) -> None:
    first, second = about_versions(ask, agent_id)
    staged = ask("tempFilesStage", "TempFiles", organizationId=organization_id, files={"order.csv": b"a,b"})
    started = ask(
        "agentExecutePost",
        "Started",
        agentId=agent_id,
        inputs={"order": 7},
        metadata={"ticket": "17"},
        agentProfileId=profile_id,
        version=1,
        tempFiles=staged["tempFiles"],
        executionOptions={"softTimeoutMins": 5},
    )
    run = {"executionId": started["executionId"]}
    ask("executionContextFilesUpload", "text", **run, files={"note.txt": b"note"})
    work()
    assert ask("executionGet", "Execution", **run)["status"] == "paused_by_agent"
    ask("executionUserMessagesAdd", "text", **run, message="Four.")
    work()
    ask("workflowSyncExecution", "Synced", agentId=agent_id, workflowId=second, **run)
    ask("executionStatusUpdate", "text", **run, status="running")
    work()
    ended = ask("executionGet", "Execution", **run)
    assert (ended["status"], ended["executionResult"]["outcome"]) == ("completed", "done")
    assert ask("executionActivitiesGet", "[Activity]", **run, order="asc", limit=1000)
    assert len(ask("executionContextFilesGet", "[ContextFile]", **run)) == 2
    again = ask("workflowExecute", "Started", agentId=agent_id, workflowId=first, parentExecutionId=run["executionId"])
    ask("executionStatusUpdate", "text", executionId=again["executionId"], status="cancelled")
    listed = ask("executionsList", "Executions", agentId=agent_id, sortField="created_at", sortDirection="asc")
    assert [one["hasBeenRerun"] for one in listed["items"]] == [True, False]


@pytest.mark.parametrize("door", [Tools, Routes])
def test_every_tool_answers_as_the_contract_says(
    person: User, agent: Agent, door: Callable[[User], Tools | Routes]
) -> None:
    guides.index_guides()
    ask = Story(door(person))
    organization_id = about_the_platform(ask, agent)
    profile_id = about_profiles(ask, organization_id)
    about_files(ask, str(agent.pk))
    about_runs(ask, str(agent.pk), organization_id, profile_id)
    ask("agentProfileDelete", None, profileId=profile_id)
    assert not ask.wrong, "\n".join(ask.wrong)
    assert ask.used == set(ROUTES)


def test_pools_answer_as_the_contract_says(person: User, agent: Agent) -> None:
    """The rows without a tool."""
    door = rest(person)
    organization_id = str(agent.organization.uid)

    def ask(method: str, path: str, shape: str | None, body: Any = None) -> Any:
        answer = door.ask(method, path, body)
        assert answer.status_code < 300, answer.content
        found = read(answer) if answer.content else None
        assert shape is None or not contract.faults(shape, found), contract.faults(shape, found)
        return found

    profile = {"name": "Quay", "description": "At the quay.", "organizationId": organization_id}
    first = ask("POST", "agent-profiles", "Profile", profile)
    twin = ask("POST", f"agent-profiles/{first['id']}/duplicate", "Profile", {})
    assert twin["id"] != first["id"]
    pool = ask("POST", "agent-profile-pools", "Pool", {"name": "Quays", "organizationId": organization_id})
    where = f"agent-profile-pools/{pool['id']}"
    assert not pool["allowConcurrentUse"]
    assert ask("PATCH", where, "Pool", {"allowConcurrentUse": True})["allowConcurrentUse"]
    assert ask("GET", where, "Pool")["id"] == pool["id"]
    ask("POST", f"{where}/members", None, {"profileIds": [first["id"], twin["id"]]})
    assert json.dumps(ask("GET", f"{where}/members", None)).count('"name"') >= 2
    ask("DELETE", f"{where}/members", None, {"profileIds": [twin["id"]]})
    assert ask("GET", "agent-profile-pools", "Pools")["total"] == 1
    ask("DELETE", where, None)
    assert door.get(where).status_code == 404
