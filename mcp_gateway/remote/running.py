"""What a process that lives on does for remote servers: it keeps HTTP clients open, and writes calls in batches."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from mcp_gateway.remote import refresh
from mcp_gateway.remote.ledger import ledger
from mcp_gateway.remote.wires import keeping


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[None]:
    """Until left. A process without this works too: it connects anew each time, and writes each call at once."""
    writing = asyncio.create_task(ledger().write(), name="remote calls")
    try:
        async with keeping():
            yield
    finally:
        await refresh.finish()
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
