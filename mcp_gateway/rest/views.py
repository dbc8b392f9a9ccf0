"""The views of the REST API: one a path, answering each of its routes by the tool the route shares."""

import json
from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.errors import DomainError, Invalid
from dashboard import streams
from mcp_gateway.rest import answers, idempotency, reading
from mcp_gateway.rest.authentication import KeyAuthentication, KeyThrottle, caller_of, still_holds
from mcp_gateway.rest.calls import Call
from mcp_gateway.rest.openapi import RouteSchema
from mcp_gateway.rest.routes import Route


class AlwaysJson(BaseContentNegotiation):
    """Whatever a client says that it accepts: there is one form, and refusing helps nobody."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class ToolRoute(APIView):
    """All routes of one path, by method."""

    routes: Mapping[str, Route] = {}
    authentication_classes = [KeyAuthentication]
    throttle_classes = [KeyThrottle]
    permission_classes = []
    parser_classes = [MultiPartParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = AlwaysJson
    schema = RouteSchema()

    def get(self, request: Request, **path: str) -> HttpResponseBase:
        return self._answer(request, path)

    post = put = patch = delete = get

    def get_exception_handler(self) -> Any:
        return answers.for_exception

    def _answer(self, request: Request, path: dict[str, str]) -> HttpResponseBase:
        route = self.routes["GET" if request.method == "HEAD" else str(request.method)]
        caller = caller_of(request)
        caller.require(route.scope)
        files = reading.files(request) if route.upload is not None else None
        call = Call(route, caller, reading.arguments(route, path, request), files)
        key = request.headers.get(idempotency.HEADER) if route.method == "POST" else None
        if key is not None and not route.takes_key:
            raise Invalid(
                f"{idempotency.HEADER}: cannot be used here, because another server is asked and its answer is not"
                " kept. Leave it out."
            )
        try:
            answer = call.run() if key is None else idempotency.once(caller, key, call)
        except DomainError:
            raise
        except Exception:  # whatever it was, the call leaves its entry
            call.note_failure()
            raise
        if route.stream is not None and answer.status < 300 and _accepts_stream(request):
            subject = route.stream(caller, json.loads(answer.body))
            return streams.answer_to(request._request, subject, person_id=caller.user_id, holds=still_holds(request))
        return answer.response(request._request)


def _accepts_stream(request: Request) -> bool:
    return "text/event-stream" in request.headers.get("Accept", "")


def no_such_route(request: HttpRequest, path: str = "") -> HttpResponse:
    return answers.for_exception(Http404())
