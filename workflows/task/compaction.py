"""Making a task's long history short: the model says what matters of it, and goes on from its own words."""

from llm.compaction import FROM_TOKENS as FROM_TOKENS
from llm.compaction import question as question
from workflows.engine.activities import Line


def told(summary: str) -> str:
    return f"What happened in this task so far, as you wrote it down:\n{summary}\n\nGo on from there."


def started() -> Line:
    return Line("compaction_started", {})


def performed(summary_tokens: int, milliseconds: int) -> Line:
    return Line("compaction_performed", {"summaryTokens": summary_tokens, "durationMs": milliseconds})
