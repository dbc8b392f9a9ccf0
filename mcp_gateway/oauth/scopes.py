"""OAuth's list of scopes and our one scope: a token holds the widest it names, and is issued with those below it."""

from collections.abc import Collection

from accounts.scopes import Scope


def widest(names: Collection[str]) -> Scope | None:
    """The widest of the scopes named; None where none of the names is one."""
    named = [scope for scope in Scope if scope.value in names]
    return max(named, key=lambda scope: scope.rank, default=None)


def with_those_below(names: Collection[str]) -> list[str]:
    """The scopes that those named include, narrowest first, so that a client may later ask for less."""
    top = widest(names)
    return [] if top is None else [scope.value for scope in Scope if top.includes(scope)]
