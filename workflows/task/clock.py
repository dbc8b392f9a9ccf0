"""The time a task has left. Past its soft limit the model is told once to come to an end."""

from collections.abc import Sequence

from llm.turns import Said, Turn
from workflows.engine.work import Work

NUDGE = (
    "The time for this run is nearly up. Begin nothing new: finish what is under way, and end the task with what there "
    "is, saying what is missing."
)


class Clock:
    """What the engine counts, in which waiting for people does not."""

    def __init__(self, work: Work) -> None:
        self._work = work
        minutes = work.execution.options.get("softTimeoutMins")
        most = work.execution.workflow.settings["max_timeout_mins"]
        # What is still left of the hard limit when the soft one is reached.
        self._left_at_nudge = None if minutes is None else (most - minutes) * 60

    def nudge(self, turns: Sequence[Turn]) -> str | None:
        """What the model is to be told now; nothing before the time, and nothing twice."""
        if self._left_at_nudge is None or self.seconds_left > self._left_at_nudge:
            return None
        return None if any(isinstance(turn, Said) and turn.text == NUDGE for turn in turns) else NUDGE

    @property
    def seconds_left(self) -> float:
        return self._work.seconds_left
