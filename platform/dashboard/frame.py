"""What pages of lists and forms share: the organization looked at, which page of a list, a name typed to confirm."""

from typing import Any

from django import forms
from django.http import HttpRequest

from accounts.errors import NotFound
from accounts.models import Organization
from dashboard.organizations import current_organization

PAGE_SIZE = 25
LAST_PAGE = 100_000


def organization_of(request: HttpRequest) -> Organization:
    """The one that the person is looking at."""
    organization = current_organization(request)
    if organization is None:
        raise NotFound("You belong to no organization. Ask somebody for an invitation.")
    return organization


def page_number(request: HttpRequest) -> int:
    """What `?page=` says; what is no number counts as the first."""
    wanted = request.GET.get("page", "")
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 7 else 1
    return min(max(number, 1), LAST_PAGE)


class ConfirmForm(forms.Form):
    """A name to be typed before what it names is gone for good."""

    name = forms.CharField(label="Name", max_length=255, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected
        self.fields["name"].help_text = "Type the name in full, as it stands above."

    def clean_name(self) -> str:
        typed: str = self.cleaned_data["name"]
        if typed != self.expected:
            raise forms.ValidationError("This is not the name. Type it as it stands above.")
        return typed
