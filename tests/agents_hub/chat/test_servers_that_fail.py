"""Servers that fail or hang where an agent uses them: that is kept, told, and holds up no answer for long."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from socket import socket

import pytest
from django.db.models import F
from django.test import Client
from pytest_django import Settings

from accounts.caller import Caller
from accounts.models import Role
from accounts.scopes import Scope
from agents_hub.models import Turn, TurnEvent, TurnStatus
from mcp_gateway.models import AuthType, ClientMode, RemoteHealth, RemoteServer, RemoteTool
from mcp_gateway.remote import discovery, health
from mcp_gateway.remote.problems import Code
from mcp_gateway.remote.services import servers, testing, trying
from mcp_gateway.remote.shapes import UpdateServer
from tests.agents_hub.chat.seeing import shown, url
from tests.agents_hub.chat.talks import Talk, offered
from tests.factories import MembershipFactory, RemoteConnectionFactory, RemoteServerFactory, caller_for
from tests.fakes.mcp_server import McpServer, status
from tests.fakes.model_provider import ModelProvider
from tests.mcp_gateway.remote.elsewhere import run
from tests.security.outbound.loopback import INSIDE, Server, serving

pytestmark = pytest.mark.django_db


@pytest.fixture
def silent() -> Iterator[Server]:
    """Something that takes connections and never says a word."""

    def wait(connection: socket, head: bytes, server: Server) -> None:
        server.closing.wait(20)

    with serving(wait, host=INSIDE) as server:
        yield server


def problems(turn: Turn) -> list[tuple[str, str]]:
    events = TurnEvent.objects.filter(turn=turn, kind="problem").order_by("number")
    return [(event.body["code"], event.body["message"]) for event in events]


def failing(server: McpServer) -> None:
    discovery.clear()
    server.by_method["tools/list"] = status(503)


def mended(server: McpServer) -> None:
    server.by_method.clear()
    server.seen.clear()


def time_passes() -> None:
    RemoteHealth.objects.update(closed_until=F("closed_until") - timedelta(hours=1))


def test_a_server_that_failed_in_an_answer_is_named_above_the_composer_until_it_answers_again(
    browser: Client, talk: Talk, model: ModelProvider, hostile: McpServer
) -> None:
    talk.give(hostile, name="Printer", slug="printer")
    failing(hostile)
    talk.say()
    for page in (shown(browser, talk), browser.get(url("begin", talk.agent.pk)).content.decode()):
        assert "<strong>Printer</strong> could not be used" in page
        assert "The server failed (503)." in page
        assert "needs to be reconnected" not in page
    mended(hostile)
    talk.say()
    assert "could not be used" not in browser.get(url("begin", talk.agent.pk)).content.decode()
    assert not RemoteHealth.objects.exists()


def test_what_a_test_found_wrong_long_ago_no_longer_holds_once_an_answer_used_the_server(
    browser: Client, talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    given = talk.give(server, name="Printer", test_code="unreachable", test_message="It does not answer.")
    assert "It does not answer." in shown(browser, talk)
    talk.say()
    assert "It does not answer." not in shown(browser, talk)
    given.refresh_from_db()
    assert (given.test_code, given.test_message) == ("", "")


def test_what_was_wrong_an_hour_ago_is_not_told_as_news(browser: Client, talk: Talk, server: McpServer) -> None:
    given = talk.give(server)
    health.failed(given.pk, Code.TIMEOUT, "It hung.")
    assert "It hung." in shown(browser, talk)
    RemoteHealth.objects.update(failed_at=F("failed_at") - health.NEWS_FOR)
    assert "It hung." not in shown(browser, talk)


def test_a_server_that_hangs_is_asked_for_a_short_time_then_not_at_all_and_then_again(
    talk: Talk, model: ModelProvider, silent: Server, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MCP_REMOTE_CONNECT_SECONDS = 0.4
    monkeypatch.setattr(health, "SHORT_SECONDS", 0.2)
    hung = RemoteServerFactory(
        organization=talk.agent.organization, url=f"http://{silent.host}:{silent.port}/mcp", auth_type=AuthType.NONE
    )
    talk.agent.agent_servers.create(server=hung)

    def said() -> str:
        turn = talk.say()
        assert turn.status == TurnStatus.COMPLETED
        ((code, message),) = problems(turn)
        assert code == "timeout"
        return message

    assert "within 0.4 seconds" in said()
    assert "within 0.2 seconds" in said()
    before = silent.connections
    left_alone = said()
    assert silent.connections == before
    assert "failed several times in a row, so it is not asked again for" in left_alone
    # The one that looks whether it is back has the whole time.
    time_passes()
    assert "within 0.4 seconds" in said()
    assert "is not asked again for" in said()
    assert RemoteHealth.objects.get().failures == 3


def test_a_server_that_is_back_is_used_again_by_itself(talk: Talk, model: ModelProvider, hostile: McpServer) -> None:
    hostile.tools.add_tool(lambda: "Done.", name="print", description="Prints.")
    talk.give(hostile)
    failing(hostile)
    for _ in range(2):
        talk.say()
    mended(hostile)
    assert problems(talk.say())
    assert not hostile.seen
    time_passes()
    assert not problems(talk.say())
    assert len(offered(model)) == 1
    assert not RemoteHealth.objects.exists()


def by_an_edit(admin: Caller, server: RemoteServer) -> None:
    servers.update_server(admin, change=UpdateServer(server_id=server.pk, name="Mended"))


def by_a_test(admin: Caller, server: RemoteServer) -> None:
    assert run(lambda: testing.test_server(admin, server_id=server.pk)).ok


def by_a_trial(admin: Caller, server: RemoteServer) -> None:
    tool = RemoteTool.objects.create(server=server, name="print", definition={}, digest="")
    assert run(lambda: trying.call_tool(admin, server_id=server.pk, tool_id=tool.pk, arguments={}))


@pytest.mark.parametrize("mend", [by_an_edit, by_a_test, by_a_trial])
def test_whoever_looks_into_a_server_need_not_wait(
    talk: Talk, model: ModelProvider, hostile: McpServer, mend: Callable[[Caller, RemoteServer], None]
) -> None:
    hostile.tools.add_tool(lambda: "Done.", name="print", description="Prints.")
    given = talk.give(hostile)
    failing(hostile)
    for _ in range(2):
        talk.say()
    mended(hostile)
    mend(caller_for(MembershipFactory(organization=given.organization, role=Role.ADMIN).user, Scope.ADMIN), given)
    assert not problems(talk.say())


def test_one_persons_refused_sign_in_says_nothing_about_the_server(
    talk: Talk, model: ModelProvider, hostile: McpServer
) -> None:
    given = talk.give(hostile)
    RemoteServer.objects.filter(pk=given.pk).update(auth_type=AuthType.OAUTH, client_mode=ClientMode.DYNAMIC)
    RemoteConnectionFactory(server=given, user_id=talk.caller.user_id)
    discovery.clear()
    hostile.by_method["tools/list"] = status(403)
    assert [code for code, _ in problems(talk.say())] == ["forbidden"]
    assert not RemoteHealth.objects.exists()


def test_a_server_deleted_meanwhile_leaves_nothing(talk: Talk, server: McpServer) -> None:
    given = talk.give(server)
    RemoteServer.objects.filter(pk=given.pk).delete()
    health.failed(given.pk, Code.TIMEOUT, "It hung.")
    health.answered(given.pk)
    assert not RemoteHealth.objects.exists()
