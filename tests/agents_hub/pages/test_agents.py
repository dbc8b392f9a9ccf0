"""The pages on which an agent is edited, as a browser without scripts uses them."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import Role, User
from agents_hub.models import Agent, AgentPerson, AgentServer, AgentSubject, SwitchedOff
from llm.models import Provider
from tests.agents_hub.factories import AgentFactory, member_of
from tests.bots.factories import BotFactory
from tests.factories import MembershipFactory, RemoteServerFactory, RemoteToolFactory
from tests.pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> Agent:
    made: Agent = AgentFactory(name="Clerk")
    return made


@pytest.fixture
def admin(agent: Agent) -> User:
    person: User = MembershipFactory(organization=agent.organization, role=Role.ADMIN).user
    return person


@pytest.fixture
def browser(admin: User) -> Client:
    return signed_in(admin)


def address(name: str, *arguments: object) -> str:
    return reverse(f"agents:{name}", args=arguments)


def test_what_an_agent_is_is_saved_and_shown_on_its_page(browser: Client, agent: Agent) -> None:
    Provider.objects.create(organization=agent.organization, name="openai", kind="openai", default_model="gpt-5")
    form = browser.get(address("edit", agent.pk)).text
    assert '<option value="openai:gpt-5"></option>' in form
    sent = {
        "name": "Registrar",
        "description": "Keeps the register.",
        "instructions": "Answer shortly.",
        "model": "openai:gpt-5",
        "temperature": "0.3",
        "max_tool_rounds": "5",
        "conversation_starters": "Who is in?\r\n\r\nWho is out?\r\n",
    }
    page = browser.post(address("edit", agent.pk), sent, follow=True).text
    assert "Registrar is saved." in page
    assert "openai:gpt-5" in page
    agent.refresh_from_db()
    assert agent.conversation_starters == ["Who is in?", "Who is out?"]
    assert "Who is in?\nWho is out?</textarea>" in browser.get(address("edit", agent.pk)).text


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("model", "nowhere:gpt", "no provider of models yet"),
        ("temperature", "3", "less than or equal to 2"),
        ("max_tool_rounds", "", "This field is required."),
        ("conversation_starters", "?\n" * 7, "at most 6 conversation starters"),
    ],
)
def test_what_is_refused_is_said_under_its_field_and_nothing_typed_is_lost(
    browser: Client, agent: Agent, field: str, value: str, told: str
) -> None:
    sent = {"name": "Clerk", "max_tool_rounds": "5", "instructions": "Typed for an hour.", field: value}
    answer = browser.post(address("edit", agent.pk), sent)
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.text
    assert told in answer.text
    assert "Typed for an hour." in answer.text
    agent.refresh_from_db()
    assert agent.instructions == ""


def test_who_may_talk_to_it_is_chosen_among_members_and_those_not_shown_stay(browser: Client, agent: Agent) -> None:
    first, second, unseen = (member_of(agent.organization) for _ in range(3))
    for person in (first, unseen):
        AgentPerson.objects.create(agent=agent, user=person)
    page = browser.get(address("audience", agent.pk)).text
    assert f'name="person" value="{first.pk}" checked' in page
    assert f'name="person" value="{second.pk}">' in page
    sent = {"stage": "released", "audience": "chosen", "shown": [first.pk, second.pk, "x"], "person": [second.pk]}
    answer = browser.post(address("audience", agent.pk), sent, follow=True)
    assert "Chosen people, and admins" in answer.text
    assert set(AgentPerson.objects.values_list("user_id", flat=True)) == {second.pk, unseen.pk}


def test_a_stranger_sent_by_hand_is_refused_on_the_page(browser: Client, agent: Agent) -> None:
    stranger = MembershipFactory().user
    sent = {"stage": "released", "audience": "chosen", "shown": [stranger.pk], "person": [stranger.pk]}
    answer = browser.post(address("audience", agent.pk), sent)
    assert answer.status_code == 422
    assert "no such member" in answer.text
    assert not AgentPerson.objects.exists()


def test_members_see_a_released_agent_and_nothing_to_press(agent: Agent) -> None:
    Agent.objects.filter(pk=agent.pk).update(stage="released", instructions="Between you and me.")
    browser = signed_in(member_of(agent.organization))
    for name, arguments in (("edit", ()), ("audience", ()), ("servers", ()), ("abilities", ("bots",))):
        page = browser.get(address(name, agent.pk, *arguments)).text
        assert ">Save<" not in page, name
        assert f"admins of {agent.organization.name}" in page, name
        assert "Between you and me." not in page
    sent = {"name": "Mine", "max_tool_rounds": "5"}
    assert browser.post(address("edit", agent.pk), sent).status_code == 422
    assert browser.post(address("delete", agent.pk), {"name": "Clerk"}).status_code == 403
    assert Agent.objects.get().name == "Clerk"


def test_the_tools_of_servers_are_counted_and_many_are_searched(
    browser: Client, agent: Agent, settings: Settings
) -> None:
    assert "has no tools yet" in browser.get(address("servers", agent.pk)).text
    server = RemoteServerFactory(organization=agent.organization, name="Warehouse")
    for number in range(3):
        RemoteToolFactory(server=server, name=f"tool {number}")
    AgentServer.objects.create(agent=agent, server=server)
    page = browser.get(address("servers", agent.pk)).text
    assert "has 3 known tools in all" in page
    assert "searches for" not in page
    settings.CHAT_TOOLS_DIRECT = 2
    assert "more than 2, so it searches for the ones it needs" in browser.get(address("servers", agent.pk)).text
    assert "3 available; the agent searches them as needed" in browser.get(address("agent", agent.pk)).text


def test_single_tools_of_a_server_are_switched_off_page_by_page(browser: Client, agent: Agent) -> None:
    server = RemoteServerFactory(organization=agent.organization)
    for name in ("read <all>", "write"):
        RemoteToolFactory(server=server, name=name, ask_first=name == "write")
    RemoteToolFactory(server=server, name="closed", enabled=False)
    AgentServer.objects.create(agent=agent, server=server)
    where = address("server-tools", agent.pk, server.pk)
    page = browser.get(where).text
    assert "read &lt;all&gt;" in page
    assert "Asks before use" in page
    assert "Off for everybody" in page
    browser.post(where, {"shown": ["read <all>", "write"], "tool": ["write"]})
    assert list(SwitchedOff.objects.values_list("origin", "tool")) == [(f"server:{server.pk}", "read <all>")]
    assert 'name="tool" value="read &lt;all&gt;">' in browser.get(where).text
    browser.post(where, {"shown": ["read <all>"], "tool": ["read <all>"]})
    assert not SwitchedOff.objects.exists()
    refused = browser.post(where, {"shown": ["no such tool", "\x00"]}, follow=True)
    assert "was given no such tool" in refused.text


def test_bots_are_given_and_their_tools_switched_off(browser: Client, admin: User, agent: Agent) -> None:
    where = address("abilities", agent.pk, "bots")
    assert "You have no bot" in browser.get(where).text
    bot = BotFactory(owner=admin, name="Harbourmaster")
    assert "Harbourmaster" in browser.get(where).text
    page = browser.post(where, {"shown": [bot.pk], "subject": [bot.pk]}, follow=True).text
    assert AgentSubject.objects.get().subject == str(bot.pk)
    assert "Tools, 14 of 14 offered" in page
    assert "Asks before use" in page
    off = {"shown": ["mod.banUser", "ticket.list"], "tool": ["ticket.list"]}
    page = browser.post(address("switch-tools", agent.pk, "bots"), off, follow=True).text
    assert "Tools, 13 of 14 offered" in page
    foreign = BotFactory()
    answer = browser.post(where, {"shown": [foreign.pk], "subject": [foreign.pk]})
    assert answer.status_code == 422
    assert "That is not one of the bots you can give this agent." in answer.text


def test_without_published_workflows_the_page_says_what_would_be_there(browser: Client, agent: Agent) -> None:
    assert "has a published workflow yet" in browser.get(address("abilities", agent.pk, "workflows")).text
    assert browser.get(address("abilities", agent.pk, "planets")).status_code == 404


def test_another_organizations_agent_has_no_pages(browser: Client) -> None:
    foreign = AgentFactory()
    server = RemoteServerFactory(organization=foreign.organization)
    for name, arguments in (("edit", ()), ("audience", ()), ("abilities", ("bots",)), ("server-tools", (server.pk,))):
        assert browser.get(address(name, foreign.pk, *arguments)).status_code == 404
    assert browser.post(address("switch-tools", foreign.pk, "bots")).status_code in (302, 404)
