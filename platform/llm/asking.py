"""Asking a model: one question, one answer, streamed. Retries, a time-out, and every failure in words for people."""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts.errors import Unavailable
from llm import messages
from llm.settings import settings_for
from llm.turns import Answer, Question, ToolCall, Usage

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.models import Model

TRIES = 4
# The longest that a provider's Retry-After is heeded for, and the first pause where it gives none; seconds.
LONGEST_PAUSE = 60.0
FIRST_PAUSE = 1.0
# From asking to the last piece of an answer, seconds.
TIMEOUT = 300.0

# How servers word it that the library does not know: Ollama, llama.cpp and others.
TOO_LONG = re.compile(r"context (length|size|window)|(prompt|input|request) is too (long|large)", re.IGNORECASE)

OnText = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A model to ask: the library's object for it, and the name people gave it."""

    name: str
    model: "Model"


class ModelRefused(Unavailable):
    """The provider answered that it will not: a wrong key, a question it rejects. Neither it nor its fallback is asked
    again; the message says what to do."""

    code = "model_refused"


class QuestionTooLong(ModelRefused):
    """The question is longer than the model takes. Shortened, it may be asked again."""

    code = "question_too_long"


class ModelBrokeOff(Unavailable):
    """The answer ended in its midst, after some of its text was passed on. Whoever asks again has the text twice."""

    code = "model_broke_off"


async def ask(chosen: Chosen, question: Question, *, on_text: OnText | None = None) -> Answer:
    """The model's answer; `on_text` is given its text as it comes. Raises `Unavailable`, of which `ModelRefused` and
    `ModelBrokeOff` are no reason to ask another model.

    A provider that is busy or does not answer is asked again, after what its Retry-After says or a growing, random
    pause; once text has been passed on it is not, for it would come twice.
    """
    passed_on = False

    async def pass_on(text: str) -> None:
        nonlocal passed_on
        if on_text is not None:
            passed_on = True
            await on_text(text)

    for attempt in range(1, TRIES + 1):
        try:
            async with asyncio.timeout(TIMEOUT):
                return await _ask_once(chosen, question, pass_on)
        except TimeoutError:
            pause, refusal = None, _too_slow(chosen.name)
        except _library_errors() as fault:
            pause = _pause(fault, attempt)
            refusal = _in_words(chosen.name, fault, shown=messages.shows_images(question))
        # Outside of the handler: what the provider says may repeat the key, and would stand in a traceback above ours.
        if passed_on:
            raise ModelBrokeOff(f"{chosen.name} stopped in the middle of its answer. Try again.")
        if pause is None or attempt == TRIES:
            raise refusal
        await _wait(pause)
    raise AssertionError("the last try returns or raises")


async def _wait(seconds: float) -> None:
    await asyncio.sleep(seconds)


async def _ask_once(chosen: Chosen, question: Question, on_text: OnText) -> Answer:
    from pydantic_ai.direct import model_request_stream
    from pydantic_ai.messages import PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.tools import ToolDefinition

    tools = [
        ToolDefinition(name=tool.name, description=tool.description, parameters_json_schema=tool.parameters)
        for tool in question.tools
    ]
    parameters = ModelRequestParameters(function_tools=tools, allow_text_output=not question.must_call)
    async with model_request_stream(
        chosen.model,
        messages.of(question),
        model_settings=settings_for(question, chosen.model),
        model_request_parameters=parameters,
    ) as stream:
        async for event in stream:
            match event:
                case (
                    PartStartEvent(part=TextPart(content=text))
                    | PartDeltaEvent(delta=TextPartDelta(content_delta=text))
                ) if text:
                    await on_text(text)
        response = stream.get()
    return _answer(chosen.name, response)


def _answer(name: str, response: "ModelResponse") -> Answer:
    from pydantic_ai.messages import ModelMessagesTypeAdapter, TextPart, ThinkingPart, ToolCallPart

    calls = []
    for part in response.parts:
        if isinstance(part, ToolCallPart):
            fault, arguments = "", {}
            try:
                arguments = part.args_as_dict(raise_if_invalid=True)
            except (ValueError, AssertionError):
                fault = "The arguments are not a JSON object."
            calls.append(ToolCall(part.tool_call_id, part.tool_name, arguments, fault))
    text = "".join(part.content for part in response.parts if isinstance(part, TextPart))
    reasoning = "".join(part.content for part in response.parts if isinstance(part, ThinkingPart))
    (message,) = ModelMessagesTypeAdapter.dump_python([response], mode="json")
    return Answer(text, tuple(calls), used_by(response), name, message, reasoning)


