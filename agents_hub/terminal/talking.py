"""A talk with an agent: one question and its answer, or one after the other until the person has had enough."""

import asyncio
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from accounts.caller import Caller
from accounts.errors import DomainError
from agents_hub.chat import store
from agents_hub.models import Conversation, Turn, TurnStatus
from agents_hub.services import conversations, turns
from agents_hub.terminal.following import Follower
from agents_hub.terminal.interrupts import Interrupts
from agents_hub.terminal.lines import Lines
from agents_hub.terminal.screen import Screen
from mcp_gateway.offload import in_domain

AGAIN = "/again"
HELP = f"Ctrl-C stops an answer, Ctrl-D leaves. {AGAIN} continues an answer that failed."


@dataclass
class Talk:
    """With one agent, in one conversation, which begins with what is said first."""

    caller: Caller
    agent_id: UUID
    follower: Follower
    conversation_id: UUID | None = None

    async def say(self, text: str) -> Turn:
        turn = await in_domain(self._begin, text)
        return await self.follower.to_its_end(turn.pk)

    async def under_way(self) -> Turn | None:
        """What the agent is just answering in the conversation, followed to its end."""
        turn = await in_domain(self._last)
        return None if turn is None or turn.is_over else await self.follower.to_its_end(turn.pk)

    async def again(self) -> Turn | None:
        """Go on with the last answer; None where there is none."""
        turn = await in_domain(self._last)
        if turn is None:
            return None
        after = await in_domain(store.last_event, turn.pk)
        await in_domain(partial(turns.try_again, self.caller, turn_id=turn.pk))
        return await self.follower.to_its_end(turn.pk, after)

    def _begin(self, text: str) -> Turn:
        if self.conversation_id is None:
            self.conversation_id = conversations.begin_conversation(self.caller, agent_id=self.agent_id).pk
        return turns.begin(self.caller, conversation_id=self.conversation_id, text=text)

    def _last(self) -> Turn | None:
        if self.conversation_id is None:
            return None
        shown = Conversation.objects.for_caller(self.caller).filter(pk=self.conversation_id).values("tip")
        return Turn.objects.filter(answer__in=shown).first()


async def at_length(talk: Talk, lines: Lines, screen: Screen, interrupts: Interrupts) -> None:
    """Until nothing more is typed."""
    screen.note(HELP)
    await talk.under_way()
    while (typed := await _typed(lines, screen, interrupts)) is not None:
        try:
            if typed.strip() == AGAIN:
                if await talk.again() is None:
                    screen.note("There is no answer to continue.")
            elif typed.strip():
                turn = await talk.say(typed)
                if turn.status in turns.RESUMABLE:
                    screen.note(f"{AGAIN} continues from there.")
        except DomainError as error:
            screen.note(error.message)
    if talk.conversation_id is not None:
        screen.note(f"To continue another time: --conversation {talk.conversation_id}")


async def _typed(lines: Lines, screen: Screen, interrupts: Interrupts) -> str | None:
    """The next line; None where there is none, or Ctrl-C is pressed in its place."""
    screen.prompt("you: ")
    waiting = {asyncio.create_task(lines.next()), asyncio.create_task(interrupts.pressed())}
    done, others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    result = done.pop().result()
    typed = result if isinstance(result, str) else None
    screen.is_typed(typed)
    return typed


def exit_code(turn: Turn) -> int:
    """As a shell reads it."""
    codes = {TurnStatus.COMPLETED: 0, TurnStatus.TIMEOUT: 3, TurnStatus.STOPPED: 130}
    return codes.get(TurnStatus(turn.status), 1)
