"""How a view begins a stream: it says what is looked at and by whom, and Django is done with the request.

Django would keep a thread and its database connection for as long as a response goes on. So the response is handed out
to the layer around Django (`dashboard.streams.layer`), with the headers that the middleware gave it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse

from accounts.errors import Conflict
from accounts.page_caller import holds_session, person
from dashboard.streams.subjects import Subject

SCOPE_KEY = "asterism.stream"
# Proxies that gather an answer before they pass it on (nginx does) leave this one alone.
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A stream that a view lets somebody have. `after` is the number of the last event known to the page.

    `holds` says whether what the person was let in by still holds: their session, or their key.
    """

    subject: Subject
    after: int
    person_id: int
    holds: Callable[[], bool]


@dataclass(slots=True)
class Slot:
    """Where, in a request's scope, a view leaves what it asks for."""

    asked: Asked | None = field(default=None)


def is_possible(request: HttpRequest) -> bool:
    """Whether this server streams; Django's development server, for one, does not."""
    return _slot(request) is not None


def answer(request: HttpRequest, subject: Subject) -> HttpResponse:
    """A stream of the subject for the signed-in person, whose access the view has checked.

    Takes what `answer_to` takes.
    """
    person_id, session_key = person(request).pk, request.session.session_key
    return answer_to(request, subject, person_id=person_id, holds=partial(holds_session, session_key, person_id))


def answer_to(request: HttpRequest, subject: Subject, *, person_id: int, holds: Callable[[], bool]) -> HttpResponse:
    """A stream of the subject for somebody who came by another door, as long as what they came with holds.

    It goes on after the number in `Last-Event-ID`, which a browser sends when it comes back, else after `?after=`.
    """
    slot = _slot(request)
    if slot is None:
        raise Conflict("This server cannot stream. The page keeps refreshing instead.", code="no_streams")
    after = _number(request.headers.get("Last-Event-ID", "")) or _number(request.GET.get("after", "")) or 0
    slot.asked = Asked(subject, after, person_id, holds)
    return HttpResponse(content_type="text/event-stream", headers=HEADERS)


def _slot(request: HttpRequest) -> Slot | None:
    slot: Slot | None = request.scope.get(SCOPE_KEY) if isinstance(request, ASGIRequest) else None
    return slot


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
