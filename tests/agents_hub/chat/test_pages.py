"""The chat's pages: a person's own conversations, shown with all that happened in them, and nobody else's."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertMaxNumQueries

from accounts.models import Membership, Organization, Role
from agents_hub.models import Agent, Audience, Conversation, Inquiry, Message, Stage, ToolUse, Turn, TurnEvent, TurnStatus
from agents_hub.services import turns
from mcp_gateway.models import AuthType
from tests.agents_hub.chat.talks import Talk, remote_name
from tests.agents_hub.chat.test_turns import asking_first, begun, calling
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import MembershipFactory, RemoteConnectionFactory, RemoteServerFactory
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import Fault, ModelProvider, Reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(talk: Talk) -> Client:
    """The browser of the one who talks."""
    return browser_of(talk.caller.user_id)


def browser_of(user_id: int) -> Client:
    from accounts.models import User

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
