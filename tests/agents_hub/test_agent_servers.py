"""Remote servers of an agent: ticked on its page, of its own organization, and noted in the audit."""

import pytest
from django.urls import reverse

from accounts.caller import Caller
from accounts.errors import Invalid, NotFound
from agents_hub.models import Agent, AgentServer
from agents_hub.services import agent_servers
from agents_hub.services.agent_servers import assigned_ids, change_servers
from security.models import AuditEntry
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import RemoteServerFactory, caller_for
from tests.pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> Agent:
    made: Agent = AgentFactory(name="Printer")
    return made


@pytest.fixture
def member(agent: Agent) -> Caller:
    return caller_for(member_of(agent.organization))


def test_servers_are_ticked_and_unticked_and_what_was_not_shown_stays(agent: Agent) -> None:
    first, second, hidden = RemoteServerFactory.create_batch(3, organization=agent.organization)
    browser = signed_in(member_of(agent.organization))
    AgentServer.objects.create(agent=agent, server=first)
    AgentServer.objects.create(agent=agent, server=hidden)
    page = browser.get(reverse("agents:servers", args=[agent.pk])).content.decode()
    assert f'name="server" value="{first.pk}" checked' in page
    assert f'name="server" value="{second.pk}">' in page
    sent = {"shown": [first.pk, second.pk, "x"], "server": [second.pk]}
    answer = browser.post(reverse("agents:servers", args=[agent.pk]), sent)
    assert answer.status_code == 302
    assert assigned_ids(agent.pk) == [hidden.pk, second.pk]
    entry = AuditEntry.objects.get(action="agent.servers")
    assert entry.detail == {"added": [second.pk], "removed": [first.pk]}


def test_a_server_of_another_organization_cannot_be_assigned(agent: Agent, member: Caller) -> None:
    foreign = RemoteServerFactory()
    with pytest.raises(NotFound):
        change_servers(member, agent_id=agent.pk, add=[foreign.pk], remove=[])


def test_another_organizations_agent_is_not_there(member: Caller) -> None:
    foreign = AgentFactory()
    with pytest.raises(NotFound):
        change_servers(member, agent_id=foreign.pk, add=[], remove=[])
    with pytest.raises(NotFound):
        agent_servers.page_of_servers(member, agent_id=foreign.pk)


def test_more_servers_than_an_agent_works_with_are_refused(
    agent: Agent, member: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_servers, "MOST_SERVERS", 1)
    servers = RemoteServerFactory.create_batch(2, organization=agent.organization)
    with pytest.raises(Invalid, match="at most 1"):
        change_servers(member, agent_id=agent.pk, add=[one.pk for one in servers], remove=[])
