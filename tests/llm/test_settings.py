"""What a question asks of a model beside its words reaches the provider: looked at on the wire."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync

from accounts.models import Organization
from llm.asking import ModelRefused
from llm.models import Provider
from llm.services.thinking import Thinker
from llm.turns import Answer, Question, Said, Thinking
from tests.fakes.model_provider import ModelProvider
from tests.llm.asking import LOOK


def sent(
    organization: Organization,
    fake: ModelProvider,
    model: str,
    thinking: Thinking | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """The body of the request."""

    async def ask() -> Answer:
        thinker = Thinker(organization_id=organization.pk, user_id=None, product="workflows")
        question = Question("Be brief.", [Said("Hello?")], thinking=thinking or Thinking(), **settings)
        return await thinker.ask(model, question)

    async_to_sync(ask)()
    return fake.seen[-1].body


@pytest.mark.parametrize(
    ("model", "temperature_of"),
    [
        ("main:gpt-4o", lambda body: body["temperature"]),
        ("claude:claude-haiku-4-5", lambda body: body["temperature"]),
        ("gemini", lambda body: body["generationConfig"]["temperature"]),
    ],
)
def test_the_temperature_is_sent(
    model: str, temperature_of: Any, organization: Organization, providers: list[Provider], fake: ModelProvider
) -> None:
    assert temperature_of(sent(organization, fake, model, temperature=0.25)) == 0.25


HIGH = Thinking("enabled", effort="high")
BUDGET = Thinking("enabled", 3_000)
ADAPTIVE = {"type": "adaptive"}
EFFORT = "reasoning_effort"
CLAUDE, NEW_CLAUDE, OLD_CLAUDE = "claude:claude-sonnet-4-6", "claude:claude-opus-4-7", "claude:claude-haiku-4-5"


@pytest.mark.parametrize(
    ("model", "thinking", "wanted"),
    [
        ("main", Thinking(), {EFFORT: None}),
        ("main", Thinking(effort="low"), {EFFORT: "low"}),
        ("main", HIGH, {EFFORT: "high"}),
        ("main", BUDGET, {EFFORT: "medium"}),
        ("main", Thinking("enabled", 100_000), {EFFORT: "high"}),
        (OLD_CLAUDE, BUDGET, {"thinking": {"type": "enabled", "budget_tokens": 3_000}}),
        (OLD_CLAUDE, Thinking("enabled", 5), {"thinking": {"type": "enabled", "budget_tokens": 1_024}}),
        (OLD_CLAUDE, Thinking("disabled", 3_000), {"thinking": None}),
        (CLAUDE, BUDGET, {"thinking": {"type": "enabled", "budget_tokens": 3_000}}),
        (CLAUDE, Thinking("enabled"), {"thinking": {"type": "enabled", "budget_tokens": 10_000}}),
        (CLAUDE, Thinking("adaptive"), {"thinking": {"type": "adaptive"}}),
        (
            CLAUDE,
            Thinking("adaptive", 3_000),
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}},
        ),
        (NEW_CLAUDE, BUDGET, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}}),
        (NEW_CLAUDE, HIGH, {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
    ],
)
def test_how_to_think_is_sent_in_the_providers_own_way(
    model: str,
    thinking: Thinking,
    wanted: dict[str, Any],
    organization: Organization,
    openai: Provider,
    anthropic: Provider,
    fake: ModelProvider,
) -> None:
    body = sent(organization, fake, model, thinking)
    assert {name: body.get(name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("model", "thinking", "wanted"),
    [
        ("gemini-2.5-flash", Thinking(), None),
        ("gemini-2.5-flash", BUDGET, {"include_thoughts": True, "thinking_budget": 3_000}),
        ("gemini-2.5-flash", Thinking("disabled"), {"thinking_budget": 0}),
        ("gemini-2.5-flash", Thinking("adaptive"), {"include_thoughts": True}),
        ("gemini-3-pro-preview", Thinking("enabled", 100_000), {"include_thoughts": True, "thinking_level": "HIGH"}),
    ],
)
def test_google_is_told_how_to_think(
    model: str,
    thinking: Thinking,
    wanted: dict[str, Any] | None,
    organization: Organization,
    google: Provider,
    fake: ModelProvider,
) -> None:
    body = sent(organization, fake, f"gemini:{model}", thinking)
    assert body.get("generationConfig", {}).get("thinkingConfig") == wanted


def test_a_model_that_thinks_by_a_budget_is_sent_no_temperature_and_is_not_forced(
    organization: Organization, anthropic: Provider, fake: ModelProvider
) -> None:
    """The provider refuses both beside it."""
    body = sent(organization, fake, OLD_CLAUDE, BUDGET, temperature=0.5, tools=[LOOK], must_call=True)
    assert "temperature" not in body
    assert body["max_tokens"] > 3_000
    assert body.get("tool_choice", {"type": "auto"})["type"] == "auto"


def test_what_has_to_be_called_is_forced_without_thinking(
    organization: Organization, anthropic: Provider, openai: Provider, fake: ModelProvider
) -> None:
    assert sent(organization, fake, "main:gpt-4o", tools=[LOOK], must_call=True)["tool_choice"] == "required"
    assert sent(organization, fake, OLD_CLAUDE, tools=[LOOK], must_call=True)["tool_choice"]["type"] == "any"


def test_what_the_library_does_not_ask_is_said(
    organization: Organization, anthropic: Provider, fake: ModelProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbidden = {"anthropic_thinking": {"type": "enabled", "budget_tokens": 2_000}}
    monkeypatch.setattr("llm.asking.settings_for", lambda question, model: forbidden)
    with pytest.raises(ModelRefused, match="cannot be asked with these settings"):
        sent(organization, fake, NEW_CLAUDE)
    assert fake.seen == []
