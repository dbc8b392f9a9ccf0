"""What a server asks in the middle of a call (elicitation), and the answers of whoever holds the conversation.

A server may ask little: what is too large for a person to read, or more than one call is worth, is refused, and the
server is told why.
"""

import contextlib
import json
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

from mcp_types import INVALID_PARAMS, ElicitRequestFormParams, ElicitRequestParams, ElicitResult, ErrorData

logger = logging.getLogger(__name__)

# Of one call.
MOST_QUESTIONS = 10
# Of one question: its message, its form as JSON, and the address of a page, in characters.
MOST_MESSAGE = 4_000
MOST_SCHEMA = 16_000
MOST_FIELDS = 30
MOST_URL = 2_000

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


class QuestionRefused(Exception):  # noqa: N818 - named for what became of the question
    """A question is not put to anybody. The message says why, in words for the server's makers."""


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


def bounded(ask: Ask | None) -> Ask | None:
    """The same way to ask, for one call: so many times and no more."""
    if ask is None:
        return None
    count = 0

    async def asked(question: Question) -> Answer:
        nonlocal count
        count += 1
        if count > MOST_QUESTIONS:
            raise QuestionRefused(f"A call may ask at most {MOST_QUESTIONS} questions.")
        return await ask(question)

    return asked


async def put(server_name: str, asked: ElicitRequestParams, ask: Ask | None) -> ElicitResult | ErrorData:
    """The answer as the protocol has it, or why the question was refused.

    Where nobody holds the conversation, the server learns that nobody will answer.
    """
    answer = DECLINED
    if ask is not None:
        try:
            _check(asked)
            answer = await ask(_question(server_name, asked))
        except QuestionRefused as refusal:
            return ErrorData(code=INVALID_PARAMS, message=f"The question was not asked. {refusal}")
        except Exception:  # the server waits, whatever became of the one who was asked
            logger.exception("A question of %r could not be put", server_name)
            answer = Answer("cancel")
    content = dict(answer.content) if answer.content is not None and answer.action == "accept" else None
    return ElicitResult(action=answer.action, content=content)


def _check(asked: ElicitRequestParams) -> None:
    """Raises `QuestionRefused` for what no person would read."""
    if len(asked.message) > MOST_MESSAGE:
        raise QuestionRefused(f"Its message is longer than {MOST_MESSAGE:,} characters.")
    if not isinstance(asked, ElicitRequestFormParams):
        if len(asked.url) > MOST_URL:
            raise QuestionRefused(f"Its address is longer than {MOST_URL:,} characters.")
        return
    if len(json.dumps(asked.requested_schema)) > MOST_SCHEMA:
        raise QuestionRefused(f"Its form is longer than {MOST_SCHEMA:,} characters of JSON.")
    fields = asked.requested_schema.get("properties", {})
    if not isinstance(fields, Mapping):
        raise QuestionRefused("Its form's properties are no object.")
    if len(fields) > MOST_FIELDS:
        raise QuestionRefused(f"Its form has more than {MOST_FIELDS} fields.")


def _question(server_name: str, asked: ElicitRequestParams) -> Question:
    if isinstance(asked, ElicitRequestFormParams):
        return Question(server_name, asked.message, schema=asked.requested_schema)
    return Question(server_name, asked.message, url=asked.url)
