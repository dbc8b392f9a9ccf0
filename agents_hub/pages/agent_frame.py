"""What all pages on which an agent is edited share: its sections, and whether the person may change it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts.page_caller import caller
from agents_hub.chat.sources import sources
from agents_hub.models import Agent
from agents_hub.services.agent_rules import may_change


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    label: str
    url: str


def edit_page(
    request: HttpRequest, template: str, agent: Agent, context: Mapping[str, Any], *, tab: str, status: int = 200
) -> HttpResponse:
    """A page in the frame of editing `agent`, with `tab` as the current section."""
    frame = {"agent": agent, "tabs": _tabs(agent), "tab": tab, "may_change": may_change(caller(request), agent)}
    return render(request, template, {**frame, **context}, status=status)


def _tabs(agent: Agent) -> list[Tab]:
    plain = (("edit", "What it is"), ("audience", "Who may talk to it"), ("servers", "MCP Servers"))
    tabs = [Tab(name, label, reverse(f"agents:{name}", args=[agent.pk])) for name, label in plain]
    given = (Tab(one.name, one.label, reverse("agents:abilities", args=[agent.pk, one.name])) for one in sources)
    return [*tabs, *given]
