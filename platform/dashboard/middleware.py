"""Turns a service's refusal into a page, for views that do not show it themselves."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.errors import DomainError
from dashboard.views.errors import domain_error


class DomainErrorPages:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return domain_error(request, exception) if isinstance(exception, DomainError) else None
