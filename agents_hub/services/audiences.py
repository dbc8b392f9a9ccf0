"""Who may talk to an agent: its stage, its audience, and the people chosen for it."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from accounts.caller import Caller
from accounts.errors import Invalid, NotFound
from accounts.models import Membership
from accounts.scopes import Scope
from agents_hub.models import Agent, AgentPerson, Audience, Stage
from agents_hub.services.agent_rules import require_charge
from agents_hub.services.agents import find_agent
from dashboard.numbered_pages import NumberedPage, numbered
from security import audit

MOST_PEOPLE = 500


def page_of_members(
    caller: Caller, *, agent_id: UUID, page: int = 1, page_size: int = 25
) -> tuple[NumberedPage[Membership], set[int]]:
    """The members of the agent's organization by name, and the ids of those shown who are chosen."""
    caller.require(Scope.READ)
    agent = find_agent(caller, agent_id)
    members = Membership.objects.for_caller(caller).filter(organization=agent.organization_id).select_related("user")
    shown = numbered(members, order=("user__name", "pk"), number=page, size=page_size)
    chosen = AgentPerson.objects.filter(agent=agent, user__in=[member.user_id for member in shown.rows])
    return shown, set(chosen.values_list("user_id", flat=True))


def set_audience(
    caller: Caller,
    *,
    agent_id: UUID,
    stage: str,
    audience: str,
    add: Collection[int] = (),
    remove: Collection[int] = (),
) -> Agent:
    """Release the agent or take it back, say whom it is for, choose people and let others go."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        find_agent(caller, agent_id)
        agents = Agent.objects.select_for_update(no_key=True, of=("self",)).select_related("organization")
        agent = agents.get(pk=agent_id)
        require_charge(caller, agent)
        agent.stage = _one_of(Stage, stage, "stage")
        agent.audience = _one_of(Audience, audience, "audience")
        agent.save(update_fields=["stage", "audience", "updated_at"])
        added, removed = _choose(agent, set(add), set(remove))
        detail = {"stage": agent.stage, "audience": agent.audience, "added": added, "removed": removed}
        audit.record("agent.audience", caller=caller, target=f"agent:{agent.pk}", detail=detail)
    return agent


def _choose(agent: Agent, add: set[int], remove: set[int]) -> tuple[list[int], list[int]]:
    there = set(AgentPerson.objects.filter(agent=agent).values_list("user_id", flat=True))
    added, removed = sorted(add - there), sorted(remove & there)
    if Membership.objects.filter(organization=agent.organization_id, user__in=added).count() != len(added):
        raise NotFound(f"{agent.organization.name} has no such member. They may have left.")
    if len(there) + len(added) - len(removed) > MOST_PEOPLE:
        raise Invalid(f"At most {MOST_PEOPLE} people can be chosen for an agent.", data={"field": "people"})
    AgentPerson.objects.filter(agent=agent, user__in=removed).delete()
    AgentPerson.objects.bulk_create(AgentPerson(agent=agent, user_id=user_id) for user_id in added)
    return added, removed


def _one_of(choices: type[Stage] | type[Audience], given: str, field: str) -> str:
    if given not in choices.values:
        raise Invalid(f"The {field} is one of {', '.join(choices.values)}.", data={"field": field})
    return given
