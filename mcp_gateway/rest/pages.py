"""The API page: every route as the OpenAPI document has it, with a command to copy and a form to send."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from dashboard.organizations import current_organization
from mcp_gateway.rest import openapi
from mcp_gateway.rest.authentication import KEY_HEADER
from mcp_gateway.rest.reading import FILES_FIELD
from mcp_gateway.rest.routes import APIS, Route, Routes

SOME_ID = "0198c0de-7a11-7000-8000-000000000000"

Examples = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Argument:
    """One value that a route takes. `example` fills the form; what need not be sent is left out of it."""

    name: str
    place: str
    kind: str
    required: bool
    description: str
    example: str


@dataclass(frozen=True, slots=True)
class Card:
    """A route as the page shows it."""

    route: Route
    url: str
    description: str
    arguments: list[Argument]
    body: str
    gives: str
    curl: str

    @property
    def in_address(self) -> list[Argument]:
        return [argument for argument in self.arguments if argument.place in {"path", "query"}]


@dataclass(frozen=True, slots=True)
class Chapter:
    """One API as the page shows it: its routes by what they are about."""

    api: Routes
    subjects: dict[str, list[Card]]

    @property
    def address(self) -> str:
        return settings.PUBLIC_URL + _base(self.api)

    @property
    def document_url(self) -> str:
        return reverse(f"{self.api.name}:openapi")


@require_safe
@login_required
def show_api(request: HttpRequest) -> HttpResponse:
    organization = current_organization(request)
    known = {"organizationId": str(organization.uid)} if organization else {}
    context = {"chapters": [_chapter(api, known) for api in APIS], "key_header": KEY_HEADER}
    return render(request, "mcp_gateway/api.html", context)


def _chapter(api: Routes, known: Examples) -> Chapter:
    subjects: dict[str, list[Card]] = {}
    for route in api:
        subjects.setdefault(openapi.subject(route), []).append(_card(route, known))
    return Chapter(api, subjects)


def _card(route: Route, known: Examples) -> Card:
    operation = openapi.operation(route)
    body = json.dumps(_example_body(route, known), indent=2) if route.takes_body else ""
    success = next(iter(operation["responses"].values()))
    return Card(
        route=route,
        url=_base(route.api) + route.path,
        description=operation["description"],
        arguments=[*_arguments(route, operation, known)],
        body=body,
        gives=openapi.component_name(route.tool.result) if openapi.gives_json(route) else success["description"],
        curl=_curl(route, body),
    )


def _arguments(route: Route, operation: Examples, known: Examples) -> Iterator[Argument]:
    for one in operation["parameters"]:
        if one["in"] != "header":
            example = known.get(one["name"], "") if one["in"] == "path" or one["required"] else ""
            yield _argument(one["name"], one["in"], one["schema"], one["required"], one.get("description", ""), example)
    if route.takes_body:
        schema = openapi.components(route.api)[openapi.body_name(route)]
        for name, field in schema["properties"].items():
            yield _argument(name, "body", field, name in schema.get("required", ()), field.get("description", ""), "")
    if route.upload is not None:
        yield Argument(FILES_FIELD, "body", "files", True, "As multipart/form-data.", "")


def _argument(name: str, place: str, schema: Examples, required: bool, description: str, example: str) -> Argument:
    return Argument(name, place, _kind(schema), required, description, example)


def _kind(schema: Examples) -> str:
    """What a value is, in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"] if one.get("type") != "null")
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if schema.get("format") in {"uuid", "date-time"}:
        return {"uuid": "id", "date-time": "time"}[schema["format"]]
    return str(schema.get("type", "any JSON"))


def _example_body(route: Route, known: Examples) -> Examples:
    """What has to be sent, or else the first thing that can be."""
    schema = openapi.components(route.api)[openapi.body_name(route)]
    names = schema.get("required") or list(schema["properties"])[:1]
    return {name: known.get(name, _example(schema["properties"][name])) for name in names}


def _example(schema: Examples) -> Any:
    for inner in schema.get("anyOf", ()):
        return _example(inner)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "array":
            return [_example(schema.get("items", {}))]
        case "boolean":
            return True
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "string":
            return SOME_ID if schema.get("format") == "uuid" else "…"
    return {}


def _curl(route: Route, body: str) -> str:
    method = "" if route.method == "GET" else f"-X {route.method} "
    parts = [f"curl {method}'{settings.PUBLIC_URL}{_base(route.api)}{route.path}'", f"-H '{KEY_HEADER}: wiz_…'"]
    if body:
        parts += ["-H 'Content-Type: application/json'", f"-d '{body}'"]
    if route.upload is not None:
        parts.append(f"-F '{FILES_FIELD}=@a-file.txt'")
    return " \\\n  ".join(parts)


def _base(api: Routes) -> str:
    return reverse(f"{api.name}:openapi").removesuffix("openapi.json")
