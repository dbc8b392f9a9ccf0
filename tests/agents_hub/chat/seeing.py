"""Looking at the chat's pages from a test: at a conversation, at what a turn asks."""

from typing import Any

from django.test import Client
from django.urls import reverse

from agents_hub.models import (
    Inquiry,
    ToolUse,
    Turn,
)
from tests.agents_hub.chat.talks import Talk


def url(name: str, *arguments: Any) -> str:
    return reverse(f"chat:{name}", args=arguments)


def shown(browser: Client, talk: Talk) -> str:
    return browser.get(url("conversation", talk.conversation.pk)).content.decode()


def asked(turn: Turn, kind: str, **fields: Any) -> Inquiry:
    """A call under way in which the server asks something."""
    use = ToolUse.objects.create(
        turn=turn, round=1, place=1, name="x", title="Age", origin="server:1", origin_name="Printer", status="running"
    )
    made: Inquiry = Inquiry.objects.create(
        turn=turn, tool_use=use, kind=kind, asked_by="Printer", message="How old?", **fields
    )
    return made
