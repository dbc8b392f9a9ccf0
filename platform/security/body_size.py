"""How long the body of a request may be: what a view says of itself, and what holds for all that say nothing.

`config.body_limit` holds requests to it before Django reads them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.urls import Resolver404, resolve

View = TypeVar("View", bound=Callable[..., Any])
# Whether a request, of which the head alone is there, comes from somebody who is known.
Known = Callable[[HttpRequest], bool]

ATTRIBUTE = "body_allowance"


@dataclass(frozen=True, slots=True)
class Allowance:
    most_bytes: int
    known: Known


def takes(most_bytes: int, *, of: Known) -> Callable[[View], View]:
    """Let the bodies of requests to a view have `most_bytes`, counting what a form puts around its files.

    That holds for whoever `of` knows; strangers have no more than elsewhere.
    """

    def mark(view: View) -> View:
        setattr(view, ATTRIBUTE, Allowance(most_bytes, of))
        return view

    return mark


def allowance(path: str) -> Allowance | None:
    """What the view at this path takes beyond the default."""
    try:
        view = resolve(path).func
    except Resolver404:
        return None
    found: Allowance | None = getattr(view, ATTRIBUTE, None)
    return found


def most(request: HttpRequest) -> int:
    """How many bytes the request's body may have. Looks into the database where its view takes more than others."""
    allowed = allowance(request.path_info)
    if allowed is not None and allowed.known(request):
        return allowed.most_bytes
    default: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return default
