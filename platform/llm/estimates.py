"""What a question used that has no answer to tell it: estimated by its characters, and priced as an answer is."""

import json
from typing import TYPE_CHECKING

from llm.asking import used_by
from llm.compaction import CHARACTERS_A_TOKEN, estimated
from llm.turns import Question, Usage

if TYPE_CHECKING:
    from pydantic_ai.models import Model


def usage(model: "Model", question: Question, written: int) -> Usage:
    """For a question of which `written` characters were answered before it ended."""
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.usage import RequestUsage

    return used_by(
        ModelResponse(
            parts=[],
            usage=RequestUsage(input_tokens=_asked(question), output_tokens=written // CHARACTERS_A_TOKEN),
            model_name=model.model_name,
            provider_name=model.system,
            provider_url=getattr(model, "base_url", None),
        )
    )


def _asked(question: Question) -> int:
    tools = sum(len(tool.name) + len(tool.description) + len(json.dumps(tool.parameters)) for tool in question.tools)
    beside = (len(question.instructions) + tools) // CHARACTERS_A_TOKEN
    return beside + sum(map(estimated, question.history))
