"""Tenants to try the platform with: an organization with a row of each kind, and somebody of it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.caller import Caller, Door
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
