"""Making a chat's long history short. Pure: whoever carries the turn out asks the question and keeps the summary.

    if compaction.is_due(history, from_tokens=most):
        answer = await ask(compaction.question(question, most))
        if answer.text.strip():
            text = compaction.told(history, answer.text)  # stands for the whole history from now on

Between rounds only: the results of all calls of the last answer are in the history.
"""

from collections.abc import Sequence

from llm.compaction import GROWTH as GROWTH
from llm.compaction import length as length
from llm.compaction import question as question
from llm.telling import clipped
from llm.turns import Said, Turn

TOLD = "What was said and done in this conversation so far, as you wrote it down:"
GO_ON = "Go on from there, and do not do again what is done."
# Of the last message with its files, in characters, beside the summary.
MOST_KEPT = 60_000


def is_due(history: Sequence[Turn], *, from_tokens: int) -> bool:
    """Whether the history is longer than `from_tokens`, and more than one message, which nothing shortens."""
    return len(history) > 1 and length(history) > from_tokens


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
    return f"The person said last:\n{clipped(said.text, MOST_KEPT)}{images}\n\n"
