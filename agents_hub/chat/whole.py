"""Steps that are taken to their end, although what they belong to is cancelled meanwhile."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def whole(step: Coroutine[Any, Any, None]) -> None:
    """Take the step to its end, whoever cancels meanwhile: what is stored and what is remembered of it agree."""
    task = asyncio.ensure_future(step)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        task.result()
        raise
