"""Failures on demand: the next requests that match are answered late, wrongly, or not at all."""

from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import BaseModel, Field


class Fault(BaseModel):
    """What goes wrong with the next `times` requests whose "METHOD /path" matches the pattern `match`.

    `drop` breaks the connection, "before" or "after" the request took effect; `retry_after` answers 429 of that
    `scope`; `status` answers that status and `body`; `delay_seconds` comes before any of it, or before a good answer.
    """

    match: str = "*"
    times: int = Field(default=1, ge=1)
    delay_seconds: float = Field(default=0, ge=0, le=60)
    drop: Literal["before", "after"] | None = None
    retry_after: float | None = None
    scope: Literal["user", "shared", "global"] = "user"
    status: int | None = Field(default=None, ge=100, le=599)
    body: Any = None


class Faults:
    """The failures still to come, in the order they were asked for."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._pending.append(fault)

    def clear(self) -> None:
        self._pending.clear()

    def next_for(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets, used up by it."""
        for fault in self._pending:
            if fnmatchcase(f"{method} {path}", fault.match):
                fault.times -= 1
                if fault.times == 0:
                    self._pending.remove(fault)
                return fault
        return None
