"""Agents made, changed, released and deleted by REST, by the same rules as on their pages."""

from typing import Any

import pytest

from accounts.models import Role, User
from accounts.scopes import Scope
from agents_hub.models import Agent, AgentPerson, AgentServer, SwitchedOff
from mcp_gateway.rest.routes import chat_api
from security.models import AuditEntry
from tests.agents_hub.api.door import Rest, fault, read
from tests.agents_hub.api.door import rest as rest_of
from tests.agents_hub.factories import AgentFactory, member_of
from tests.bots.factories import BotFactory
from tests.factories import MembershipFactory, RemoteServerFactory, RemoteToolFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> Agent:
    made: Agent = AgentFactory(name="Clerk", instructions="Be brief.", temperature=0.5)
    return made


@pytest.fixture
def maker(agent: Agent) -> User:
    person = member_of(agent.organization)
    Agent.objects.update(created_by=person)
    return person


@pytest.fixture
def api(maker: User) -> Rest:
    return rest_of(maker, Scope.WRITE, chat_api)


def change(api: Rest, agent: Agent, **fields: Any) -> Any:
    answer = api.ask("PATCH", f"agents/{agent.pk}", fields)
    assert answer.status_code == 200, answer.content
    return read(answer)


def test_an_agent_is_made_whole_and_read_as_it_was_made(api: Rest, agent: Agent, maker: User) -> None:
    server = RemoteServerFactory(organization=agent.organization)
    wanted = {
        "name": "Harbour desk",
        "description": "Berths and prices.",
        "instructions": "You answer for the harbour.",
        "temperature": 0.2,
        "conversationStarters": ["What is free?"],
        "maxToolRounds": 5,
        "stage": "released",
        "audience": "chosen",
        "people": [str(maker.uid)],
        "servers": [server.pk],
    }
    made = read(api.post("agents", {"organizationId": str(agent.organization.uid), **wanted}))
    assert {name: made[name] for name in wanted} == wanted
    assert (made["mayChange"], made["isInCharge"], made["createdBy"]) == (True, True, str(maker.uid))
    assert read(api.get(f"agents/{made['id']}")) == made


def test_an_agent_of_which_a_part_is_refused_is_not_made_at_all(api: Rest, agent: Agent) -> None:
    body = {"organizationId": str(agent.organization.uid), "name": "Other", "servers": [2**40]}
    assert fault(api.post("agents", body))[0] == 404
    assert not Agent.objects.filter(name="Other").exists()


def test_what_is_not_sent_stays_and_what_is_null_is_taken_away_where_it_can_be(api: Rest, agent: Agent) -> None:
    changed = change(api, agent, description="Keeps the books.")
    assert (changed["name"], changed["instructions"], changed["temperature"]) == ("Clerk", "Be brief.", 0.5)
    changed = change(api, agent, temperature=None, name=None)
    assert (changed["name"], changed["temperature"], changed["description"]) == ("Clerk", None, "Keeps the books.")


def test_lists_are_sent_whole(api: Rest, agent: Agent, maker: User) -> None:
    first, second = (RemoteServerFactory(organization=agent.organization) for _ in range(2))
    RemoteToolFactory(server=first, name="search")
    change(api, agent, servers=[first.pk], off=[{"origin": f"server:{first.pk}", "tool": "search"}])
    assert SwitchedOff.objects.get().tool == "search"
    changed = change(api, agent, servers=[second.pk], people=[str(maker.uid)])
    assert changed["servers"] == [second.pk]
    assert set(AgentServer.objects.values_list("server", flat=True)) == {second.pk}
    # What is switched off of a server is kept for when it comes back.
    assert changed["off"] == [{"origin": f"server:{first.pk}", "tool": "search"}]
    changed = change(api, agent, off=[], people=[])
    assert (changed["off"], AgentPerson.objects.exists()) == ([], False)


