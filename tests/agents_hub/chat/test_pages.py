"""The chat's pages: a person's own conversations, shown with all that happened in them, and nobody else's."""

import re
from html import unescape
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership, Role, User
from agents_hub.models import (
    Agent,
    AgentServer,
    Audience,
    Conversation,
    Inquiry,
    Message,
    Stage,
    ToolUse,
    Turn,
    TurnStatus,
)
from agents_hub.services import turns
from mcp_gateway.models import AuthType, ClientMode, RemoteConnection
from tests.agents_hub.chat.talks import Talk, remote_name
from tests.agents_hub.chat.test_turns import asking_first, begun, calling
from tests.agents_hub.factories import member_of
from tests.factories import MembershipFactory, RemoteConnectionFactory, RemoteServerFactory, caller_for
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import Fault, ModelProvider, Reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(talk: Talk) -> Client:
    """The browser of the one who talks."""
    return browser_of(talk.caller.user_id)


def browser_of(user_id: int) -> Client:
    browser = Client()
    browser.force_login(User.objects.get(pk=user_id))
    return browser


def url(name: str, *arguments: Any) -> str:
    return reverse(f"chat:{name}", args=arguments)


def shown(browser: Client, talk: Talk) -> str:
    return browser.get(url("conversation", talk.conversation.pk)).content.decode()


def test_a_conversation_is_begun_by_its_first_message(browser: Client, talk: Talk) -> None:
    begun_at = browser.post(url("begin", talk.agent.pk), {"text": "Which berth?"})
    made = Conversation.objects.exclude(pk=talk.conversation.pk).get()
    assert begun_at.headers["Location"] == url("conversation", made.pk)
    page = browser.get(begun_at.headers["Location"]).content.decode()
    assert "Which berth?" in page
    assert "Waiting for its turn" in page
    assert 'id="stop-answer"' in page


def test_nothing_said_is_refused_where_it_was_typed_and_begins_nothing(browser: Client, talk: Talk) -> None:
    refused = browser.post(url("begin", talk.agent.pk), {"text": "  "})
    assert refused.status_code == 422
    assert "Write what you want to ask." in refused.content.decode()
    assert Conversation.objects.count() == 1


