"""What a question asks of a provider beside its words, in the provider's own settings: temperature, thinking, calls.

Providers differ in how they are told to think: by an effort, by a budget of tokens, or not at all. Where one does not
take what was asked for, it is told the nearest that it takes.
"""

from typing import TYPE_CHECKING, Any, cast

from llm.turns import Question, Thinking

if TYPE_CHECKING:
    from pydantic_ai.models import Model
    from pydantic_ai.settings import ModelSettings

# The least that Anthropic takes, in tokens.
LEAST_BUDGET = 1_024
# Up to which budget which effort is nearest; beyond them it is the most.
EFFORTS = ((2_048, "low"), (8_192, "medium"), (24_576, "high"))


def settings_for(question: Question, model: "Model") -> "ModelSettings":
    """The settings of one request to this model. Retries are ours (`llm.asking`)."""
    settings: dict[str, Any] = {"max_retries": 0}
    thinks = _thinks(question.thinking)
    if question.temperature is not None:
        settings["temperature"] = question.temperature
    # A model that thinks cannot be forced everywhere; what has to be called is said in the instructions too.
    if question.must_call and not thinks:
        settings["tool_choice"] = "required"
    if question.tools and not question.may_call:
        settings["tool_choice"] = "none"
    if question.thinking.mode == "disabled":
        settings["thinking"] = False
    elif thinks:
        settings |= _thinking(question.thinking, model)
        if "anthropic_thinking" in settings:
            # Beside a budget the provider refuses any temperature of its own choosing.
            settings.pop("temperature", None)
    return cast("ModelSettings", settings)


def _thinks(thinking: Thinking) -> bool:
    return thinking.mode != "disabled" and bool(thinking.mode or thinking.effort or thinking.budget_tokens)


def _thinking(thinking: Thinking, model: "Model") -> dict[str, Any]:
    profile: Any = model.profile
    level: Any = thinking.effort or _effort_of(thinking.budget_tokens) or True
    budgeted = thinking.budget_tokens is not None and thinking.mode != "adaptive"
    if not profile.get("supports_thinking", False):
        return {"thinking": level}
    if model.system == "anthropic" and _takes_budget(thinking, profile, budgeted=budgeted):
        return {"anthropic_thinking": {"type": "enabled", "budget_tokens": _budget(thinking)}}
    if model.system == "google" and budgeted and not profile.get("google_supports_thinking_level", True):
        return {"google_thinking_config": {"include_thoughts": True, "thinking_budget": thinking.budget_tokens}}
    return {"thinking": level}


def _takes_budget(thinking: Thinking, profile: Any, *, budgeted: bool) -> bool:
    """Whether the model is told a budget: where one is given, and where it is to think, whether or not it wants to."""
    if profile.get("anthropic_disallows_budget_thinking", False):
        return False
    return budgeted or (thinking.mode == "enabled" and thinking.effort is None)


def _budget(thinking: Thinking) -> int:
    from pydantic_ai.profiles.anthropic import ANTHROPIC_THINKING_BUDGET_MAP

    return max(LEAST_BUDGET, thinking.budget_tokens or ANTHROPIC_THINKING_BUDGET_MAP[True])


def _effort_of(budget: int | None) -> str | None:
    if budget is None:
        return None
    return next((effort for most, effort in EFFORTS if budget <= most), "max")
