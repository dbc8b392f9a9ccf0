"""Making a long history short: the model says what matters of it, and goes on from its own words."""

from dataclasses import replace

from llm.turns import Question, Said
from workflows.engine.activities import Line

# Tokens of a history from which on it is made short; what models take begins at about 128,000.
FROM_TOKENS = 100_000
ASKED = (
    "This conversation is getting too long and will be replaced by what you write now. Call no tool. Write down for "
    "yourself, in at most 1,000 words: what was found, with names, numbers and addresses as they are; what was done "
    "and must not be done again; what people said; what is left to do."
)


def question(asked: Question) -> Question:
    """What is asked for, after the history as it is. The tools stay, for the history refers to them."""
    return replace(asked, history=[*asked.history, Said(ASKED)], must_call=False)


def told(summary: str) -> str:
    return f"What happened in this task so far, as you wrote it down:\n{summary}\n\nGo on from there."


def started() -> Line:
    return Line("compaction_started", {})


def performed(summary_tokens: int, milliseconds: int) -> Line:
    return Line("compaction_performed", {"summaryTokens": summary_tokens, "durationMs": milliseconds})
