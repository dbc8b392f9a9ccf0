"""What templates of the chat ask for."""

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from agents_hub.models import ToolUse, Turn
from agents_hub.pages.chat.results import Block

register = template.Library()

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
def tokens(turn: Turn) -> int:
    return turn.input_tokens + turn.output_tokens


@register.filter
def block_id(block: Block, use: str) -> str:
    return f"block-{use}-{block.number}"


@register.filter
def structured_id(use: str) -> str:
    return f"structured-{use}"


@register.simple_tag
def posts(url_name: str, *arguments: object) -> SafeString:
    """The attributes of a conversation's form: it leads there, and with scripts what it changes is shown in place."""
    return format_html(
        'method="post" action="{0}" data-hx-post="{0}" data-hx-target="#chat" data-hx-select="#chat"'
        ' data-hx-swap="outerMorph" data-hx-status:422="select:#chat" data-hx-status:404="select:#chat"'
        ' data-hx-sync="drop"',
        reverse(url_name, args=arguments),
    )
