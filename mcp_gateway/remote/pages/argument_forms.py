"""A form for calling a tool, made from the JSON Schema of its arguments; JSON by hand where a form says too little."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.html import escape

from mcp_gateway.remote.filled_in import items_of, options
from security.visible import visible

Schema = Mapping[str, Any]

# A longer form is no help; such tools get one field for JSON.
MOST_FIELDS = 40
# What a browser helps to fill in.
INPUTS = {"email": "email", "uri": "url", "date": "date"}
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
        for name, described in properties:
            self.add(name, described if isinstance(described, Mapping) else {}, is_required=name in required)

    def add(self, name: str, described: Schema, *, is_required: bool, label: str = "") -> None:
        key = f"argument_{len(self._names)}"  # a name may hold anything, a field's may not
        self._names[key] = name
        self.fields[key] = _field(name, described, is_required, label)

    def arguments(self) -> dict[str, Any]:
        return {
            self._names[key]: value
            for key, value in self.cleaned_data.items()
            if self.fields[key].required or value not in (None, "")
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


def _field(name: str, described: Schema, is_required: bool, label: str) -> forms.Field:
    described, nullable = _unwrapped(described)
    common: dict[str, Any] = {
        "label": visible(label or name),
        "required": is_required and not nullable,
        "help_text": _help(described, label),
        "initial": described.get("default"),
    }
    kind = described.get("type")
    if choices := options(described):
        return _choice(choices, common)
    if several := items_of(described):
        return _several(described, several, common)
    if kind == "boolean":
        return _choice([(True, "Yes" if label else ""), (False, "No" if label else "")], common)
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


def _shown(choices: Sequence[tuple[Any, str]]) -> list[tuple[str, str]]:
    """Each as the form has it and as it is read."""
    return [
        (json.dumps(one), visible(title or (one if isinstance(one, str) else json.dumps(one))))
        for one, title in choices
    ]


def _several(described: Schema, choices: Sequence[tuple[Any, str]], common: dict[str, Any]) -> forms.Field:
    """Any of them; where it is required, none of them is an answer too, unless the schema wants some."""
    default = common["initial"]
    common["initial"] = [json.dumps(one) for one in default] if isinstance(default, list) else []
    is_required, least = common["required"], described.get("minItems")
    common["required"] = is_required and isinstance(least, int) and least > 0
    return forms.TypedMultipleChoiceField(
        choices=_shown(choices),
        coerce=json.loads,
        empty_value=[] if is_required else None,
        widget=forms.CheckboxSelectMultiple,
        **common,
    )


def _choice(choices: Sequence[tuple[Any, str]], common: dict[str, Any]) -> forms.Field:
    shown = _shown(choices)
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
    kind = INPUTS.get(str(described.get("format")), "text")
    widget = forms.TextInput(attrs={"type": kind}) if is_short else forms.Textarea(attrs={"rows": 2})
    limit = longest if isinstance(longest, int) else LONGEST_JSON
    return forms.CharField(max_length=limit, strip=False, widget=widget, **common)


def _help(described: Schema, label: str) -> str:
    """The server's words, but for those that are the label; a form takes help for HTML, so they are escaped."""
    said = str(described.get("description") or described.get("title") or "")
    return escape(visible(said)) if said != label else ""


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
