"""The rail's entries. Each app adds its own when it is ready; the shell draws what is there and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import User

Visitor = User | AnonymousUser


class Section(Enum):
    """Where in the rail an entry stands, from top to foot."""

    MAIN = "main"
    CONTROL_HUB = "control-hub"
    HELP = "help"
    FOOT = "foot"

    @property
    def heading(self) -> str:
        return "Control Hub" if self is Section.CONTROL_HUB else ""


def signed_in(visitor: Visitor) -> bool:
    return visitor.is_authenticated


def anyone(visitor: Visitor) -> bool:
    return True


def staff(visitor: Visitor) -> bool:
    return isinstance(visitor, User) and visitor.is_staff


@dataclass(frozen=True, slots=True)
class Entry:
    section: Section
    label: str
    url_name: str
    icon: str
    order: int
    shown_to: Callable[[Visitor], bool]


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as one visitor sees it on one page."""

    label: str
    url: str
    icon: str
    is_current: bool


class Navigation:
    """Entries by section, in order; a URL name is added once."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def add(
        self,
        section: Section,
        label: str,
        url_name: str,
        *,
        icon: str = "dashboard/icons/note.svg",
        order: int = 100,
        shown_to: Callable[[Visitor], bool] = signed_in,
    ) -> None:
        """Add an entry. `icon` is the template of a 16 px SVG; entries with a lower `order` come first."""
        if url_name in self._entries:
            raise ValueError(f"The navigation already has an entry for {url_name}.")
        self._entries[url_name] = Entry(section, label, url_name, icon, order, shown_to)

    def entries(self, visitor: Visitor) -> list[Entry]:
        """What this visitor is shown, in the order of the rail."""
        sections = list(Section)
        visible = (entry for entry in self._entries.values() if entry.shown_to(visitor))
        return sorted(visible, key=lambda entry: (sections.index(entry.section), entry.order, entry.label))

    def rail(self, request: HttpRequest) -> dict[Section, list[Link]]:
        """The links of every section that has any; the one whose address the page's begins with is current."""
        entries = [(entry, reverse(entry.url_name)) for entry in self.entries(request.user)]
        under = [url for _, url in entries if _is_under(request.path, url)]
        current = max(under, key=len, default=None)
        rail: dict[Section, list[Link]] = {}
        for entry, url in entries:
            rail.setdefault(entry.section, []).append(Link(entry.label, url, entry.icon, url == current))
        return rail


def _is_under(path: str, url: str) -> bool:
    return path == url or path.startswith(url.rstrip("/") + "/")


navigation = Navigation()
