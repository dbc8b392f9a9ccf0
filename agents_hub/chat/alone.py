"""Carrying one turn out where no event loop is running: in a worker, or a command."""

from uuid import UUID

from asgiref.sync import async_to_sync

from agents_hub.chat.runner import Runner
from mcp_gateway import hot


def carry_out(turn_id: UUID) -> bool:
    """To its end. False where it is over or somebody else has it."""
    return async_to_sync(_carry_out)(turn_id)


async def _carry_out(turn_id: UUID) -> bool:
    runner = Runner()
    try:
        async with runner.running():
            return await runner.carry_out(turn_id)
    finally:
        # The event loop ends here, and with it whoever could close what tools have read with on it.
        await hot.close()
