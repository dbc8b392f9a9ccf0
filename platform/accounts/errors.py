"""The domain's errors. Services raise them; each door turns them into its own form.

Every error carries a stable `code` for programs, a message a person can act on, and optional `data`.
"""

from collections.abc import Mapping
from typing import Any


class DomainError(Exception):
    """The base of all errors a caller can be told about."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.data: dict[str, Any] = dict(data or {})


class NotFound(DomainError):
    """It does not exist, or it belongs to somebody else: the two are not told apart."""

    code = "not_found"


class Forbidden(DomainError):
    """The caller is known and may not do this."""

    code = "forbidden"


class ScopeMissing(Forbidden):
    """The caller's key or token does not reach this far; `data["scope"]` names what it needs."""

    code = "insufficient_scope"


class Invalid(DomainError):
    """The input cannot be acted on as it is."""

    code = "invalid"


class Conflict(DomainError):
    """The state of the thing does not allow it, such as closing what is closed."""

    code = "conflict"


class PlanLimit(DomainError):
    """The caller's plan does not include this much."""

    code = "plan_limit"


class Unavailable(DomainError):
    """Something outside did not answer or refused; `data["retry_after"]` is in seconds where it is known."""

    code = "unavailable"


class Throttled(DomainError):
    """Tried too often; `data["retry_after"]` is in seconds."""

    code = "throttled"
