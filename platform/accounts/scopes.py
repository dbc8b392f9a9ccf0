"""What a key or token allows: read < write < admin. One holds one scope, and it includes those below."""

from enum import StrEnum


class Scope(StrEnum):
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        return list(Scope).index(self)

    def includes(self, other: "Scope") -> bool:
        return self.rank >= other.rank
