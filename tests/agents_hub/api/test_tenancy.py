"""Two tenants: every route and every tool of the platform, found by itself, is tried with the other's ids."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.utils import timezone
from pydantic import BaseModel
from pytest_django import Settings

from accounts.caller import Caller, Door
from accounts.errors import DomainError, Invalid, NotFound
from accounts.models import Organization, Role, User
from accounts.scopes import Scope
from agents_hub.models import (
    Agent,
    Attachment,
    Conversation,
    Inquiry,
    Message,
    PoolMembership,
    Profile,
    ProfileCookie,
    ProfileCredential,
    ProfilePool,
    SharedFile,
    StagedFile,
    Turn,
    TurnStatus,
)
from agents_hub.services import scheduled_tasks
from mcp_gateway.models import RemoteConnection, RemoteServer, RemoteTool
from mcp_gateway.registry import Tool, registry
from mcp_gateway.remote.shapes import LARGEST_ID
from mcp_gateway.rest.routes import APIS, PLATFORM, REST_ONLY, Route
from tests.agents_hub.api.door import Rest, fault, rest
from tests.agents_hub.factories import (
    AgentFactory,
    ConversationFactory,
    ProfileFactory,
    ProfilePoolFactory,
    inquiry_of,
)
from tests.factories import (
    MembershipFactory,
    OrganizationFactory,
    RemoteConnectionFactory,
    RemoteToolFactory,
    caller_for,
)
from tests.workflows.factories import ExecutionFactory, ExecutionFileFactory, WorkflowFactory
from tests.workflows.graphs import graph, node
from workflows.models import Activity, Comment, Execution, ExecutionFile, Label, Publication, Workflow

pytestmark = pytest.mark.django_db
TOOLS = [*registry.tools(PLATFORM), *registry.tools(REST_ONLY)]
ROUTES = [route for api in APIS for route in api]
IDS = (
    "organizationId",
    "agentId",
    "profileId",
    "poolId",
    "profileIds",
    "credentialsToDelete",
    "cookiesToDelete",
    "fileId",
    "workflowId",
    "executionId",
    "parentExecutionId",
    "agentProfileId",
    "agentProfilePoolId",
    "humanLabels",
    "parentId",
    "serverId",
    "toolId",
    "conversationId",
    "messageId",
    "after",
    "editOf",
    "turnId",
    "inquiryId",
    "toolUseId",
    "attachmentId",
    "attachments",
    "before",
    "people",
    "servers",
    "scheduledTaskId",
    "labelId",
    "labelIds",
    "commentId",
)
OWN_MEANINGS = {"ListActivities.after", "DiffWorkflow.before"}
# Of what may be left out, something has to be there.
NEEDED_TOO = {"UpdateComment": ("content",)}
# Of these a request takes one. By the tool: names mean other things elsewhere.
EXCLUDES: dict[str, dict[str, set[str]]] = {
    "": {"agentProfileId": {"agentProfilePoolId"}, "agentProfilePoolId": {"agentProfileId"}},
    "Say": {
        "agentId": {"conversationId", "after", "editOf"},
        "conversationId": {"agentId", "after", "editOf"},
        "after": {"agentId", "editOf"},
        "editOf": {"agentId", "after"},
        "attachments": {"agentId", "after", "editOf"},
    },
}
# What there is none of, whoever asks: no execution has used a browser.
NOT_THERE = {"executionRecordingGet"}
# What an argument of that name may be filled with where it names nobody's row.
PLAIN: dict[str, Any] = {
    "name": "Name",
    "description": "",
    "query": "keys",
    "schema": {},
    "graph": {},
    "status": "cancelled",
    "message": "Hello",
    "isFrozen": True,
    "url": "http://127.0.0.1:9/mcp",
    "slug": "hugging-face",
    "digest": "0" * 64,
    "action": "once",
    "prompt": "When is high tide?",
    "content": "Seen.",
    "cronExpression": "0 9 * * *",
    "files": [{"name": "b.txt", "contentBase64": "Yg=="}],
}


@pytest.fixture(autouse=True)
def _in_this_thread(settings: Settings) -> None:
    """What crosses to the event loop comes back into the test's transaction."""
    settings.QUICK_THREADS = 0


