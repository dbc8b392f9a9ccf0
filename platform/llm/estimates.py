"""What a question used that has no answer to tell it: estimated by its characters, and priced as the library prices."""

import json
from contextlib import suppress
from decimal import Decimal

from llm.models import Kind
from llm.turns import Answer, Question, Returned, Said, Turn, Usage

# Of one token, as providers' own rule of thumb for English has it.
CHARACTERS = 4
# Of one image, as the larger providers count one of middling size.
IMAGE_TOKENS = 1_000


def usage(kind: str, name: str, question: Question, written: int) -> Usage:
    """For a question of which `written` characters were answered before it ended."""
    used = Usage(input=_asked(question), output=written // CHARACTERS)
    return Usage(used.input, 0, used.output, _cost(kind, name, used))


def _asked(question: Question) -> int:
    tools = sum(len(tool.name) + len(tool.description) + len(json.dumps(tool.parameters)) for tool in question.tools)
    turns = [_length(turn) for turn in question.history]
    characters = len(question.instructions) + tools + sum(text for text, _ in turns)
    return characters // CHARACTERS + sum(images for _, images in turns) * IMAGE_TOKENS


def _length(turn: Turn) -> tuple[int, int]:
    """Its characters, and its images."""
    match turn:
        case Said(text=text, images=images):
            return len(text), len(images)
        case Answer(text=text, calls=calls):
            return len(text) + sum(len(call.name) + len(json.dumps(call.arguments)) for call in calls), 0
        case Returned(results=results):
            texts = [one.content if isinstance(one.content, str) else json.dumps(one.content) for one in results]
            return sum(map(len, texts)), sum(len(one.images) for one in results)


def _cost(kind: str, name: str, used: Usage) -> Decimal | None:
    """US dollars by the library's list, which does not know every model."""
    from genai_prices import Usage as Used
    from genai_prices import calc_price

    provider = None if kind == Kind.COMPATIBLE else kind
    with suppress(LookupError, ValueError, AssertionError):
        price = calc_price(Used(input_tokens=used.input, output_tokens=used.output), name, provider_id=provider)
        return price.total_price
    return None
