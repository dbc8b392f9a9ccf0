"""The OpenAPI document, made from the URL map once a process."""

from functools import cache
from typing import Any

import pydantic_core
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator


@require_safe
def show_document(request: HttpRequest) -> HttpResponse:
    """For anyone: it says what there is, and nothing of anybody's."""
    response = HttpResponse(document(), content_type="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@cache
def document() -> bytes:
    generator: Any = SchemaGenerator  # the library's own is untyped
    return pydantic_core.to_json(generator().get_schema(request=None, public=True))
