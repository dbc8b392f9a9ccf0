"""Providers that fail are asked again or replaced by another; what failed is said, and no key gets out."""

import logging
import traceback

import pytest

from accounts.errors import Unavailable
from accounts.models import Organization
from llm import asking
from llm.asking import ModelBrokeOff, ModelRefused, QuestionTooLong
from llm.models import ModelCall, Provider
from llm.services.thinking import BOUNDS
from tests.fakes.model_provider import KEY, Fault, ModelProvider, Reply, Silence
from tests.llm.asking import KINDS, think


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long would have been waited before each further try."""
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asking, "_wait", wait)
    return waited


@pytest.mark.parametrize("kind", KINDS)
def test_a_provider_that_is_busy_is_asked_again_when_it_says(
    kind: str, organization: Organization, providers: list[Provider], fake: ModelProvider, pauses: list[float]
) -> None:
    fake.answers.extend([Fault(429, {"Retry-After": "7"}), Fault(500), Fault(529)])
    assert think(organization, kind)[0].text == "Hello there."
    assert pauses[0] == 7
    assert 0 <= pauses[1] <= 2
    assert 0 <= pauses[2] <= 4
    assert ModelCall.objects.count() == 1


def test_a_model_may_be_silent_for_as_long_as_its_answer_may_take() -> None:
    assert {BOUNDS.read, BOUNDS.total, BOUNDS.event_stream_idle} == {asking.TIMEOUT}


def test_it_is_not_waited_for_longer_than_a_minute(
    organization: Organization, openai: Provider, fake: ModelProvider, pauses: list[float]
) -> None:
    fake.answers.append(Fault(429, {"Retry-After": "3600"}))
    with pytest.raises(Unavailable) as caught:
        think(organization)
    assert (caught.value.code, caught.value.data, pauses) == ("model_busy", {"retry_after": 3600}, [])


def test_after_four_tries_the_fallback_answers(
    organization: Organization, openai: Provider, anthropic: Provider, fake: ModelProvider
) -> None:
    openai.fallback_model = "claude"
    openai.save()
    fake.answers.extend([Fault(503)] * 4)
    answer, _ = think(organization)
    assert (answer.text, answer.model) == ("Hello there.", "claude:claude-sonnet-4-6")
    assert [request.path for request in fake.seen] == ["/v1/chat/completions"] * 4 + ["/v1/messages"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [(Fault(404), "no such model"), (Fault(429, code="insufficient_quota"), "run out of credit")],
    ids=["model", "account"],
)
def test_where_the_model_is_gone_or_the_account_is_empty_the_fallback_answers_at_once(
    fault: Fault, said: str, organization: Organization, openai: Provider, anthropic: Provider, fake: ModelProvider
) -> None:
    fake.answers.append(fault)
    with pytest.raises(Unavailable, match=said):
        think(organization)
    openai.fallback_model = "claude"
    openai.save()
    fake.answers.append(fault)
    assert think(organization)[0].model == "claude:claude-sonnet-4-6"
    assert len(fake.seen) == 3


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("main", Fault(400, code="context_length_exceeded")),
        ("main", Fault(400, message="This model's maximum context length is 8192 tokens.")),
        ("claude", Fault(413, code="request_too_large", message="Request exceeds the maximum size")),
        ("main", Fault(400, message="the request exceeds the available context size (4096 tokens)")),
        ("claude", Fault(400, code="invalid_request_error", message="prompt is too long: 9 tokens > 8 maximum")),
        ("gemini", Fault(400, code="invalid_argument", message="The input token count (9) exceeds the maximum of 8.")),
    ],
)
def test_what_is_too_long_for_the_model_is_said_to_be_so(
    kind: str, fault: Fault, organization: Organization, providers: list[Provider], fake: ModelProvider
) -> None:
    fake.answers.append(fault)
    with pytest.raises(QuestionTooLong, match="longer than the model takes"):
        think(organization, kind)


def test_a_broken_answer_is_asked_for_again_only_while_nothing_was_passed_on(
    organization: Organization, openai: Provider, anthropic: Provider, fake: ModelProvider
) -> None:
    fake.answers.append(Reply(pieces=(), calls=(("look", "{}"),), cut=True))
    assert think(organization)[0].text == "Hello there."
    assert len(fake.seen) == 2
    openai.fallback_model = "claude"
    openai.save()
    fake.answers.append(Reply(pieces=("Once ", "upon ", "a ", "time."), cut=True))
    with pytest.raises(ModelBrokeOff):
        think(organization)
    assert len(fake.seen) == 3


def test_an_answer_that_does_not_come_ends(
    organization: Organization, openai: Provider, fake: ModelProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "TIMEOUT", 1.5)
    fake.answers.append(Silence())
    with pytest.raises(Unavailable) as caught:
        think(organization)
    assert caught.value.code == "model_timeout"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(401), "refused the API key"),
        (Fault(404), "Check the model's name"),
        (Fault(400), "rejects the question"),
        (Fault(307, {"Location": "http://127.0.0.1:9/v1/elsewhere"}), "failed to answer"),
        (Fault(500), "failed to answer"),
    ],
    ids=["key", "model", "question", "redirect", "error"],
)
def test_what_fails_is_said_and_the_key_is_not(
    kind: str,
    fault: Fault,
    said: str,
    organization: Organization,
    providers: list[Provider],
    fake: ModelProvider,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.answers.extend([fault] * 4)
    with pytest.raises(Unavailable) as caught:
        think(organization, kind)
    assert said in caught.value.message
    assert len(fake.seen) == (4 if fault.status == 500 else 1)
    assert isinstance(caught.value, ModelRefused) == (fault.status in (400, 401))
    assert KEY in str(fake.seen[0].headers)
    told = (
        "".join(traceback.format_exception(caught.value))
        + caplog.text
        + repr(providers)
        + repr(caught.value.__context__)
    )
    assert KEY not in told


def test_a_key_that_is_wrong_asks_no_fallback(
    organization: Organization, openai: Provider, anthropic: Provider, fake: ModelProvider
) -> None:
    openai.fallback_model, openai.api_key = "claude", "sk-of-somebody-else-0123456789"
    openai.save()
    with pytest.raises(ModelRefused, match="refused the API key"):
        think(organization)
    assert len(fake.seen) == 1
