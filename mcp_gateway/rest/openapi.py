"""What the OpenAPI document says of a route: taken from its tool's pydantic models, so that it cannot say otherwise."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from django.conf import settings
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry, ResolvedComponent
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from mcp_gateway.rest.answers import Accepted, Download, Elsewhere, Error
from mcp_gateway.rest.authentication import KEY_HEADER
from mcp_gateway.rest.idempotency import HEADER, REPLAYED_HEADER
from mcp_gateway.rest.reading import FILES_FIELD
from mcp_gateway.rest.routes import Route, Routes

REFERENCE = "#/components/schemas/"
SECURITY_SCHEMES = {
    "keyHeader": {"type": "apiKey", "in": "header", "name": KEY_HEADER},
    "bearer": {"type": "http", "scheme": "bearer"},
}
# Where people's own pages may use an API, with the token that every form carries for all that is no GET.
SESSION_SCHEMES = {"session": {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}}
PROBLEMS = {
    400: "The request is malformed, or breaks a rule that the message names.",
    401: "There is no API key, or none that is valid.",
    402: "The plan does not include this much.",
    403: "The key's scope does not reach this far, or this is for admins of the organization.",
    404: "There is no such thing, or it is another organization's.",
    409: "The state of things does not allow it.",
    413: "The body or a file is too large.",
    415: "The body is not of the media type asked for.",
    429: "Too many requests; Retry-After says when to come again.",
    500: "Something failed on our side; X-Request-ID is what to quote.",
    503: "The platform cannot answer just now; Retry-After says when to come again.",
}

Schema = dict[str, Any]


class RouteSchema(AutoSchema):
    """An operation for each route of a path."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> Schema:
        view: Any = self.view
        route: Route = view.routes[method]
        _register(registry, ResolvedComponent.SECURITY_SCHEMA, schemes(route.api))
        _register(registry, ResolvedComponent.SCHEMA, components(route.api))
        return operation(route)


def operation(route: Route) -> Schema:
    title, _, rest = route.tool.description.partition("\n\n")
    described: Schema = {
        "operationId": route.tool.name,
        "summary": route.tool.title,
        "description": " ".join(f"{title} {rest}".split()) + f" Needs the scope {route.scope.value}.",
        "tags": [subject(route)],
        "parameters": [*parameters(route)],
        "security": [{name: []} for name in schemes(route.api)],
        "responses": responses(route),
    }
    if body := request_body(route):
        described["requestBody"] = body
    return described


def schemes(api: Routes) -> dict[str, Schema]:
    """The ways in."""
    return SECURITY_SCHEMES | SESSION_SCHEMES if api.sessions else SECURITY_SCHEMES


def subject(route: Route) -> str:
    """What the route is about: the first word of its path, as people write it."""
    return route.path.split("/")[0].replace("-", " ").capitalize()


def parameters(route: Route) -> Iterator[Schema]:
    arguments = route.arguments.model_json_schema(by_alias=True)
    for name in route.in_path:
        yield _parameter(name, "path", arguments["properties"][name], required=True)
    if route.method == "GET":
        for name, schema in route.beside_path.items():
            yield _parameter(name, "query", _without_null(schema), required=name in arguments.get("required", ()))
    if route.takes_key:
        yield {
            "name": HEADER,
            "in": "header",
            "required": False,
            "description": "Chosen by you, once for each request: sent again within 24 hours, the request acts no "
            "second time and gets the same answer.",
            "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
        }


