"""A refresh that fails loses nothing: it is tried again, later and later, and shown once it has failed for long."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models.functions import Now
from pytest_django import Settings

from mcp_gateway.models import RemoteConnection, RemoteIssuer
from mcp_gateway.remote import lifetimes, notices, redemption, settling
from mcp_gateway.remote.refresh import Outcome, refresh
from security.models import AuditEntry
from tests.fakes.identity_provider import IdentityProvider
from tests.mcp_gateway.remote.expiries import due_connection, make_due, seconds_until_due

pytestmark = pytest.mark.usefixtures("db", "in_this_thread")

FAILURES: dict[str, tuple[int, Any]] = {
    "a page of a proxy": (502, "<h1>Bad gateway</h1>"),
    "JSON of a proxy": (503, {"message": "no healthy upstream"}),
    "a page in place of tokens": (200, "<h1>We are improving things</h1>"),
    "a page with a refusal": (403, "<h1>Are you a robot?</h1>"),
    "an answer without a token": (200, {"ok": True}),
    "too many requests": (429, ""),
    "a refusal of its own invention": (400, {"error": "mercury_in_retrograde"}),
    "a passing refusal": (400, {"error": "temporarily_unavailable"}),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_nothing_is_lost_by(failure: str, provider: IdentityProvider) -> None:
    connection = due_connection(provider)
    token = connection.refresh_token
    provider.fail(*FAILURES[failure])
    assert refresh(connection.pk) is Outcome.POSTPONED
    connection.refresh_from_db()
    assert (connection.status, connection.attempts, connection.refresh_token) == ("connected", 1, token)
    assert connection.lease_until is None
    assert seconds_until_due(connection) <= 5
    make_due(connection)
    assert refresh(connection.pk) is Outcome.RENEWED


def test_nothing_is_lost_by_a_provider_that_is_not_there(provider: IdentityProvider) -> None:
    connection = due_connection(provider)
    gone = IdentityProvider("http://127.0.0.1:1")
    connection.provider = json.dumps(gone.provider())
    connection.save()
    assert refresh(connection.pk) is Outcome.POSTPONED
    assert RemoteIssuer.objects.get().failures == 1


def test_pauses_grow_with_full_jitter_up_to_an_hour() -> None:
    drawn = {attempts: [lifetimes.pause(attempts) for _ in range(500)] for attempts in (1, 4, 30)}
    for attempts, longest in {1: 5, 4: 40, 30: 3600}.items():
        assert min(drawn[attempts]) < 0.1 * longest
        assert 0.9 * longest < max(drawn[attempts]) <= longest


def test_a_retry_after_is_honoured_for_the_connection_and_for_its_issuer(provider: IdentityProvider) -> None:
    connection, other = due_connection(provider), due_connection(provider)
    provider.fail(429, "", Retry_After="120")
    assert refresh(connection.pk) is Outcome.POSTPONED
    assert 119 < seconds_until_due(connection) < 133
    assert refresh(other.pk) is Outcome.POSTPONED
    assert seconds_until_due(other) > 119
    assert provider.requests == 1


def test_a_connection_is_flagged_only_once_expired_and_tried_often_and_recovers(
    provider: IdentityProvider, settings: Settings
) -> None:
    settings.MCP_REMOTE_REFRESH_ATTEMPTS = 3
    connection = due_connection(provider)
    provider.fail(500, times=7)
    for _ in range(4):
        make_due(connection)
        RemoteConnection.objects.update(expires_at=Now() + timedelta(seconds=60))
        refresh(connection.pk)
    connection.refresh_from_db()
    assert (connection.status, connection.attempts) == ("connected", 4), "its token still works"
    RemoteConnection.objects.update(attempts=0)
    for expected in ("connected", "connected", "error"):
        make_due(connection)
        refresh(connection.pk)
        connection.refresh_from_db()
        assert connection.status == expected
    assert connection.error_code == "provider_unavailable"
    assert notices.tell_owners() == 0, "there is nothing its owner could do"
    make_due(connection)
    assert refresh(connection.pk) is Outcome.RENEWED
    connection.refresh_from_db()
    assert (connection.status, connection.error) == ("connected", "")
    assert AuditEntry.objects.filter(action="remote_connection.recovered").count() == 1


def test_what_a_provider_keeps_refusing_without_a_known_reason_ends(
    provider: IdentityProvider, settings: Settings
) -> None:
    settings.MCP_REMOTE_REFRESH_ATTEMPTS = 2
    connection = due_connection(provider)
    provider.fail(400, {"error": "invalid_scope"}, times=2)
    for _ in range(2):
        make_due(connection)
        refresh(connection.pk)
    connection.refresh_from_db()
    assert (connection.status, connection.error_code, connection.refresh_due_at) == ("error", "invalid_scope", None)
    assert notices.tell_owners() == 1


def test_tokens_wait_for_a_database_that_is_away(provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = due_connection(provider)
    away = iter([OperationalError("away"), OperationalError("away")])

    def store_when_it_is_back(*arguments: Any) -> bool:
        for error in away:
            raise error
        return store(*arguments)

    store = settling.store
    monkeypatch.setattr(settling, "store", store_when_it_is_back)
    monkeypatch.setattr(redemption, "WRITE_PAUSES", (0, 0, 0))
    assert refresh(connection.pk) is Outcome.RENEWED
    connection.refresh_from_db()
    assert provider.takes(connection.refresh_token or "")


def test_a_connection_that_cannot_be_read_does_not_come_round_at_once(provider: IdentityProvider) -> None:
    connection = due_connection(provider)
    connection.provider = "{}"
    connection.save()
    with pytest.raises(KeyError):
        refresh(connection.pk)
    connection.refresh_from_db()
    assert (connection.attempts, connection.lease_until) == (1, None)
