"""A form for what a server asks a person in the midst of a call: its fields as the server titles and orders them, and
what does not fit said before it is sent."""

from collections.abc import Mapping
from typing import Any

from mcp_gateway.remote import filled_in
from mcp_gateway.remote.pages.argument_forms import JsonArgumentsForm, Schema, SchemaForm, has_fields


class QuestionForm(SchemaForm):
    """A field for each property, under its title."""

    def __init__(self, schema: Schema, data: Any = None) -> None:
        super().__init__({}, data)
        self._schema = schema
        required = schema.get("required") or []
        for name, described in schema.get("properties", {}).items():
            known = described if isinstance(described, Mapping) else {}
            self.add(name, known, is_required=name in required, label=str(known.get("title") or name))

    def clean(self) -> dict[str, Any]:
        keys = {name: key for key, name in self._names.items()}
        # What is no value of its field at all has been said already.
        for name, said in filled_in.faults(self._schema, self.arguments()):
            if not self.has_error(keys[name]):
                self.add_error(keys[name], said)
        return self.cleaned_data


def question_form(schema: Schema, data: Any = None) -> QuestionForm | JsonArgumentsForm:
    """The form of a server's question; one for JSON where its schema fits no fields."""
    return QuestionForm(schema, data) if has_fields(schema) else JsonArgumentsForm(schema, data)
