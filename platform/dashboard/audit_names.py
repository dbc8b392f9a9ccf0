"""The names of what an audit entry knows by number and what the shell, standing below it, cannot look up itself."""

from collections.abc import Callable, Iterable, Mapping

from security.models import AuditEntry

Source = Callable[[Iterable[int]], Mapping[int, str]]


class AuditNames:
    """Sources by the entry's field, each asked once for a page of entries."""

    def __init__(self) -> None:
        self._sources: dict[str, Source] = {}

    def add(self, field: str, source: Source) -> None:
        """Add a source: it takes the numbers that stand in `field`, and gives the names of those that still are."""
        if field in self._sources:
            raise ValueError(f"The audit already knows where the names of {field} are.")
        self._sources[field] = source

    def of(self, field: str, entries: Iterable[AuditEntry]) -> Mapping[int, str]:
        numbers = {number for entry in entries if (number := getattr(entry, field)) is not None}
        return self._sources[field](numbers) if numbers and field in self._sources else {}


audit_names = AuditNames()
