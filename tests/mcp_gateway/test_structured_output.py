"""Which JSON Schemas can be used for structured output, and what is said of the others."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_gateway.structured_output import violations

TEXT = {"type": "string"}


def closed(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    } | more


@pytest.mark.parametrize(
    "schema",
    [
        closed({}),
        closed({"name": TEXT, "age": {"type": ["integer", "null"], "minimum": 0}}),
        closed({"tags": {"type": "array", "items": TEXT, "maxItems": 5}}),
        closed({"kind": {"enum": ["a", "b"]}, "fixed": {"const": 1}}),
        closed({"either": {"anyOf": [TEXT, closed({"deeper": TEXT})]}}),
        closed({"tree": {"$ref": "#/$defs/node"}}, **{"$defs": {"node": closed({"next": {"$ref": "#/$defs/node"}})}}),
        closed({"self": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}, title="T", description="D"),
    ],
)
def test_a_schema_within_the_rules_can_be_used(schema: dict[str, Any]) -> None:
    assert violations(schema) == []


@pytest.mark.parametrize(
    ("schema", "path", "said"),
    [
        (None, "$", "null"),
        ([], "$", "a list"),
        (True, "$", "a boolean"),
        ({"type": "array", "items": TEXT}, "$", 'not of "type": "object"'),
        (closed({}) | {"anyOf": [closed({})]}, "$", "anyOf cannot stand at the root"),
        (closed({"a": TEXT}) | {"additionalProperties": True}, "$.additionalProperties", "closed"),
        ({"type": "object", "properties": {}}, "$.additionalProperties", "closed"),
        (closed({"a": TEXT}, required=[]), "$.required", '"a"'),
        (closed({}, required=["ghost"]), "$.required", "ghost"),
        (closed({}, required="a"), "$.required", "not a list of names"),
        (closed({"a": {"type": "strin"}}), "$.properties.a.type", "strin"),
        (closed({"a": {"type": []}}), "$.properties.a.type", "empty"),
        (closed({"a": {"type": [{}]}}), "$.properties.a.type", "not a type"),
        (closed({"a": {}}), "$.properties.a", "says no type"),
        (closed({"a": 5}), "$.properties.a", "a number"),
        (closed({"a": {"type": "array"}}), "$.properties.a", "its items"),
        (
            closed({"a": {"type": "array", "items": {"type": "object"}}}),
            "$.properties.a.items.additionalProperties",
            "",
        ),
        (closed({"a": {"type": "string", "contentEncoding": "x"}}), "$.properties.a.contentEncoding", "not supported"),
        (closed({"a": {"allOf": [TEXT], "type": "string"}}), "$.properties.a.allOf", "not supported"),
        (closed({"a b": {"type": "string", "not": {}}}), '$.properties["a b"].not', "not supported"),
        (closed({}, patternProperties={}), "$.patternProperties", "not supported"),
        (closed({"a": {"enum": []}}), "$.properties.a.enum", "at least one"),
        (closed({"a": {"anyOf": []}}), "$.properties.a.anyOf", "at least one"),
        (closed({"a": {"anyOf": [TEXT, {"type": "x"}]}}), "$.properties.a.anyOf[1].type", "not a type"),
        (closed({"a": {"$ref": "#/$defs/none"}}), "$.properties.a.$ref", "leads to no schema"),
        (closed({"a": {"$ref": "https://example.com/s"}}), "$.properties.a.$ref", "leads to no schema"),
        (closed({}, **{"$defs": {"d": {"type": "object"}}}), "$.$defs.d.additionalProperties", "closed"),
        (closed({}) | {"properties": []}, "$.properties", "a list"),
        (closed({"a": {"type": "string", "pattern": "("}}), "$.properties.a.pattern", "cannot be used"),
        (closed({"a": {"type": "string", "pattern": "(?=a)a"}}), "$.properties.a.pattern", "without look-around"),
        (closed({"a": {"type": "string", "pattern": 5}}), "$.properties.a.pattern", "a number, not a text"),
        (closed({"a": {"type": "string", "minLength": "x"}}), "$.properties.a.minLength", "a whole number"),
        (closed({"a": {"type": "string", "maxLength": -1}}), "$.properties.a.maxLength", "a whole number"),
        (closed({"a": {"type": "number", "minimum": True}}), "$.properties.a.minimum", "a boolean, not a number"),
        (closed({"a": {"type": "number", "multipleOf": 0}}), "$.properties.a.multipleOf", "not above 0"),
        (closed({"a": TEXT | {"$id": "x"}}), '$.properties.a["$id"]', "leave it out"),
        (closed({}) | {"$ref": "#"}, "$", "refers on to itself"),
        (closed({}, **{"$defs": {"d": {"anyOf": [{"$ref": "#/$defs/d"}]}}}), "$.$defs.d", "refers on to itself"),
        (closed({"a": {"enum": list(range(1001))}}), "$", "1,001 enum values"),
        (closed({f"p{n}": TEXT for n in range(5001)}), "$", "5,001 properties"),
        (closed({"n" * 120_001: TEXT}), "$", "characters in names"),
    ],
)
def test_a_violation_names_its_place_and_the_rule(schema: Any, path: str, said: str) -> None:
    found = [one.partition(": ") for one in violations(schema)]
    places = {where.replace('["$defs"]', ".$defs").replace('["$ref"]', ".$ref") for where, _, _ in found}
    assert path in places, found
    assert any(said in text for _, _, text in found), found


def test_ten_levels_are_taken_and_eleven_are_not() -> None:
    schema = closed({})
    for _ in range(9):
        schema = closed({"inner": schema})
    assert violations(schema) == []
    assert any("nested more than 10 deep" in one for one in violations(closed({"inner": schema})))


def test_every_violation_is_told_at_once() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "x"}, "b": {"type": "array"}}}
    assert len(violations(schema)) == 5


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "required", "anyOf", "$ref", "$defs", "items", "enum", "object", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(json_values)
def test_whatever_is_given_gets_an_answer(schema: Any) -> None:
    assert all(one.startswith("$") and ": " in one for one in violations(schema))
