"""Forms for tools' arguments: a field for each property, nothing for what is left empty, JSON for the rest."""

import json
from typing import Any

import pytest

from mcp_gateway.remote.pages.argument_forms import JsonArgumentsForm, SchemaForm, form_for, has_fields


def object_of(required: tuple[str, ...] = (), /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def filled(schema: dict[str, Any], **values: str) -> dict[str, Any]:
    """The arguments that the form gives for values by property."""
    names = list(schema["properties"])
    form = form_for(schema, {f"argument_{names.index(name)}": value for name, value in values.items()})
    assert form.is_valid(), form.errors
    return form.arguments()


@pytest.mark.parametrize(
    ("described", "typed", "sent"),
    [
        ({"type": "string"}, "  a\nb ", "  a\nb "),
        ({"type": "string", "enum": ["low", "high"]}, '"high"', "high"),
        ({"enum": [1, "1", None]}, "1", 1),
        ({"enum": [1, "1", None]}, '"1"', "1"),
        ({"const": "fixed"}, '"fixed"', "fixed"),
        ({"type": "integer"}, "0", 0),
        ({"type": "number"}, "2.5", 2.5),
        ({"type": "boolean"}, "false", False),
        ({"type": ["integer", "null"]}, "7", 7),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, "true", True),
        ({"type": "array", "items": {"type": "string"}}, '["a"]', ["a"]),
        ({"type": "object"}, '{"a": 1}', {"a": 1}),
        ({"$ref": "#/$defs/Anything"}, "3", 3),
        (True, '"anything"', "anything"),
    ],
    ids=str,
)
def test_what_is_typed_is_sent_as_what_the_schema_says(described: Any, typed: str, sent: Any) -> None:
    assert filled(object_of(value=described), value=typed) == {"value": sent}


def test_what_is_left_empty_is_not_sent_unless_it_is_required() -> None:
    kinds = ({"type": "string"}, {"type": "integer"}, {"type": "boolean"}, {"enum": ["a"]}, {"type": "array"})
    schema = object_of(**{f"value{number}": kind for number, kind in enumerate(kinds)})
    assert filled(schema) == {}
    assert not form_for(object_of(("value",), value={"type": "string"}), {}).is_valid()


def test_a_null_written_as_json_is_not_sent_and_a_zero_or_empty_list_is() -> None:
    schema = object_of(count={"type": "integer"}, names={"type": "array"}, flag={"type": "boolean"})
    assert filled(schema, count="0", names="[]", flag="false") == {"count": 0, "names": [], "flag": False}


def test_limits_defaults_and_descriptions_of_the_schema_are_the_fields() -> None:
    described = {"type": "integer", "minimum": 1, "maximum": 5, "default": 3, "description": "How <many>"}
    form = form_for(object_of(count=described))
    (field,) = list(form)
    assert field.initial == 3
    assert "How &lt;many&gt;" in form.as_p()
    assert not form_for(object_of(count=described), {"argument_0": "6"}).is_valid()


def test_required_arguments_stand_first() -> None:
    form = form_for(object_of(("second",), first={"type": "string"}, second={"type": "string"}))
    assert [field.label for field in form] == ["second", "first"]


def test_names_that_no_field_could_have_come_back_as_they_are() -> None:
    schema = object_of(**{'a "b"/<c>': {"type": "string"}})
    form = form_for(schema, {"argument_0": "x"})
    assert form.is_valid()
    assert form.arguments() == {'a "b"/<c>': "x"}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "additionalProperties": True},
        {"type": "object", "properties": {"a": {}}, "oneOf": [{"required": ["a"]}]},
        {"$ref": "#/$defs/All"},
        {"type": "object", "properties": {f"p{number}": {} for number in range(41)}},
        {"type": "object", "properties": "odd"},
    ],
    ids=["open", "one of", "reference", "too many", "odd"],
)
def test_what_fits_no_fields_is_written_as_json(schema: dict[str, Any]) -> None:
    assert not has_fields(schema)
    assert isinstance(form_for(schema), JsonArgumentsForm)


def test_json_begins_with_what_is_required_and_takes_objects_alone() -> None:
    schema = object_of(("city", "days"), city={"type": "string"}, days={"type": "integer", "default": 3}, more={})
    form = form_for(schema, as_json=True)
    assert json.loads(form["written"].initial) == {"city": "", "days": 3}
    for wrong in ("[1]", "{", "7"):
        assert not form_for(schema, {"written": wrong}, as_json=True).is_valid()
    right = form_for(schema, {"written": '{"city": "Bergen"}'}, as_json=True)
    assert right.is_valid()
    assert right.arguments() == {"city": "Bergen"}


def test_a_tool_without_arguments_has_a_form_without_fields() -> None:
    form = form_for({"type": "object", "properties": {}}, {})
    assert isinstance(form, SchemaForm)
    assert form.is_valid()
    assert form.arguments() == {}