@pytest.fixture(autouse=True)
def _folder(settings: Settings, tmp_path: Path) -> None:
    """What is uploaded lies in a folder of the test's own."""
    options = {"location": str(tmp_path)}
    settings.STORAGES = settings.STORAGES | {
        "files": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    }


@dataclass(frozen=True)
class Tenant:
    """An organization with a row of each kind, and somebody of it."""

    organization: Organization
    person: User
    ids: dict[str, Any]

    @property
    def caller(self) -> Caller:
        return caller_for(self.person, Scope.ADMIN, Door.MCP)


def tenant() -> Tenant:
    organization = OrganizationFactory()
    person = MembershipFactory(organization=organization, role=Role.ADMIN).user
    profile = ProfileFactory(organization=organization)
    credential = ProfileCredential.objects.create(profile=profile, name="LOGIN", value="secret")
    cookie = ProfileCookie.objects.create(profile=profile, name="c", key="c", value="v", domain="d.example")
    pool = ProfilePoolFactory(organization=organization)
    PoolMembership.objects.create(pool=pool, profile=profile)
    agent = AgentFactory(organization=organization)
    shared = SharedFile.objects.create(
        agent=agent, name="a.txt", mime_type="text/plain", size=7, sha256="0" * 64, storage_name=f"{agent.pk}/a"
    )
    workflow = WorkflowFactory(agent=agent, graph=graph(node("end", "output")))
    published = WorkflowFactory(agent=agent, graph=workflow.graph, version=1)
    Publication.objects.create(workflow=published, agent=agent)
    execution = ExecutionFactory(workflow=published, activity_count=1)
    # Under the shared file's id, so that `fileId` names a file wherever it is asked for.
    ExecutionFileFactory(id=shared.pk, execution=execution)
    label = Label.objects.create(organization=organization, name="Checked")
    comment = Comment.objects.create(execution=execution, user=person, content="Seen.")
    line = Activity.objects.create(execution=execution, number=1, type="generic", payload={"message": "Begun."})
    connection = RemoteConnectionFactory(
        user=person,
        server__organization=organization,
        server__name=f"A server of {organization.uid}",
        server__url=PLAIN["url"],
    )
    tool = RemoteToolFactory(server=connection.server, digest=PLAIN["digest"])
    conversation = ConversationFactory(agent=agent, owner=person)
    asked, answered = conversation.messages.order_by("id")
    inquiry = inquiry_of(
        ConversationFactory(agent=agent, owner=person, turn__status=TurnStatus.IN_PROGRESS, turn__ended_at=None)
    )
    attachment = Attachment.objects.create(
        organization=organization,
        owner=person,
        conversation=conversation,
        kind="text",
        name="a.txt",
        mime_type="text/plain",
        size=7,
        sha256="0" * 64,
        storage_name=f"{agent.pk}/b",
        expires_at=timezone.now() + timedelta(hours=1),
    )
    wanted = scheduled_tasks.Wanted("Task", PLAIN["cronExpression"], "UTC", PLAIN["prompt"])
    scheduled = scheduled_tasks.create_task(caller_for(person), agent_id=agent.pk, wanted=wanted)
    ids = {
        "organizationId": organization.uid,
        "agentId": agent.pk,
        "fileId": shared.pk,
        "profileId": profile.pk,
        "poolId": pool.pk,
        "profileIds": [profile.pk],
        "credentialsToDelete": [credential.pk],
        "cookiesToDelete": [cookie.pk],
        "workflowId": workflow.pk,
        "executionId": execution.pk,
        "parentExecutionId": execution.pk,
        "agentProfileId": profile.pk,
        "agentProfilePoolId": pool.pk,
        "humanLabels": [label.pk],
        "parentId": workflow.pk,
        "serverId": connection.server.pk,
        "toolId": tool.pk,
        "conversationId": conversation.pk,
        "messageId": answered.pk,
        "after": answered.pk,
        "editOf": asked.pk,
        "turnId": conversation.turns.get().pk,
        "inquiryId": inquiry.pk,
        "attachmentId": attachment.pk,
        "attachments": [attachment.pk],
        "toolUseId": inquiry.tool_use_id,
        "before": answered.pk,
        "people": [person.uid],
        "servers": [connection.server.pk],
        "scheduledTaskId": scheduled.pk,
        "labelId": label.pk,
        "labelIds": [label.pk],
        "commentId": comment.pk,
        "ListActivities.after": line.pk,
        "DiffWorkflow.before": published.pk,
    }
    return Tenant(organization, person, ids)


