"""What a person filled in reaches the server that asked, whenever it is looked for, and is kept nowhere."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from agents_hub.chat import claiming, inquiries
from agents_hub.chat.inquiries import Inquiries
from agents_hub.models import Inquiry, ToolUse
from agents_hub.services import turns
from mcp_gateway.offload import in_domain
from tests.agents_hub.chat.talks import Talk, begun
from tests.mcp_gateway.remote.elsewhere import run

pytestmark = pytest.mark.django_db

FILLED_IN = {"age": 3}
# In seconds: how long the word that an answer was forgotten is on its way.
DELAY = 0.2
# How long an answer is waited for.
WAIT = 0.5


@pytest.fixture
def _slow_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database has forgotten what was filled in before whoever wanted that hears of it."""

    async def slow(function: Callable[..., Any], *arguments: Any) -> Any:
        came = await in_domain(function, *arguments)
        if function is inquiries.forget_content:
            await asyncio.sleep(DELAY)
        return came

    monkeypatch.setattr(inquiries, "in_domain", slow)


class Asked:
    """A server's form, put to the one who talks, who fills it in at once."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        (held,) = claiming.claim(1, begun(talk).pk)
        use = ToolUse.objects.create(
            turn_id=held.id, round=1, place=1, name="x", title="Age", origin="server:1", origin_name="Printer",
            status=ToolUse.Status.RUNNING,
        )  # fmt: skip
        self.inquiry = Inquiry(
            turn_id=held.id, tool_use_id=use.pk, kind=Inquiry.Kind.FORM, asked_by="Printer", message="How old?"
        )
        self.all = Inquiries(held, lambda *_: None)

    async def put(self) -> "asyncio.Task[dict[str, Any]]":
        putting = asyncio.create_task(self.all.put(self.inquiry))
        while not self.all.any_open:
            await asyncio.sleep(0.01)
        await sync_to_async(turns.answer_inquiry)(
            self.talk.caller, inquiry_id=self.inquiry.pk, action="accept", content=FILLED_IN
        )
        return putting


@pytest.mark.usefixtures("_slow_word")
def test_an_answer_that_is_looked_for_twice_at_once_arrives_whole(talk: Talk) -> None:
    asked = Asked(talk)

    async def work() -> dict[str, Any]:
        putting = await asked.put()
        first = asyncio.create_task(asked.all.look())
        await asyncio.sleep(DELAY / 2)
        await asked.all.look()
        await first
        return await putting

    assert run(work) == {"action": "accept", "content": FILLED_IN}
    asked.inquiry.refresh_from_db()
    assert asked.inquiry.answer == {"action": "accept"}


@pytest.mark.usefixtures("_slow_word")
def test_an_answer_that_is_taken_up_as_the_time_ends_arrives_whole(talk: Talk, settings: Any) -> None:
    settings.CHAT_ANSWER_MINUTES = WAIT / 60
    asked = Asked(talk)

    async def work() -> dict[str, Any]:
        putting = await asked.put()
        await asyncio.sleep(WAIT - DELAY / 2)
        await asked.all.look()
        return await putting

    assert run(work) == {"action": "accept", "content": FILLED_IN}


def test_an_answer_that_nobody_looked_for_before_the_time_ended_arrives_and_is_forgotten(
    talk: Talk, settings: Any
) -> None:
    settings.CHAT_ANSWER_MINUTES = WAIT / 60
    asked = Asked(talk)

    async def work() -> dict[str, Any]:
        return await (await asked.put())

    assert run(work) == {"action": "accept", "content": FILLED_IN}
    asked.inquiry.refresh_from_db()
    assert asked.inquiry.answer == {"action": "accept"}
