"""How long the body of a request may be: what a view says of itself, and what holds for all that say nothing.

`config.body_limit` holds requests to it before Django reads them.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.urls import Resolver404, resolve

View = TypeVar("View", bound=Callable[..., Any])

ATTRIBUTE = "most_body_bytes"


def takes(most_bytes: int) -> Callable[[View], View]:
    """Let the bodies of requests to a view have `most_bytes`, counting what a form puts around its files."""

    def mark(view: View) -> View:
        setattr(view, ATTRIBUTE, most_bytes)
        return view

    return mark


def most(path: str) -> int:
    """How many bytes the body of a request to this path may have."""
    default: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    try:
        view = resolve(path).func
    except Resolver404:
        return default
    return int(getattr(view, ATTRIBUTE, default))
