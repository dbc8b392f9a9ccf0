"""The id of the request being answered: in its answer's X-Request-ID, in its log lines and in its audit entries."""

import re
import secrets
from contextvars import ContextVar

HEADER = "X-Request-ID"
SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")

_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """The id, or an empty string outside a request."""
    return _current.get()


def begin(proposed: str = "") -> str:
    """Set and return the id of the request that begins: what a trusted proxy proposed if it is sane, else a new one."""
    chosen = proposed if SANE.fullmatch(proposed) else secrets.token_hex(16)
    _current.set(chosen)
    return chosen
