"""Models are asked over a real socket: what they say and call is passed on, kept, and taken on by others."""

import pytest
from pytest_django import Settings

from accounts.caller import Caller
from accounts.errors import DomainError, Invalid, Unavailable
from accounts.models import Organization, TokenUsage
from llm.models import ModelCall, Provider
from llm.turns import Question, Returned, Said, ToolResult, Turn
from tests.fakes.model_provider import ModelProvider, Reply
from tests.llm.asking import KINDS, LOOK, think


@pytest.mark.parametrize("kind", KINDS)
def test_text_comes_as_it_is_said_and_its_use_is_kept(
    kind: str, organization: Organization, providers: list[Provider], fake: ModelProvider, member: Caller
) -> None:
    answer, heard = think(organization, kind, user_id=member.user_id)
    assert (answer.text, heard, answer.calls) == ("Hello there.", ["Hello ", "there."], ())
    assert (answer.usage.input, answer.usage.cached, answer.usage.output) == (100, 40, 10)
    call = ModelCall.objects.get()
    assert (call.model, call.input_tokens, call.cached_tokens, call.output_tokens) == (answer.model, 100, 40, 10)
    assert (call.subject, call.product, call.user_id) == ("run", "workflows", member.user_id)
    assert call.cost_usd is not None
    assert call.cost_usd > 0
    assert TokenUsage.objects.get(user_id=member.user_id).tokens == 110
    assert "Be brief." in str(fake.seen[0].body)


@pytest.mark.parametrize("kind", KINDS)
def test_tools_are_called_and_their_results_are_taken_back(
    kind: str, organization: Organization, providers: list[Provider], fake: ModelProvider
) -> None:
    # Google's protocol has no arguments that are no object.
    second = '{"at": 1}' if kind == "gemini" else "[1]"
    fake.answers.append(Reply(pieces=(), calls=(("look", '{"at": "sea"}'), ("look", second))))
    answer, _ = think(organization, kind)
    good, bad = answer.calls
    assert (good.name, good.arguments, good.fault) == ("look", {"at": "sea"}, "")
    assert bool(bad.fault) == (kind != "gemini")
    results = [ToolResult(good.id, "look", {"tide": "low"}), ToolResult(bad.id, "look", "Give an object.", failed=True)]
    history: list[Turn] = [Said("Hello?"), answer, Returned(results), Said("And now?")]
    again, _ = think(organization, kind, Question("Be brief.", history, tools=[LOOK]))
    assert again.text == "Hello there."
    sent = str(fake.seen[-1].body)
    assert sent.index("low") < sent.index("Give an object.") < sent.index("And now?")


@pytest.mark.parametrize(("first", "second"), [("main", "claude"), ("claude", "gemini"), ("gemini", "main")])
def test_an_answer_of_one_kind_of_provider_is_taken_on_by_another(
    first: str, second: str, organization: Organization, providers: list[Provider], fake: ModelProvider
) -> None:
    answer, _ = think(organization, first)
    history: list[Turn] = [Said("Hello?"), answer, Said("And now?")]
    assert think(organization, second, Question("Be brief.", history))[0].text == "Hello there."
    assert "Hello there." in str(fake.seen[-1].body)


def test_a_private_address_is_not_reached_in_production(
    organization: Organization, openai: Provider, fake: ModelProvider, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOW_LOCAL = False
    with pytest.raises(DomainError) as caught:
        think(organization)
    assert isinstance(caught.value, Unavailable)
    assert fake.seen == []


def test_a_provider_that_is_not_there_is_named(organization: Organization, openai: Provider) -> None:
    with pytest.raises(Invalid, match="nobody"):
        think(organization, "nobody:gpt-5")
    assert think(organization, "scripted")[0].model == "scripted"
