"""What an agent works with, and single tools switched off: of its organization and its caller, and nobody else's."""

from typing import Any

import pytest

from accounts.caller import Caller
from accounts.errors import Invalid, NotFound
from accounts.models import User
from agents_hub.models import Agent, AgentServer, AgentSubject, SwitchedOff
from agents_hub.services import abilities
from agents_hub.services.abilities import (
    change_subjects,
    page_of_tools,
    subjects_of,
    switch_tools,
    switched_off,
    tool_count,
    tools_of_servers,
    what_is_given,
)
from mcp_gateway.models import RemoteServer
from security.models import AuditEntry
from tests.agents_hub.factories import AgentFactory, member_of
from tests.bots.factories import BotFactory
from tests.factories import RemoteServerFactory, RemoteToolFactory, caller_for
from tests.workflows.factories import WorkflowFactory
from workflows.models import Publication

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> Agent:
    made: Agent = AgentFactory(name="Clerk")
    return made


@pytest.fixture
def person(agent: Agent) -> User:
    return member_of(agent.organization)


@pytest.fixture
def member(person: User) -> Caller:
    return caller_for(person)


@pytest.fixture
def server(agent: Agent) -> RemoteServer:
    """An assigned server with three tools."""
    made: RemoteServer = RemoteServerFactory(organization=agent.organization)
    for name in ("read", "write", "erase"):
        RemoteToolFactory(server=made, name=name)
    AgentServer.objects.create(agent=agent, server=made)
    return made


def change(caller: Caller, agent: Agent, source: str, add: Any = (), remove: Any = ()) -> None:
    change_subjects(
        caller, agent_id=agent.pk, source=source, add=[str(one) for one in add], remove=[str(one) for one in remove]
    )


def published(agent: Agent) -> Agent:
    workflow = WorkflowFactory(agent=agent, version=1)
    Publication.objects.create(workflow=workflow, agent=agent)
    return agent


def test_bots_and_workflows_are_given_and_taken_away(agent: Agent, person: User, member: Caller) -> None:
    bot, desk = BotFactory(owner=person), published(AgentFactory(organization=agent.organization))
    change(member, agent, "bots", add=[bot.pk])
    change(member, agent, "workflows", add=[desk.pk])
    assert subjects_of(agent.pk) == {"bots": [str(bot.pk)], "workflows": [str(desk.pk)]}
    change(member, agent, "bots", remove=[bot.pk])
    assert subjects_of(agent.pk) == {"workflows": [str(desk.pk)]}
    entry = AuditEntry.objects.filter(action="agent.subjects").earliest("pk")
    assert entry.detail == {"source": "bots", "added": [str(bot.pk)], "removed": []}


def test_nobody_gives_away_what_is_somebody_elses(agent: Agent, member: Caller) -> None:
    colleagues = BotFactory(owner=member_of(agent.organization))
    foreign = published(AgentFactory())
    unpublished = WorkflowFactory(agent__organization=agent.organization).agent
    for source, subject in (("bots", colleagues), ("workflows", foreign), ("workflows", unpublished)):
        with pytest.raises(NotFound):
            change(member, agent, source, add=[subject.pk])
    for source, subject_id in (("bots", "x"), ("workflows", "x"), ("planets", "1")):
        with pytest.raises(NotFound):
            change(member, agent, source, add=[subject_id])
    assert not AgentSubject.objects.exists()


def test_somebody_elses_bot_is_shown_by_its_number_alone_and_can_be_taken_away(agent: Agent, member: Caller) -> None:
    bot = BotFactory(owner=member_of(agent.organization), name="Secret bot")
    AgentSubject.objects.create(agent=agent, source="bots", subject=str(bot.pk))
    given = what_is_given(member, agent_id=agent.pk, source="bots")
    assert list(given.lost) == [str(bot.pk)]
    assert not given.choices
    change(member, agent, "bots", remove=[bot.pk])
    assert not AgentSubject.objects.exists()


