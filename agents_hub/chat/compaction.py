"""Making a chat's long history short. Pure: whoever carries the turn out asks the question and keeps the summary.

    if compaction.is_due(history):
        answer = await ask(compaction.question(question))
        if answer.text.strip():
            text = compaction.told(history, answer.text)  # stands for the whole history from now on

Between rounds only: the results of all calls of the last answer are in the history.
"""

from collections.abc import Sequence

from llm import compaction
from llm.compaction import question as question
from llm.turns import Said, Turn

TOLD = "What was said and done in this conversation so far, as you wrote it down:"
GO_ON = "Go on from there, and do not do again what is done."


def is_due(history: Sequence[Turn], *, from_tokens: int = 0) -> bool:
    """Whether the history is longer than `from_tokens`, or than what suits every model."""
    return compaction.length(history) > (from_tokens or compaction.FROM_TOKENS)


def told(history: Sequence[Turn], summary: str) -> str:
    """What takes the history's place: what the person said last, as they said it, and the summary.

    The summary comes last: it tells what was done already about that.
    """
    return f"{_said_last(history)}{TOLD}\n{summary.strip()}\n\n{GO_ON}"


def _said_last(history: Sequence[Turn]) -> str:
    said = next((turn for turn in reversed(history) if isinstance(turn, Said)), None)
    if said is None:
        return ""
    images = f"\n[{len(said.images)} images, no longer shown]" if said.images else ""
    return f"The person said last:\n{said.text}{images}\n\n"
