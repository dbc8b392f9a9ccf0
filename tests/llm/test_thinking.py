"""Models are asked over a real socket: what they answer and use is kept, what fails is said, and no key gets out."""

import logging
import traceback
from datetime import timedelta
from decimal import Decimal

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone
from pytest_django import Settings

from accounts.caller import Caller
from accounts.errors import DomainError, Invalid, PlanLimit, Unavailable
from accounts.models import Organization, Plan, TokenUsage
from llm import asking
from llm.asking import ModelBrokeOff, ModelRefused, QuestionTooLong
from llm.models import Budget, ModelCall, Price, Provider
from llm.services.thinking import Thinker, spent_this_month
from llm.turns import Answer, Question, Returned, Said, ToolResult, ToolSpec, Turn
from tests.fakes.model_provider import KEY, Fault, ModelProvider, Reply, Silence

LOOK = ToolSpec("look", "Looks.", {"type": "object", "properties": {"at": {"type": "string"}}})
KINDS = ["main", "claude", "gemini"]
QUESTION = Question("Be brief.", [Said("Hello?")], tools=[LOOK])


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long would have been waited before each further try."""
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asking, "_wait", wait)
    return waited


def think(
    organization: Organization, model: str = "", question: Question = QUESTION, *, user_id: int | None = None
) -> tuple[Answer, list[str]]:
    heard: list[str] = []

    async def hear(text: str) -> None:
        heard.append(text)

    async def ask() -> Answer:
        thinker = Thinker(organization_id=organization.pk, user_id=user_id, product="workflows", subject="run")
        return await thinker.ask(model, question, on_text=hear)

    return async_to_sync(ask)(), heard


@pytest.mark.parametrize("kind", KINDS)
def test_text_comes_as_it_is_said_and_its_use_is_kept(
    kind: str,
    organization: Organization,
    openai: Provider,
    anthropic: Provider,
    google: Provider,
    fake: ModelProvider,
    member: Caller,
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
    kind: str,
    organization: Organization,
    openai: Provider,
    anthropic: Provider,
    google: Provider,
    fake: ModelProvider,
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
    first: str,
    second: str,
    organization: Organization,
    openai: Provider,
    anthropic: Provider,
    google: Provider,
    fake: ModelProvider,
) -> None:
    answer, _ = think(organization, first)
    history: list[Turn] = [Said("Hello?"), answer, Said("And now?")]
    assert think(organization, second, Question("Be brief.", history))[0].text == "Hello there."
    assert "Hello there." in str(fake.seen[-1].body)


@pytest.mark.parametrize("kind", KINDS)
def test_a_provider_that_is_busy_is_asked_again_when_it_says(
    kind: str,
    organization: Organization,
    openai: Provider,
    anthropic: Provider,
    google: Provider,
    fake: ModelProvider,
    pauses: list[float],
) -> None:
    fake.answers.extend([Fault(429, {"Retry-After": "7"}), Fault(500), Fault(529)])
    assert think(organization, kind)[0].text == "Hello there."
    assert pauses[0] == 7
    assert 0 <= pauses[1] <= 2
    assert 0 <= pauses[2] <= 4
    assert ModelCall.objects.count() == 1


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
        ("main", Fault(400, message="the request exceeds the available context size (4096 tokens)")),
        ("claude", Fault(400, code="invalid_request_error", message="prompt is too long: 9 tokens > 8 maximum")),
        ("gemini", Fault(400, code="invalid_argument", message="The input token count (9) exceeds the maximum of 8.")),
    ],
)
def test_what_is_too_long_for_the_model_is_said_to_be_so(
    kind: str,
    fault: Fault,
    organization: Organization,
    openai: Provider,
    anthropic: Provider,
    google: Provider,
    fake: ModelProvider,
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
    openai: Provider,
    anthropic: Provider,
    google: Provider,
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
        "".join(traceback.format_exception(caught.value)) + caplog.text + repr(openai) + repr(caught.value.__context__)
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


def test_an_operators_own_price_goes_before_the_librarys(
    organization: Organization, openai: Provider, fake: ModelProvider
) -> None:
    openai.default_model = "nobody-knows-it"
    openai.save()
    think(organization)
    assert ModelCall.objects.get().cost_usd is None
    price = Price.objects.create(model="compatible:nobody-knows-it", input_usd=Decimal(2), output_usd=Decimal(8))
    think(organization)
    assert ModelCall.objects.latest("pk").cost_usd == Decimal("0.00028")
    price.cached_input_usd = Decimal("0.5")
    price.save()
    think(organization)
    assert ModelCall.objects.latest("pk").cost_usd == Decimal("0.00022")
    assert spent_this_month(organization.pk) == Decimal("0.0005")


def test_nothing_is_asked_once_the_quota_is_used_up(
    organization: Organization, openai: Provider, fake: ModelProvider, member: Caller
) -> None:
    Plan.objects.filter(code="FREE").update(monthly_ai_tokens=110)
    think(organization, user_id=member.user_id)
    with pytest.raises(PlanLimit):
        think(organization, user_id=member.user_id)
    assert len(fake.seen) == 1


def test_nothing_is_asked_once_the_budget_is_spent(
    organization: Organization, openai: Provider, fake: ModelProvider
) -> None:
    Budget.objects.create(organization=organization, monthly_usd=Decimal("1.00"))
    spent = {"organization": organization, "model": "main:gpt-5", "product": "workflows", "duration_ms": 1}
    last_month = timezone.now().replace(day=1, hour=0, minute=0, second=0) - timedelta(minutes=1)
    ModelCall.objects.create(**spent, cost_usd=Decimal(5), at=last_month)
    think(organization)
    ModelCall.objects.create(**spent, cost_usd=Decimal(1))
    with pytest.raises(PlanLimit) as caught:
        think(organization)
    assert (caught.value.data["limit"], len(fake.seen)) == ("model_budget", 1)


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
