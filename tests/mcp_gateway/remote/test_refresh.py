"""A connection is refreshed before it expires; how it ends is what the provider said."""

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core import mail
from django.db.models.functions import Now
from pytest_django import Settings

from mcp_gateway.models import ClientMode, RemoteClient, RemoteConnection
from mcp_gateway.remote import leases, lifetimes, notices, redemption, settling
from mcp_gateway.remote.oauth.tokens import TokenAnswer
from mcp_gateway.remote.refresh import Outcome, refresh
from security.models import AuditEntry
from tests.fakes.identity_provider import IdentityProvider
from tests.mcp_gateway.remote.expiries import due_connection, make_due, seconds_until_due

pytestmark = pytest.mark.usefixtures("db", "in_this_thread")


def redeemed(lease: leases.Lease) -> Outcome:
    return async_to_sync(redemption.redeem)(lease)


def fault_entries() -> int:
    return AuditEntry.objects.filter(action="remote_server.fault").count()


def test_a_due_connection_gets_new_tokens_in_time(provider: IdentityProvider) -> None:
    connection = due_connection(provider, scope="read", attempts=3)
    before = connection.access_token, connection.refresh_token
    assert refresh(connection.pk) is Outcome.RENEWED
    connection.refresh_from_db()
    assert connection.generation == 2
    assert connection.access_token != before[0]
    assert provider.takes(connection.refresh_token or "")
    assert not provider.takes(before[1] or "")
    assert (connection.scope, connection.attempts) == ("read", 0)
    assert (connection.lease_until, connection.lease_holder) == (None, None)
    assert 0.9 * 2_880 - 5 < seconds_until_due(connection) <= 2_880, "an hour, less a fifth, less the jitter"
    assert refresh(connection.pk) is Outcome.NOT_DUE
    assert provider.requests == 1


@pytest.mark.parametrize(
    ("lifetime", "latest"), [(60, 30), (600, 300), (1_200, 900), (3_600, 2_880), (86_400, 69_120), (None, 69_120)]
)
def test_a_token_is_refreshed_five_minutes_or_a_fifth_before_its_end(lifetime: int | None, latest: float) -> None:
    drawn = [lifetimes.until_due(lifetime) for _ in range(200)]
    assert 0.9 * latest <= min(drawn) < max(drawn) <= latest


def test_a_connection_that_is_not_due_is_left_alone(provider: IdentityProvider) -> None:
    connection = due_connection(provider)
    RemoteConnection.objects.update(refresh_due_at=Now() + timedelta(seconds=60))
    assert refresh(connection.pk) is Outcome.NOT_DUE
    assert provider.requests == 0


def test_a_provider_that_does_not_say_when_is_asked_once_a_day(provider: IdentityProvider) -> None:
    provider.lifetime = None
    connection = due_connection(provider)
    refresh(connection.pk)
    connection.refresh_from_db()
    assert connection.expires_at is None
    assert 60_000 < seconds_until_due(connection) < 70_000


def test_a_refresh_token_that_does_not_rotate_is_kept(provider: IdentityProvider) -> None:
    provider.grace, provider.members = None, {"scope": ["read", "write"], "refresh_token": ""}
    connection = due_connection(provider)
    token = connection.refresh_token
    for _ in range(2):
        make_due(connection)
        assert refresh(connection.pk) is Outcome.RENEWED
    connection.refresh_from_db()
    assert (connection.refresh_token, connection.scope, connection.generation) == (token, "read write", 3)


def test_a_sign_in_without_a_refresh_token_ends_when_it_expires(provider: IdentityProvider) -> None:
    connection = due_connection(provider, refresh_token=None)
    assert refresh(connection.pk) is Outcome.ENDED
    connection.refresh_from_db()
    assert connection.error_code == "no_refresh_token"
    assert "Connect again" in connection.error
    assert provider.requests == 0


def test_a_revoked_sign_in_ends_the_connection_and_its_owner_is_told_once(provider: IdentityProvider) -> None:
    connection = due_connection(provider)
    provider.revoke(connection.refresh_token or "")
    assert refresh(connection.pk) is Outcome.ENDED
    connection.refresh_from_db()
    assert (connection.status, connection.error_code) == ("error", "invalid_grant")
    assert connection.refresh_due_at is None
    assert [notices.tell_owners(), notices.tell_owners()] == [1, 0]
    [letter] = mail.outbox
    assert letter.to == [connection.user.email]
    assert connection.server.name in letter.subject
    assert connection.error in letter.body
    assert leases.claim_due() == []
    entry = AuditEntry.objects.get(action="remote_connection.failed")
    assert (entry.user_id, entry.error_code) == (connection.user_id, "invalid_grant")


