"""What can be done with agents: find, list, create, change, delete."""

from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.caller import Caller
from accounts.errors import Conflict, NotFound
from accounts.scopes import Scope
from accounts.services.organizations import organization_of, organizations_of
from agents_hub.models import Agent
from agents_hub.models.search import named_like
from agents_hub.services.agent_rules import ChatFields, require_change, write_chat, write_names
from dashboard.numbered_pages import NumberedPage, numbered, ordering
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


def lock_to_change(caller: Caller, agent_id: UUID) -> Agent:
    """The agent, held until the transaction ends, where the caller may change it."""
    caller.require(Scope.WRITE)
    find_agent(caller, agent_id)
    agent = Agent.objects.select_for_update(no_key=True, of=("self",)).select_related("organization").get(pk=agent_id)
    require_change(caller, agent)
    return agent


def create_agent(
    caller: Caller, *, organization_id: UUID, name: str, description: str = "", chat: ChatFields | None = None
) -> Agent:
    """An agent in development: its maker and admins may talk to it."""
    caller.require(Scope.WRITE)
    agent = Agent(organization=organization_of(caller, organization_id), created_by_id=caller.user_id)
    write_names(agent, name, description)
    if chat is not None:
        write_chat(agent, chat)
    with transaction.atomic():
        try:
            with transaction.atomic():
                agent.save(force_insert=True)
        except IntegrityError:
            raise _taken(agent.name) from None
        audit.record("agent.create", caller=caller, target=f"agent:{agent.pk}", detail={"name": agent.name})
    return agent


def update_agent(
    caller: Caller, *, agent_id: UUID, name: str, description: str, chat: ChatFields | None = None
) -> Agent:
    """Change what the agent is called and, with `chat`, what it is to those who talk to it."""
    with transaction.atomic():
        agent = lock_to_change(caller, agent_id)
        write_names(agent, name, description)
        changed = write_chat(agent, chat) if chat is not None else []
        try:
            with transaction.atomic():
                agent.save(update_fields=["name", "description", *changed, "updated_at"])
        except IntegrityError:
            raise _taken(agent.name) from None
        detail = {"name": agent.name, "changed": changed}
        audit.record("agent.update", caller=caller, target=f"agent:{agent.pk}", detail=detail)
    return agent


def delete_agent(caller: Caller, *, agent_id: UUID) -> None:
    """Delete an agent with all that hangs on it; the content of its files goes once that is certain."""
    with transaction.atomic():
        agent = lock_to_change(caller, agent_id)
        audit.record("agent.delete", caller=caller, target=f"agent:{agent.pk}", detail={"name": agent.name})
        agent.delete()


def _taken(name: str) -> Conflict:
    return Conflict(f"The organization has an agent named “{name}” already.", code="name_taken", data={"field": "name"})
