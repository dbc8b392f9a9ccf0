"""What a server asks in the middle of a call (elicitation), and the answers of whoever holds the conversation."""

import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

from mcp_types import ElicitRequestFormParams, ElicitRequestParams, ElicitResult

logger = logging.getLogger(__name__)

Action = Literal["accept", "decline", "cancel"]


@dataclass(frozen=True, slots=True)
class Question:
    """A form to fill in (`schema`, a JSON Schema of flat fields), a page to visit (`url`), or a plain yes or no."""

    server_name: str
    message: str
    schema: Mapping[str, Any] | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    action: Action
    content: Mapping[str, str | int | float | bool | list[str] | None] | None = None


DECLINED = Answer("decline")
Ask = Callable[[Question], Awaitable[Answer]]


# Who answers in the call under way; what a server asks comes in the context of what caused it.
_ask: ContextVar[Ask | None] = ContextVar("remote_ask", default=None)


class Answering:
    """Who answers in the calls of one connection."""

    def __init__(self) -> None:
        self._under_way: list[Ask] = []

    @contextlib.contextmanager
    def by(self, ask: Ask | None) -> Iterator[None]:
        """While a call is under way whose questions `ask` answers."""
        token = _ask.set(ask)
        if ask is not None:
            self._under_way.append(ask)
        try:
            yield
        finally:
            _ask.reset(token)
            if ask is not None:
                self._under_way.remove(ask)

    def whom(self) -> Ask | None:
        """Who answers what is being asked now.

        Some old servers ask on a stream that belongs to no call; then it is clear who is meant if one is under way.
        """
        ask = _ask.get()
        return self._under_way[0] if ask is None and len(self._under_way) == 1 else ask


async def put(server_name: str, asked: ElicitRequestParams, ask: Ask | None) -> ElicitResult:
    """The answer as the protocol has it. Where nobody holds the conversation, the server learns that nobody will."""
    answer = DECLINED
    if ask is not None:
        try:
            answer = await ask(_question(server_name, asked))
        except Exception:  # the server waits, whatever became of the one who was asked
            logger.exception("A question of %r could not be put", server_name)
            answer = Answer("cancel")
    content = dict(answer.content) if answer.content is not None and answer.action == "accept" else None
    return ElicitResult(action=answer.action, content=content)


def _question(server_name: str, asked: ElicitRequestParams) -> Question:
    if isinstance(asked, ElicitRequestFormParams):
        return Question(server_name, asked.message, schema=asked.requested_schema)
    return Question(server_name, asked.message, url=asked.url)
