"""A question without an answer is priced as its answer would be."""

from decimal import Decimal

import pytest

from llm import estimates
from llm.models import Kind, Provider
from llm.services.thinking import BOUNDS, build
from llm.turns import Question, Said
from security import outbound

QUESTION = Question("Be brief.", [Said("a" * 3_000)])


def price(provider: Provider, written: int = 300) -> Decimal | None:
    with_nothing_sent = build(provider, provider.default_model, outbound.async_client(BOUNDS))
    return estimates.usage(with_nothing_sent, QUESTION, written).cost_usd


@pytest.mark.parametrize("name", ["deepseek-r1", "command-r", "grok-3", "llama3.1"])
def test_a_model_of_ones_own_costs_nothing_however_it_is_called(name: str) -> None:
    own = Provider(name="own", kind=Kind.COMPATIBLE, base_url="http://127.0.0.1:11434/v1", default_model=name)
    assert price(own) is None


def test_a_compatible_server_that_is_known_by_its_address_is_priced_by_its_list() -> None:
    known = Provider(
        name="groq",
        kind=Kind.COMPATIBLE,
        base_url="https://api.groq.com/openai/v1",
        default_model="llama-3.3-70b-versatile",
    )
    assert (price(known) or 0) > 0


@pytest.mark.parametrize(
    ("kind", "model"),
    [(Kind.OPENAI, "gpt-5"), (Kind.ANTHROPIC, "claude-sonnet-4-6"), (Kind.GOOGLE, "gemini-2.5-flash")],
)
def test_what_was_read_and_written_has_the_providers_price(kind: Kind, model: str) -> None:
    provider = Provider(name="theirs", kind=kind, default_model=model)
    read, read_and_written = price(provider, 0), price(provider, 3_000)
    assert read is not None
    assert read_and_written is not None
    assert 0 < read < read_and_written
