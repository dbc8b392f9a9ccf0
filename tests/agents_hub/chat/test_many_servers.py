"""A hundred servers of thirty tools each, as an answer meets them."""

import json

import pytest
from pytest_django import Settings

from accounts.models import Role
from agents_hub.chat.searching import NAME
from agents_hub.models import ToolUse, TurnEvent, TurnStatus
from agents_hub.services.agent_servers import MOST_SERVERS, change_servers
from mcp_gateway.models import AuthType, RemoteServer
from mcp_gateway.remote import toolbox
from tests.agents_hub.chat.talks import Talk, offered, remote_name
from tests.factories import MembershipFactory, RemoteServerFactory, caller_for
from tests.fakes.mcp_server import McpServer, never
from tests.fakes.model_provider import ModelProvider, Reply

pytestmark = pytest.mark.django_db
TOOLS = 30
THINGS = ["contact", "deal", "invoice", "ticket", "page", "file"]


def desks(talk: Talk, server: McpServer, count: int) -> list[RemoteServer]:
    """Servers at one address, told apart by a header, which an admin has given the agent."""
    made: list[RemoteServer] = [
        RemoteServerFactory(
            organization=talk.agent.organization,
            name=f"Desk {number}",
            slug=f"desk-{number}",
            url=server.url,
            auth_type=AuthType.API_KEY,
            headers=json.dumps({"X-Desk": str(number)}),
        )
        for number in range(1, count + 1)
    ]
    admin = caller_for(MembershipFactory(organization=talk.agent.organization, role=Role.ADMIN).user)
    change_servers(admin, agent_id=talk.agent.pk, add=[one.pk for one in made], remove=[])
    return made


@pytest.mark.parametrize("count", [5, pytest.param(100, marks=pytest.mark.faults)])
def test_of_the_tools_of_many_servers_the_one_that_is_needed_is_searched_and_called(
    talk: Talk,
    model: ModelProvider,
    hostile: McpServer,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    count: int,
) -> None:
    assert count <= MOST_SERVERS
    # The servers are in this very process and take turns with it.
    settings.MCP_REMOTE_CONNECT_SECONDS = 300
    at_once = min(toolbox.AT_ONCE, count // 2)
    monkeypatch.setattr(toolbox, "AT_ONCE", at_once)
    for number in range(TOOLS):
        thing = THINGS[number % len(THINGS)]
        hostile.tools.add_tool(lambda: "Done.", name=f"{thing}_{number}", description=f"Does something with a {thing}.")
    made = desks(talk, hostile, count)
    wanted = remote_name(made[3], "invoice_8")
    search = Reply(pieces=(), calls=((NAME, json.dumps({"query": "invoice_8 of Desk 4"})),))
    model.answers += [search, Reply(pieces=(), calls=((wanted, "{}"),)), Reply()]
    turn = talk.say()
    assert (turn.status, turn.answer.text) == (TurnStatus.COMPLETED, "Hello there.")
    assert TurnEvent.objects.get(turn=turn, kind="tools").body == {"count": count * TOOLS, "searched": True}
    assert offered(model, 0) == [NAME]
    assert wanted in offered(model, 1)
    assert len(offered(model, 1)) < 10
    # What the model is sent is a few definitions, and not hundreds.
    assert len(json.dumps(model.seen[1].body)) < 20_000
    assert turn.tool_uses.get(name=wanted).status == ToolUse.Status.DONE
    (call,) = hostile.asked("tools/call")
    assert (call.rpc["params"]["name"], call.headers["x-desk"]) == ("invoice_8", "4")
    # Some that have answered may still be ending.
    assert hostile.most_under_way <= 2 * at_once
    assert len(hostile.asked("tools/list")) == count


def test_no_more_than_a_few_of_many_servers_are_connected_to_at_once_and_none_stays_open(
    talk: Talk, model: ModelProvider, hostile: McpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolbox, "AT_ONCE", 3)
    hostile.older = True
    hostile.tools.add_tool(lambda: "Done.", name="print", description="Prints.")
    made = desks(talk, hostile, 8)
    call = Reply(pieces=(), calls=((remote_name(made[5], "print"), "{}"),))
    model.answers += [call, Reply()]
    turn = talk.say()
    assert turn.tool_uses.get().status == ToolUse.Status.DONE
    # An older server's session is a stream that stands; each was ended before another began, and one begun again.
    assert hostile.most_under_way <= 2 * 3
    ended = [seen for seen in hostile.seen if seen.http == "DELETE"]
    assert len(hostile.asked("initialize")) == len(ended) == 9


def test_servers_that_hang_hold_an_answer_up_once_however_many_they_are(
    talk: Talk, model: ModelProvider, hostile: McpServer, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(toolbox, "AT_ONCE", 2)
    settings.MCP_REMOTE_CONNECT_SECONDS = 0.3
    desks(talk, hostile, 8)
    hostile.by_method["server/discover"] = never
    turn = talk.say()
    messages = [event.body["message"] for event in TurnEvent.objects.filter(turn=turn, kind="problem")]
    assert len(messages) == 8
    assert any("took all of the time" in message for message in messages)