def named_ids(arguments: type[BaseModel]) -> list[str]:
    """The arguments that name rows, by what their schemas say; one that this file does not know of fails the test."""
    properties = arguments.model_json_schema(by_alias=True).get("properties", {})
    found = [name for name, schema in properties.items() if "'uuid'" in str(schema) or str(LARGEST_ID) in str(schema)]
    unknown = set(found) - set(IDS)
    assert not unknown, f"Say in tenant() and IDS what {sorted(unknown)} can be."
    return found


def named_by(arguments: type[BaseModel], name: str) -> str:
    """The key of what the argument names in a tenant's ids: names such as `after` mean other things elsewhere."""
    own = f"{arguments.__name__}.{name}"
    return own if own in OWN_MEANINGS else name


def filled(arguments: type[BaseModel], ids: dict[str, Any]) -> dict[str, Any]:
    """All ids, and of the rest what is required."""
    given = {name: ids[named_by(arguments, name)] for name in named_ids(arguments)}
    for name, field in arguments.model_fields.items():
        wire = field.alias or name
        if wire not in given and (field.is_required() or wire in NEEDED_TOO.get(arguments.__name__, ())):
            given[wire] = PLAIN[wire]
    return given


def trespasses(arguments: type[BaseModel], own: Tenant, other: Tenant) -> Iterator[dict[str, Any]]:
    """The arguments with one id of the other tenant's, each in turn, and with all of them."""
    names = named_ids(arguments)
    for name in names:
        key = named_by(arguments, name)
        sent = filled(arguments, own.ids | {key: other.ids[key]})
        # Of two that exclude each other, the one that is tried.
        yield without_what_excludes(arguments, sent, name)
    if len(names) > 1:
        yield without_what_excludes(arguments, filled(arguments, other.ids), names[-1])


def without_what_excludes(arguments: type[BaseModel], sent: dict[str, Any], name: str) -> dict[str, Any]:
    """What is sent, without what cannot be sent together with that argument."""
    excluded = EXCLUDES.get(arguments.__name__, EXCLUDES[""]).get(name, set())
    return {key: value for key, value in sent.items() if key not in excluded}


def rows_of(organization: Organization) -> list[Any]:
    """Everything the organization has, as it lies in the database."""
    kinds: list[tuple[Any, str]] = [
        (Agent, "organization"),
        (Profile, "organization"),
        (ProfilePool, "organization"),
        (ProfileCredential, "profile__organization"),
        (ProfileCookie, "profile__organization"),
        (PoolMembership, "pool__organization"),
        (SharedFile, "agent__organization"),
        (StagedFile, "organization"),
        (Workflow, "agent__organization"),
        (Execution, "organization"),
        (ExecutionFile, "organization"),
        (Label, "organization"),
        (Comment, "execution__organization"),
        (RemoteServer, "organization"),
        (RemoteTool, "server__organization"),
        (RemoteConnection, "server__organization"),
        (Conversation, "organization"),
        (Message, "conversation__organization"),
        (Turn, "conversation__organization"),
        (Inquiry, "turn__conversation__organization"),
    ]
    return [list(kind.objects.filter(**{path: organization}).order_by("pk").values()) for kind, path in kinds]


