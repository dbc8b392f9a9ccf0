"""Real worker processes at one provider: each expiry is redeemed once, and killing workers loses no connection.

The provider rotates strictly: a refresh token shown twice, outside of a grace, ends the connection.
"""

import threading
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from mcp_gateway.models import RemoteConnection
from tests.bots.processes import Process
from tests.fakes.identity_provider import IdentityProvider
from tests.mcp_gateway.remote.expiries import due_connection

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("transactional_db")]

WORKERS, EXPIRIES = 8, 100
SECONDS = 120

# What the clock hands out, and then everything once more: messages that came twice.
REFRESH_ALL = """
from mcp_gateway.models import RemoteConnection
from mcp_gateway.remote import leases
from mcp_gateway.remote.refresh import refresh
while due := leases.claim_due(5):
    for each in due:
        refresh(each)
for each in RemoteConnection.objects.order_by("pk").values_list("pk", flat=True):
    refresh(each)
print("done")
"""
LEASE_TAKEN_OUT = """
from django.db.models import Q
from mcp_gateway.remote import leases
leases.FREE = Q()
from mcp_gateway.models import RemoteConnection
from mcp_gateway.remote.refresh import refresh
for each in RemoteConnection.objects.order_by("pk").values_list("pk", flat=True):
    refresh(each)
print("done")
"""
# A worker and the clock in one, which asks for little at a time and hands out again what a dead one had not begun.
WORK_ON = """
import time
from mcp_gateway.remote import leases
from mcp_gateway.remote.refresh import refresh
leases.HANDED_OUT_SECONDS = 2
while True:
    for each in leases.claim_due(2):
        refresh(each)
    time.sleep(0.1)
"""


def started(running: ExitStack, count: int, code: str) -> list[Process]:
    """Processes that wait to be let go."""
    processes = [running.enter_context(Process(code)) for _ in range(count)]
    for process in processes:
        process.wait_until_ready()
    return processes


def let_go(processes: list[Process]) -> None:
    for process in processes:
        process.let_go()


def wait_until(true: Callable[[], bool]) -> None:
    tick = threading.Event()
    for _ in range(SECONDS * 10):
        if true():
            return
        tick.wait(0.1)
    raise AssertionError("it did not come about")


def all_are_well(provider: IdentityProvider) -> bool:
    return not RemoteConnection.objects.filter(generation=1).exists() and all(
        each.status == "connected" and provider.takes(each.refresh_token or "")
        for each in RemoteConnection.objects.all()
    )


def test_eight_workers_redeem_each_of_a_hundred_expiries_once(provider: IdentityProvider) -> None:
    due = [due_connection(provider) for _ in range(EXPIRIES)]
    with ExitStack() as running:
        workers = started(running, WORKERS, REFRESH_ALL)
        let_go(workers)
        assert [worker.last_line() for worker in workers] == ["done"] * WORKERS
    assert provider.redeemed == {each.refresh_token: 1 for each in due}
    assert not provider.refused
    assert set(RemoteConnection.objects.values_list("generation", flat=True)) == {2}
    assert all_are_well(provider)


def test_without_the_lease_eight_workers_redeem_twice_and_lose_connections(provider: IdentityProvider) -> None:
    """The test above would notice: its workers without the lease."""
    for _ in range(EXPIRIES // 5):
        due_connection(provider)
    with ExitStack() as running:
        workers = started(running, WORKERS, LEASE_TAKEN_OUT)
        with provider.holding():
            let_go(workers)
            provider.wait_until_held(2)
        assert [worker.last_line() for worker in workers] == ["done"] * WORKERS
    # A second redemption is what a strict provider refuses; it ends the connection with that.
    shown_twice = [token for token in provider.refused if provider.redeemed[token]]
    assert shown_twice
    assert not all_are_well(provider)


def test_workers_killed_before_their_answer_came_lose_nothing_within_the_grace(provider: IdentityProvider) -> None:
    provider.grace = 30
    due = [due_connection(provider) for _ in range(EXPIRIES)]
    with ExitStack() as running, ExitStack() as doomed:
        rescuers = started(running, 2, WORK_ON)
        workers = started(doomed, WORKERS, WORK_ON)
        with provider.holding():
            let_go(workers)
            provider.wait_until_held(WORKERS)
            doomed.close()
        let_go(rescuers)
        wait_until(lambda: all_are_well(provider))
    assert not provider.refused
    again = [each for each in due if provider.redeemed[each.refresh_token or ""] == 2]
    assert len(again) == WORKERS, "each was killed between the provider's answer and the platform's writing it down"


def test_workers_killed_at_any_moment_lose_nothing_within_the_grace(provider: IdentityProvider) -> None:
    provider.grace = 30
    for _ in range(EXPIRIES):
        due_connection(provider)
    with ExitStack() as running:
        workers = started(running, WORKERS, WORK_ON)
        let_go(workers)
        for number, worker in enumerate(workers[:-1], start=1):
            provider.wait_until_asked(number * EXPIRIES // WORKERS)
            worker.__exit__()
        wait_until(lambda: all_are_well(provider))
    assert not provider.refused
