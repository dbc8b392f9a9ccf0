"""What templates of the chat ask for."""

from datetime import datetime

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from agents_hub.models import ToolUse, Turn
from agents_hub.pages.chat.results import Block
from security.visible import visible

register = template.Library()
register.filter("visible", visible)

MEANINGS: dict[str, str] = {
    ToolUse.Status.WAITING: "warn",
    ToolUse.Status.RUNNING: "info",
    ToolUse.Status.DONE: "ok",
    ToolUse.Status.FAILED: "error",
    ToolUse.Status.UNKNOWN: "error",
}


@register.filter
def meaning_of_use(status: str) -> str:
    return MEANINGS.get(status, "")


@register.filter
def meaning_of_turn(status: str) -> str:
    return {"completed": "ok", "error": "error", "timeout": "warn"}.get(status, "")


@register.filter
def tokens(turn: Turn) -> int:
    return turn.input_tokens + turn.output_tokens


@register.filter
def block_id(block: Block, use: str) -> str:
    return f"block-{use}-{block.number}"


@register.filter
def structured_id(use: str) -> str:
    return f"structured-{use}"


@register.simple_tag
def took(begin: datetime, end: datetime) -> str:
    """The time between: 4.2 s, 3 min 5 s."""
    seconds = max(0.0, (end - begin).total_seconds())
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds) // 60} min {int(seconds) % 60} s"


@register.simple_tag
def posts(url_name: str, *arguments: object) -> SafeString:
    """The attributes of a conversation's form: it leads there, and with scripts what it changes is shown in place."""
    return format_html(
        'method="post" action="{0}" data-hx-post="{0}" data-hx-target="#chat" data-hx-select="#chat"'
        ' data-hx-swap="outerMorph" data-hx-status:422="select:#chat" data-hx-status:404="select:#chat"'
        ' data-hx-sync="drop"',
        reverse(url_name, args=arguments),
    )
