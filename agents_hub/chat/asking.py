"""Asking the model in a turn: what it is asked, and the record of each question, also of those that come to nothing."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from functools import partial

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from accounts.errors import DomainError
from agents_hub.chat import prompt, store
from agents_hub.chat.calls import Calls
from agents_hub.chat.loading import Loaded
from agents_hub.chat.record import Recorded
from agents_hub.chat.store import Held, Overtaken
from agents_hub.chat.whole import whole
from agents_hub.models import TurnCall
from llm.asking import OnText
from llm.services.thinking import Thinker
from llm.turns import Answer, Question, ToolSpec, Usage
from mcp_gateway.offload import in_domain

PRODUCT = "chat"
LAST_ROUND = (
    "You have used all of your {rounds} rounds of tool calls. Answer now with what you have, and say what is missing."
)


def question_for(loaded: Loaded, calls: Calls, *, is_last: bool) -> Question:
    """What the model is asked as far as the turn has come. In the last round it is told that no call follows."""
    agent, steps, offered = loaded.agent, loaded.steps, calls.offered
    instructions = prompt.instructions_for(
        agent,
        person=loaded.person,
        now=timezone.now(),
        problems=calls.problems,
        has_tools=bool(offered),
        searched=calls.searched,
    )
    if is_last:
        instructions += "\n\n" + LAST_ROUND.format(rounds=agent.max_tool_rounds)
    return Question(
        instructions=instructions,
        history=[*([] if steps.starts_anew else loaded.before), *steps.told],
        tools=[ToolSpec(tool.name, tool.description, dict(tool.parameters)) for tool in offered],
        temperature=agent.temperature,
    )


class Asking:
    """Asks the agent's model for one turn. `cut_off` says why a question that is cancelled was, for its record; nothing
    where the turn is no longer ours to write to."""

    def __init__(self, held: Held, loaded: Loaded, cut_off: Callable[[], str | None]) -> None:
        self._held = held
        self._model = loaded.agent.model
        self._cut_off = cut_off
        self._thinker = Thinker(
            organization_id=loaded.agent.organization_id,
            user_id=loaded.caller.user_id,
            product=PRODUCT,
            subject=loaded.turn.conversation_id,
            hop=in_domain,
        )

    async def ask(
        self,
        question: Question,
        *,
        on_text: OnText | None = None,
        purpose: TurnCall.Purpose = TurnCall.Purpose.ANSWER,
    ) -> tuple[Answer, Recorded]:
        """What the model answers, and the record of it. A question that comes to nothing leaves its record here."""
        record = partial(Recorded, question, time.monotonic(), purpose=purpose)
        asked, used = self._model, Usage()

        def lost(model: str, usage: Usage) -> None:
            nonlocal asked, used
            asked, used = model, usage

        try:
            answer = await self._thinker.ask(self._model, question, on_text=on_text, on_lost=lost)
        except BaseException as fault:  # recorded and raised again, whatever it is
            if (why := self._why(fault)) is not None:
                with contextlib.suppress(Overtaken):
                    await self.keep(record(error=why, model=asked, lost=used))
            raise
        return answer, record(answer)

    async def keep(self, recorded: Recorded) -> None:
        """Keep the record of a question by whose answer the turn comes no further."""
        await whole(in_domain(store.keep_call, self._held, recorded))

    def _why(self, fault: BaseException) -> str | None:
        """Why there is no answer, for the record; none where the turn is no longer ours to write to."""
        match fault:
            case DomainError():
                return fault.message
            case asyncio.CancelledError():
                return self._cut_off()
            case DatabaseError() | InterfaceError():
                return None
            case Exception():
                return f"Something failed on our side: {type(fault).__name__}."
        return None
