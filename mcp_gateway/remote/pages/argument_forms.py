"""A form for calling a tool, made from the JSON Schema of its arguments; JSON by hand where a form says too little."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.html import escape

from security.visible import visible

Schema = Mapping[str, Any]

# A longer form is no help; such tools get one field for JSON.
MOST_FIELDS = 40
# A text that may be longer than this gets several lines.
ONE_LINE = 120
LONGEST_JSON = 200_000


class JsonField(forms.CharField):
    """A value written as JSON: any, or an object alone."""

    def __init__(self, *, object_only: bool = False, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 8 if object_only else 3, "spellcheck": "false", "class": "mono"})
        super().__init__(max_length=LONGEST_JSON, widget=widget, **kwargs)
        self.object_only = object_only

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            written = json.loads(text)
        except ValueError as error:
            raise forms.ValidationError(f"This is not JSON: {error}.") from None
        if self.object_only and not isinstance(written, dict):
            raise forms.ValidationError("Write one object: names and values between { and }.")
        return written


class JsonArgumentsForm(forms.Form):
    """All arguments as one JSON object."""

    written = JsonField(object_only=True, label="Arguments", help_text="One JSON object.", required=False)

    def __init__(self, schema: Schema, data: Any = None) -> None:
        super().__init__(data, initial={"written": json.dumps(_beginning(schema), indent=2, ensure_ascii=False)})

    def arguments(self) -> dict[str, Any]:
        return self.cleaned_data["written"] or {}


class SchemaForm(forms.Form):
    """One field for each property. What is left empty and is not required is not sent."""

    def __init__(self, schema: Schema, data: Any = None) -> None:
        super().__init__(data)
        self._names: dict[str, str] = {}
        required = schema.get("required") or []
        # What is required comes first: the order that the server wrote is not kept.
        properties = sorted(schema.get("properties", {}).items(), key=lambda item: item[0] not in required)
        for number, (name, described) in enumerate(properties):
            key = f"argument_{number}"  # a name may hold anything, a field's may not
            self._names[key] = name
            self.fields[key] = _field(name, described if isinstance(described, Mapping) else {}, name in required)

    def arguments(self) -> dict[str, Any]:
        given = {self._names[key]: value for key, value in self.cleaned_data.items()}
        return {
            name: value
            for (name, value), field in zip(given.items(), self.fields.values(), strict=True)
            if field.required or value not in (None, "")
        }


def form_for(schema: Schema, data: Any = None, *, as_json: bool = False) -> SchemaForm | JsonArgumentsForm:
    """The form of a tool's arguments; one for JSON where it is asked for or where the schema fits no fields."""
    return JsonArgumentsForm(schema, data) if as_json or not has_fields(schema) else SchemaForm(schema, data)


def has_fields(schema: Schema) -> bool:
    """Whether the schema is a plain list of properties, so that a field for each says it all."""
    properties = schema.get("properties", {})
    plain = isinstance(properties, Mapping) and not any(word in schema for word in ("oneOf", "anyOf", "allOf", "$ref"))
    open_ended = not properties and schema.get("additionalProperties", False) is not False
    return plain and not open_ended and len(properties) <= MOST_FIELDS


def _field(name: str, described: Schema, is_required: bool) -> forms.Field:
    described, nullable = _unwrapped(described)
    common: dict[str, Any] = {
        "label": visible(name),
        "required": is_required and not nullable,
        "help_text": _help(described),
        "initial": described.get("default"),
    }
    kind = described.get("type")
    if choices := described.get("enum") or ([described["const"]] if "const" in described else []):
        return _choice(choices, common)
    if kind == "boolean":
        return _choice([True, False], common)
    if kind in {"integer", "number"}:
        return _number(described, common, whole=kind == "integer")
    if kind == "string":
        return _text(described, common)
    if common["initial"] is not None:
        common["initial"] = json.dumps(common["initial"], ensure_ascii=False)
    common["help_text"] = " ".join(part for part in (common["help_text"], _as_json(kind)) if part)
    return JsonField(**common)


def _unwrapped(described: Schema) -> tuple[Schema, bool]:
    """What a property is when it is there, and whether null may stand in its place."""
    kinds = described.get("type")
    if isinstance(kinds, list):
        rest = [kind for kind in kinds if kind != "null"]
        return {**described, "type": rest[0] if len(rest) == 1 else None}, "null" in kinds
    for word in ("anyOf", "oneOf"):
        options = described.get(word)
        if isinstance(options, list):
            rest = [one for one in options if isinstance(one, Mapping) and one.get("type") != "null"]
            if len(rest) == 1 and len(options) == 2:
                outer = {key: value for key, value in described.items() if key != word}
                return {**rest[0], **outer}, True
    return described, False


def _choice(choices: list[Any], common: dict[str, Any]) -> forms.Field:
    shown = [(json.dumps(one), one if isinstance(one, str) else json.dumps(one)) for one in choices]
    initial = common["initial"]
    common["initial"] = "" if initial is None else json.dumps(initial)
    if not common["required"]:
        shown = [("", "Not given"), *shown]
    return forms.TypedChoiceField(choices=shown, coerce=json.loads, empty_value=None, **common)


def _number(described: Schema, common: dict[str, Any], *, whole: bool) -> forms.Field:
    limits = {"min_value": described.get("minimum"), "max_value": described.get("maximum")}
    common |= {name: limit for name, limit in limits.items() if isinstance(limit, int | float)}
    if whole:
        return forms.IntegerField(**common)
    return forms.FloatField(widget=forms.NumberInput(attrs={"step": "any"}), **common)


def _text(described: Schema, common: dict[str, Any]) -> forms.Field:
    longest = described.get("maxLength")
    is_short = (isinstance(longest, int) and longest <= ONE_LINE) or "format" in described or "pattern" in described
    widget = forms.TextInput() if is_short else forms.Textarea(attrs={"rows": 2})
    limit = longest if isinstance(longest, int) else LONGEST_JSON
    return forms.CharField(max_length=limit, strip=False, widget=widget, **common)


def _help(described: Schema) -> str:
    """The server's words; a form takes help for HTML, so they are escaped."""
    return escape(visible(str(described.get("description") or described.get("title") or "")))


def _as_json(kind: Any) -> str:
    return {"array": 'A JSON list, such as ["one", "two"].', "object": "A JSON object."}.get(kind, "Written as JSON.")


def _beginning(schema: Schema) -> dict[str, Any]:
    """An object to begin with: what is required, each with its default or an empty value of its kind."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return {}
    empty = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}
    wanted = {name: properties.get(name) for name in schema.get("required") or []}
    return {
        name: described.get("default", empty.get(str(described.get("type"))))
        for name, described in wanted.items()
        if isinstance(described, Mapping)
    }
