"""A process that stops as it takes a turn up leaves it to others, as if it had not."""

import asyncio
import threading
from uuid import UUID

import pytest

from agents_hub.chat import claiming
from agents_hub.chat.runner import Runner
from agents_hub.chat.store import Held
from agents_hub.models import TurnStatus
from tests.agents_hub.chat.talks import Talk, begun
from tests.mcp_gateway.remote.elsewhere import run

pytestmark = pytest.mark.django_db


def test_a_turn_that_was_taken_up_and_not_begun_waits_for_others(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = begun(talk)
    claim, is_claimed, leaves = claiming.claim, threading.Event(), threading.Event()

    def slow(most: int, turn_id: UUID | None = None) -> list[Held]:
        held = claim(most, turn_id)
        is_claimed.set()
        leaves.wait(0.3)
        return held

    monkeypatch.setattr(claiming, "claim", slow)

    async def work() -> None:
        async with Runner(10).running():
            assert await asyncio.to_thread(is_claimed.wait, 60)

    run(work)
    turn.refresh_from_db()
    assert (turn.status, turn.lease_until) == (TurnStatus.IN_PROGRESS, None)
    monkeypatch.setattr(claiming, "claim", claim)
    assert talk.answered(turn).status == TurnStatus.COMPLETED
