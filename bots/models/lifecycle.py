"""State machines as tables: from, event, to. The one place where a change of state is allowed or refused."""

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.errors import Conflict


@dataclass(frozen=True)
class Lifecycle:
    """The states of one kind of thing. The docs draw their pictures from the same table."""

    noun: str
    table: Mapping[tuple[str, str], str]

    def allows(self, state: str, event: str) -> bool:
        return (state, event) in self.table

    def after(self, state: str, event: str) -> str:
        """The state that `event` leads to; raises `Conflict` where the table has no such step."""
        try:
            return self.table[state, event]
        except KeyError:
            possible = ", ".join(sorted(step for start, step in self.table if start == state)) or "nothing more"
            raise Conflict(
                f"The {self.noun} is {state}, so it cannot {event}. From here it can: {possible}.",
                code=f"already_{state}",
                data={"state": state, "event": event},
            ) from None
