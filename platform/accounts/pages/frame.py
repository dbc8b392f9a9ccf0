"""What all settings pages share: their tabs. An app with settings of its own adds a tab when it is ready."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

TABS = [
    ("accounts:settings", "API keys"),
    ("accounts:profile", "Profile"),
    ("accounts:plan", "Plan"),
    ("accounts:organizations", "Organizations"),
]


def add_tab(url_name: str, label: str, *, after: str) -> None:
    """Add a tab behind the one named `after`."""
    if any(name == url_name for name, _ in TABS):
        raise ValueError(f"The settings already have a tab for {url_name}.")
    TABS.insert([name for name, _ in TABS].index(after) + 1, (url_name, label))


def settings_page(
    request: HttpRequest, template: str, context: Mapping[str, Any], *, tab: str, status: int = 200
) -> HttpResponse:
    """A page under the settings' tabs, with `tab` (a URL name) as the current one."""
    return render(request, template, {"tabs": TABS, "tab": tab, **context}, status=status)
