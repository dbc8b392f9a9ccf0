"""A client of server-sent events, as a program holds one: it reads the next event, or the end, from a real socket."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

SECONDS = 20


@dataclass(frozen=True)
class Sent:
    """One event; a comment is one of the name ":"."""

    name: str
    body: str = ""
    id: str = ""


class Open:
    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()

    def parts(self) -> Iterator[Sent]:
        """Everything that comes, until the stream is ended."""
        fields: dict[str, list[str]] = {}
        for line in self._lines:
            if line:
                name, _, value = line.partition(": ") if ": " in line else line.partition(":")
                fields.setdefault(name or ":", []).append(value)
                continue
            if ":" in fields:
                yield Sent(":", fields[":"][0])
            elif "event" in fields:
                yield Sent(fields["event"][0], "\n".join(fields.get("data", [])), fields.get("id", [""])[0])
            fields = {}

    def events(self, count: int) -> list[Sent]:
        """The next so many events, without comments."""
        ends = time.monotonic() + SECONDS
        found: list[Sent] = []
        while len(found) < count:
            assert time.monotonic() < ends, f"only {len(found)} came"
            found += [part for part in [next(self._parts)] if part.name != ":"]
        return found

    def until(self, name: str) -> list[Sent]:
        """What comes up to the first event of that name, with it."""
        ends = time.monotonic() + SECONDS
        found = [next(self._parts)]
        while found[-1].name != name:
            assert time.monotonic() < ends, f"{name} did not come"
            found.append(next(self._parts))
        return found

    def rest(self) -> list[Sent]:
        """What comes until the server ends the stream."""
        return list(self._parts)

    def __enter__(self) -> "Open":
        self._parts = self.parts()
        return self

    def __exit__(self, *_: object) -> None:
        self.response.close()


@contextlib.contextmanager
def opened(url: str, session_key: str, **headers: str) -> Iterator[Open]:
    """A stream held open by whoever has the session."""
    cookie, accepted = f"sessionid={session_key}", "text/event-stream"
    sent = {"Cookie": cookie, "Accept": accepted, **{name.replace("_", "-"): value for name, value in headers.items()}}
    with (
        httpx.Client(timeout=SECONDS) as client,
        client.stream("GET", url, headers=sent) as response,
        Open(response) as stream,
    ):
        yield stream
