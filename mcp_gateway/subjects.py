"""What the tools of a server act on, such as a bot: which are somebody's, and which one a call is about.

Products register it beside their tools, so that whoever offers these tools for some subjects alone need not know them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from accounts.caller import Caller


@dataclass(frozen=True, slots=True)
class Owned:
    """Something of the caller's."""

    id: str
    name: str
    description: str = ""


class Listing(Protocol):
    def __call__(self, caller: Caller, ids: Collection[str] | None = None) -> Sequence[Owned]:
        """The caller's own by name, at most a few hundred; with `ids` those of them that are named."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of subject: `one` is its word in a sentence.

    A tool with `argument` names the subject itself. A tool with one of the arguments in `behind` names something that
    belongs to a subject: the function gives that subject's id, or None where the caller has no such thing.
    """

    one: str
    argument: str
    owned: Listing
    behind: Mapping[str, Callable[[Caller, Any], str | None]]


class Subjects:
    """Kinds by server. Filled while Django starts, read-only afterwards."""

    def __init__(self) -> None:
        self._kinds: dict[str, Kind] = {}

    def add(self, server: str, kind: Kind) -> None:
        if server in self._kinds:
            raise ValueError(f"The tools of {server} have a kind of subject already.")
        self._kinds[server] = kind

    def of(self, server: str) -> Kind | None:
        return self._kinds.get(server)


subjects = Subjects()
