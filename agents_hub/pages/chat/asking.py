"""What an answer asks its person on the way, as it is shown: permission for a call, a server's form, a page to visit.

Its fields belong to the page's form “reply”, so that the same words can be sent to whoever looks on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents_hub.chat.markdown_links import destination
from agents_hub.models import Inquiry
from mcp_gateway.remote.pages.argument_forms import JsonArgumentsForm
from mcp_gateway.remote.pages.question_forms import QuestionForm, question_form
from security.visible import visible

FORM = "reply"


@dataclass(frozen=True, slots=True)
class Asking:
    """`host` is where a page to visit lies; empty where its address is none that is opened."""

    inquiry: Inquiry
    message: str
    form: QuestionForm | JsonArgumentsForm | None = None
    host: str = ""
    template = "agents_hub/chat/asking.html"


def asking(inquiry: Inquiry, data: Mapping[str, Any] | None = None) -> Asking:
    """With `data`, its form holds what was sent."""
    message = visible(inquiry.message)
    if inquiry.kind == Inquiry.Kind.PAGE:
        return Asking(inquiry, message, host=destination(inquiry.url))
    form = _form(inquiry, data) if inquiry.kind == Inquiry.Kind.FORM else None
    return Asking(inquiry, message, form)


def _form(inquiry: Inquiry, data: Mapping[str, Any] | None) -> QuestionForm | JsonArgumentsForm:
    form = question_form(inquiry.form_schema, data)
    # Several may be open at once, within one form of the page.
    form.prefix = f"asked-{inquiry.pk.hex}"
    for field in form.fields.values():
        field.widget.attrs["form"] = FORM
    return form
