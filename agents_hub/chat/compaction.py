"""Making a chat's long history short. Pure: whoever carries the turn out asks the question and keeps the summary.

    if compaction.is_due(history):
        answer = await ask(compaction.question(question))
        if answer.text.strip():
            text = compaction.told(history, answer.text)  # stands for the whole history from now on

Between rounds only: the results of all calls of the last answer are in the history.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from llm import compaction
from llm.turns import Question, Returned, Said, ToolResult, Turn

TOLD = "What was said and done in this conversation so far, as you wrote it down:"
GO_ON = "Go on from there, and do not do again what is done."
# Of one result, or of one message with its files, in characters: for the summary, and after it.
MOST_SUMMED_UP = 20_000
MOST_KEPT = 60_000
CUT = "\n[It was cut here: {:,} characters.]"


def is_due(history: Sequence[Turn], *, from_tokens: int = 0) -> bool:
    """Whether the history is longer than `from_tokens`, or than what suits every model."""
    return compaction.length(history) > (from_tokens or compaction.FROM_TOKENS)


def question(asked: Question) -> Question:
    """What is asked for, with long texts cut and without images, so that it fits where the history does not."""
    return compaction.question(replace(asked, history=[_short(turn) for turn in asked.history]))


def told(history: Sequence[Turn], summary: str) -> str:
    """What takes the history's place: what the person said last, in their words, and the summary.

    The summary comes last: it tells what was done already about that.
    """
    return f"{_said_last(history)}{TOLD}\n{summary.strip()}\n\n{GO_ON}"


def _said_last(history: Sequence[Turn]) -> str:
    said = next((turn for turn in reversed(history) if isinstance(turn, Said)), None)
    if said is None:
        return ""
    images = f"\n[{len(said.images)} images, no longer shown]" if said.images else ""
    return f"The person said last:\n{_cut(said.text, MOST_KEPT)}{images}\n\n"


def _short(turn: Turn) -> Turn:
    match turn:
        case Said(text=text):
            return Said(_cut(text, MOST_SUMMED_UP))
        case Returned(results=results):
            return Returned([_short_result(each) for each in results])
    return turn


def _short_result(given: ToolResult) -> ToolResult:
    text = given.content if isinstance(given.content, str) else json.dumps(given.content, ensure_ascii=False)
    content: Any = given.content if len(text) <= MOST_SUMMED_UP else _cut(text, MOST_SUMMED_UP)
    return replace(given, content=content, images=())


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + CUT.format(len(text))
