"""Following a turn from a terminal: carried out here where no web process takes it, shown as it happens, answered
what it asks, and stopped by Ctrl-C."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from uuid import UUID

from accounts.caller import Caller
from accounts.errors import DomainError
from agents_hub.chat import channels, watching
from agents_hub.chat.runner import Runner
from agents_hub.models import Inquiry, ToolUse, Turn, TurnEvent
from agents_hub.services import turns
from agents_hub.terminal.interrupts import Interrupts
from agents_hub.terminal.replies import Replies, Reply
from agents_hub.terminal.screen import Shows
from dashboard.streams.notices import Notices
from mcp_gateway.hot import connection_parameters
from mcp_gateway.offload import in_domain

# A web process takes a turn within this time of the notice, in seconds. Its turn goes on when the terminal is closed.
TAKEN_WITHIN = 0.3
# Notices may be lost: how long, in seconds, news then waits to be seen.
LOOK_SECONDS = 1.0


class Follower:
    """Of one person's turns, one after the other."""

    def __init__(self, caller: Caller, shows: Shows, replies: Replies, interrupts: Interrupts) -> None:
        self._caller, self._shows, self._replies, self._interrupts = caller, shows, replies, interrupts
        self._notices = Notices(connection_parameters)
        self._runner = Runner(notices=self._notices)

    @contextlib.asynccontextmanager
    async def ready(self) -> AsyncIterator["Follower"]:
        async with self._notices.running(), self._runner.running():
            yield self

    async def to_its_end(self, turn_id: UUID, after: int = 0) -> Turn:
        """The turn once it is over. Events up to the number `after` were shown before."""
        news = asyncio.Event()
        self._notices.subscribe(channels.EVENTS, str(turn_id), news.set)
        asking = _Asking(self._caller, self._shows, self._replies, news)
        beside = [asyncio.create_task(self._carry_out(turn_id)), asyncio.create_task(self._stop_if_pressed(turn_id))]
        try:
            turn = await self._show(turn_id, after, news, asking)
        finally:
            asking.give_up()
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            self._notices.unsubscribe(channels.EVENTS, str(turn_id), news.set)
        self._interrupts.forget()
        self._shows.ended(turn)
        return turn

    async def _carry_out(self, turn_id: UUID) -> None:
        await asyncio.sleep(TAKEN_WITHIN)
        # Until it is over here, or elsewhere, which ends this as well: it may be another's turn first.
        while not await self._runner.carry_out(turn_id):
            await asyncio.sleep(LOOK_SECONDS)

    async def _stop_if_pressed(self, turn_id: UUID) -> None:
        await self._interrupts.pressed()
        self._shows.note("Stopping. Press Ctrl-C again to leave.")
        await in_domain(partial(turns.stop, self._caller, turn_id=turn_id))

    async def _show(self, turn_id: UUID, after: int, news: asyncio.Event, asking: "_Asking") -> Turn:
        while True:
            news.clear()
            seen = await in_domain(_look, turn_id, after)
            for event in seen.events:
                self._pass_on(event, seen)
                after = event.number
            asking.go_on(list(seen.open))
            if seen.turn.is_over and not seen.events:
                return await in_domain(_whole, turn_id)
            if not seen.events:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await news.wait()

    def _pass_on(self, event: TurnEvent, seen: "_Seen") -> None:
        self._shows.event(event)
        if event.kind == "tool" and (use := seen.uses.get(event.body["toolUseId"])):
            # The row may be further than the event by now.
            use.status = event.body["status"]
            self._shows.tool(use)


class _Seen:
    """How a turn stands and what is new in it. What it asks is read after its events, so that none is missed."""

    def __init__(self, turn: Turn, events: list[TurnEvent]) -> None:
        self.turn, self.events = turn, events
        named = [event.body["toolUseId"] for event in events if event.kind == "tool"]
        self.uses = {str(use.pk): use for use in ToolUse.objects.filter(turn=turn, pk__in=named)}
        asked = Inquiry.objects.filter(turn=turn, answered_at=None, tool_use__ended_at=None).select_related("tool_use")
        self.open = [] if turn.is_over else list(asked.order_by("id"))


def _look(turn_id: UUID, after: int) -> _Seen:
    return _Seen(Turn.objects.get(pk=turn_id), watching.events_after(turn_id, after)[0])


def _whole(turn_id: UUID) -> Turn:
    """With all that its shape shows."""
    return Turn.objects.prefetch_related("tool_uses", "inquiries").select_related("answer").get(pk=turn_id)


class _Asking:
    """Puts what a turn asks to whoever replies, one question at a time, for as long as it is asked."""

    def __init__(self, caller: Caller, shows: Shows, replies: Replies, news: asyncio.Event) -> None:
        self._caller, self._shows, self._replies, self._news = caller, shows, replies, news
        self._asked: Inquiry | None = None
        self._has_reply = False
        self._task: asyncio.Task[None] | None = None

    def go_on(self, open_ones: list[Inquiry]) -> None:
        """These are what is asked now."""
        if self._task is not None and self._task.done():
            self._task.result()
            self._task = None
        if self._task is not None and not self._has_reply and self._asked not in open_ones:
            self.give_up()
            self._shows.note("This question is closed.")
        if self._task is None and open_ones:
            self._asked, self._has_reply = open_ones[0], False
            self._task = asyncio.create_task(self._ask(self._asked))
            self._task.add_done_callback(lambda _: self._news.set())

    def give_up(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _ask(self, inquiry: Inquiry) -> None:
        self._shows.asked(inquiry)
        reply = await self._replies.to(inquiry)
        self._has_reply = True
        try:
            await in_domain(self._answer, inquiry, reply)
        except DomainError as error:
            self._shows.note(error.message)

    def _answer(self, inquiry: Inquiry, reply: Reply) -> None:
        turns.answer_inquiry(self._caller, inquiry_id=inquiry.pk, action=reply.action, content=reply.content)
