"""What a request asks for: its path, query and body as the arguments of the route's tool."""

from typing import Any

import pydantic_core
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import QueryDict
from pydantic import BaseModel
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from accounts.errors import Invalid
from mcp_gateway.rest.routes import Route, SentFile

FILES_FIELD = "files"


def arguments(route: Route, path: dict[str, str], request: Request) -> BaseModel:
    """The validated arguments. Raises pydantic's `ValidationError`, or `Invalid` for what is not even readable."""
    beside = _query(route, request.query_params) if route.method == "GET" else _body(route, request)
    if twice := beside.keys() & path.keys():
        raise Invalid(f"{min(twice)} stands in the path. Leave it out of the {_where(route)}.")
    given = path | beside
    if _holds_nul(given):
        raise Invalid("The request contains the character U+0000, which no text here can hold. Leave it out.")
    return route.arguments.model_validate(given)


def files(request: Request) -> list[SentFile]:
    """The files of a multipart request, in the order they were sent."""
    if _media_type(request) != "multipart/form-data":
        raise UnsupportedMediaType(
            _media_type(request), f"Send the files as multipart/form-data, in the field “{FILES_FIELD}”."
        )
    found: list[SentFile] = request.FILES.getlist(FILES_FIELD)
    if not found:
        raise Invalid(f"{FILES_FIELD}: holds no file. Send at least one in the field “{FILES_FIELD}”.")
    return found


def _query(route: Route, query: QueryDict) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, values in query.lists():
        if _is_list(route.beside_path.get(name, {})):
            found[name] = values
        elif len(values) > 1:
            raise Invalid(f"{name}: is given {len(values)} times. Give it once.")
        else:
            found[name] = values[0]
    return found


def _body(route: Route, request: Request) -> dict[str, Any]:
    if request.query_params:
        raise Invalid(f"{min(request.query_params)}: a query is for GET. Send it in the body.")
    if route.upload is not None:
        return {}
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise RequestDataTooBig
    body = request._request.body
    if not body:
        return {}
    if _media_type(request) != "application/json":
        raise UnsupportedMediaType(_media_type(request), "Send JSON with `Content-Type: application/json`.")
    try:
        found = pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError as fault:
        raise Invalid(f"The body is not JSON: {fault}.") from None
    if not isinstance(found, dict):
        raise Invalid("The body is not a JSON object.")
    return found


def _media_type(request: Request) -> str:
    return str(request._request.content_type or "").lower()


def _is_list(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "array" or any(one.get("type") == "array" for one in schema.get("anyOf", ()))


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_holds_nul(name) or _holds_nul(item) for name, item in value.items())
    return isinstance(value, list) and any(map(_holds_nul, value))


def _where(route: Route) -> str:
    return "query" if route.method == "GET" else "body"