def test_more_than_an_agent_works_with_is_refused(
    agent: Agent, person: User, member: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(abilities, "MOST_SUBJECTS", 1)
    bots = BotFactory.create_batch(2, owner=person)
    with pytest.raises(Invalid, match="at most 1 bots"):
        change(member, agent, "bots", add=[bot.pk for bot in bots])
    change(member, agent, "bots", add=[bots[0].pk])
    change(member, agent, "bots", add=[bots[1].pk], remove=[bots[0].pk])


def test_single_tools_are_switched_off_and_on_again(agent: Agent, member: Caller, server: RemoteServer) -> None:
    origin = f"server:{server.pk}"
    switch_tools(member, agent_id=agent.pk, origin=origin, off=["write", "erase"], on=["read"])
    assert switched_off(agent.pk) == {(origin, "write"), (origin, "erase")}
    _, page, off = page_of_tools(member, agent_id=agent.pk, server_id=server.pk)
    assert [tool.name for tool in page.rows] == ["erase", "read", "write"]
    assert off == {"write", "erase"}
    switch_tools(member, agent_id=agent.pk, origin=origin, off=["erase"], on=["write"])
    assert switched_off(agent.pk) == {(origin, "erase")}
    details = AuditEntry.objects.filter(action="agent.tools").order_by("pk").values_list("detail", flat=True)
    assert list(details) == [
        {"origin": origin, "off": ["erase", "write"], "on": []},
        {"origin": origin, "off": [], "on": ["write"]},
    ]


def test_a_tool_of_the_bots_is_switched_off_while_the_agent_has_one(agent: Agent, person: User, member: Caller) -> None:
    with pytest.raises(NotFound):
        switch_tools(member, agent_id=agent.pk, origin="bots", off=["mod.banUser"], on=[])
    change(member, agent, "bots", add=[BotFactory(owner=person).pk])
    switch_tools(member, agent_id=agent.pk, origin="bots", off=["mod.banUser"], on=[])
    given = what_is_given(member, agent_id=agent.pk, source="bots")
    assert given.off == {"mod.banUser"}
    assert given.on_count == len(given.tools) - 1


def test_what_the_agent_was_not_given_cannot_be_switched(agent: Agent, member: Caller, server: RemoteServer) -> None:
    elsewhere = RemoteToolFactory(server=RemoteServerFactory(organization=agent.organization), name="read").server
    foreign = RemoteToolFactory(name="read").server
    for origin, tool in (
        (f"server:{elsewhere.pk}", "read"),
        (f"server:{foreign.pk}", "read"),
        (f"server:{server.pk}", "no such tool"),
        (f"server:0{server.pk}", "read"),
        ("planets", "read"),
    ):
        with pytest.raises(NotFound):
            switch_tools(member, agent_id=agent.pk, origin=origin, off=[tool], on=[])
    for pk in (elsewhere.pk, foreign.pk):
        with pytest.raises(NotFound):
            page_of_tools(member, agent_id=agent.pk, server_id=pk)
    assert not SwitchedOff.objects.exists()


def test_another_organizations_agent_is_not_there(member: Caller) -> None:
    foreign = AgentFactory()
    with pytest.raises(NotFound):
        change(member, foreign, "bots")
    with pytest.raises(NotFound):
        switch_tools(member, agent_id=foreign.pk, origin="bots", off=[], on=[])
    with pytest.raises(NotFound):
        what_is_given(member, agent_id=foreign.pk, source="bots")


def test_the_number_of_tools_counts_what_is_offered(
    agent: Agent, person: User, member: Caller, server: RemoteServer
) -> None:
    disabled = RemoteServerFactory(organization=agent.organization, enabled=False)
    AgentServer.objects.create(agent=agent, server=disabled)
    RemoteToolFactory(server=disabled)
    for fields in ({"enabled": False}, {"held_digest": "x"}, {"gone_at": "2026-01-01T00:00Z"}):
        RemoteToolFactory(server=server, **fields)
    switch_tools(member, agent_id=agent.pk, origin=f"server:{server.pk}", off=["erase"], on=[])
    brought = tools_of_servers(agent)
    assert [(one.server, one.known, one.on) for one in brought] == [(server, 3, 2), (disabled, 1, 0)]
    assert tool_count(member, agent, brought) == 2
    change(member, agent, "workflows", add=[published(AgentFactory(organization=agent.organization)).pk])
    assert tool_count(member, agent, brought) == 4
    change(member, agent, "bots", add=[BotFactory(owner=person).pk])
    assert tool_count(member, agent, brought) == 4 + 14


def test_counting_costs_the_same_queries_for_more_servers(
    agent: Agent, member: Caller, server: RemoteServer, django_assert_num_queries: Any
) -> None:
    for _ in range(4):
        more = RemoteToolFactory(server__organization=agent.organization).server
        AgentServer.objects.create(agent=agent, server=more)
    with django_assert_num_queries(4):
        assert len(tools_of_servers(agent)) == 5
