"""The endpoints that clients call themselves: exchanging codes, refreshing, revoking. One transaction a request."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from oauth2_provider.views import RevokeTokenView
from oauth2_provider.views import TokenView as ToolkitTokenView


@method_decorator(transaction.atomic, name="post")
class TokenView(ToolkitTokenView):
    """POST only, form-encoded (RFC 6749 section 3.2). An error answers 400 or 401 and commits what it found out."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = self.authorization_flow_token_response(request)
        response.headers["Content-Type"] = "application/json"
        return uncached(response)


@method_decorator(transaction.atomic, name="post")
class RevokeView(RevokeTokenView):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return uncached(super().post(request, *args, **kwargs))


def uncached(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response
