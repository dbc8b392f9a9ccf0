"""The OpenAPI document of each API, made from its part of the URL map once a process."""

from functools import cache
from typing import Any

import pydantic_core
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from mcp_gateway.rest.routes import Routes


@require_safe
def show_document(request: HttpRequest, api: Routes) -> HttpResponse:
    """For anyone: it says what there is, and nothing of anybody's."""
    response = HttpResponse(document(api), content_type="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@cache
def document(api: Routes) -> bytes:
    from mcp_gateway.rest.urls import below  # which names the view above

    generator: Any = SchemaGenerator  # the library's own is untyped
    described = generator(patterns=[path(api.base, include(below(api)))]).get_schema(request=None, public=True)
    described["info"] |= {"title": f"Asterism: {api.title}", "description": api.description}
    return pydantic_core.to_json(described)
