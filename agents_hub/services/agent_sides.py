"""An agent's chat side as a whole, read and changed in one go: each part by the rules and the service of its own."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.caller import Caller
from accounts.errors import NotFound
from accounts.models import Membership, User
from accounts.scopes import Scope
from agents_hub.models import Agent, AgentPerson
from agents_hub.services.abilities import change_subjects, subjects_of, switch_tools, switched_off
from agents_hub.services.agent_rules import CHAT_FIELDS, ChatFields, is_in_charge, may_change
from agents_hub.services.agent_servers import assigned_ids, change_servers
from agents_hub.services.agents import create_agent, find_agent, lock_to_change, update_agent
from agents_hub.services.audiences import set_audience

NAMES = ("name", "description")


@dataclass(frozen=True, slots=True)
class Side:
    """What an agent is to those who talk to it. `off` are tools that it is not offered, as (origin, tool)."""

    agent: Agent
    people: list[UUID]
    servers: list[int]
    given: Mapping[str, list[str]]
    off: list[tuple[str, str]]
    may_change: bool
    is_in_charge: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be another way; what is None stays. `fields` are the agent's own, by their names.

    People, servers, what is given of each source and the tools that are off are named whole: whatever is left out of
    them is taken away.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    stage: str | None = None
    audience: str | None = None
    people: Collection[UUID] | None = None
    servers: Collection[int] | None = None
    given: Mapping[str, Collection[str]] | None = None
    off: Collection[tuple[str, str]] | None = None


def side_of(caller: Caller, agent_id: UUID) -> Side:
    """For whoever belongs to the agent's organization."""
    caller.require(Scope.READ)
    agent = find_agent(caller, agent_id)
    chosen = AgentPerson.objects.filter(agent=agent).order_by("user__name", "pk")
    return Side(
        agent=agent,
        people=list(chosen.values_list("user__uid", flat=True)),
        servers=assigned_ids(agent.pk),
        given=subjects_of(agent.pk),
        off=sorted(switched_off(agent.pk)),
        may_change=may_change(caller, agent),
        is_in_charge=is_in_charge(caller, agent),
    )


@transaction.atomic
def make_agent(caller: Caller, *, organization_id: UUID, changes: Changes) -> Side:
    """All of it, or where a part is refused nothing."""
    names, chat = _split(changes.fields)
    made = create_agent(caller, organization_id=organization_id, **names, chat=ChatFields(**chat))
    _change_parts(caller, made, changes)
    return side_of(caller, made.pk)


@transaction.atomic
def change_agent(caller: Caller, agent_id: UUID, changes: Changes) -> Side:
    """All of it, or where a part is refused nothing."""
    agent = lock_to_change(caller, agent_id)
    if changes.fields:
        there = {name: getattr(agent, name) for name in (*NAMES, *CHAT_FIELDS)}
        names, chat = _split({**there, **changes.fields})
        agent = update_agent(caller, agent_id=agent_id, **names, chat=ChatFields(**chat))
    _change_parts(caller, agent, changes)
    return side_of(caller, agent_id)


def _change_parts(caller: Caller, agent: Agent, changes: Changes) -> None:
    if changes.servers is not None:
        wanted, there = set(changes.servers), set(assigned_ids(agent.pk))
        change_servers(caller, agent_id=agent.pk, add=wanted - there, remove=there - wanted)
    for source, subjects in (changes.given or {}).items():
        given, had = set(subjects), set(subjects_of(agent.pk).get(source, ()))
        change_subjects(caller, agent_id=agent.pk, source=source, add=given - had, remove=had - given)
    if changes.off is not None:
        _switch(caller, agent, set(changes.off))
    # Last: once it is released, fewer may change the rest.
    if not (changes.stage is None and changes.audience is None and changes.people is None):
        _open(caller, agent, changes)


def _switch(caller: Caller, agent: Agent, off: set[tuple[str, str]]) -> None:
    there = switched_off(agent.pk)
    for origin in sorted({origin for origin, _ in off ^ there}):
        switch_tools(
            caller,
            agent_id=agent.pk,
            origin=origin,
            off={tool for where, tool in off - there if where == origin},
            on={tool for where, tool in there - off if where == origin},
        )


def _open(caller: Caller, agent: Agent, changes: Changes) -> None:
    there = set(AgentPerson.objects.filter(agent=agent).values_list("user_id", flat=True))
    wanted = there if changes.people is None else _members(agent, set(changes.people))
    set_audience(
        caller,
        agent_id=agent.pk,
        stage=changes.stage or agent.stage,
        audience=changes.audience or agent.audience,
        add=wanted - there,
        remove=there - wanted,
    )


def _members(agent: Agent, people: set[UUID]) -> set[int]:
    """Whoever was chosen and has left since may be named again, which changes nothing."""
    found = User.objects.filter(uid__in=people)
    members = Membership.objects.filter(organization=agent.organization_id).values("user")
    chosen = AgentPerson.objects.filter(agent=agent).values("user")
    known = set(found.filter(pk__in=members).union(found.filter(pk__in=chosen)).values_list("pk", flat=True))
    if len(known) != len(people):
        raise NotFound(f"{agent.organization.name} has no such member. They may have left.")
    return known


def _split(fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Those of the agent itself, and those of its chat side."""
    return (
        {name: fields[name] for name in NAMES if name in fields},
        {name: fields[name] for name in CHAT_FIELDS if name in fields},
    )
