"""What can be looked at live: a subject, how it is read, and its events as they go over the wire."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# What ends a line in an event stream; other kinds of line ends, which `str.splitlines` knows, are plain text there.
LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, with its number, which grows within the subject in the order of their commits.

    Without a number it is a picture of how things are now, by its name: each watcher is given the latest when it comes,
    and another when it has changed.
    """

    name: str
    body: str
    number: int | None = None

    def wire(self) -> bytes:
        """A picture has no id, so that whoever comes back is asked for what happened after the last number."""
        lines = [] if self.number is None else [f"id: {self.number}"]
        lines += [f"event: {self.name}", *(f"data: {line}" for line in LINE_END.split(self.body))]
        return ("\n".join(lines) + "\n\n").encode()


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found after a number: the events in order, perhaps not all of them at once.

    `last` is the number of the last event that there is. `is_over` says that none will come after it.
    """

    events: Sequence[Event]
    last: int
    is_over: bool = False


Read = Callable[[str, int], Reading]


@dataclass(frozen=True, slots=True)
class Subject:
    """What one person wants to look at.

    Notices on `channel` whose payload is `key` say that there is something new. `read(key, after)` finds it, in a
    thread of the domain. What it gives goes to all who look on, so it is a function of a module, which knows nobody;
    where the subject is gone, it raises a DomainError. `check` raises one when this person may not look on any longer.
    """

    channel: str
    key: str
    read: Read
    check: Callable[[], object]

    @property
    def shared(self) -> tuple[str, str, Read]:
        """By this it is read together for all who look on."""
        return (self.channel, self.key, self.read)