def request_body(route: Route) -> Schema | None:
    if route.upload is not None:
        files = {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1}
        schema = {"type": "object", "properties": {FILES_FIELD: files}, "required": [FILES_FIELD]}
        return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    if not route.takes_body:
        return None
    schema = {"$ref": REFERENCE + body_name(route)}
    required = bool(components(route.api)[body_name(route)].get("required"))
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def responses(route: Route) -> Schema:
    described: Schema = {}
    if route.tool.result is Elsewhere:
        location = {"description": "Where it lies, for a short time.", "schema": {"type": "string"}}
        described["302"] = {"description": "It lies elsewhere.", "headers": {"Location": location}}
    elif issubclass(route.tool.result, Download):
        # A file of text is a text, one of JSON whatever it says.
        content = {"text/*": {"schema": {"type": "string"}}, "application/json": {"schema": {}}}
        described["200"] = {"description": "The file.", "content": content}
    elif route.gives_nothing:
        described["204"] = {"description": "Done; there is nothing to say."}
    elif issubclass(route.tool.result, Accepted):
        described["202"] = _json("It is under way.", {"$ref": REFERENCE + component_name(route.tool.result)})
        location = {"description": "Where it is looked at.", "schema": {"type": "string"}}
        described["202"]["headers"] = {"Location": location}
    else:
        described["200"] = _json("Done.", {"$ref": REFERENCE + component_name(route.tool.result)})
    if route.stream is not None:
        # A client that accepts an event stream is given one, with this status, whatever else the route answers.
        stream = {"text/event-stream": {"schema": {"type": "string"}}}
        described.setdefault("200", {"description": "The events, as they come.", "content": {}})["content"] |= stream
    if route.takes_key:
        for answer in described.values():
            answer.setdefault("headers", {})[REPLAYED_HEADER] = {
                "description": "“true” where the answer was kept from before.",
                "schema": {"type": "string", "enum": ["true"]},
            }
    for status in problems(route):
        described[str(status)] = _json(PROBLEMS[status], {"$ref": REFERENCE + "Error"})
    return described


def problems(route: Route) -> list[int]:
    """The statuses with which this route can fail."""
    found = {400, 401, 403, 404, 429, 500, 503}
    if route.method != "GET":
        found |= {402, 409, 413, 415}
    return sorted(found)


def gives_json(route: Route) -> bool:
    """Whether it answers with its tool's result, and not with nothing, a file or another address."""
    return not route.gives_nothing and not issubclass(route.tool.result, Elsewhere | Download)


def body_name(route: Route) -> str:
    return component_name(route.arguments)


def component_name(model: type[BaseModel]) -> str:
    """A model's name in the document: a shape is named for the thing it shows."""
    return model.__name__.removesuffix("Shape")


@cache
def components(api: Routes) -> dict[str, Schema]:
    """The schemas of all that an API's routes take in bodies and give, by name."""
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [(Error, "serialization")]
    in_path: dict[str, set[str]] = {}
    for route in api:
        if gives_json(route):
            models.append((route.tool.result, "serialization"))
        if route.takes_body:
            models.append((route.arguments, "validation"))
            in_path[body_name(route)] = set(route.in_path)
    _, generated = models_json_schema(list(dict.fromkeys(models)), by_alias=True, ref_template=REFERENCE + "{model}")
    found = {name.removesuffix("Shape"): _renamed(schema) for name, schema in generated["$defs"].items()}
    for name, parts in in_path.items():
        found[name] = _leave_out(found[name], parts)
    return found


def _register(registry: ComponentRegistry, kind: str, schemas: dict[str, Schema]) -> None:
    component: Any = ResolvedComponent  # the library's own is untyped
    for name, schema in schemas.items():
        registry.register_on_missing(component(name=name, type=kind, schema=schema, object=name))


def _renamed(schema: Any) -> Any:
    """The schema with references to shapes by the names they have in the document."""
    if isinstance(schema, list):
        return [_renamed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: value.removesuffix("Shape") if name == "$ref" else _renamed(value) for name, value in schema.items()}


def _leave_out(schema: Schema, names: set[str]) -> Schema:
    """A body's schema without what stands in the path."""
    properties = {name: value for name, value in schema["properties"].items() if name not in names}
    required = [name for name in schema.get("required", ()) if name not in names]
    trimmed = schema | {"properties": properties, "required": required}
    if not required:
        del trimmed["required"]
    return trimmed


def _parameter(name: str, place: str, schema: Schema, *, required: bool) -> Schema:
    schema = {key: value for key, value in schema.items() if key != "title"}
    described: Schema = {"name": name, "in": place, "required": required, "schema": schema}
    if description := schema.pop("description", ""):
        described["description"] = description
    return described


def _without_null(schema: Schema) -> Schema:
    """A query leaves a parameter out; it cannot say null."""
    kinds: list[Schema] = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if len(kinds) != 1:
        return schema
    kept = {key: value for key, value in schema.items() if key not in {"anyOf", "default"}}
    return kinds[0] | kept


def _json(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
