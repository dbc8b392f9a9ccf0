"""The jump list: named sources of places, searched together when a person presses ⌘K."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

from django.urls import reverse

from accounts.models import User
from dashboard.navigation import navigation

# A list longer than this is read, not jumped through.
MOST_PER_SOURCE = 8


@dataclass(frozen=True, slots=True)
class Place:
    label: str
    url: str
    detail: str = ""


Source = Callable[[User, str], Iterable[Place]]


class JumpList:
    """Sources by heading, asked in the order they were added."""

    def __init__(self) -> None:
        self._sources: dict[str, Source] = {}

    def add(self, heading: str, source: Source) -> None:
        """Add a source: it takes the person and the words typed, and yields that person's own places only."""
        if heading in self._sources:
            raise ValueError(f"The jump list already has a source called {heading}.")
        self._sources[heading] = source

    def find(self, person: User, words: str) -> dict[str, list[Place]]:
        """The places that match, by heading; headings with none are left out."""
        words = " ".join(words.split())[:100]
        found = {
            heading: list(islice(source(person, words), MOST_PER_SOURCE)) for heading, source in self._sources.items()
        }
        return {heading: places for heading, places in found.items() if places}


def matches(label: str, words: str) -> bool:
    """Whether every word typed stands somewhere in the label, in any order."""
    return all(word in label.casefold() for word in words.casefold().split())


def pages(person: User, words: str) -> Iterable[Place]:
    for entry in navigation.entries(person):
        if matches(entry.label, words):
            yield Place(entry.label, reverse(entry.url_name), entry.section.heading)


jump_list = JumpList()
jump_list.add("Pages", pages)