def test_a_mail_that_could_not_be_sent_is_sent_later(
    provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = due_connection(provider)
    provider.revoke(connection.refresh_token or "")
    refresh(connection.pk)
    with monkeypatch.context() as broken:

        def refuse(*_: Any) -> None:
            raise ConnectionRefusedError

        broken.setattr(notices, "send_mail", refuse)
        assert notices.tell_owners() == 0
    assert notices.tell_owners() == 1


def test_connecting_again_means_being_told_again_should_it_end_again(provider: IdentityProvider) -> None:
    connection = due_connection(provider)
    for number in (1, 2):
        connection.refresh_from_db()
        provider.revoke(connection.refresh_token or "")
        make_due(connection)
        assert refresh(connection.pk) is Outcome.ENDED
        notices.tell_owners()
        assert len(mail.outbox) == number
        connection.refresh_from_db()
        answer = TokenAnswer("again", provider.signed_in(), 3600)
        assert settling.store(connection, answer, connection.generation)
        connection.refresh_from_db()
        assert (connection.status, connection.error, connection.owner_told_at) == ("connected", "", None)


def test_a_refusal_is_no_matter_where_somebody_has_stored_newer_tokens(provider: IdentityProvider) -> None:
    connection = due_connection(provider)
    provider.revoke(connection.refresh_token or "")
    lease = leases.take(connection.pk)
    assert lease is not None
    newer = TokenAnswer("newer", provider.signed_in(), 3600)
    assert settling.store(connection, newer, connection.generation)
    assert redeemed(lease) is Outcome.SUPERSEDED
    connection.refresh_from_db()
    assert (connection.status, connection.access_token, connection.generation) == ("connected", "newer", 2)


def test_a_refusal_is_no_matter_where_somebody_else_has_taken_over(provider: IdentityProvider) -> None:
    connection = due_connection(provider)
    lease = leases.take(connection.pk)
    assert lease is not None
    RemoteConnection.objects.update(lease_until=Now())
    theirs = leases.take(connection.pk)
    assert theirs is not None
    provider.fail(400, {"error": "invalid_grant"})
    assert redeemed(lease) is Outcome.SUPERSEDED
    assert redeemed(theirs) is Outcome.RENEWED


def test_an_answer_that_comes_after_a_newer_one_was_stored_is_dropped(provider: IdentityProvider) -> None:
    connection = due_connection(provider)
    assert settling.store(connection, TokenAnswer("newer"), connection.generation)
    assert not settling.store(connection, TokenAnswer("late"), connection.generation)
    connection.refresh_from_db()
    assert connection.access_token == "newer"


def test_tokens_for_somebody_who_has_disconnected_meanwhile_are_revoked(provider: IdentityProvider) -> None:
    connection = due_connection(provider)
    lease = leases.take(connection.pk)
    assert lease is not None
    connection.delete()
    assert redeemed(lease) is Outcome.GONE
    assert provider.redeemed.total() == 1
    assert not provider.takes(provider.latest(connection.refresh_token or ""))


def test_an_unknown_client_is_the_servers_fault_until_an_admin_mends_it(provider: IdentityProvider) -> None:
    provider.client_secret = "changed"
    connection = due_connection(provider)
    server = connection.server
    server.client_secret = "stale"
    server.save()
    other = due_connection(provider, server=server)
    for each in (connection, other):
        assert refresh(each.pk) is Outcome.POSTPONED
        each.refresh_from_db()
        assert (each.status, each.error_code) == ("connected", "")
    server.refresh_from_db()
    assert server.fault_code == "invalid_client"
    assert "client secret" in server.fault
    assert fault_entries() == 1
    server.client_secret = "changed"
    server.save()
    assert settling.try_again_soon(server.pk) == 2
    assert [refresh(each.pk) for each in (connection, other)] == [Outcome.RENEWED] * 2
    server.refresh_from_db()
    assert (server.fault_code, server.fault) == ("", "")


def test_people_are_not_to_blame_for_their_server_however_often_it_fails(
    provider: IdentityProvider, settings: Settings
) -> None:
    settings.MCP_REMOTE_REFRESH_ATTEMPTS = 1
    provider.client_secret = "changed"
    connection = due_connection(provider)
    provider.client_secret = "changed again"
    for _ in range(3):
        make_due(connection)
        refresh(connection.pk)
    connection.refresh_from_db()
    assert connection.status == "connected"


def test_a_registered_client_that_was_forgotten_is_registered_anew_by_connecting(provider: IdentityProvider) -> None:
    connection = due_connection(provider)
    server = connection.server
    server.client_mode, server.client_id = ClientMode.DYNAMIC, ""
    server.save()
    for issuer in (provider.url, "https://another.example.com"):
        registration = f'{{"client_id": "{provider.client_id}"}}'
        RemoteClient.objects.create(server=server, issuer=issuer, registration=registration)
    provider.fail(401, {"error": "invalid_client"})
    assert refresh(connection.pk) is Outcome.ENDED
    assert RemoteClient.objects.get().issuer == "https://another.example.com"
    assert fault_entries() == 0
