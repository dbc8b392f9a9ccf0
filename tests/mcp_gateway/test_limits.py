"""The limit is exact: in one process by itself, over many through Redis."""

import asyncio
import multiprocessing
from multiprocessing.synchronize import Barrier as BarrierType
from types import SimpleNamespace

import pytest

from mcp_gateway import limits
from mcp_gateway.limits import MemoryLimit, NoLimit, RedisLimit, request_limit

PROCESSES, TRIES, MOST = 8, 20, 60


def _try(url: str, barrier: BarrierType, passed: "multiprocessing.Queue[int]") -> None:
    # One that waits long for its turn on the processor would take Redis for gone.
    limits.REDIS_SECONDS = 60.0

    async def tries() -> int:
        limit = RedisLimit(MOST, url, "attack")
        barrier.wait(300)
        return (await _hits(limit, "203.0.113.7", TRIES)).count(None)

    passed.put(asyncio.run(tries()))


@pytest.mark.faults
def test_of_160_requests_in_8_processes_exactly_60_pass(redis_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, passed = context.Barrier(PROCESSES), context.Queue()
    processes = [context.Process(target=_try, args=(redis_url, barrier, passed)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    counts = [passed.get(timeout=330) for _ in processes]
    for process in processes:
        process.join(30)
    assert sum(counts) == MOST


async def _hits(limit: limits.RequestLimit, address: str, count: int) -> list[float | None]:
    try:
        return [await limit.hit(address) for _ in range(count)]
    finally:
        await limit.close()


def test_addresses_are_counted_each_by_itself() -> None:
    limit = MemoryLimit(2)
    assert asyncio.run(_hits(limit, "a", 3))[:2] == [None, None]
    assert asyncio.run(_hits(limit, "b", 1)) == [None]


@pytest.mark.parametrize("kind", ["memory", "redis"])
def test_a_refusal_tells_the_seconds_until_the_first_request_leaves_the_window(
    kind: str, request: pytest.FixtureRequest
) -> None:
    async def last() -> float | None:
        limit = MemoryLimit(3) if kind == "memory" else RedisLimit(3, request.getfixturevalue("redis_url"), "wait")
        return (await _hits(limit, "a", 4))[-1]

    wait = asyncio.run(last())
    assert wait is not None
    assert 30 < wait <= 60


def test_a_request_passes_again_when_the_window_has_moved_on(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: now[0]))
    limit = MemoryLimit(2)
    assert asyncio.run(_hits(limit, "a", 3)) == [None, None, 60.0]
    now[0] += 59.9
    assert asyncio.run(_hits(limit, "a", 1))[0] == pytest.approx(0.1)
    now[0] += 0.2
    assert asyncio.run(_hits(limit, "a", 3))[:2] == [None, None]


def test_a_flood_of_addresses_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_ADDRESSES", 10)
    limit = MemoryLimit(1)

    async def flood() -> None:
        for number in range(100):
            await limit.hit(str(number))

    asyncio.run(flood())
    assert len(limit) == 10


def test_while_redis_is_away_each_process_counts_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    async def hits() -> list[float | None]:
        return await _hits(RedisLimit(2, "redis://127.0.0.1:1/0", "away"), "a", 3)

    assert asyncio.run(hits())[:2] == [None, None]
    assert "Redis does not answer" in caplog.text


def test_zero_stands_for_no_limit() -> None:
    assert isinstance(request_limit(0, "", "x"), NoLimit)
