"""Calls a tool of a server through the toolbox and with the SDK's client, in turns; prints what it took, as JSON."""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import django

CALLS = 200
AT_ONCE = 16

Call = Callable[[], Awaitable[Any]]


async def one_by_one(call: Call) -> list[float]:
    """Milliseconds that each call took."""
    took = []
    for _ in range(CALLS):
        began = time.perf_counter()
        await call()
        took.append((time.perf_counter() - began) * 1000)
    return took


async def rate(call: Call) -> float:
    """Calls a second, so many at once."""
    left = iter(range(2 * CALLS))

    async def worker() -> None:
        for _ in left:
            await call()

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return 2 * CALLS / (time.perf_counter() - began)


async def measure(url: str, rounds: int) -> dict[str, list[float]]:
    """By what was measured, the medians of each round."""
    from mcp import Client

    from mcp_gateway.offload import in_domain
    from mcp_gateway.remote import toolbox
    from mcp_gateway.remote.running import running

    caller, server_id = await in_domain(prepare, url)
    measured: dict[str, list[float]] = {}

    async with running(), Client(url) as client, toolbox.open(caller, [server_id]) as box:
        (name,) = [tool.name for tool in box.tools]

        async def through_the_toolbox() -> None:
            assert not (await box.call(name, {})).is_error

        async def direct() -> None:
            assert not (await client.call_tool("ping", {})).is_error

        async def whole_toolbox() -> None:
            async with toolbox.open(caller, [server_id]) as once:
                await once.call(name, {})

        async def whole_direct() -> None:
            async with Client(url) as once:
                await once.call_tool("ping", {})

        for round_ in range(rounds + 1):
            turns = [("toolbox", through_the_toolbox, whole_toolbox), ("direct", direct, whole_direct)]
            for kind, call, whole in turns if round_ % 2 else reversed(turns):
                figures = {
                    f"{kind} p50": statistics.median(await one_by_one(call)),
                    f"{kind} whole p50": statistics.median(await one_by_one(whole)),
                    f"{kind} rate": await rate(call),
                }
                if round_:  # the first is to warm up
                    for what, value in figures.items():
                        measured.setdefault(what, []).append(value)
    return measured


def prepare(url: str) -> tuple[Any, int]:
    """A member of an organization with this server."""
    from accounts.caller import Caller, Door
    from accounts.models import Membership, Organization, User
    from accounts.scopes import Scope
    from mcp_gateway.models import RemoteServer

    person = User.objects.create_user("bench@example.com", name="Bench")
    organization = Organization.objects.create(name="Bench", slug="bench")
    Membership.objects.create(user=person, organization=organization)
    server = RemoteServer.objects.create(organization=organization, name="FastMCP", slug="fastmcp", url=url)
    return Caller(user_id=person.pk, scope=Scope.WRITE, door=Door.COMMAND), server.pk


async def main() -> dict[str, list[float]]:
    from mcp_gateway import offload

    try:
        return await measure(sys.argv[1], int(sys.argv[2]))
    finally:
        await asyncio.to_thread(offload.close)


if __name__ == "__main__":
    django.setup()
    print(json.dumps(asyncio.run(main())))
