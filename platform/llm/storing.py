"""Answers of models as JSON that can be stored, and back: whoever goes on with a task later reads them."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from llm.turns import Answer, ToolCall, Usage


def answer_as_json(answer: Answer) -> dict[str, Any]:
    return {
        "text": answer.text,
        "reasoning": answer.reasoning,
        "model": answer.model,
        "message": answer.message,
        "calls": [
            {"id": call.id, "name": call.name, "arguments": call.arguments, "fault": call.fault}
            for call in answer.calls
        ],
        "usage": {
            "input": answer.usage.input,
            "cached": answer.usage.cached,
            "output": answer.usage.output,
            "cost_usd": None if answer.usage.cost_usd is None else str(answer.usage.cost_usd),
        },
    }


def answer_from(body: dict[str, Any]) -> Answer:
    used = body["usage"]
    cost = used["cost_usd"]
    return Answer(
        text=body["text"],
        calls=tuple(ToolCall(**call) for call in body["calls"]),
        usage=Usage(used["input"], used["cached"], used["output"], None if cost is None else Decimal(cost)),
        model=body["model"],
        message=body["message"],
        reasoning=body["reasoning"],
    )


def said_by_model(text: str, model: str) -> Answer:
    """An answer of which only the text is known, such as one that broke off, for a history."""
    message = {"kind": "response", "parts": [{"part_kind": "text", "content": text}], "model_name": model}
    return Answer(text, (), Usage(), model, message)


def without_calls(answer: Answer) -> Answer:
    """The answer as if it had called for nothing."""
    parts = [part for part in answer.message["parts"] if part.get("part_kind") != "tool-call"]
    return replace(answer, calls=(), message={**answer.message, "parts": parts})
