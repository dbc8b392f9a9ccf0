"""Forms for what servers ask people: titles, choices and order as the server has them; what does not fit is said."""

from typing import Any

import pytest
from django import forms

from mcp_gateway.remote import filled_in
from mcp_gateway.remote.pages.argument_forms import JsonArgumentsForm
from mcp_gateway.remote.pages.question_forms import QuestionForm, question_form

# The five ways in which the protocol writes choices, of the same two fish.
ONE_OF = {"type": "string", "oneOf": [{"const": "f1", "title": "Tuna"}, {"const": "f2", "title": "Trout"}]}
NAMED = {"type": "string", "enum": ["f1", "f2"], "enumNames": ["Tuna", "Trout"]}
PLAIN = {"type": "string", "enum": ["f1", "f2"]}
SEVERAL_NAMED = {"type": "array", "items": {"anyOf": ONE_OF["oneOf"]}}
SEVERAL = {"type": "array", "items": PLAIN}


def asking_for(required: tuple[str, ...] = (), /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def shown(form: QuestionForm | JsonArgumentsForm) -> list[str]:
    return [str(field.label) for field in form.fields.values()]


def only(described: dict[str, Any]) -> forms.Field:
    (field,) = question_form(asking_for(value=described)).fields.values()
    return field


def test_fields_stand_under_their_titles_in_the_servers_order() -> None:
    schema = asking_for(("zip",), street={"type": "string", "title": "Street and number"}, zip={"type": "string"})
    assert shown(question_form(schema)) == ["Street and number", "zip"]


def test_a_title_is_not_said_twice_and_a_description_is_help() -> None:
    assert only({"type": "string", "title": "Street"}).help_text == ""
    described = only({"type": "string", "title": "Street", "description": "Where the <parcel> goes"})
    assert (described.label, described.help_text) == ("Street", "Where the &lt;parcel&gt; goes")


@pytest.mark.parametrize("described", [ONE_OF, NAMED, SEVERAL_NAMED], ids=["one of", "names", "several"])
def test_choices_are_read_by_their_titles_and_sent_as_their_values(described: dict[str, Any]) -> None:
    field = only(described)
    assert [choice for choice in field.choices if choice[0]] == [('"f1"', "Tuna"), ('"f2"', "Trout")]  # type: ignore[attr-defined]


@pytest.mark.parametrize("described", [SEVERAL, SEVERAL_NAMED], ids=["plain", "titled"])
def test_several_are_chosen_by_ticking_them(described: dict[str, Any]) -> None:
    schema = asking_for(fish={**described, "default": ["f2"]})
    html = str(question_form(schema)["argument_0"])
    assert html.count('type="checkbox"') == 2
    assert html.count("checked") == 1
    ticked = question_form(schema, {"argument_0": ['"f1"', '"f2"']})
    assert ticked.is_valid()
    assert ticked.arguments() == {"fish": ["f1", "f2"]}


def test_nothing_ticked_is_an_empty_list_where_an_answer_is_required() -> None:
    required = question_form(asking_for(("fish",), fish=SEVERAL), {})
    assert required.is_valid()
    assert required.arguments() == {"fish": []}
    optional = question_form(asking_for(fish=SEVERAL), {})
    assert optional.is_valid()
    assert optional.arguments() == {}
    assert not question_form(asking_for(("fish",), fish={**SEVERAL, "minItems": 1}), {}).is_valid()


def test_a_yes_or_no_is_asked_for_in_these_words() -> None:
    assert [shown for _, shown in only({"type": "boolean", "title": "Sure?"}).choices][1:] == ["Yes", "No"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("described", "kind"),
    [({"format": "email"}, "email"), ({"format": "uri"}, "url"), ({"format": "date"}, "date"), ({}, None)],
    ids=["email", "address", "day", "text"],
)
def test_a_browser_helps_with_what_has_a_form(described: dict[str, Any], kind: str | None) -> None:
    assert getattr(only({"type": "string", **described}).widget, "input_type", None) == kind


WRONG = [
    ({"type": "string", "minLength": 3}, "ab", "at least 3"),
    ({"type": "string", "maxLength": 3}, "abcd", "at most 3"),
    ({"type": "string", "format": "email"}, "ada@", "e-mail"),
    ({"type": "string", "format": "uri"}, "example", "address"),
    ({"type": "string", "format": "date"}, "2026-02-30", "day"),
    ({"type": "string", "format": "date-time"}, "2026-03-01T12:00:00", "offset"),
    ({"type": "string"}, 7, "text"),
    ({"type": "integer"}, 2.5, "whole number"),
    ({"type": "number"}, True, "number"),
    ({"type": "number", "minimum": 1}, 0, "from 1"),
    ({"type": "integer", "exclusiveMaximum": 5}, 5, "below 5"),
    ({"type": "boolean"}, "true", "yes or no"),
    (PLAIN, "f3", "Choose one"),
    (ONE_OF, "Tuna", "Choose one"),
    ({"enum": [1]}, True, "Choose one"),
    (SEVERAL, ["f3"], "among"),
    ({**SEVERAL, "maxItems": 1}, ["f1", "f2"], "at most 1"),
    (SEVERAL, "f1", "list"),
]
RIGHT = [
    ({"type": "string", "minLength": 3}, "abc"),
    ({"type": "string", "format": "email"}, "ada@example.com"),
    ({"type": "string", "format": "uri"}, "https://example.com/a?b"),
    ({"type": "string", "format": "date"}, "2026-03-01"),
    ({"type": "string", "format": "date-time"}, "2026-03-01T12:00:00Z"),
    ({"type": "integer"}, 7),
    ({"type": "number", "minimum": 1, "maximum": 1}, 1),
    (ONE_OF, "f1"),
    (SEVERAL_NAMED, ["f1"]),
    # What the protocol does not know of questions is the server's to judge.
    ({"type": "string", "pattern": "(a+)+$"}, "a" * 60 + "!"),
    ({"$ref": "#/$defs/Fish"}, {"any": 1}),
    ({"type": "string", "minLength": "three"}, ""),
]


@pytest.mark.parametrize(("described", "given", "said"), WRONG, ids=str)
def test_what_does_not_fit_is_said_with_what_to_do(described: dict[str, Any], given: Any, said: str) -> None:
    ((name, words),) = filled_in.faults(asking_for(value=described), {"value": given})
    assert name == "value"
    assert said in words


@pytest.mark.parametrize(("described", "given"), RIGHT, ids=str)
def test_what_fits_is_let_through(described: dict[str, Any], given: Any) -> None:
    assert not list(filled_in.faults(asking_for(value=described), {"value": given}))


def test_what_is_missing_is_said_under_its_field_and_once() -> None:
    schema = asking_for(("name", "age"), name={"type": "string", "minLength": 2}, age={"type": "integer", "minimum": 1})
    form = question_form(schema, {"argument_0": "A", "argument_1": ""})
    assert form.errors == {"argument_0": ["Write at least 2 characters."], "argument_1": ["This field is required."]}


def test_a_schema_that_fits_no_fields_is_answered_in_json() -> None:
    assert isinstance(question_form({"type": "object", "oneOf": [{}]}), JsonArgumentsForm)
