"""The home page's panels: each app adds what a person wants to see first of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString


@dataclass(frozen=True, slots=True)
class Panel:
    template: str
    context: Callable[[HttpRequest], Mapping[str, Any]]
    order: int


class Panels:
    def __init__(self) -> None:
        self._panels: dict[str, Panel] = {}

    def add(self, template: str, context: Callable[[HttpRequest], Mapping[str, Any]], *, order: int = 100) -> None:
        """Show `template` on the home page with what `context` says about the signed-in person."""
        if template in self._panels:
            raise ValueError(f"The home page already has the panel {template}.")
        self._panels[template] = Panel(template, context, order)

    def render(self, request: HttpRequest) -> list[SafeString]:
        panels = sorted(self._panels.values(), key=lambda panel: panel.order)
        return [render_to_string(panel.template, dict(panel.context(request)), request) for panel in panels]


home_panels = Panels()
