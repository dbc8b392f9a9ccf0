"""What runs beside the calls: the audit's batches, threads and their connections, reads on the loop."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import psycopg
import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError, connection
from django.test import Client as PageClient
from pytest_django import Settings

from accounts.errors import Unavailable
from accounts.models import ApiKey, User
from accounts.services import keys
from mcp_gateway import hot, metrics, offload
from mcp_gateway.trail import Trail
from security import audit
from security.models import AuditEntry
from tests.factories import UserFactory
from tests.mcp_gateway import door
from tests.mcp_gateway.door import Direct, Live
from tests.mcp_gateway.test_wire import call_body
from tests.threads import at_once, until_one_waits_for_a_lock


def on_a_loop(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """What the work gives, with the loop's connections closed after it."""

    async def run() -> Any:
        try:
            return await work()
        finally:
            await hot.close()
            await asyncio.to_thread(offload.close)

    return asyncio.run(run())


def own_backend() -> int:
    """The PostgreSQL process that serves the test itself."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def cut_all_but(kept: int) -> None:
    """Cut every connection to the test's database except one; from a thread, whose own ends with it."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 10_000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid NOT IN (pg_backend_pid(), %s)",
                [kept],
            )
    finally:
        connection.close()


def test_reads_are_audited_in_batches_that_a_normal_stop_writes(transactional_db: None, settings: Settings) -> None:
    from tests.mcp_gateway import things

    settings.MCP_SERVER_RATE_PER_MINUTE = 0
    user = UserFactory()
    key = door.api_key(user)
    with door.live(door.endpoint(things.SERVER, things.registry)) as live:
        for _ in range(5):
            live.post(call_body("thing.read"), key)
    entries = AuditEntry.objects.filter(action="mcp.call", tool="thing.read", user_id=user.pk)
    assert entries.count() == 5
    assert {entry.outcome for entry in entries} == {"ok"}
    assert len({entry.request_id for entry in entries}) == 5
    assert ApiKey.objects.get(user=user).last_used_at is not None


def test_a_batch_that_cannot_be_written_waits_for_the_next(
    in_this_thread: None, db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = audit.store
    failures = [RuntimeError("the disk is full")]

    def store_at_the_second_try(entries: Any) -> None:
        if failures:
            raise failures.pop()
        store(entries)

    monkeypatch.setattr(audit, "store", store_at_the_second_try)

    def add() -> None:
        trail = Trail()
        async_to_sync(trail.add)(partial(audit.entry, "mcp.call", caller=None, tool="first"))
        assert AuditEntry.objects.count() == 0
        async_to_sync(trail.add)(partial(audit.entry, "mcp.call", caller=None, tool="second"))

    add()
    assert set(AuditEntry.objects.values_list("tool", flat=True)) == {"first", "second"}
    assert "the disk is full" in caplog.text


def test_a_last_use_that_cannot_be_noted_writes_no_entry_twice(
    in_this_thread: None, db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*key_ids: int) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(keys, "touch", fail)

    async def call_and_stop() -> None:
        trail = Trail()
        writing = asyncio.create_task(trail.write_batches())
        await asyncio.sleep(0)
        for _ in range(2):
            trail.used(1)
            await trail.add(partial(audit.entry, "mcp.call", caller=None, tool="read"))
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)

    async_to_sync(call_and_stop)()
    assert AuditEntry.objects.filter(tool="read").count() == 2
    assert "The last use of keys could not be written" in caplog.text


def test_quick_work_and_work_that_calls_out_have_threads_of_their_own(transactional_db: None) -> None:
    import threading

    def name() -> str:
        return threading.current_thread().name

    async def work() -> tuple[str, str]:
        return await offload.in_domain(name), await offload.in_domain(name, calls_out=True)

    quick, wide = on_a_loop(work)
    assert quick.startswith("domain-quick")
    assert wide.startswith("domain-wide")


def cut_own() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_a_thread_whose_connection_was_cut_has_a_new_one_for_the_next_call(
    transactional_db: None, settings: Settings
) -> None:
    settings.QUICK_THREADS = 1
    UserFactory()
    kept = own_backend()

    async def work() -> int:
        assert await offload.in_domain(User.objects.count) == 1
        await asyncio.to_thread(cut_all_but, kept)
        assert await offload.in_domain(User.objects.count) == 1
        with pytest.raises(OperationalError):
            await offload.in_domain(cut_own)
        return await offload.in_domain(User.objects.count)

    assert on_a_loop(work) == 1