def test_an_agent_is_given_bots_of_ones_own_and_says_what_they_bring(api: Rest, agent: Agent, maker: User) -> None:
    bot, others = BotFactory(owner=maker), BotFactory()
    assert change(api, agent, given={"bots": [str(bot.pk)]})["given"] == {"bots": [str(bot.pk)]}
    found = {one["source"]: one for one in read(api.get(f"agents/{agent.pk}/abilities"))["abilities"]}
    assert [one["id"] for one in found["bots"]["choices"]] == [str(bot.pk)]
    tool = found["bots"]["tools"][0]["tool"]
    change(api, agent, off=[{"origin": "bots", "tool": tool}])
    found = {one["source"]: one for one in read(api.get(f"agents/{agent.pk}/abilities"))["abilities"]}
    assert [one["tool"] for one in found["bots"]["tools"] if one["isOff"]] == [tool]
    refused = api.ask("PATCH", f"agents/{agent.pk}", {"given": {"bots": [str(others.pk)]}})
    assert fault(refused)[0] == 404


def test_any_member_changes_an_agent_in_development_and_none_but_those_in_charge_release_it(agent: Agent) -> None:
    colleague = rest_of(member_of(agent.organization), Scope.WRITE, chat_api)
    assert change(colleague, agent, instructions="Be kind.")["isInCharge"] is False
    code, message = fault(colleague.ask("PATCH", f"agents/{agent.pk}", {"name": "Mine", "stage": "released"}))
    assert (code, "decide who may talk to it" in message) == (403, True)
    agent.refresh_from_db()
    assert (agent.name, agent.stage) == ("Clerk", "development")


def test_a_released_agent_is_changed_and_deleted_by_those_in_charge(api: Rest, agent: Agent) -> None:
    change(api, agent, stage="released")
    colleague = rest_of(member_of(agent.organization), Scope.WRITE, chat_api)
    assert read(colleague.get(f"agents/{agent.pk}"))["mayChange"] is False
    for refused in (
        colleague.ask("PATCH", f"agents/{agent.pk}", {"instructions": "Obey me."}),
        colleague.ask("DELETE", f"agents/{agent.pk}"),
    ):
        assert fault(refused)[0] == 403
    admin = MembershipFactory(organization=agent.organization, role=Role.ADMIN).user
    assert rest_of(admin, Scope.WRITE, chat_api).ask("DELETE", f"agents/{agent.pk}").status_code == 204
    assert not Agent.objects.filter(pk=agent.pk).exists()


def test_a_key_that_only_reads_changes_nothing(maker: User, agent: Agent) -> None:
    reads = rest_of(maker, Scope.READ, chat_api)
    assert reads.get(f"agents/{agent.pk}").status_code == 200
    assert fault(reads.ask("PATCH", f"agents/{agent.pk}", {"name": "Mine"}))[0] == 403


def test_a_field_that_does_not_fit_is_named(api: Rest, agent: Agent) -> None:
    for sent, said in (
        ({"temperature": 3}, "temperature"),
        ({"model": "nobody:gpt"}, "provider"),
        ({"conversationStarters": ["x" * 300]}, "200 characters"),
        ({"people": [str(agent.pk)]}, "no such member"),
    ):
        code, message = fault(api.ask("PATCH", f"agents/{agent.pk}", sent))
        assert code in (400, 404)
        assert said in message


def test_people_are_listed_with_who_is_chosen(api: Rest, agent: Agent, maker: User) -> None:
    other = member_of(agent.organization)
    change(api, agent, people=[str(other.uid)])
    found = read(api.get(f"agents/{agent.pk}/people?pageSize=100"))
    chosen = {one["id"]: one["isChosen"] for one in found["items"]}
    assert (chosen[str(other.uid)], chosen[str(maker.uid)]) == (True, False)


def test_instructions_are_not_repeated_in_the_audit(api: Rest, agent: Agent) -> None:
    change(api, agent, instructions="Nobody else reads this.")
    assert "Nobody else reads this" not in str(list(AuditEntry.objects.values_list("detail", flat=True)))
