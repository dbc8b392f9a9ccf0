"""URLs of the REST APIs, made from the routes that products added."""

import re
from collections.abc import Callable

from django.http import HttpResponseBase
from django.urls import URLPattern, path, re_path

from mcp_gateway.rest import document
from mcp_gateway.rest.authentication import KeyAuthentication, KeyOrSession, shows_a_key
from mcp_gateway.rest.routes import PARAMETER, Route, Routes
from mcp_gateway.rest.views import ToolRoute, no_such_route
from security import body_size


def _methods(routes: dict[str, Route]) -> list[str]:
    methods = [method.lower() for method in routes]
    return [*methods, "head"] if "GET" in routes else methods


def _view(routes: dict[str, Route]) -> Callable[..., HttpResponseBase]:
    """The view of a path; with a key, its bodies may be as long as the longest that one of its routes takes."""
    opens_by = [KeyOrSession] if any(route.api.sessions for route in routes.values()) else [KeyAuthentication]
    view = ToolRoute.as_view(routes=routes, http_method_names=_methods(routes), authentication_classes=opens_by)
    longest = max(route.most_bytes for route in routes.values())
    return body_size.takes(longest, of=shows_a_key)(view) if longest else view


def _name(route_path: str) -> str:
    return re.sub(r"[{}]", "", route_path).replace("/", "-")


def below(api: Routes) -> tuple[list[URLPattern], str]:
    """What lies below an API's base address, for `include`."""
    patterns = [
        path("openapi.json", document.show_document, {"api": api}, name="openapi"),
        *(
            path(PARAMETER.sub(r"<str:\1>", route_path), _view(routes), name=_name(route_path))
            for route_path, routes in api.by_path().items()
        ),
        re_path(r"^(?P<path>.*)$", no_such_route, name="nothing"),
    ]
    return patterns, api.name