def test_a_read_on_the_loop_survives_the_loss_of_its_connection(transactional_db: None) -> None:
    kept = own_backend()

    async def work() -> Any:
        before = await hot.row("SELECT pg_backend_pid() AS pid")
        await asyncio.to_thread(cut_all_but, kept)
        after = await hot.row("SELECT pg_backend_pid() AS pid, current_setting('TimeZone') AS zone")
        assert before is not None
        assert after is not None
        assert before["pid"] != after["pid"]
        return after["zone"]

    assert on_a_loop(work) == "UTC"


def test_reads_on_the_loop_share_few_connections_and_say_so_when_none_comes_free(
    transactional_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HOT_CONNECTIONS = 1
    monkeypatch.setattr(hot, "WAIT_SECONDS", 0.05)

    async def work() -> list[Any]:
        busy = asyncio.create_task(hot.row("SELECT pg_advisory_xact_lock(1)"))
        await asyncio.to_thread(at_once, until_one_waits_for_a_lock)
        waiting = [hot.row("SELECT 1 AS one") for _ in range(3)]
        found = await asyncio.gather(*waiting, return_exceptions=True)
        await asyncio.to_thread(other.execute, "SELECT pg_advisory_unlock(1)")
        await busy
        return [*found, await hot.row("SELECT 1 AS one")]

    with psycopg.connect(**hot.connection_parameters(), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(1)")
        *crowded, after = on_a_loop(work)
    assert [type(one) for one in crowded] == [Unavailable] * 3
    assert after == {"one": 1}


def test_a_cancelled_read_leaves_no_connection_in_an_unknown_state(transactional_db: None, settings: Settings) -> None:
    settings.HOT_CONNECTIONS = 1

    async def work() -> Any:
        await hot.row("SELECT 1")
        waiting = asyncio.create_task(hot.row("SELECT pg_advisory_xact_lock(1)"))
        await asyncio.to_thread(at_once, until_one_waits_for_a_lock)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return await hot.row("SELECT 2 AS two")

    with psycopg.connect(**hot.connection_parameters(), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(1)")
        assert on_a_loop(work) == {"two": 2}


def test_without_a_database_the_answer_is_clean_and_names_the_request(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = door.api_key(UserFactory())
    live.wait_until_it_hears()
    assert live.post(call_body("thing.read"), key).status_code == 200

    def gone(*arguments: object, **named: object) -> Any:
        raise psycopg.OperationalError("could not connect to secret-host")

    monkeypatch.setattr(hot, "rows", gone)
    answer = live.post(call_body("thing.readHot"), key)
    error = answer.json()["error"]
    assert answer.status_code == 200
    assert error["code"] == -32603
    assert error["data"] == {"code": "unavailable", "requestId": answer.headers["x-request-id"]}
    assert "secret-host" not in answer.text


def test_metrics_tell_calls_errors_and_latency_by_tool(direct: Direct) -> None:
    direct.call("thing.page")
    direct.call("thing.rename", newName="Taken")
    Direct(direct.served).rpc("tools/list")
    told = metrics.exposition().decode()
    assert 'mcp_tool_calls_total{outcome="ok",server="things",tool="thing.page"}' in told
    assert 'mcp_tool_errors_total{code="name_taken",server="things",tool="thing.rename"}' in told
    assert 'mcp_tool_seconds_count{server="things",tool="thing.page"}' in told
    assert 'mcp_refusals_total{code="unauthorized",server="things"}' in told


@pytest.mark.parametrize(
    ("token", "address", "shown", "status"),
    [
        ("", "127.0.0.1", "", 200),
        ("", "::1", "", 200),
        ("", "203.0.113.7", "", 403),
        ("", "", "", 403),
        ("s3cret", "127.0.0.1", "", 403),
        ("s3cret", "203.0.113.7", "Bearer wrong", 403),
        ("s3cret", "203.0.113.7", "Bearer s3cret", 200),
    ],
)
def test_metrics_are_for_this_machine_or_for_whoever_shows_the_token(
    settings: Settings, token: str, address: str, shown: str, status: int
) -> None:
    settings.METRICS_TOKEN = token
    answer = PageClient().get("/metrics", REMOTE_ADDR=address, headers={"Authorization": shown})
    assert answer.status_code == status
