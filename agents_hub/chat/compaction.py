"""Making a chat's long history short. Pure: whoever carries the turn out asks the question and keeps the summary.

    if compaction.is_due(history):
        answer = await ask(compaction.question(question))
        if answer.text.strip():
            history = compaction.shortened(history, answer.text)

Between rounds only: the results of all calls of the last answer are in the history.
"""

from collections.abc import Sequence

from llm import compaction
from llm.compaction import question as question
from llm.turns import Said, Turn


def is_due(history: Sequence[Turn], *, from_tokens: int = 0) -> bool:
    """Whether the history is longer than `from_tokens`, or than what suits every model."""
    return compaction.length(history) > (from_tokens or compaction.FROM_TOKENS)


def shortened(history: Sequence[Turn], summary: str) -> list[Turn]:
    """What takes the history's place: what the person said last, as they said it, and the summary.

    The summary comes last: it tells what was done already about that.
    """
    said = [turn for turn in history if isinstance(turn, Said)]
    return [*said[-1:], Said(told(summary))]


def told(summary: str) -> str:
    return (
        "What was said and done in this conversation so far, the message above included, as you wrote it down:\n"
        f"{summary.strip()}\n\nGo on from there, and do not do again what is done."
    )
