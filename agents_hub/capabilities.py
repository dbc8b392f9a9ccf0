"""What an AI Task node of a workflow can be given to work with. Whatever carries a capability out adds it here."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capability:
    """`name` is its action's name, `family` the kind of work it belongs to; what is required every node has."""

    name: str
    description: str
    family: str
    is_required: bool = False


class Capabilities:
    """Those this installation can carry out. Filled while Django starts, read-only afterwards."""

    def __init__(self) -> None:
        self._capabilities: dict[str, Capability] = {}

    def add(self, capability: Capability) -> None:
        if capability.name in self._capabilities:
            raise ValueError(f"The capability {capability.name} is there already.")
        self._capabilities[capability.name] = capability

    def __iter__(self) -> Iterator[Capability]:
        """By family, then by name."""
        return iter(sorted(self._capabilities.values(), key=lambda one: (one.family, one.name)))


capabilities = Capabilities()