def used_by(response: "ModelResponse") -> Usage:
    """The tokens of an answer, and their price where the library knows it."""
    used, cost = response.usage, None
    # The list of prices does not know every model, and a scripted one costs nothing that it could say.
    with suppress(LookupError, ValueError, AssertionError):
        cost = response.cost().total_price
    return Usage(used.input_tokens, used.cache_read_tokens, used.output_tokens, cost)


def _library_errors() -> tuple[type[Exception], ...]:
    """What goes wrong with an answer, and what the library refuses to ask."""
    from pydantic_ai.exceptions import AgentRunError, UserError

    return AgentRunError, UserError


def _pause(fault: Exception, attempt: int) -> float | None:
    """Seconds until it is worth asking again; none where it is not."""
    from pydantic_ai.exceptions import (
        ModelAPIError,
        ModelConnectionError,
        ModelQuotaExceededError,
        ModelRateLimitError,
        ModelServerError,
        ModelUnavailableError,
    )

    passing = (ModelRateLimitError, ModelUnavailableError, ModelServerError, ModelConnectionError)
    if not isinstance(fault, passing) or isinstance(fault, ModelQuotaExceededError):
        return None
    asked = fault.retry_after if isinstance(fault, ModelAPIError) else None
    if asked is not None:
        return asked if asked <= LONGEST_PAUSE else None
    return random.uniform(0, FIRST_PAUSE * 2 ** (attempt - 1))  # noqa: S311 - to spread load, not to keep a secret


def _too_slow(name: str) -> Unavailable:
    said = f"{name} did not finish its answer in {TIMEOUT:.0f} seconds. Try again, or ask another model."
    return Unavailable(said, code="model_timeout")


def _in_words(name: str, fault: Exception, *, shown: bool) -> Unavailable:
    from pydantic_ai.exceptions import (
        ModelAuthenticationError,
        ModelConnectionError,
        ModelHTTPError,
        ModelNotFoundError,
        ModelQuotaExceededError,
        ModelRateLimitError,
        ModelRequestRejectedError,
        UserError,
    )

    status = f" ({fault.status_code})" if isinstance(fault, ModelHTTPError) else ""
    match fault:
        case UserError():
            return ModelRefused(f"{name} cannot be asked with these settings: {fault}")
        case ModelAuthenticationError():
            return ModelRefused(f"{name}: the provider refused the API key{status}. Check it under Models.")
        case ModelQuotaExceededError():
            return Unavailable(
                f"{name}: the provider account has run out of credit{status}. Top it up there.", code="model_unpaid"
            )
        case ModelNotFoundError():
            return Unavailable(
                f"{name}: the provider has no such model{status}. Check the model's name and the provider's base URL.",
                code="model_unknown",
            )
        case ModelHTTPError(status_code=413):
            return _too_long(name, status)
        case ModelRequestRejectedError():
            return _rejected(name, status, fault, shown=shown)
        case ModelRateLimitError():
            wait = fault.retry_after
            return Unavailable(
                f"{name} is receiving too many requests{status}. Try again later, or ask another model.",
                code="model_busy",
                data={"retry_after": int(wait)} if wait else None,
            )
        case ModelConnectionError():
            return Unavailable(f"{name} cannot be reached. Check the provider's address, or try again later.")
    return Unavailable(f"{name} failed to answer{status}. Try again later, or ask another model.")


def _too_long(name: str, status: str) -> QuestionTooLong:
    return QuestionTooLong(
        f"{name}: the input is longer than the model takes{status}. Write or attach less, or choose a model "
        "with a larger context window. For a server of your own, enter its window under Models."
    )


def _rejected(name: str, status: str, fault: Exception, *, shown: bool) -> ModelRefused:
    from pydantic_ai.exceptions import ModelContextWindowExceededError

    if isinstance(fault, ModelContextWindowExceededError) or TOO_LONG.search(str(fault)):
        return _too_long(name, status)
    if shown:
        return ModelRefused(
            f"{name}: the provider rejects the question{status}, which has images in it. Choose a model that takes "
            "images, or continue without them; if it does take them, check the model's name.",
            code="images_refused",
        )
    return ModelRefused(f"{name}: the provider rejects the question{status}. Check the model's name.")
