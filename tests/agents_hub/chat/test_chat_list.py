"""The list of conversations, and what a chat says before anything is asked."""

import re
from typing import Any

import pytest
from django.test import Client

from agents_hub.models import (
    AgentServer,
    Message,
)
from agents_hub.pages.chat import thread
from agents_hub.pages.chat.parts import parts_of
from mcp_gateway.models import AuthType, ClientMode, RemoteConnection
from tests.agents_hub.chat.seeing import shown, url
from tests.agents_hub.chat.talks import Talk, begun
from tests.agents_hub.chat.test_live import tell
from tests.agents_hub.factories import member_of
from tests.factories import RemoteConnectionFactory, RemoteServerFactory
from tests.pages import signed_in

pytestmark = pytest.mark.django_db


BANNER = "Your connection needs to be reconnected before this agent can use its tools."


def test_a_server_the_person_is_not_connected_to_is_named_before_anything_is_asked(browser: Client, talk: Talk) -> None:
    server = RemoteServerFactory(
        organization=talk.agent.organization, name="HubSpot", auth_type=AuthType.OAUTH, client_mode=ClientMode.DYNAMIC
    )
    AgentServer.objects.create(agent=talk.agent, server=server)
    page = browser.get(url("begin", talk.agent.pk)).content.decode()
    assert BANNER in page
    assert "HubSpot" in page
    RemoteConnectionFactory(server=server, user_id=talk.caller.user_id)
    assert BANNER not in browser.get(url("begin", talk.agent.pk)).content.decode()
    RemoteConnection.objects.update(status=RemoteConnection.Status.ERROR, error="The provider revoked it.")
    page = shown(browser, talk)
    assert BANNER in page
    assert "The provider revoked it." in page
    # Another person's connection changes nothing for them.
    other = signed_in(member_of(talk.agent.organization))
    assert "have not connected your account" in other.get(url("begin", talk.agent.pk)).content.decode()


def test_a_server_that_is_down_or_disabled_is_named_and_stands_in_nobodys_way(browser: Client, talk: Talk) -> None:
    down = RemoteServerFactory(
        organization=talk.agent.organization,
        name="Printer",
        test_code="unreachable",
        test_message="It does not answer.",
    )
    off = RemoteServerFactory(organization=talk.agent.organization, name="Plotter", enabled=False)
    for server in (down, off):
        AgentServer.objects.create(agent=talk.agent, server=server)
    page = shown(browser, talk)
    assert "It does not answer." in page
    assert "An admin can enable it." in page
    assert BANNER not in page
    assert 'id="send"' in page


def test_what_was_typed_is_kept_where_connecting_cannot_begin(browser: Client, talk: Talk) -> None:
    server = RemoteServerFactory(organization=talk.agent.organization, name="Printer")
    answer = browser.post(url("connect", talk.conversation.pk, server.pk), {"text": "Half a"})
    assert answer.status_code == 422
    assert "Nobody signs in to this server" in answer.content.decode()
    assert ">Half a</textarea>" in shown(browser, talk)


def test_the_list_has_pinned_ones_first_finds_words_and_shows_one_agents(browser: Client, talk: Talk) -> None:
    talk.say("The older berth")
    other = Talk.begin(talk.caller, talk.agent)
    other.say("The younger berth")

    def listed(**query: str) -> list[str]:
        page = browser.get(url("list"), query).content.decode()
        return re.findall(r'<td class="main wrap"><a href="[^"]+">([^<]+)', page)

    assert listed() == ["The younger berth", "The older berth"]
    browser.post(url("pin", talk.conversation.pk), {"pinned": "1"})
    assert listed() == ["The older berth", "The younger berth"]
    assert listed(search="younger") == ["The younger berth"]
    assert listed(agent=str(talk.agent.pk), search="nothing of the kind") == []
    browser.post(url("rename", talk.conversation.pk), {"title": "Berths"})
    assert "Berths" in listed()


def test_an_empty_list_offers_the_agents_one_can_talk_to(browser: Client, talk: Talk) -> None:
    page = browser.get(url("list")).content.decode()
    assert "No conversations yet" in page
    assert url("begin", talk.agent.pk) in page


def test_a_deleted_conversation_is_gone_with_what_was_said(browser: Client, talk: Talk) -> None:
    talk.say("To be forgotten")
    assert "2 messages" in browser.get(url("delete", talk.conversation.pk)).content.decode()
    browser.post(url("delete", talk.conversation.pk))
    assert browser.get(url("conversation", talk.conversation.pk)).status_code == 404
    assert not Message.objects.exists()


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_pinning_leads_back_to_pages_of_ours_alone(browser: Client, talk: Talk, back: str) -> None:
    answer = browser.post(url("pin", talk.conversation.pk), {"pinned": "1", "back": back})
    assert answer.headers["Location"] == url("conversation", talk.conversation.pk)


def test_news_are_given_only_where_there_are_any(browser: Client, talk: Talk) -> None:
    talk.say()
    page = shown(browser, talk)
    (news,) = re.findall(r'data-hx-get="([^"]+/news[^"]+)"', page)
    assert browser.get(news).status_code == 204
    talk.say("More")
    assert "More" in browser.get(news).content.decode()


def test_what_is_said_while_the_page_is_made_is_news(
    browser: Client, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = begun(talk)
    tell(turn, ("began", {"round": 1}))

    def overtaken(*arguments: Any) -> Any:
        found = parts_of(*arguments)
        tell(turn, ("text", {"round": 1, "text": "High at four."}))
        return found

    with monkeypatch.context() as patch:
        patch.setattr(thread, "parts_of", overtaken)
        page = shown(browser, talk)
    assert "High at four." not in page
    (news,) = re.findall(r'data-hx-get="([^"]+/news[^"]+)"', page)
    assert "High at four." in browser.get(news).content.decode()
