"""What forms of accounts share: fields that password managers understand, and where a service's refusal is shown."""

from typing import Any

from django import forms

from accounts.errors import DomainError
from accounts.models import Role


def show_refusal(form: forms.Form, error: DomainError) -> None:
    """Put the error under the field it is about, else above the form."""
    field = error.data.get("field")
    form.add_error(field if field in form.fields else None, error.message)


def email_field(label: str = "E-mail address", **kwargs: Any) -> forms.EmailField:
    return forms.EmailField(
        label=label,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
        error_messages={
            "required": "Write your e-mail address.",
            "invalid": "Write one such as name@example.com.",
        },
        **kwargs,
    )


def password_field(label: str = "Password", *, is_new: bool = False, **kwargs: Any) -> forms.CharField:
    if is_new:
        kwargs.setdefault("help_text", "At least 8 characters, not only digits, and nothing that others often use.")
    return forms.CharField(
        label=label,
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password" if is_new else "current-password"}),
        error_messages={"required": "Write a password." if is_new else "Write your password."},
        **kwargs,
    )


def name_field(label: str = "Name", **kwargs: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"}), **kwargs
    )


def role_field() -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label="Role",
        choices=Role.choices,
        coerce=Role,
        initial=Role.MEMBER,
        help_text="Admins invite and remove people, and change roles.",
    )
