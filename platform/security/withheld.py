"""Values that are in use here and now and may be in no log line. Whoever works with them says how they are taken out.

`security.redact` knows secrets by name and by look; these are known by their values alone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_hide: ContextVar[Callable[[str], str] | None] = ContextVar("withheld", default=None)


@contextmanager
def from_logs(hide: Callable[[str], str]) -> Iterator[None]:
    """Within the block, and in what it starts, each log line is put through `hide` as a whole, tracebacks included."""
    token = _hide.set(hide)
    try:
        yield
    finally:
        _hide.reset(token)


def taken_out(line: str) -> str:
    """The line without what is withheld now."""
    hide = _hide.get()
    return line if hide is None else hide(line)
