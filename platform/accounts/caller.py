"""Who asks: the one value that every service takes first, whichever door the request came through."""

from dataclasses import dataclass, replace
from enum import StrEnum

from accounts.errors import ScopeMissing
from accounts.scopes import Scope


class Door(StrEnum):
    MCP = "mcp"
    REST = "rest"
    PAGE = "page"
    ADMIN = "admin"
    COMMAND = "command"
    TASK = "task"
    CHAT = "chat"


@dataclass(frozen=True, slots=True)
class Caller:
    """A person acting through a door, no wider than `scope`.

    Rows are reached by `user_id`; what the person came with (an API key, or an application they let in), the address
    and the request id are for the audit.
    """

    user_id: int
    scope: Scope
    door: Door
    api_key_id: int | None = None
    application_id: int | None = None
    ip: str = ""
    request_id: str = ""

    @classmethod
    def system(cls, user_id: int = 0) -> "Caller":
        """The platform's own tasks: for the person whose rows they touch, or for nobody, who reaches no rows."""
        return cls(user_id=user_id, scope=Scope.ADMIN, door=Door.TASK)

    def acting_for(self, user_id: int) -> "Caller":
        """The same door and address, for the person that a visitor turned out to be."""
        return replace(self, user_id=user_id)

    def require(self, scope: Scope) -> None:
        """Raise `ScopeMissing` unless the caller's scope includes `scope`."""
        if not self.scope.includes(scope):
            raise ScopeMissing(
                f"This needs the scope {scope.value}; the key used has {self.scope.value}. "
                f"Use a key with the scope {scope.value}.",
                data={"scope": scope.value, "held": self.scope.value},
            )
