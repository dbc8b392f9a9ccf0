"""Making a long history short: the model writes down what matters of it, and goes on from its own words."""

from collections.abc import Sequence
from dataclasses import replace

from llm.turns import Answer, Question, Said, Turn

# Tokens of a history from which on it is made short; what models take begins at about 128,000.
FROM_TOKENS = 100_000
ASKED = (
    "This conversation is getting too long and will be replaced by what you write now. Call no tool. Write down for "
    "yourself, in at most 1,000 words: what was found, with names, numbers and addresses as they are; what was done "
    "and must not be done again; what people said; what is left to do."
)


def length(history: Sequence[Turn]) -> int:
    """Tokens, as the last answer's usage tells; 0 where it does not."""
    return next((turn.usage.total for turn in reversed(history) if isinstance(turn, Answer)), 0)


def question(asked: Question) -> Question:
    """What is asked for, after the history as it is. The tools stay, for the history refers to them."""
    return replace(asked, history=[*asked.history, Said(ASKED)], must_call=False)
