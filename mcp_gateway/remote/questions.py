"""What a server asks in the middle of a call (elicitation), and the answers of whoever holds the conversation."""

import logging
from collections.abc import Awaitable, Callable, Mapping
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
