"""The API held to its own OpenAPI document by a stranger: whatever is sent, nothing undocumented comes back."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import Organization, Role, User
from accounts.scopes import Scope
from agents_hub.models import ProfilePool
from agents_hub.services import scheduled_tasks
from mcp_gateway.rest.authentication import KEY_HEADER
from mcp_gateway.rest.routes import APIS, Routes
from security.identifiers import uuid7
from tests.agents_hub.api.door import rest
from tests.agents_hub.factories import (
    AgentFactory,
    ConversationFactory,
    ProfileFactory,
    SharedFileFactory,
    inquiry_of,
)
from tests.factories import MembershipFactory, OrganizationFactory, RemoteServerFactory, RemoteToolFactory, caller_for
from tests.file_storage import keep_files_in
from tests.workflows.factories import ExecutionFactory, ExecutionFileFactory, WorkflowFactory
from tests.workflows.graphs import graph, node
from workflows.models import Activity, Execution, Publication, Workflow

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,ignored_auth,unsupported_method"
)
MOST_SECONDS = 600


def rows_of(organization: Organization, person: User) -> dict[str, str]:
    """Something of everything, so that requests reach it. The file is one that an agent shares."""
    agent = AgentFactory(organization=organization)
    # A draft that was never run, which may be deleted; and one that is published and runs without being told anything.
    draft: Workflow = WorkflowFactory(agent=agent, graph=graph(node("end", "output")))
    published: Workflow = WorkflowFactory(agent=agent, graph=draft.graph, version=1)
    Publication.objects.create(workflow=published, agent=agent)
    execution: Execution = ExecutionFactory(workflow=published)
    # Nothing listens there, so that what calls it out is answered at once.
    server = RemoteServerFactory(organization=organization, url="http://127.0.0.1:9/mcp")
    pool = ProfilePool.objects.create(organization=organization, name=f"Pool {ProfilePool.objects.count()}")
    return {
        "organizationId": str(organization.uid),
        "agentId": str(agent.pk),
        "workflowId": str(draft.pk),
        "executionId": str(execution.pk),
        "fileId": str(SharedFileFactory(agent=agent).pk),
        "profileId": str(ProfileFactory(organization=organization).pk),
        "poolId": str(pool.pk),
        "serverId": str(server.pk),
        "toolId": str(RemoteToolFactory(server=server).pk),
        **chat_rows(organization, person),
    }


def chat_rows(organization: Organization, person: User) -> dict[str, str]:
    """A conversation of the person's, whose turn asks something."""
    conversation = ConversationFactory(agent__organization=organization, owner=person)
    inquiry = inquiry_of(conversation)
    wanted = scheduled_tasks.Wanted("Tides", "0 9 * * *", "UTC", "When is high tide?")
    scheduled = scheduled_tasks.create_task(caller_for(person), agent_id=conversation.agent_id, wanted=wanted)
    return {
        "conversationId": str(conversation.pk),
        "messageId": str(conversation.tip_id),
        "turnId": str(conversation.turns.get().pk),
        "inquiryId": str(inquiry.pk),
        "toolUseId": str(inquiry.tool_use_id),
        "attachmentId": str(uuid7()),
        "scheduledTaskId": str(scheduled.pk),
    }


def configuration(lasting: dict[str, str], doomed: dict[str, str], file_id: str) -> str:
    """What paths are filled with; what deletes has rows of its own to delete. `file_id` is an execution's."""
    return "\n".join(
        (
            "[parameters]",
            *(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in lasting.items()),
            "[[operations]]",
            'include-method = "DELETE"',
            "[operations.parameters]",
            *(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in doomed.items()),
            "[[operations]]",
            'include-path-regex = "/executions/.*fileId"',
            f'[operations.parameters]\nfileId = "{file_id}"',
            # A remote server that does not answer is no fault of ours.
            "[[operations]]",
            'include-operation-id = "remoteToolCall"',
            'checks.not_a_server_error.expected-statuses = ["2xx", "4xx", "503"]',
        )
    )


# Requests by chance are quick; every boundary of every field takes a minute or more.
@pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
@pytest.mark.faults
@pytest.mark.parametrize("phase", ["fuzzing", "coverage"])
@pytest.mark.django_db(transaction=True)
def test_a_stranger_with_the_document_finds_no_500_and_nothing_undocumented(
    live_server: Any, settings: Settings, tmp_path: Path, phase: str, api: Routes
) -> None:
    settings.REST_RATE_PER_MINUTE = 0
    organization: Organization = OrganizationFactory()
    person = MembershipFactory(organization=organization, role=Role.ADMIN).user
    key = rest(person, Scope.ADMIN).key
    config = tmp_path / "schemathesis.toml"
    keep_files_in(tmp_path / "files", settings)
    lasting = rows_of(organization, person)
    execution = Execution.objects.get(pk=lasting["executionId"])
    file = ExecutionFileFactory(execution=execution)
    config.write_text(configuration(lasting, rows_of(organization, person), str(file.pk)))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"),
            *(f"{live_server.url}/{api.base}openapi.json", "--url", live_server.url, "--checks", CHECKS),
            *("--header", f"Authorization: Bearer {key}", "--header", f"{KEY_HEADER}: {key}"),
            # One worker: it changes its recursion limit as it goes, and a second thread that parses trips on it.
            *("--phases", phase, "--max-examples", "5", "--workers", "1"),
            *("--seed", "2026", "--no-shrink", "--no-color", "--generation-database", "none"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2_000:]
    counted = re.search(r"Tested: (\d+)", done.stdout)
    assert counted
    assert int(counted[1]) == len(list(api))
    if any(route.path == "executions" for route in api):
        assert Execution.objects.count() > 2, "nothing was started"
        assert Activity.objects.filter(execution=execution).exists(), "the execution was not reached"
