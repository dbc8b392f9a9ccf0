"""A form's secret: it goes in and never comes out. Where one is stored, the page says so and offers to replace it."""

from typing import Any

from django import forms

from security.redact import REDACTED


class SecretInput(forms.PasswordInput):
    """An empty input, folded behind Replace where a secret is stored. What was typed is not sent back; it says so."""

    template_name = "dashboard/components/secret_input.html"

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "off"})
        self.is_stored = False

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        was_typed = bool(value)
        is_open = was_typed or "aria-invalid" in context["widget"]["attrs"]
        return context | {
            "redacted": REDACTED,
            "is_stored": self.is_stored,
            "was_typed": was_typed,
            "is_open": is_open,
        }


class SecretField(forms.CharField):
    """Unless it is required, empty stands for the secret that is stored, if there is one."""

    widget: SecretInput

    def __init__(self, *, required: bool = False, **kwargs: Any) -> None:
        super().__init__(required=required, strip=False, widget=SecretInput(), **kwargs)

    def say_stored(self) -> None:
        """Show that there is a secret to replace."""
        self.widget.is_stored = True
