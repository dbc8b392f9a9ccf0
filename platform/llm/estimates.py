"""What a question used that has no answer to tell it: estimated by its characters, and priced as the library prices."""

import json
from contextlib import suppress
from decimal import Decimal

from llm.compaction import CHARACTERS_A_TOKEN, estimated
from llm.models import Kind
from llm.turns import Question, Usage


def usage(kind: str, name: str, question: Question, written: int) -> Usage:
    """For a question of which `written` characters were answered before it ended."""
    used = Usage(input=_asked(question), output=written // CHARACTERS_A_TOKEN)
    return Usage(used.input, 0, used.output, _cost(kind, name, used))


def _asked(question: Question) -> int:
    tools = sum(len(tool.name) + len(tool.description) + len(json.dumps(tool.parameters)) for tool in question.tools)
    beside = (len(question.instructions) + tools) // CHARACTERS_A_TOKEN
    return beside + sum(map(estimated, question.history))


def _cost(kind: str, name: str, used: Usage) -> Decimal | None:
    """US dollars by the library's list, which does not know every model."""
    from genai_prices import Usage as Used
    from genai_prices import calc_price

    provider = None if kind == Kind.COMPATIBLE else kind
    with suppress(LookupError, ValueError, AssertionError):
        price = calc_price(Used(input_tokens=used.input, output_tokens=used.output), name, provider_id=provider)
        return price.total_price
    return None
