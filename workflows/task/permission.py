"""Asking a person whether a tool may be called: for each call of one that is marked “ask before use”."""

import json
from collections.abc import Sequence
from typing import Any

from django.conf import settings

from workflows.engine.work import Waiting
from workflows.task.actions import MOST_SHOWN, Action, clipped

ALLOW, REFUSE = "Allow", "Refuse"


def asked_for(action: Action, arguments: dict[str, Any], *, lost: bool) -> Waiting:
    """The question, with the arguments as they would be sent. `lost`: the outcome of an earlier try is unknown."""
    shown = clipped(json.dumps(arguments, ensure_ascii=False), MOST_SHOWN)
    before = "It was interrupted while it was under way and may have been carried out already. " if lost else ""
    said = f"Allow {action.name} with {shown}? {before}".strip()
    question = {
        "question": said,
        "header": "Ask before use",
        "options": [
            {"label": ALLOW, "description": "It is called once, with these arguments."},
            {"label": REFUSE, "description": "It is not called, and the agent goes on without it."},
        ],
    }
    return Waiting(said, questions=[question], seconds=settings.WORKFLOW_ANSWER_HOURS * 3600)


def is_given(answers: Sequence[str]) -> bool:
    """Whether the first thing that was said to the question allows it: in that one word, and nothing else does."""
    return bool(answers) and answers[0].strip().rstrip(".!").casefold() == ALLOW.casefold()


def refused(answers: Sequence[str]) -> str:
    said = "\n".join(answers)
    return f"A person did not allow this call. They said: {said}" if said else "Nobody allowed this call."
