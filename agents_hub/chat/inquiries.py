"""What a turn asks its person on the way, and waiting for it: permission for a call, a server's own questions.

What a person filled in for a server is the server's to know. Once it is on its way there, it is kept nowhere here.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models import F, Func, JSONField, QuerySet, TextField, Value
from django.db.models.functions import Cast

from agents_hub.chat import store
from agents_hub.chat.store import Held, Overtaken
from agents_hub.models import Inquiry
from agents_hub.models.turns import WITHDRAWN
from mcp_gateway.offload import in_domain
from mcp_gateway.remote.questions import Answer, Question, QuestionRefused

# What servers may ask in one turn, whichever calls it makes of them.
MOST_A_TURN = 30
UNANSWERED = {"action": "cancel"}


class Inquiries:
    """The open ones of one turn. `look` is called when there may be an answer; `told` says that one was put or is over.

    While any is open the turn's own time stands still.
    """

    def __init__(self, held: Held, told: Callable[[Inquiry, bool], None]) -> None:
        self._held = held
        self._told = told
        self._open: dict[UUID, asyncio.Future[Any]] = {}
        self._asked_by_servers = 0
        # Taking up an answer forgets its content: whoever read it a second time would find the form empty.
        self._taking_up = asyncio.Lock()

    @property
    def any_open(self) -> bool:
        return bool(self._open)

    async def put(self, inquiry: Inquiry) -> dict[str, Any]:
        """The person's answer, or a cancellation where none comes in time.

        Raises `QuestionRefused` where servers have asked enough in this turn.
        """
        if inquiry.kind != Inquiry.Kind.PERMISSION:
            self._asked_by_servers += 1
            if self._asked_by_servers > MOST_A_TURN:
                raise QuestionRefused(f"A person is asked at most {MOST_A_TURN} questions for one answer.")
        answered: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        await in_domain(store.ask, self._held, inquiry)
        self._open[inquiry.pk] = answered
        self._told(inquiry, True)
        try:
            async with asyncio.timeout(settings.CHAT_ANSWER_MINUTES * 60):
                # Shielded, so that what was just taken up has where to go.
                given = await asyncio.shield(answered)
        except TimeoutError:
            given = await self._given_last(inquiry.pk, answered)
        except asyncio.CancelledError:
            # The server wants no answer any more, or the turn ends, which withdraws what it asks.
            with contextlib.suppress(Overtaken, DatabaseError, InterfaceError):
                await in_domain(store.withdraw_one, self._held, inquiry.pk)
            raise
        finally:
            del self._open[inquiry.pk]
            self._told(inquiry, False)
        return UNANSWERED if given == WITHDRAWN else given

    async def look(self) -> None:
        """Take up what was answered meanwhile."""
        if not self._open:
            return
        async with self._taking_up:
            unanswered = [pk for pk, waiting in self._open.items() if not waiting.done()]
            answered = await in_domain(store.answers_to, unanswered)
            await self._forget(answered)
            for pk, answer in answered.items():
                waiting = self._open.get(pk)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)

    async def _given_last(self, inquiry_id: UUID, answered: "asyncio.Future[dict[str, Any]]") -> dict[str, Any]:
        """What was answered after all, just before the time was over; else it is asked no more."""
        async with self._taking_up:
            if answered.done():
                return answered.result()
            given: dict[str, Any] = await in_domain(store.withdraw_one, self._held, inquiry_id)
            await self._forget({inquiry_id: given})
        return given

    async def _forget(self, answers: Mapping[UUID, Mapping[str, Any]]) -> None:
        if filled_in := [pk for pk, answer in answers.items() if "content" in answer]:
            await in_domain(forget_content, Inquiry.objects.filter(pk__in=filled_in))


def forget_content(answered: "QuerySet[Inquiry]") -> int:
    """Keep of the answers that they were given, and not what was filled in; how many there were."""
    left: Any = Func(
        F("answer"),
        Cast(Value("content"), TextField()),
        arg_joiner=" - ",
        template="(%(expressions)s)",
        output_field=JSONField(),
    )
    return answered.update(answer=left)


def forget_left_over() -> int:
    """The same of answers that no turn took up before it ended; how many."""
    # Plan: inquiry_with_content holds these alone.
    return forget_content(Inquiry.objects.filter(answer__has_key="content", turn__ended_at__isnull=False))


def from_server(question: Question, turn_id: UUID, use_id: UUID) -> Inquiry:
    """What a server asks in the midst of a call, for the person."""
    kind = Inquiry.Kind.FORM
    if question.url is not None:
        kind = Inquiry.Kind.PAGE
    inquiry = Inquiry(
        turn_id=turn_id,
        tool_use_id=use_id,
        kind=kind,
        asked_by=question.server_name[:255],
        message=question.message,
        url=(question.url or "")[:2_000],
    )
    if question.schema is not None:
        inquiry.keep_schema(question.schema)
    return inquiry


def as_answer(given: dict[str, Any]) -> Answer:
    return Answer(given["action"], given.get("content"))