def secrets_of(other: Tenant) -> list[str]:
    """What nobody else may be shown: ids that are like no other. A server's name holds one."""
    every = [one for ids in other.ids.values() for one in (ids if isinstance(ids, list) else [ids])]
    return [str(one) for one in every if isinstance(one, UUID)]


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_tool_finds_nothing_of_another_tenants(tool: Tool) -> None:
    own, other = tenant(), tenant()
    before = rows_of(other.organization)
    for sent in trespasses(tool.arguments, own, other):
        with pytest.raises((NotFound, Invalid)) as refused:
            tool.function(own.caller, tool.arguments.model_validate(sent))
        assert isinstance(refused.value, DomainError)
    assert rows_of(other.organization) == before


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.api.base}{route.path}")
def test_a_route_finds_nothing_of_another_tenants(route: Route) -> None:
    own, other = tenant(), tenant()
    before = rows_of(other.organization)
    key = rest(own.person, Scope.ADMIN, route.api)
    for sent in trespasses(route.arguments, own, other):
        code, message = fault(ask(key, route, sent))
        assert code in {404, 400}
        if foreign_in_path(route, sent, other) or "organizationId" in sent:
            assert code == 404
        assert not [one for one in secrets_of(other) if one in message and one not in str(sent)]
    assert rows_of(other.organization) == before


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.api.base}{route.path}")
def test_the_same_requests_are_answered_where_the_ids_are_ones_own(route: Route) -> None:
    own = tenant()
    sent = filled(route.arguments, own.ids)
    if "agentProfileId" in sent:
        del sent["agentProfilePoolId"]
    if route.arguments.__name__ == "Say":
        sent = without_what_excludes(route.arguments, sent, "conversationId")
    answer = ask(rest(own.person, Scope.ADMIN, route.api), route, sent)
    if route.tool.name in NOT_THERE:
        assert fault(answer) == (404, "This execution has no recording: it used no browser.")
        return
    # Nothing listens where the tenant's server is said to be.
    assert answer.status_code < 400 or (route.tool.calls_out and answer.status_code == 503), answer.content


@pytest.mark.parametrize("route", [one for one in ROUTES if one.method == "GET"], ids=lambda route: route.path)
def test_nothing_of_another_tenant_is_in_an_answer(route: Route) -> None:
    own, other = tenant(), tenant()
    filters = {"organizationId", *route.in_path}
    for left_out in (set(), {"organizationId"} - set(route.in_path)):
        sent = {name: value for name, value in filled(route.arguments, own.ids).items() if name in filters - left_out}
        answer = ask(rest(own.person, Scope.ADMIN, route.api), route, sent)
        content = b"".join(answer).decode()
        assert not [one for one in secrets_of(other) if one in content]


def test_the_sweep_found_the_tools_and_routes() -> None:
    assert {"agentList", "agentProfileGet", "getContext", "agentProfilePoolGet", "remoteServerGet"} <= {
        tool.name for tool in TOOLS
    }
    assert {route.tool.name for route in ROUTES} <= {tool.name for tool in TOOLS}
    found = set(itertools.chain.from_iterable(named_ids(tool.arguments) for tool in TOOLS))
    assert {"organizationId", "profileId", "poolId", "serverId", "toolId"} <= found


def foreign_in_path(route: Route, sent: dict[str, Any], other: Tenant) -> bool:
    return any(sent[name] == other.ids[name] for name in route.in_path)


def ask(key: Rest, route: Route, sent: dict[str, Any]) -> Any:
    path = route.path.format(**{name: sent[name] for name in route.in_path})
    beside = {name: _plain(value) for name, value in sent.items() if name not in route.in_path}
    if route.upload is not None:
        return key.send_file(route.method, path, "b.txt", b"other content")
    if route.method == "GET":
        query = urlencode(beside, doseq=True)
        return key.get(f"{path}?{query}" if query else path)
    return key.ask(route.method, path, beside or None)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, UUID) else value
