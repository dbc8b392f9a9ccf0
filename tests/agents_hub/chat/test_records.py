"""The record of an answer: what was sent to models and came of it, without secrets, and within bounds."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Role
from agents_hub.chat.record import MOST_DEFINITIONS, MOST_TEXT, MOST_TURNS, Recorded
from llm.turns import Question, Said, ToolSpec
from mcp_gateway.remote import discovery
from security.identifiers import uuid7
from tests.agents_hub.chat.seeing import url
from tests.agents_hub.chat.talks import Talk, remote_name
from tests.factories import MembershipFactory
from tests.fakes.mcp_server import McpServer, mcp_server
from tests.fakes.model_provider import ModelProvider, Reply
from tests.pages import signed_in

pytestmark = pytest.mark.django_db
SECRETS = {
    "cookie": "a=correct; b=horse",
    "session_id": "correct",
    "private_key": "correct horse",
    "authorization": "Digest correct",
    "otp": "correct",
    "credentials": {"user": "correct"},
}


def leaky() -> dict[str, Any]:
    """Secrets by name, and one that lies where a long text is cut."""
    return {**SECRETS, "padding": "x" * (MOST_TEXT - 330), "secret": "correct " * 40}


def leaky_text() -> str:
    return json.dumps(leaky())


@pytest.mark.parametrize("given", [leaky, leaky_text])
def test_secrets_that_a_tool_returned_are_not_in_the_record(
    talk: Talk, model: ModelProvider, given: Callable[[], Any]
) -> None:
    discovery.clear()
    with mcp_server(tools=False) as server:
        server.tools.add_tool(given, name="given", description="Returns.")
        name = remote_name(talk.give(server), "given")
        model.answers += [Reply(pieces=(), calls=((name, json.dumps({"api_key": "correct"})),)), Reply()]
        turn = talk.say()
    admin = MembershipFactory(organization=talk.agent.organization, role=Role.ADMIN).user
    page = signed_in(admin).get(url("record", turn.pk)).content.decode()
    assert "xxxx" in page
    assert not [word for word in ("correct", "horse") if word in page]


def test_the_record_shows_tools_and_settings_as_they_were_sent(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    talk.agent.model, talk.agent.temperature = "main:gpt-4o", 0.3
    talk.agent.save()
    turn = talk.say()
    (call,) = turn.model_calls.all()
    recorded = {tool["name"]: tool for tool in call.question["tools"]}
    sent = {tool["function"]["name"]: tool["function"] for tool in model.seen[0].body["tools"]}
    assert recorded.keys() == sent.keys()
    echo = recorded[remote_name(printer, "echo")]
    assert echo["description"] == "What was said."
    assert echo["parameters"]["properties"].keys() == {"text"}
    assert call.question["settings"] == {"temperature": 0.3}
    admin = MembershipFactory(organization=talk.agent.organization, role=Role.ADMIN).user
    page = signed_in(admin).get(url("record", turn.pk)).content.decode()
    assert "What was said." in page
    assert "0.3" in page


def test_a_record_bounds_what_it_keeps_and_says_what_it_left_out() -> None:
    tools = [ToolSpec(f"tool_{number}", "d" * MOST_TEXT, {}) for number in range(20)]
    question = Question("", [Said(str(number)) for number in range(MOST_TURNS + 5)], tools)
    kept = Recorded(question, 0.0).row(uuid7()).question
    assert kept["history"][0] == {"left_out": 5}
    assert len(kept["history"]) == MOST_TURNS + 1
    assert [tool["name"] for tool in kept["tools"]] == [tool.name for tool in tools]
    assert len(json.dumps(kept)) < MOST_DEFINITIONS * 1.1
    assert "left_out" in kept["tools"][-1]
