"""Values that fit a JSON Schema, for the part of the language that tools' arguments are described in."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]
# Wide enough to leave every integer type of PostgreSQL behind.
MOST = 10**30


def fitting(schema: Schema, root: Schema | None = None) -> st.SearchStrategy[Any]:
    """Values that fit `schema`; references are looked up in `root`."""
    root = schema if root is None else root
    if "$ref" in schema:
        return fitting(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for either in ("anyOf", "oneOf"):
        if either in schema:
            return st.one_of([fitting(choice, root) for choice in schema[either]])
    return BY_TYPE[schema["type"]](schema, root)


def _object(schema: Schema, root: Schema) -> st.SearchStrategy[Any]:
    properties = {name: fitting(value, root) for name, value in schema.get("properties", {}).items()}
    required = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {name: value for name, value in properties.items() if name in required},
        optional={name: value for name, value in properties.items() if name not in required},
    )


def _array(schema: Schema, root: Schema) -> st.SearchStrategy[Any]:
    least = schema.get("minItems", 0)
    return st.lists(fitting(schema["items"], root), min_size=least, max_size=schema.get("maxItems", least + 3))


def _string(schema: Schema, root: Schema) -> st.SearchStrategy[Any]:
    if schema.get("format") == "date-time":
        return st.datetimes(timezones=st.timezones() | st.none()).map(lambda moment: moment.isoformat())
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True)
    least = schema.get("minLength", 0)
    return st.text(min_size=least, max_size=min(schema.get("maxLength", least + 30), least + 30))


def _number(schema: Schema, root: Schema) -> st.SearchStrategy[Any]:
    least = schema.get("minimum", schema.get("exclusiveMinimum", -MOST - 1) + 1)
    most = schema.get("maximum", schema.get("exclusiveMaximum", MOST + 1) - 1)
    return st.integers(least, most)


BY_TYPE: dict[str, Callable[[Schema, Schema], st.SearchStrategy[Any]]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _number,
    "number": _number,
    "boolean": lambda schema, root: st.booleans(),
    "null": lambda schema, root: st.none(),
}