def test_an_answer_is_shown_with_its_tools_what_they_were_given_and_gave(
    browser: Client, talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    model.answers += [calling(remote_name(printer, "echo"), text="<b>ink</b>"), Reply(pieces=("**Printed**.",))]
    talk.say("Print")
    page = shown(browser, talk)
    assert "<strong>Printed</strong>" in page
    assert printer.name in page
    assert "&lt;b&gt;ink&lt;/b&gt;" in page
    assert "<b>ink</b>" not in page
    assert ">Done</span>" in page


def test_a_longer_conversation_costs_no_more_queries(
    browser: Client, talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)

    def say() -> None:
        model.answers += [calling(remote_name(printer, "echo"), text="ink"), Reply()]
        talk.say()

    def cost() -> int:
        with CaptureQueriesContext(connection) as made:
            shown(browser, talk)
        return len(made)

    say()
    first = cost()
    say()
    say()
    assert cost() == first


def test_what_waits_for_the_person_is_asked_in_the_page_and_answered_from_it(
    browser: Client, talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = asking_first(talk, server)
    model.answers += [calling(remote_name(printer, "echo"), text="ink"), Reply(pieces=("Printed.",))]
    turn = begun(talk)
    pages: list[str] = []

    async def answer() -> None:
        inquiry = await talk.inquiry(turn)
        pages.append(await sync_to_async(shown)(browser, talk))
        sent = {"answer": f"{inquiry.pk}:once"}
        await sync_to_async(browser.post)(url("reply", talk.conversation.pk), sent)

    talk.answered(turn, answer)
    assert "Waiting for you" in pages[0]
    assert ":always" in pages[0]
    assert "ink" in pages[0]
    after = shown(browser, talk)
    assert "Allowed once" in after
    assert ":always" not in after
    assert "Printed." in after


def test_a_servers_form_is_filled_in_and_what_does_not_fit_is_said_in_its_place(
    browser: Client, talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    turn = talk.say()
    inquiry = asked(
        turn,
        Inquiry.Kind.FORM,
        schema={"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]},
    )
    Turn.objects.filter(pk=turn.pk).update(status=TurnStatus.IN_PROGRESS, ended_at=None)
    name = f"asked-{inquiry.pk.hex}-argument_0"
    assert f'name="{name}"' in shown(browser, talk)
    refused = browser.post(url("reply", talk.conversation.pk), {"answer": f"{inquiry.pk}:accept", name: "old"})
    assert refused.status_code == 422
    assert "Enter a whole number" in refused.content.decode()
    browser.post(url("reply", talk.conversation.pk), {"answer": f"{inquiry.pk}:accept", name: "7"})
    inquiry.refresh_from_db()
    assert inquiry.answer == {"action": "accept", "content": {"age": 7}}


@pytest.mark.parametrize("address", ["javascript:alert(1)", "https://bank.example@evil.example/", "file:///etc/passwd"])
def test_a_page_to_visit_whose_address_cannot_be_trusted_is_not_offered(
    browser: Client, talk: Talk, address: str
) -> None:
    turn = talk.say()
    asked(turn, Inquiry.Kind.PAGE, url=address)
    Turn.objects.filter(pk=turn.pk).update(status=TurnStatus.IN_PROGRESS, ended_at=None)
    page = shown(browser, talk)
    assert address not in page
    assert "none that can be opened safely" in page


def test_a_page_to_visit_names_its_host_and_opens_beside_the_chat(browser: Client, talk: Talk) -> None:
    turn = talk.say()
    asked(turn, Inquiry.Kind.PAGE, url="https://pay.example/now?order=1")
    Turn.objects.filter(pk=turn.pk).update(status=TurnStatus.IN_PROGRESS, ended_at=None)
    page = shown(browser, talk)
    assert (
        'href="https://pay.example/now?order=1" target="_blank" rel="noopener noreferrer nofollow">Open pay.example'
        in page
    )


def asked(turn: Turn, kind: str, **fields: Any) -> Inquiry:
    """A call under way in which the server asks something."""
    use = ToolUse.objects.create(
        turn=turn, round=1, place=1, name="x", title="Age", origin="server:1", origin_name="Printer", status="running"
    )
    made: Inquiry = Inquiry.objects.create(
        turn=turn, tool_use=use, kind=kind, asked_by="Printer", message="How old?", **fields
    )
    return made


def test_branches_are_made_by_editing_and_walked_through(browser: Client, talk: Talk, model: ModelProvider) -> None:
    first = talk.say("First")
    question = first.answer.before_id
    browser.post(url("edit", talk.conversation.pk), {"message": question, "text": "Second"})
    page = shown(browser, talk)
    assert "2/2" in page
    assert "<p>First</p>" not in page
    talk.answered(turns.turn_under_way(talk.conversation))
    browser.post(url("branch", talk.conversation.pk), {"message": question})
    page = shown(browser, talk)
    assert "1/2" in page
    assert "<p>First</p>" in page


def test_an_answer_is_given_again_beside_the_first(browser: Client, talk: Talk, model: ModelProvider) -> None:
    turn = talk.say()
    model.answers += [Reply(pieces=("Otherwise.",))]
    browser.post(url("again", talk.conversation.pk), {"message": turn.answer_id})
    talk.answered(turns.turn_under_way(talk.conversation))
    page = shown(browser, talk)
    assert "2/2" in page
    assert "Otherwise." in page


def test_while_an_answer_is_under_way_nothing_else_is_asked_and_what_was_typed_stays(
    browser: Client, talk: Talk
) -> None:
    begun(talk)
    refused = browser.post(url("say", talk.conversation.pk), {"text": "And another thing"})
    assert refused.status_code == 422
    page = refused.content.decode()
    assert "still answering" in page
    assert ">And another thing</textarea>" in page


def test_a_failed_answer_says_why_and_is_gone_on_with(browser: Client, talk: Talk, model: ModelProvider) -> None:
    model.answers += [Fault(500)] * 10
    turn = talk.say()
    page = shown(browser, talk)
    assert turn.error in unescape(page)
    assert "Try again" in page
    model.answers.clear()
    browser.post(url("retry", turn.pk))
    talk.answered(turn)
    assert "Hello there." in shown(browser, talk)


def test_stop_is_asked_for_from_the_page(browser: Client, talk: Talk) -> None:
    turn = begun(talk)
    browser.post(url("stop", turn.pk))
    page = shown(browser, talk)
    assert "You stopped the answer." in page
    assert 'id="send"' in page


# The banner

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
    other = browser_of(member_of(talk.agent.organization).pk)
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


# The list


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


# Whose it is


def doors(talk: Talk, turn: Turn, use: ToolUse, inquiry: Inquiry) -> list[tuple[str, str, dict[str, str]]]:
    conversation, answer = talk.conversation.pk, str(turn.answer_id)
    said = str(turn.answer.before_id)
    return [
        ("get", url("conversation", conversation), {}),
        ("get", url("news", conversation), {}),
        ("get", url("stream", turn.pk), {}),
        ("get", url("result", use.pk, 1), {}),
        ("get", url("rename", conversation), {}),
        ("get", url("delete", conversation), {}),
        ("post", url("say", conversation), {"text": "Mine now"}),
        ("post", url("edit", conversation), {"message": said, "text": "Mine now"}),
        ("post", url("again", conversation), {"message": answer}),
        ("post", url("branch", conversation), {"message": said}),
        ("post", url("reply", conversation), {"answer": f"{inquiry.pk}:once"}),
        ("post", url("connect", conversation, 1), {"text": "Mine now"}),
        ("post", url("rename", conversation), {"title": "Mine now"}),
        ("post", url("pin", conversation), {"pinned": "1"}),
        ("post", url("delete", conversation), {}),
        ("post", url("retry", turn.pk), {}),
        ("post", url("stop", turn.pk), {}),
    ]


@pytest.fixture
def private(talk: Talk) -> list[tuple[str, str, dict[str, str]]]:
    """Every way to a conversation in which something was said, a tool was called and something is asked."""
    turn = talk.say("A secret")
    inquiry = asked(turn, Inquiry.Kind.PERMISSION)
    ToolUse.objects.update(result={"content": [{"type": "text", "text": "a secret"}]})
    return doors(talk, turn, inquiry.tool_use, inquiry)


def test_nobody_else_reaches_a_conversation_by_any_way(
    talk: Talk, private: list[tuple[str, str, dict[str, str]]]
) -> None:
    others = [
        member_of(talk.agent.organization),
        MembershipFactory(organization=talk.agent.organization, role=Role.ADMIN).user,
        MembershipFactory().user,
    ]
    for other in others:
        browser = browser_of(other.pk)
        for method, address, sent in private:
            answer = getattr(browser, method)(address, sent)
            assert answer.status_code == 404, address
            assert "secret" not in answer.content.decode()
    assert Conversation.objects.get().title == "A secret"
    assert Turn.objects.count() == 1
    assert not Inquiry.objects.exclude(answered_at=None).exists()


def test_who_left_the_organization_reaches_their_own_no_more(
    browser: Client, talk: Talk, private: list[tuple[str, str, dict[str, str]]]
) -> None:
    Membership.objects.filter(user_id=talk.caller.user_id).delete()
    for method, address, sent in private:
        assert getattr(browser, method)(address, sent).status_code == 404, address


def test_one_thing_of_ones_own_opens_nothing_of_somebody_elses(browser: Client, talk: Talk) -> None:
    """The conversation in the address is one's own, what is named in it is not."""
    turn = talk.say()
    other = Talk.begin(caller_for(member_of(talk.agent.organization)), talk.agent)
    theirs = other.say("A secret")
    inquiry = asked(theirs, Inquiry.Kind.PERMISSION)
    Turn.objects.filter(pk=theirs.pk).update(status=TurnStatus.IN_PROGRESS, ended_at=None)
    own = talk.conversation.pk
    for name, sent in (
        ("edit", {"message": theirs.answer.before_id, "text": "Mine"}),
        ("again", {"message": theirs.answer_id}),
        ("branch", {"message": theirs.answer_id}),
        ("reply", {"answer": f"{inquiry.pk}:once"}),
        ("reply", {"answer": "nonsense"}),
    ):
        assert browser.post(url(name, own), sent).status_code == 404, name
    talk.conversation.refresh_from_db()
    assert talk.conversation.tip_id == turn.answer_id


def test_an_agent_in_development_is_not_there_for_others(talk: Talk) -> None:
    Agent.objects.update(stage=Stage.DEVELOPMENT)
    member = browser_of(member_of(talk.agent.organization).pk)
    assert member.get(url("begin", talk.agent.pk)).status_code == 404
    assert member.post(url("begin", talk.agent.pk), {"text": "Hello"}).status_code == 404
    assert talk.agent.name not in member.get(url("new")).content.decode()


def test_who_may_no_longer_talk_to_the_agent_reads_what_was_said_and_adds_nothing(browser: Client, talk: Talk) -> None:
    talk.say("Hello?")
    Agent.objects.update(audience=Audience.ADMINS)
    page = shown(browser, talk)
    assert "Hello there." in page
    assert "You may no longer talk to" in page
    assert 'id="composer"' not in page
    assert browser.post(url("say", talk.conversation.pk), {"text": "Still?"}).status_code == 404


# What tools give

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.mark.parametrize(
    ("block", "content_type", "is_kept"),
    [
        ({"type": "image", "mimeType": "image/png", "data": PIXEL}, "image/png", False),
        ({"type": "image", "mimeType": "image/svg+xml", "data": PIXEL}, "application/octet-stream", True),
        ({"type": "text", "text": "<script>alert(1)</script>"}, "application/octet-stream", True),
        (
            {"type": "resource", "resource": {"uri": "ui://x", "mimeType": "text/html", "text": "<script>"}},
            "application/octet-stream",
            True,
        ),
        (
            {"type": "resource", "resource": {"uri": "ui://x", "mimeType": "text/html", "blob": PIXEL}},
            "application/octet-stream",
            True,
        ),
    ],
)
def test_what_a_tool_gave_is_an_image_or_a_file_to_keep_and_never_runs(
    browser: Client, talk: Talk, block: dict[str, Any], content_type: str, is_kept: bool
) -> None:
    use = asked(talk.say(), Inquiry.Kind.PERMISSION).tool_use
    ToolUse.objects.update(result={"content": [block]}, status="done", ended_at=timezone.now())
    page = shown(browser, talk)
    assert "<script>alert" not in page
    answer = browser.get(url("result", use.pk, 1))
    assert answer.headers["Content-Type"] == content_type
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers.get("Content-Disposition", "").startswith("attachment") == is_kept
    assert browser.get(url("result", use.pk, 2)).status_code == 404


def test_links_that_a_tool_gives_lead_to_the_web_or_nowhere(browser: Client, talk: Talk) -> None:
    asked(talk.say(), Inquiry.Kind.PERMISSION)
    links = [
        {"type": "resource_link", "name": "It", "uri": uri} for uri in ("javascript:alert(1)", "https://web.example/a")
    ]
    ToolUse.objects.update(result={"content": links}, status="done", ended_at=timezone.now())
    page = shown(browser, talk)
    assert 'href="javascript:' not in page
    assert '<a href="https://web.example/a" target="_blank" rel="noopener noreferrer nofollow">It</a>' in page


def test_a_huge_text_of_a_tool_is_cut_in_the_page_and_whole_by_its_address(browser: Client, talk: Talk) -> None:
    use = asked(talk.say(), Inquiry.Kind.PERMISSION).tool_use
    ToolUse.objects.update(
        result={"content": [{"type": "text", "text": "x" * 500_000}]}, status="done", ended_at=timezone.now()
    )
    assert len(shown(browser, talk)) < 100_000
    assert len(browser.get(url("result", use.pk, 1)).content) == 500_000
