"""`manage.py mcp`: the same services, from a shell."""

import json
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.caller import Caller
from accounts.models import Organization, User
from mcp_gateway.models import RemoteServer, RemoteTool
from mcp_gateway.remote import refresh
from mcp_gateway.remote.targets import Credential
from tests.factories import RemoteConnectionFactory, RemoteServerFactory
from tests.fakes.mcp_server import McpServer, mcp_server
from tests.mcp_gateway.remote.elsewhere import row

pytestmark = pytest.mark.usefixtures("in_this_thread")


@pytest.fixture(scope="module")
def fake() -> Iterator[McpServer]:
    with mcp_server() as server:
        yield server


@pytest.fixture
def server(organization: Organization, fake: McpServer) -> RemoteServer:
    return row(organization, fake, name="Printer")


@pytest.fixture
def email(member: Caller) -> str:
    return User.objects.get(pk=member.user_id).email


def mcp(*words: object) -> str:
    out = StringIO()
    call_command("mcp", *map(str, words), stdout=out, stderr=out)
    return out.getvalue()


def test_servers_are_listed_with_the_persons_status(server: RemoteServer, email: str) -> None:
    RemoteServerFactory(name="Not theirs")
    RemoteServer.objects.filter(pk=server.pk).update(name="Printer\x1b[2J")
    shown = mcp("list", "--as", email)
    assert f"{server.pk}  Printer[U+001B][2J  Lantern  {server.url}" in shown
    assert shown.rstrip().endswith("0 tools  Not connected")
    assert "Not theirs" not in shown


def test_a_server_is_tested_and_its_tools_listed_and_called(server: RemoteServer, email: str) -> None:
    assert "tools discovered in" in mcp("test", server.pk, "--as", email)
    RemoteTool.objects.filter(name="number").update(ask_first=True)
    assert "echo  What was said.\n" in mcp("tools", server.pk, "--as", email)
    assert "number  A number, structured.  [asks first]\n" in mcp("tools", server.pk, "--as", email)
    answer = json.loads(mcp("call", server.pk, "echo", '{"text": "hello"}', "--as", email))
    assert answer["content"][0]["text"] == "hello"
    with pytest.raises(CommandError, match="asks before each use"):
        mcp("call", server.pk, "number", '{"value": 1}', "--as", email)
    answer = json.loads(mcp("call", server.pk, "number", '{"value": 1}', "--confirmed", "--as", email))
    assert answer["structuredContent"] == {"value": 1}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["call", "{pk}", "fail"], "The tool reported an error"),
        (["call", "{pk}", "nothing"], "has no tool nothing"),
        (["call", "{pk}", "echo", "[]"], "not a JSON object"),
        (["call", "{pk}", "echo", "{"], "not JSON"),
        (["test", "999999"], "no such server"),
        (["refresh", "{pk}"], "is not connected to Printer"),
    ],
    ids=lambda value: "",
)
def test_what_cannot_be_done_says_why(server: RemoteServer, email: str, words: list[str], said: str) -> None:
    mcp("test", server.pk, "--as", email)
    with pytest.raises(CommandError, match=said):
        mcp(*(word.format(pk=server.pk) if "pk" in word else word for word in words), "--as", email)


def test_a_connection_is_refreshed(member: Caller, email: str, monkeypatch: pytest.MonkeyPatch) -> None:
    organization = Organization.objects.for_caller(member).get()
    mine = RemoteConnectionFactory(server__organization=organization, user_id=member.user_id, generation=2)
    asked: list[tuple[int, int]] = []

    async def renew(connection_id: int, rejected_generation: int) -> Credential:
        asked.append((connection_id, rejected_generation))
        return Credential("connection")

    monkeypatch.setattr(refresh, "renew", renew)
    assert f"The connection to {mine.server.name} is refreshed" in mcp("refresh", mine.server.pk, "--as", email)
    assert asked == [(mine.pk, 2)]


def test_nobody_unknown_is_acted_for(db: None) -> None:
    with pytest.raises(CommandError, match="Nobody here"):
        mcp("list", "--as", "nobody@example.com")
