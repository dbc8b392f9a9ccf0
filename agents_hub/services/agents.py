"""What can be done with agents: find, list, create, change, delete."""

from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid, NotFound
from accounts.scopes import Scope
from accounts.services.organizations import organization_of, organizations_of
from agents_hub.models import Agent
from agents_hub.models.search import named_like
from mcp_gateway.numbered_pages import NumberedPage, numbered, ordering
from security import audit


def list_agents(
    caller: Caller,
    *,
    organization_id: UUID | None = None,
    search_name: str | None = None,
    sort_field: str = "created_at",
    sort_direction: str = "desc",
    page: int = 1,
    page_size: int = 10,
) -> NumberedPage[Agent]:
    caller.require(Scope.READ)
    agents = Agent.objects.filter(organization_id__in=organizations_of(caller, organization_id))
    agents = agents.select_related("organization", "created_by")
    if search_name:
        agents = named_like(agents, search_name)
    return numbered(agents, order=ordering(sort_field, sort_direction), number=page, size=page_size)


def find_agent(caller: Caller, agent_id: UUID) -> Agent:
    """The agent with its organization; `NotFound` for another organization's."""
    agents = Agent.objects.for_caller(caller).select_related("organization", "created_by")
    agent = agents.filter(pk=agent_id).first()
    if agent is None:
        raise NotFound("There is no such agent in your organizations. agentList lists them.")
    return agent


def create_agent(caller: Caller, *, organization_id: UUID, name: str, description: str = "") -> Agent:
    caller.require(Scope.WRITE)
    organization = organization_of(caller, organization_id)
    name, description = _checked(name, description)
    with transaction.atomic():
        try:
            with transaction.atomic():
                agent = Agent.objects.create(
                    organization=organization, name=name, description=description, created_by_id=caller.user_id
                )
        except IntegrityError:
            raise _taken(name) from None
        audit.record("agent.create", caller=caller, target=f"agent:{agent.pk}", detail={"name": name})
    return agent


def update_agent(caller: Caller, *, agent_id: UUID, name: str, description: str) -> Agent:
    caller.require(Scope.WRITE)
    name, description = _checked(name, description)
    with transaction.atomic():
        agent = find_agent(caller, agent_id)
        agent.name, agent.description = name, description
        try:
            with transaction.atomic():
                agent.save(update_fields=["name", "description", "updated_at"])
        except IntegrityError:
            raise _taken(name) from None
        audit.record("agent.update", caller=caller, target=f"agent:{agent.pk}", detail={"name": name})
    return agent


def delete_agent(caller: Caller, *, agent_id: UUID) -> None:
    """Delete an agent with all that hangs on it; the content of its files goes once that is certain."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        agent = find_agent(caller, agent_id)
        audit.record("agent.delete", caller=caller, target=f"agent:{agent.pk}", detail={"name": agent.name})
        agent.delete()


def _checked(name: str, description: str) -> tuple[str, str]:
    name, description = name.strip(), description.strip()
    if not 1 <= len(name) <= 255:
        raise Invalid("Give the agent a name of 1 to 255 characters.", data={"field": "name"})
    if len(description) > 1000:
        raise Invalid("The description is longer than 1,000 characters.", data={"field": "description"})
    return name, description


def _taken(name: str) -> Conflict:
    return Conflict(f"The organization has an agent named “{name}” already.", code="name_taken", data={"field": "name"})
