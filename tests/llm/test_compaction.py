"""How long a history is, when it is made short, and what of it is shown to a model that does so."""

import pytest

from accounts.models import Organization
from llm import compaction, scripted
from llm.models import Kind, Provider
from llm.services.choosing import window_of
from llm.turns import Answer, Image, Question, Returned, Said, ToolCall, ToolResult, Turn, Usage


def answer(tokens: int = 0, model: str = "main:gpt-5") -> Answer:
    return Answer("Yes.", (ToolCall("a", "look", {}),), Usage(tokens, 0, 0), model, {"parts": ["Yes."]})


def returned(characters: int) -> Returned:
    return Returned([ToolResult("a", "look", "x" * characters)])


def test_what_came_after_the_last_answer_counts_by_its_characters() -> None:
    assert compaction.length([Said("x" * 900_000), answer(2_000)]) == 2_000
    assert compaction.length([Said("Hello"), answer(2_000), returned(90_000), Said("x" * 3_000)]) == 33_000
    shown = Said("", [Image("image/png", b"1")] * 2)
    assert compaction.length([Said("Hello"), answer(2_000), shown]) == 2_000 + 2 * compaction.TOKENS_OF_AN_IMAGE


def test_where_no_usage_is_told_all_counts_by_its_characters() -> None:
    assert 31_000 < compaction.length([Said("x" * 3_000), answer(), returned(90_000)]) < 31_100


def test_before_the_first_answer_and_in_a_script_there_is_nothing_to_leave_out() -> None:
    assert compaction.length([Said("x" * 900_000)]) == 0
    assert compaction.length([Said("Hello"), answer(model=scripted.NAME), returned(900_000)]) == 0


@pytest.mark.parametrize(("window", "tokens"), [(None, 100_000), (8_000, 6_000), (1_000_000, 100_000)])
def test_a_model_that_takes_little_is_asked_sooner(window: int | None, tokens: int) -> None:
    assert compaction.due_from(window) == tokens


def test_the_model_that_makes_it_short_is_shown_what_it_takes() -> None:
    history: list[Turn] = [Said("Hello"), answer(2_000), returned(90_000), answer(3_000), Said("And now?")]
    asked = compaction.question(Question("Be brief.", history, must_call=True), 4_000)
    assert (asked.must_call, asked.may_call) == (False, False)
    assert asked.history[:2] == history[:2]
    assert asked.history[3:] == [*history[3:], Said(compaction.ASKED)]
    (result,) = asked.history[2].results  # type: ignore[union-attr]
    assert result.content.endswith("[It was cut here: 90,000 characters.]")
    assert sum(map(compaction.estimated, asked.history[:-1])) < 4_000
    assert compaction.question(Question("Be brief.", history)).history[:-1] == history


def test_a_models_window_is_what_its_provider_says_or_what_is_known_of_it(organization: Organization) -> None:
    def provider(name: str, kind: Kind, model: str, **fields: object) -> None:
        Provider.objects.create(organization=organization, name=name, kind=kind, default_model=model, **fields)

    assert window_of(organization.pk, "") is None
    provider("main", Kind.ANTHROPIC, "claude-sonnet-4-5", is_default=True)
    provider("own", Kind.COMPATIBLE, "qwen3", base_url="http://127.0.0.1/v1", context_window=8_192)
    provider("other", Kind.COMPATIBLE, "qwen3", base_url="http://127.0.0.1/v1")
    assert (window_of(organization.pk, "") or 0) >= 200_000
    assert window_of(organization.pk, "main:nobody-knows-it") is None
    assert window_of(organization.pk, "own:llama4") == 8_192
    assert window_of(organization.pk, "other") is None
