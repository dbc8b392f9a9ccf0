"""Whether a JSON Schema can hold a model to its structured output: the rules all providers' strict modes share.

Pure: takes a JSON value, gives the violations, each with its JSONPath (RFC 9535).
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp_gateway import patterns

TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})
DEEPEST = 10
MOST_PROPERTIES = 5_000
MOST_ENUM_VALUES = 1_000
MOST_NAME_CHARACTERS = 120_000
# Schemas that one value is led through by references and alternatives.
MOST_REFERRED = 200

ANYWHERE = frozenset(
    {"$ref", "$defs", "definitions", "$schema", "$id", "title", "description", "type", "enum", "const", "anyOf"}
)
BY_TYPE: Mapping[str, frozenset[str]] = {
    "object": frozenset({"properties", "required", "additionalProperties"}),
    "array": frozenset({"items", "minItems", "maxItems"}),
    "string": frozenset({"pattern", "format", "minLength", "maxLength"}),
    "number": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}),
}
SUPPORTED = ANYWHERE.union(*BY_TYPE.values())
COUNTS = frozenset({"minItems", "maxItems", "minLength", "maxLength"})
TEXTS = frozenset({"pattern", "format", "$schema", "$id", "$ref"})
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def violations(schema: object) -> list[str]:
    """What keeps the schema from being used, in the order of reading; nothing where it can be used."""
    if not isinstance(schema, dict):
        return [f"$: the schema is {_kind(schema)}, not an object."]
    inspection = _Inspection(schema)
    return [*_root(schema), *inspection.schema(schema, "$", 1), *inspection.sizes()]


def _root(schema: dict[str, Any]) -> Iterator[str]:
    if "anyOf" in schema:
        yield "$: anyOf cannot stand at the root; make it a property of an object."
    if schema.get("type") != "object" and "$ref" not in schema:
        yield '$: the root is not of "type": "object".'


@dataclass
class _Inspection:
    root: dict[str, Any]
    properties: int = 0
    enum_values: int = 0
    characters: int = 0
    _said_depth: bool = field(default=False)

    def schema(self, schema: object, path: str, depth: int) -> Iterator[str]:
        """The violations in one schema and all within it."""
        if not isinstance(schema, dict):
            yield f"{path}: a schema is an object here, not {_kind(schema)}."
            return
        if depth > DEEPEST:
            if not self._said_depth:
                self._said_depth = True
                yield f"{path}: nested more than {DEEPEST} deep."
            return
        for keyword in schema:
            if keyword not in SUPPORTED:
                yield f"{_within(path, keyword)}: the keyword {keyword} is not supported."
        yield from self._types(schema, path)
        yield from _values(schema, path)
        if "$id" in schema and schema is not self.root:
            yield f"{_within(path, '$id')}: stands within the schema, where references are read by it; leave it out."
        if self._goes_round(schema):
            yield f"{path}: refers on to itself, or through too many others, before it says anything."
        yield from self._enum(schema, path)
        yield from self._reference(schema, path)
        if "object" in _types(schema) or "properties" in schema:
            yield from self._object(schema, path, depth)
        if "array" in _types(schema) or "items" in schema:
            yield from self._array(schema, path, depth)
        yield from self._alternatives(schema, path, depth)
        for keyword in ("$defs", "definitions"):
            yield from self._definitions(schema, keyword, path, depth)

    def sizes(self) -> Iterator[str]:
        for count, most, what in (
            (self.properties, MOST_PROPERTIES, "properties"),
            (self.enum_values, MOST_ENUM_VALUES, "enum values"),
            (self.characters, MOST_NAME_CHARACTERS, "characters in names and enum values"),
        ):
            if count > most:
                yield f"$: {count:,} {what} in all; at most {most:,} are supported."

    def _types(self, schema: dict[str, Any], path: str) -> Iterator[str]:
        if not schema.keys() & {"type", "$ref", "anyOf", "enum", "const"}:
            yield f"{path}: says no type."
        stated = schema.get("type", [])
        if stated == [] and "type" in schema:
            yield f"{_within(path, 'type')}: the list of types is empty."
        for kind in stated if isinstance(stated, list) else [stated]:
            if not isinstance(kind, str) or kind not in TYPES:
                yield f"{_within(path, 'type')}: {json.dumps(kind)[:60]} is not a type of JSON."

    def _enum(self, schema: dict[str, Any], path: str) -> Iterator[str]:
        if "enum" not in schema:
            return
        values = schema["enum"]
        if not isinstance(values, list) or not values:
            yield f"{_within(path, 'enum')}: is not a list of at least one value."
            return
        self.enum_values += len(values)
        self.characters += sum(len(value) for value in values if isinstance(value, str))

    def _reference(self, schema: dict[str, Any], path: str) -> Iterator[str]:
        if "$ref" in schema and not self._resolves(schema["$ref"]):
            shown = json.dumps(schema["$ref"])[:80]
            yield f"{_within(path, '$ref')}: {shown} leads to no schema in this document; use #/$defs/name."

    def _resolves(self, reference: object) -> bool:
        return self._target(reference) is not None

    def _target(self, reference: object) -> dict[str, Any] | None:
        if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
            return None
        here: object = self.root
        for step in reference.split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(here, dict) or step not in here:
                return None
            here = here[step]
        return here if isinstance(here, dict) else None

    def _goes_round(self, schema: dict[str, Any]) -> bool:
        """Whether to look at a value by it is to look at the same value by it again."""
        known: set[int] = set()
        waiting = self._beside(schema)
        while waiting:
            here = waiting.pop()
            if here is schema or len(known) > MOST_REFERRED:
                return True
            if id(here) not in known:
                known.add(id(here))
                waiting += self._beside(here)
        return False

    def _beside(self, schema: dict[str, Any]) -> list[dict[str, Any]]:
        """What the same value is looked at by besides, and leads on from there."""
        alternatives = schema.get("anyOf")
        found = [self._target(schema.get("$ref")), *(alternatives if isinstance(alternatives, list) else ())]
        return [one for one in found if isinstance(one, dict) and ("$ref" in one or "anyOf" in one)]

    def _object(self, schema: dict[str, Any], path: str, depth: int) -> Iterator[str]:
        if schema.get("additionalProperties") is not False:
            yield f"{_within(path, 'additionalProperties')}: is not false; objects have to be closed."
        properties = schema.get("properties", {})
        if not isinstance(properties, dict):
            yield f"{_within(path, 'properties')}: is {_kind(properties)}, not an object."
            return
        required = schema.get("required", [])
        if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
            yield f"{_within(path, 'required')}: is not a list of names."
            required = list(properties)
        for name in properties:
            if name not in required:
                yield (
                    f"{_within(path, 'required')}: leaves out {json.dumps(name)[:80]}; every property has to be "
                    'required (one that may be missing takes "null" as a type too).'
                )
        for name in required:
            if name not in properties:
                yield f"{_within(path, 'required')}: names {json.dumps(name)[:80]}, which is not among the properties."
        for name, inner in properties.items():
            self.properties += 1
            self.characters += len(name)
            yield from self.schema(inner, _within(_within(path, "properties"), name), depth + 1)

    def _array(self, schema: dict[str, Any], path: str, depth: int) -> Iterator[str]:
        if "items" not in schema:
            yield f"{path}: an array that does not say what its items are."
            return
        yield from self.schema(schema["items"], _within(path, "items"), depth + 1)

    def _alternatives(self, schema: dict[str, Any], path: str, depth: int) -> Iterator[str]:
        if "anyOf" not in schema:
            return
        alternatives = schema["anyOf"]
        if not isinstance(alternatives, list) or not alternatives:
            yield f"{_within(path, 'anyOf')}: is not a list of at least one schema."
            return
        for number, inner in enumerate(alternatives):
            yield from self.schema(inner, f"{_within(path, 'anyOf')}[{number}]", depth)

    def _definitions(self, schema: dict[str, Any], keyword: str, path: str, depth: int) -> Iterator[str]:
        definitions = schema.get(keyword, {})
        if not isinstance(definitions, dict):
            yield f"{_within(path, keyword)}: is {_kind(definitions)}, not an object."
            return
        for name, inner in definitions.items():
            self.characters += len(name)
            yield from self.schema(inner, _within(_within(path, keyword), name), depth + 1)


def _values(schema: dict[str, Any], path: str) -> Iterator[str]:
    """What keywords are set to and cannot be held to."""
    for keyword, value in schema.items():
        is_number = type(value) is int or (isinstance(value, float) and math.isfinite(value))
        if keyword in COUNTS and not (is_number and value >= 0 and value == int(value)):
            yield f"{_within(path, keyword)}: is not a whole number from 0 on."
        elif keyword in BY_TYPE["number"] and not is_number:
            yield f"{_within(path, keyword)}: is {_kind(value)}, not a number."
        elif keyword == "multipleOf" and value <= 0:
            yield f"{_within(path, keyword)}: is not above 0."
        elif keyword in TEXTS and not isinstance(value, str):
            yield f"{_within(path, keyword)}: is {_kind(value)}, not a text."
        elif keyword == "pattern" and not patterns.is_usable(value):
            yield (
                f"{_within(path, keyword)}: cannot be used. Write a regular expression without look-around and "
                "back-references."
            )


def _types(schema: dict[str, Any]) -> list[Any]:
    stated = schema.get("type", [])
    return stated if isinstance(stated, list) else [stated]


def _within(path: str, name: str) -> str:
    """The path of a member, in the short form where its name allows that."""
    return f"{path}.{name}" if PLAIN_NAME.fullmatch(name) else f"{path}[{json.dumps(name, ensure_ascii=False)[:80]}]"


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
    return "an object"
