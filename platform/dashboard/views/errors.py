"""Pages for what went wrong. They say what happened and what to do; an unexpected error shows its request id only."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from accounts.errors import Conflict, DomainError, Forbidden, NotFound, Unavailable
from security import request_id

STATUS: dict[type[DomainError], int] = {NotFound: 404, Forbidden: 403, Conflict: 409, Unavailable: 503}
HEADINGS = {
    400: "That request cannot be read",
    403: "You may not do that",
    404: "There is no such page",
    409: "That is not possible now",
    503: "Something outside does not answer",
}


def error_page(request: HttpRequest, status: int, message: str) -> HttpResponse:
    context = {"heading": HEADINGS[status], "message": message}
    return render(request, "dashboard/error.html", context, status=status)


def domain_error(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The page of a service's refusal that the view itself did not show beside a form."""
    status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 400)
    return error_page(request, status, error.message)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 400, "The address or what was sent with it is malformed. Go back and try it again.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 403, "Your account does not reach this page. Ask whoever runs this platform.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 404, "It may have been removed, or it belongs to somebody else. Check the address.")


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    message = "The form was open for too long, or cookies are off. Go back, load the page anew and send it again."
    return error_page(request, 403, message)


def unexpected(request: HttpRequest) -> HttpResponse:
    message = "It was not your doing, and is logged. Try again; if it persists, tell whoever runs this platform."
    return page_alone(500, "Something went wrong", message)


def page_alone(status: int, heading: str, message: str) -> HttpResponse:
    """A page made without the request: it may not have been read, or whatever failed may lie in what pages are made
    with."""
    context = {"heading": heading, "message": message, "request_id": request_id.current()}
    return HttpResponse(render_to_string("dashboard/alone.html", context), status=status)
