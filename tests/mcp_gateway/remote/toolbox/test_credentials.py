"""Each person's own credential: never shared, renewed once where it is refused, and its scope remembered."""

import asyncio
from typing import Any

import pytest
from starlette.responses import Response

from accounts.caller import Caller
from accounts.models import Organization
from mcp_gateway.models import RemoteConnection, RemoteServer
from mcp_gateway.remote import refresh, toolbox
from mcp_gateway.remote.problems import Code, RemoteError
from mcp_gateway.remote.running import running
from mcp_gateway.remote.targets import Credential
from tests.factories import MembershipFactory, RemoteConnectionFactory, RemoteServerFactory, caller_for
from tests.fakes.mcp_server import Answer, McpServer, status
from tests.mcp_gateway.remote.elsewhere import run
from tests.mcp_gateway.remote.toolbox.boxes import named, using

pytestmark = pytest.mark.usefixtures("in_this_thread")


@pytest.fixture
def signed(organization: Organization, server: McpServer) -> RemoteServer:
    made: RemoteServer = RemoteServerFactory(organization=organization, url=server.url, oauth=True, slug="signed")
    return made


def connected(server: RemoteServer, token: str) -> tuple[Caller, RemoteConnection]:
    user = MembershipFactory(organization=server.organization).user
    return caller_for(user), RemoteConnectionFactory(server=server, user=user, access_token=token)


def tokens(server: McpServer) -> list[str]:
    return [each.headers.get("authorization", "").removeprefix("Bearer ") for each in server.seen]


def refused_together(server: McpServer, count: int) -> Answer:
    """The token is refused once so many have come with it: nobody is back before that."""

    class Refused(Response):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            while len(server.asked("tools/call")) < count:
                await server.moment()
            await status(401)()(scope, receive, send)

    return Refused


def test_two_people_never_share_a_token_nor_what_it_showed(signed: RemoteServer, server: McpServer) -> None:
    (ada, _), (ben, _) = connected(signed, "of-ada"), connected(signed, "of-ben")

    async def work() -> None:
        async with running(), using(ada, signed) as adas, using(ben, signed) as bens:
            await asyncio.gather(
                *(box.call(named(signed, "echo"), {"text": str(n)}) for n in range(5) for box in (adas, bens))
            )

    run(work)
    assert [each.headers["authorization"] for each in server.asked("tools/list")] == ["Bearer of-ada", "Bearer of-ben"]
    assert sorted(tokens(server)) == ["of-ada"] * 7 + ["of-ben"] * 7


def test_a_token_that_is_refused_is_renewed_once_and_the_call_made_again(
    signed: RemoteServer, server: McpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, connection = connected(signed, "stale")
    renewed: list[tuple[int, int]] = []

    async def renew(connection_id: int, rejected_generation: int) -> Credential:
        renewed.append((connection_id, rejected_generation))
        return Credential("renewed", {"Authorization": "Bearer fresh"}, connection_id, rejected_generation + 1)

    monkeypatch.setattr(refresh, "renew", renew)

    async def work() -> list[str]:
        async with using(ada, signed) as box:
            server.answers += [refused_together(server, 3)] * 3
            results = await asyncio.gather(*(box.call(named(signed, "echo"), {"text": str(n)}) for n in range(3)))
            return [result.text for result in results]

    assert run(work) == ["0", "1", "2"]
    assert renewed == [(connection.pk, connection.generation)]
    assert tokens(server)[-3:] == ["fresh"] * 3


def test_a_fresh_token_that_is_refused_too_is_the_end_of_it(
    signed: RemoteServer, server: McpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, _ = connected(signed, "stale")

    async def renew(connection_id: int, rejected_generation: int) -> Credential:
        return Credential("renewed", {"Authorization": "Bearer fresh"}, connection_id, rejected_generation + 1)

    monkeypatch.setattr(refresh, "renew", renew)

    async def work() -> list[toolbox.Problem]:
        server.answers += [status(401)] * 9
        async with using(ada, signed) as box:
            return box.problems

    (problem,) = run(work)
    assert problem.code is Code.UNAUTHORIZED
    assert tokens(server) == ["stale", "fresh"]


def test_a_call_that_needs_a_wider_scope_has_it_remembered(
    signed: RemoteServer, server: McpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, connection = connected(signed, "narrow")
    wanted: list[tuple[int, str]] = []

    async def scope_refused(connection_id: int, scope: str) -> None:
        wanted.append((connection_id, scope))

    monkeypatch.setattr(refresh, "scope_refused", scope_refused)

    async def work() -> RemoteError:
        async with using(ada, signed) as box:
            server.answers.append(status(403, www_authenticate='Bearer error="insufficient_scope", scope="write"'))
            with pytest.raises(RemoteError) as caught:
                await box.call(named(signed, "echo"), {"text": "hello"})
            return caught.value

    assert run(work).code is Code.SCOPE_NEEDED
    assert wanted == [(connection.pk, "write")]
