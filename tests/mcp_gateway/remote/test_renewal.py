"""A call whose token was refused has it refreshed once and goes on, whoever else is at it at the same moment."""

import asyncio
from collections.abc import Coroutine, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from asgiref.sync import async_to_sync
from django.db.models.functions import Now

from mcp_gateway import offload
from mcp_gateway.models import RemoteConnection
from mcp_gateway.remote import leases, refresh
from mcp_gateway.remote.problems import Code, RemoteError
from mcp_gateway.remote.targets import Credential
from tests.factories import RemoteConnectionFactory
from tests.fakes.identity_provider import IdentityProvider
from tests.mcp_gateway.remote.expiries import due_connection, make_due
from tests.threads import meanwhile

T = TypeVar("T")


@pytest.fixture
def connection(db: None, provider: IdentityProvider) -> RemoteConnection:
    """One that is not due for long."""
    made = due_connection(provider)
    RemoteConnection.objects.update(refresh_due_at=Now() + timedelta(hours=1), expires_at=Now() + timedelta(hours=2))
    return made


@pytest.fixture
def pools(transactional_db: None) -> Iterator[None]:
    """The domain runs in its own threads, as it does in the web process."""
    yield
    offload.close()


def renewed(connection: RemoteConnection, generation: int = 1) -> Credential:
    return async_to_sync(refresh.renew)(connection.pk, generation)


def refused(connection: RemoteConnection, generation: int = 1) -> RemoteError:
    with pytest.raises(RemoteError) as raised:
        renewed(connection, generation)
    return raised.value


@pytest.mark.usefixtures("in_this_thread")
class TestOneCall:
    def test_gets_a_new_token(self, connection: RemoteConnection, provider: IdentityProvider) -> None:
        found = renewed(connection)
        connection.refresh_from_db()
        assert found.headers == {"Authorization": f"Bearer {connection.access_token}"}
        assert (found.connection_id, found.generation) == (connection.pk, 2)
        assert provider.requests == 1

    def test_gets_the_newer_token_that_is_stored_already(
        self, connection: RemoteConnection, provider: IdentityProvider
    ) -> None:
        first = renewed(connection)
        assert renewed(connection) == first
        assert provider.requests == 1

    def test_is_told_to_connect_again_where_the_sign_in_was_revoked(
        self, connection: RemoteConnection, provider: IdentityProvider
    ) -> None:
        provider.revoke(connection.refresh_token or "")
        for _ in range(2):
            error = refused(connection)
            assert error.code is Code.CONNECTION_ERROR
            assert "Connect again" in error.message
        assert provider.requests == 1
        connection.refresh_from_db()
        assert connection.status == "error"

    def test_is_told_when_it_may_work_where_the_provider_is_away_and_does_not_ask_before(
        self, connection: RemoteConnection, provider: IdentityProvider
    ) -> None:
        provider.fail(503, "", Retry_After="60")
        for _ in range(2):
            error = refused(connection)
            assert error.code is Code.UNREACHABLE
            assert 55 < (error.retry_after or 0) < 70
        assert provider.requests == 1
        make_due(connection)
        assert renewed(connection).generation == 2

    def test_is_told_of_the_servers_fault(self, connection: RemoteConnection, provider: IdentityProvider) -> None:
        provider.fail(401, {"error": "invalid_client"})
        error = refused(connection)
        connection.server.refresh_from_db()
        assert (error.code, error.message) == (Code.CONNECTION_ERROR, connection.server.fault)

    def test_of_somebody_who_disconnected_is_told_so(self, connection: RemoteConnection) -> None:
        gone = RemoteConnection(pk=connection.pk)
        connection.delete()
        assert refused(gone).code is Code.NOT_CONNECTED

    def test_to_a_server_that_refuses_every_token_gives_up_for_a_while(
        self, connection: RemoteConnection, provider: IdentityProvider
    ) -> None:
        for generation in range(1, 11):
            assert renewed(connection, generation).generation == generation + 1
        error = refused(connection, 11)
        assert error.code is Code.UNAUTHORIZED
        assert provider.requests == 10
        assert leases.claim_due() == [], "the background leaves it alone too"

    def test_keeps_the_scope_it_was_refused_for(self, connection: RemoteConnection) -> None:
        for scope in ("files.write files.read", "files.read mail.send", "mail.send"):
            async_to_sync(refresh.scope_refused)(connection.pk, scope)
        connection.refresh_from_db()
        assert connection.wanted_scope == "files.write files.read mail.send"


async def within_reason(work: Coroutine[Any, Any, T]) -> T:
    async with asyncio.timeout(60):
        return await work


def test_twenty_calls_at_once_redeem_once(pools: None, provider: IdentityProvider) -> None:
    connection = due_connection(provider)

    async def calls() -> list[Credential]:
        return await asyncio.gather(*(refresh.renew(connection.pk, 1) for _ in range(20)))

    found = asyncio.run(within_reason(calls()))
    assert {each.generation for each in found} == {2}
    assert provider.redeemed.total() == 1
    assert not provider.refused


def test_a_call_waits_for_the_worker_that_is_at_it(
    pools: None, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = due_connection(provider)

    def look(*which: int) -> Any:
        found = looked(*which)
        if found is None:
            provider.let_go()
        return found

    looked = refresh._credential_or_lease
    monkeypatch.setattr(refresh, "_credential_or_lease", look)
    with provider.holding(), meanwhile(lambda: refresh.refresh(connection.pk)) as outcomes:
        provider.wait_until_held(1)
        found = asyncio.run(within_reason(refresh.renew(connection.pk, 1)))
    assert (found.generation, outcomes) == (2, [refresh.Outcome.RENEWED])
    assert provider.redeemed.total() == 1


def test_a_call_that_goes_away_does_not_take_the_answer_along(pools: None, provider: IdentityProvider) -> None:
    connection = due_connection(provider)

    async def call_and_leave() -> None:
        with provider.holding():
            call = asyncio.create_task(refresh.renew(connection.pk, 1))
            await asyncio.to_thread(provider.wait_until_held, 1)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
        await refresh.finish()

    asyncio.run(within_reason(call_and_leave()))
    connection.refresh_from_db()
    assert connection.generation == 2
    assert provider.takes(connection.refresh_token or "")


def test_two_people_never_get_each_others_token(pools: None, provider: IdentityProvider) -> None:
    connections = [due_connection(provider) for _ in range(4)]
    RemoteConnectionFactory(server=connections[0].server)

    async def calls() -> list[Credential]:
        return await asyncio.gather(*(refresh.renew(each.pk, 1) for each in connections for _ in range(3)))

    for found in asyncio.run(within_reason(calls())):
        stored = RemoteConnection.objects.get(pk=found.connection_id or 0)
        assert found.headers["Authorization"] == f"Bearer {stored.access_token}"
    assert provider.redeemed.total() == 4
