"""One worker refreshes a connection at a time, whoever else wants to, and a dead one is in nobody's way for long."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db.models import Q
from django.db.models.functions import Now

from mcp_gateway import offload, tasks
from mcp_gateway.models import RemoteConnection
from mcp_gateway.remote import leases, redemption
from mcp_gateway.remote.refresh import Outcome, refresh
from tests.fakes.identity_provider import IdentityProvider
from tests.mcp_gateway.remote.expiries import due_connection, make_due
from tests.threads import at_once, meanwhile

THREADS = 8


@pytest.fixture
def at_work(transactional_db: None) -> Iterator[None]:
    """Threads are let into the database, and give their connections back."""
    yield
    offload.close()


@pytest.fixture
def lease_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody may refresh everything at any time."""
    monkeypatch.setattr(leases, "FREE", Q())


def both(act: Any) -> list[Any]:
    return at_once(*[act] * THREADS)


def test_what_is_due_is_handed_out_once_and_again_when_nobody_began(db: None, provider: IdentityProvider) -> None:
    due = [due_connection(provider).pk for _ in range(3)]
    RemoteConnection.objects.filter(pk=due[2]).update(refresh_due_at=Now() + timedelta(seconds=60))
    assert sorted(leases.claim_due()) == due[:2]
    assert leases.claim_due() == []
    RemoteConnection.objects.update(lease_until=Now())
    assert sorted(leases.claim_due()) == due[:2]


def test_the_longest_due_are_handed_out_first(db: None, provider: IdentityProvider) -> None:
    due = [due_connection(provider).pk for _ in range(3)]
    for place, pk in enumerate(due):
        RemoteConnection.objects.filter(pk=pk).update(refresh_due_at=Now() - timedelta(seconds=place))
    assert leases.claim_due(1) == [due[2]]


def test_what_is_due_is_found_by_its_index(db: None, provider: IdentityProvider) -> None:
    due_connection(provider)
    with database.cursor() as cursor:
        # With so few rows anything else would be cheaper.
        cursor.execute("SET LOCAL enable_seqscan TO off; SET LOCAL enable_bitmapscan TO off")
        cursor.execute("EXPLAIN (COSTS OFF) " + leases._CLAIM, [60, 500])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index Scan using remote_connection_due" in plan
    assert "Sort" not in plan


def test_a_lease_keeps_others_away_until_it_ends(db: None, provider: IdentityProvider) -> None:
    connection = due_connection(provider)
    lease = leases.take(connection.pk)
    assert lease is not None
    assert leases.take(connection.pk) is None
    assert leases.take_rejected(connection.pk, connection.generation) is None
    assert leases.claim_due() == []
    RemoteConnection.objects.update(lease_until=Now())
    assert leases.claim_due() == [connection.pk]
    assert leases.take(connection.pk) is not None
    leases.extend(lease)
    assert not lease.mine().exists()


def test_a_process_that_dies_while_it_renews_leaves_the_connection_due(db: None, provider: IdentityProvider) -> None:
    connection = due_connection(provider)
    RemoteConnection.objects.update(
        refresh_due_at=Now() + timedelta(hours=1), expires_at=Now() + timedelta(hours=1), attempts=0
    )
    assert leases.take_rejected(connection.pk, connection.generation) is not None
    RemoteConnection.objects.update(lease_until=Now())
    assert leases.claim_due() == [connection.pk]


def test_a_living_worker_keeps_its_lease_while_the_provider_thinks(
    at_work: None, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redemption, "LEASE_SECONDS", 0.03)
    extended = threading.Event()

    def extend(lease: leases.Lease) -> None:
        keep(lease)
        extended.set()

    keep = leases.extend
    monkeypatch.setattr(leases, "extend", extend)
    connection = due_connection(provider)
    with provider.holding(), meanwhile(lambda: refresh(connection.pk)) as outcomes:
        provider.wait_until_held(1)
        until = RemoteConnection.objects.get().lease_until
        # The first may have been under way; the second began after the lease was looked at.
        for _ in range(2):
            extended.clear()
            assert extended.wait(timeout=60)
        now = RemoteConnection.objects.get().lease_until
        assert until is not None
        assert now is not None
        assert now > until
        provider.let_go()
    assert outcomes == [Outcome.RENEWED]


def test_eight_threads_redeem_each_of_ten_tokens_once(at_work: None, provider: IdentityProvider) -> None:
    due = [due_connection(provider) for _ in range(10)]
    at_once(*[lambda: [refresh(each.pk) for each in due]] * THREADS)
    assert provider.redeemed == {each.refresh_token: 1 for each in due}
    assert not provider.refused
    assert all(provider.takes(each.refresh_token or "") for each in RemoteConnection.objects.all())


def test_without_the_lease_a_token_is_redeemed_twice(
    at_work: None, provider: IdentityProvider, lease_taken_out: None
) -> None:
    """The test above would notice: two workers have shown one token before either has its answer."""
    provider.grace = 60
    connection = due_connection(provider)
    with provider.holding(), meanwhile(lambda: both(lambda: refresh(connection.pk))):
        provider.wait_until_held(2)
        provider.let_go()
    assert provider.redeemed[connection.refresh_token or ""] > 1


def test_a_worker_killed_after_the_answer_was_given_loses_nothing_within_the_grace(
    db: None, in_this_thread: None, provider: IdentityProvider
) -> None:
    provider.grace = 30
    connection = due_connection(provider)
    # As it is when the provider has given its answer, and whoever asked for it is dead.
    spend(provider, connection)
    assert refresh(connection.pk) is Outcome.RENEWED
    connection.refresh_from_db()
    assert provider.takes(connection.refresh_token or "")


def test_a_worker_killed_after_the_answer_was_given_ends_the_connection_where_there_is_no_grace(
    db: None, in_this_thread: None, provider: IdentityProvider
) -> None:
    connection = due_connection(provider)
    spend(provider, connection)
    assert refresh(connection.pk) is Outcome.ENDED


def test_the_clock_enqueues_what_is_due_by_its_id_alone(
    db: None, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = [due_connection(provider).pk for _ in range(2)]
    sent: list[Any] = []
    monkeypatch.setattr(tasks.refresh_connection, "apply_async", lambda arguments, **_: sent.append(arguments))
    tasks.refresh_due_connections()
    tasks.refresh_due_connections()
    assert sorted(sent) == [(pk,) for pk in due]


def test_a_message_that_comes_twice_does_nothing_the_second_time(
    db: None, in_this_thread: None, provider: IdentityProvider
) -> None:
    connection = due_connection(provider)
    tasks.refresh_connection(connection.pk)
    tasks.refresh_connection(connection.pk)
    assert provider.requests == 1
    make_due(connection)
    tasks.refresh_connection(connection.pk)
    assert provider.requests == 2


def spend(provider: IdentityProvider, connection: RemoteConnection) -> None:
    provider.redeem(connection.refresh_token or "")
