"""What the platform adds to an answer of a model, how many answers one process gives at once, and what a stream takes.

The provider is on this machine, so that what it takes is known: it is asked directly and through the platform in turn.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx2
import psutil

from bench.mcp_server import LOG, ROOT, bench_database, ours, prepared_environment, served

ROUNDS = int(os.environ.get("BENCH_ANSWERS", "60"))
AT_ONCE = int(os.environ.get("BENCH_TURNS", "50"))
STREAMS = int(os.environ.get("BENCH_STREAMS", "200"))
QUICK, STEADY, LONG = "steady-20-0", "steady-20-50", "steady-4-25000"


@dataclass(frozen=True)
class Took:
    """Seconds until the first piece of text, and until the end."""

    first: float
    whole: float


class Talker:
    def __init__(self, client: httpx2.AsyncClient, provider: str, given: dict[str, Any]) -> None:
        self._client, self._provider, self._agents = client, provider, given["agents"]
        self._headers = {"Authorization": f"Bearer {given['key']}", "Accept": "text/event-stream"}

    async def directly(self, model: str) -> Took:
        body = {"model": model, "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
        return await self._timed(f"{self._provider}/chat/completions", body, {}, lambda line: '"piece' in line)

    async def through_the_platform(self, model: str) -> Took:
        body = {"agentId": self._agents[model], "message": "Hello"}
        return await self._timed("/api/chat", body, self._headers, lambda line: line == "event: text")

    async def ask(self, model: str) -> str:
        """A turn under way: its id."""
        body = {"agentId": self._agents[model], "message": "Hello"}
        headers = {**self._headers, "Accept": "application/json"}
        answer = (await self._client.post("/api/chat", json=body, headers=headers)).raise_for_status()
        turn: str = answer.json()["turnId"]
        return turn

    async def look_on(self, turn: str, opened: asyncio.Semaphore, close: asyncio.Event) -> None:
        """Hold a stream of the turn open until told."""
        async with self._client.stream("GET", f"/api/turns/{turn}/events", headers=self._headers) as response:
            response.raise_for_status()
            # It is told early how the turn stands. An answer that has ended would keep nothing open.
            status = await anext(line async for line in response.aiter_lines() if '"status"' in line)
            if "in_progress" not in status:
                raise SystemExit(f"An answer had ended before it was looked at: {status}")
            opened.release()
            await close.wait()

    async def _timed(
        self, url: str, body: dict[str, Any], headers: dict[str, str], is_first: Callable[[str], bool]
    ) -> Took:
        began, first = time.perf_counter(), 0.0
        async with self._client.stream("POST", url, json=body, headers=headers) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if not first and is_first(line):
                    first = time.perf_counter() - began
        if not first:
            raise SystemExit("An answer came without a word.")
        return Took(first, time.perf_counter() - began)


async def added(talker: Talker) -> None:
    """One answer at a time, by turns."""
    for _ in range(5):
        await talker.through_the_platform(QUICK)
    direct, ours = [], []
    for _ in range(ROUNDS):
        direct.append(await talker.directly(STEADY))
        ours.append(await talker.through_the_platform(STEADY))
    for what, part in (("first text", "first"), ("whole answer", "whole")):
        before = statistics.median(getattr(took, part) for took in direct) * 1000
        after = statistics.median(getattr(took, part) for took in ours) * 1000
        print(f"{what}: {before:,.0f} ms directly, {after:,.0f} ms through the platform ({after - before:+,.0f} ms)")


async def at_once(talker: Talker) -> None:
    began = time.perf_counter()
    took = await asyncio.gather(*(talker.through_the_platform(STEADY) for _ in range(AT_ONCE)))
    seconds = time.perf_counter() - began
    first = sorted(one.first for one in took)
    print(
        f"{AT_ONCE} answers at once by one process: {seconds:.2f} s for all, where one takes {19 * 0.05:.2f} s; first "
        f"text after {first[len(first) // 2]:.2f} s, the last after {first[-1]:.2f} s"
    )


async def held_open(talker: Talker, process: psutil.Process, turns: list[str], what: str) -> None:
    """What each stream keeps of memory, one for each of the turns, which may be the same."""
    opened, close = asyncio.Semaphore(0), asyncio.Event()
    before = process.memory_info().rss
    looking = [asyncio.create_task(talker.look_on(turn, opened, close)) for turn in turns]
    for _ in looking:
        await opened.acquire()
    grown = process.memory_info().rss - before
    print(f"{len(turns)} streams of {what} held open: {grown / len(turns) / 1024:,.0f} KB of memory each")
    close.set()
    await asyncio.gather(*looking)


def main() -> None:
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with bench_database("asterism_bench_chatting") as url, ExitStack() as running:
        environment = {
            **prepared_environment(url),
            "CHAT_TURNS_PER_PERSON": str(AT_ONCE + STREAMS),
            "CHAT_TURNS_PER_ORGANIZATION": str(AT_ONCE + STREAMS),
            "OUTBOUND_ALLOW_LOCAL": "1",
            "REST_RATE_PER_MINUTE": "0",
            "STREAMS_PER_PERSON": "1000",
            "STREAMS_PER_PROCESS": "1000",
        }
        log = running.enter_context(LOG.open("ab"))
        provider = subprocess.Popen(
            [sys.executable, "-m", "bench.provider"], cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True
        )
        running.callback(provider.wait, 10)
        running.callback(provider.kill)
        assert provider.stdout is not None
        address = f"http://127.0.0.1:{provider.stdout.readline().strip()}/v1"
        made = subprocess.run(
            [sys.executable, "-m", "bench.talker", address, QUICK, STEADY, LONG],
            cwd=ROOT, env=environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
        port = running.enter_context(served(ours(), environment))
        print("\nChats by one process")
        asyncio.run(measure(f"http://127.0.0.1:{port}", address, json.loads(made.stdout), _serving(port)))


async def measure(base: str, provider: str, given: dict[str, Any], process: psutil.Process) -> None:
    limits = httpx2.Limits(max_connections=1_000)
    async with httpx2.AsyncClient(base_url=base, timeout=120, limits=limits) as client:
        talker = Talker(client, provider, given)
        await added(talker)
        await at_once(talker)
        long = await talker.ask(LONG)
        await held_open(talker, process, [long] * STREAMS, "one answer")
        # These share nothing: each looks on at an answer of its own, begun or waiting for a place.
        others = [await talker.ask(LONG) for _ in range(STREAMS - 1)]
        await held_open(talker, process, [long, *others], "as many answers")


def _serving(port: int) -> psutil.Process:
    """The process that listens there: a child of ours."""
    for child in psutil.Process().children(recursive=True):
        if any(one.laddr.port == port for one in child.net_connections() if one.status == psutil.CONN_LISTEN):
            return child
    raise RuntimeError(f"None of our processes listens on port {port}.")


if __name__ == "__main__":
    main()
